#pragma once
/// \file The two stages of the sums of row derivatives by level (segments.hpp), for one sample or several side by side.

#include <cstdint>

#include "sample_lanes.hpp"

namespace jensen {

/// Derivatives by u of one chunk. Item: (chunk, sample), the sample varying fastest; counted from the window's first.
struct SumChunkOfRows {
  const std::int32_t* rows;
  const std::int64_t* chunk_begin;
  std::int64_t first_chunk;
  const float* derivative;  ///< window's rows x value_stride: df/da
  std::int64_t value_stride;
  const float* covariates;  ///< of the window's first row: rows x effects, or null (all 1)
  int effects;
  int samples;
  std::int64_t stride;
  float* sums;  ///< chunks x effects x stride

  JENSEN_HD void operator()(std::int64_t item) const { at<float>(item / samples, static_cast<int>(item % samples)); }
  /// The chunk's sums of sample s, or of as many samples from s on as R has.
  template <class R>
  JENSEN_HD void at(std::int64_t chunk, int s) const {
    for (int e = 0; e < effects; ++e) {
      R total = R(0);
      for (std::int64_t i = chunk_begin[first_chunk + chunk]; i < chunk_begin[first_chunk + chunk + 1]; ++i) {
        const std::int64_t row = rows[i];
        const R d = SampleLanes<R>::load(derivative + row * value_stride + s);
        total += covariates == nullptr ? d : d * R(covariates[row * effects + e]);
      }
      SampleLanes<R>::store(sums + (chunk * effects + e) * stride + s, total);
    }
  }
};

/// Adds each touched level's chunks to its effects' sums. Item: (touched level, sample), counted from the window's
/// first.
struct AddChunksOfLevel {
  const std::int32_t* level;
  const std::int64_t* level_chunk;
  std::int64_t first_level, first_chunk;
  const float* chunk_sums;
  int effects;
  int samples;
  std::int64_t stride;
  float* sums;  ///< coordinates of the group x stride

  JENSEN_HD void operator()(std::int64_t item) const { at<float>(item / samples, static_cast<int>(item % samples)); }
  template <class R>
  JENSEN_HD void at(std::int64_t touched, int s) const {
    using Lanes = SampleLanes<R>;
    const std::int64_t t = first_level + touched;
    for (int e = 0; e < effects; ++e) {
      typename Lanes::Wide total = 0.0;
      for (std::int64_t c = level_chunk[t] - first_chunk; c < level_chunk[t + 1] - first_chunk; ++c) {
        total += Lanes::wide(Lanes::load(chunk_sums + (c * effects + e) * stride + s));
      }
      float* sum = sums + (static_cast<std::int64_t>(level[t]) * effects + e) * stride + s;
      Lanes::store(sum, Lanes::narrow(Lanes::wide(Lanes::load(sum)) + total));
    }
  }
};

}  // namespace jensen
