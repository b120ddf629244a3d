/// \file Stages of all samples for one instruction set: compiled once for each, with JENSEN_ISA naming the namespace.

#include "cpu_pack.hpp"  // before what calls its functions of packs

#include "sample_stages_cpu.hpp"

namespace jensen::JENSEN_ISA {
namespace {

template <class Stage>
JENSEN_HD void run(const Stage& stage, std::int64_t begin, std::int64_t end) {
  if (stage.samples == 1) {
    for (std::int64_t unit = begin; unit < end; ++unit) stage.template at<float>(unit, 0);
    return;
  }
  for (std::int64_t unit = begin; unit < end; ++unit) {
    for (int s = 0; s < stage.samples; s += width) stage.template at<Pack<float>>(unit, s);
  }
}

/// philox_portable() of `width` counters side by side: one round of all, then the next.
JENSEN_HD void philox_of_lanes(std::uint32_t (&w)[4][width], std::uint64_t key) {
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32U);
  for (int round = 0; round < philox_rounds; ++round) {
#pragma omp simd
    for (int l = 0; l < width; ++l) {
      const Words next = philox_round({{w[0][l], w[1][l], w[2][l], w[3][l]}}, k0, k1);
      w[0][l] = next.w[0];
      w[1][l] = next.w[1];
      w[2][l] = next.w[2];
      w[3][l] = next.w[3];
    }
    bump(k0, k1);
  }
}

/// Units: elements of lambda.
template <class Guide>
JENSEN_HD void run_update(const UpdateParameter<Guide>& stage, std::int64_t begin, std::int64_t end) {
  for (std::int64_t p = begin; p < end; p += cpu_elements_at_once) {
    stage.template at<cpu_elements_at_once>(
        p, static_cast<int>(end - p < cpu_elements_at_once ? end - p : cpu_elements_at_once));
  }
}

}  // namespace

/// Units: four coordinates each. Their pairs with streams go side by side, whichever there are more of.
void sample_stage(const FillLevelNoise& stage, std::int64_t begin, std::int64_t end) {
  const auto streams = static_cast<std::uint32_t>(stage.streams());
  std::int64_t left = (end - begin) * streams;
  std::int64_t quad = begin;
  std::uint32_t stream = 0;
  for (; left > 0; left -= width) {
    const int live = left < width ? static_cast<int>(left) : width;
    std::int64_t quads[width];
    int stream_of[width];
    alignas(64) std::uint32_t w[4][width] = {};
    alignas(64) float normal[4][width];
    for (int l = 0; l < live; ++l) {
      const Words counter = stage.counter(stream, quad);
      for (int i = 0; i < 4; ++i) w[i][l] = counter.w[i];
      quads[l] = quad;
      stream_of[l] = static_cast<int>(stream);
      if (++stream == streams) {
        stream = 0;
        ++quad;
      }
    }
    philox_of_lanes(w, stage.seed);
    for (int i = 0; i < 4; i += 2) {
#pragma omp simd
      for (int l = 0; l < width; ++l) {
        const NormalPair pair = normal_pair(w[i][l], w[i + 1][l]);
        normal[i][l] = pair.first;
        normal[i + 1][l] = pair.second;
      }
    }
    for (int l = 0; l < live; ++l) {
      for (int k = 0; k < 4; ++k) stage.write(quads[l], k, stream_of[l], normal[k][l]);
    }
  }
}
void sample_stage(const ExpandLevels& stage, std::int64_t begin, std::int64_t end) { run(stage, begin, end); }
void sample_stage(const PullBackLevels& stage, std::int64_t begin, std::int64_t end) { run(stage, begin, end); }
void sample_stage(const PullBackCoupling& stage, std::int64_t begin, std::int64_t end) { run(stage, begin, end); }
void sample_stage(const PullBackFollowed& stage, std::int64_t begin, std::int64_t end) { run(stage, begin, end); }
void sample_stage(const SumChunkOfRows& stage, std::int64_t begin, std::int64_t end) { run(stage, begin, end); }
void sample_stage(const AddChunksOfLevel& stage, std::int64_t begin, std::int64_t end) { run(stage, begin, end); }
void sample_stage(const UpdateOf<Fullrank>& stage, std::int64_t begin, std::int64_t end) {
  run_update(stage, begin, end);
}
void sample_stage(const UpdateOf<Meanfield>& stage, std::int64_t begin, std::int64_t end) {
  run_update(stage, begin, end);
}

}  // namespace jensen::JENSEN_ISA
