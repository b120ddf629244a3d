#include "sample_stages_cpu.hpp"

#include "data_term_cpu_isa.hpp"

namespace jensen {
namespace {

template <class Stage>
auto choose() {
  using Function = typename SampleStageOf<Stage>::Function*;
#if defined(__x86_64__)
  if (processor_runs_avx512()) return static_cast<Function>(avx512::sample_stage);
  if (processor_runs_avx2()) return static_cast<Function>(avx2::sample_stage);
#endif
  return static_cast<Function>(baseline::sample_stage);
}

template <class Stage>
void run(const Stage& stage, std::int64_t begin, std::int64_t end) {
  static const auto chosen = choose<Stage>();
  chosen(stage, begin, end);
}

}  // namespace

void sample_stage_cpu(const FillLevelNoise& stage, std::int64_t begin, std::int64_t end) { run(stage, begin, end); }
void sample_stage_cpu(const ExpandLevels& stage, std::int64_t begin, std::int64_t end) { run(stage, begin, end); }
void sample_stage_cpu(const PullBackLevels& stage, std::int64_t begin, std::int64_t end) { run(stage, begin, end); }
void sample_stage_cpu(const PullBackCoupling& stage, std::int64_t begin, std::int64_t end) { run(stage, begin, end); }
void sample_stage_cpu(const PullBackFollowed& stage, std::int64_t begin, std::int64_t end) { run(stage, begin, end); }
void sample_stage_cpu(const SumChunkOfRows& stage, std::int64_t begin, std::int64_t end) { run(stage, begin, end); }
void sample_stage_cpu(const AddChunksOfLevel& stage, std::int64_t begin, std::int64_t end) { run(stage, begin, end); }
void sample_stage_cpu(const UpdateOf<Fullrank>& stage, std::int64_t begin, std::int64_t end) { run(stage, begin, end); }
void sample_stage_cpu(const UpdateOf<Meanfield>& stage, std::int64_t begin, std::int64_t end) {
  run(stage, begin, end);
}

}  // namespace jensen
