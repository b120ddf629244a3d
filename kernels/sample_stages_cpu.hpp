#pragma once
/// \file Stages of all samples (sample_lanes.hpp) on the CPU: compiled once for each instruction set.

#include <cstdint>

#include "guides/fullrank.hpp"
#include "guides/meanfield.hpp"
#include "guides/with_levels.hpp"
#include "level_stages.hpp"
#include "segment_stages.hpp"
#include "step_functors.hpp"
#include "step_update.hpp"

namespace jensen {

/// Elements of lambda whose arithmetic is done side by side.
constexpr int cpu_elements_at_once = 64;

template <class Head>
using UpdateOf = UpdateParameter<WithLevels<Head>>;

/// Units [begin, end) of a stage for all of its samples, with the widest registers that this processor has. One thread.
void sample_stage_cpu(const FillLevelNoise& stage, std::int64_t begin, std::int64_t end);
void sample_stage_cpu(const ExpandLevels& stage, std::int64_t begin, std::int64_t end);
void sample_stage_cpu(const PullBackLevels& stage, std::int64_t begin, std::int64_t end);
void sample_stage_cpu(const PullBackCoupling& stage, std::int64_t begin, std::int64_t end);
void sample_stage_cpu(const PullBackFollowed& stage, std::int64_t begin, std::int64_t end);
void sample_stage_cpu(const SumChunkOfRows& stage, std::int64_t begin, std::int64_t end);
void sample_stage_cpu(const AddChunksOfLevel& stage, std::int64_t begin, std::int64_t end);
void sample_stage_cpu(const UpdateOf<Fullrank>& stage, std::int64_t begin, std::int64_t end);
void sample_stage_cpu(const UpdateOf<Meanfield>& stage, std::int64_t begin, std::int64_t end);

/// The same for one instruction set, before one is chosen: see sample_stages_cpu_isa.cpp.
template <class Stage>
struct SampleStageOf {
  using Function = void(const Stage& stage, std::int64_t begin, std::int64_t end);
};
#define JENSEN_DECLARE(isa)                                  \
  namespace isa {                                            \
  SampleStageOf<FillLevelNoise>::Function sample_stage;      \
  SampleStageOf<ExpandLevels>::Function sample_stage;        \
  SampleStageOf<PullBackLevels>::Function sample_stage;      \
  SampleStageOf<PullBackCoupling>::Function sample_stage;    \
  SampleStageOf<PullBackFollowed>::Function sample_stage;    \
  SampleStageOf<SumChunkOfRows>::Function sample_stage;      \
  SampleStageOf<AddChunksOfLevel>::Function sample_stage;    \
  SampleStageOf<UpdateOf<Fullrank>>::Function sample_stage;  \
  SampleStageOf<UpdateOf<Meanfield>>::Function sample_stage; \
  }
JENSEN_DECLARE(baseline)
#if defined(__x86_64__)
JENSEN_DECLARE(avx2)
JENSEN_DECLARE(avx512)
#endif
#undef JENSEN_DECLARE

}  // namespace jensen
