#pragma once
/// \file Regression data made on a device: the counters, the functors, and where everything stands among the latents.
///
/// Columns are standard normal, coefficients standard normal over sqrt(K), so that the linear predictor is about
/// standard normal too, and the response is drawn from its density there.

#include <cmath>
#include <cstdint>
#include <vector>

#include "bench_device.hpp"
#include "bench_response.hpp"

namespace jensen {

/// What a stream of the benchmark's noise is for: the low bits of the counter's last word, beside Purpose::bench.
enum class BenchStream : std::uint32_t { columns = 0, responses = 1, coefficients = 2, effects = 3 };

JENSEN_HD Normals bench_normals(std::uint64_t seed, BenchStream stream, std::uint64_t quad) {
  return standard_normals(seed, Purpose::bench, static_cast<std::uint64_t>(stream) << 32U,
                          static_cast<std::uint32_t>(quad >> 32U), static_cast<std::uint32_t>(quad));
}

/// Item: four values in a row of `to`.
struct FillNormals {
  std::uint64_t seed;
  BenchStream stream;
  float scale;
  std::int64_t count;
  float* to;
  std::int64_t items() const { return (count + 3) / 4; }
  JENSEN_HD void operator()(std::int64_t quad) const {
    const Normals normals = bench_normals(seed, stream, static_cast<std::uint64_t>(quad));
    for (int k = 0; k < 4 && 4 * quad + k < count; ++k) to[4 * quad + k] = scale * normals.n[k];
  }
};

/// Item: row. Every level in every batch, and in a batch level after level, as training orders its rows.
struct SetLevels {
  std::int64_t rows, batches, levels;
  std::int32_t* to;
  JENSEN_HD void operator()(std::int64_t row) const {
    std::int64_t b = row * batches / rows;
    while (rows * (b + 1) / batches <= row) ++b;
    const std::int64_t begin = rows * b / batches;
    const std::int64_t end = rows * (b + 1) / batches;
    to[row] = static_cast<std::int32_t>((row - begin) * levels / (end - begin));
  }
};

/// Item: row. Draws the response at the latents z and keeps it as the density's constants; of ordered categories also
/// which thresholds are below and above (a column each for those after the first, which is 0).
struct DrawResponses {
  Term term;
  std::uint64_t seed;
  const float* z;
  Effects effects;
  int first_threshold;
  float* constants[max_constants];
  float* below;
  float* above;

  JENSEN_HD void operator()(std::int64_t row) const {
    const bool ordered = term.density == DensityKind::cumulative_logit;
    float a[max_arguments] = {};
    const int count = ordered ? bench_thresholds : term.argument_count;
    for (int k = 0; k < count; ++k) {
      a[k] = ordered && k > 0 ? z[first_threshold + k - 1] : predict(term.arguments[k], row, z, effects, 0);
    }
    RowNoise noise(seed, static_cast<std::uint32_t>(BenchStream::responses), row);
    double drawn[max_constants] = {};
    const int category = draw_response(term.density, a, count, noise, drawn);
    for (int c = 0; c < max_constants; ++c) {
      if (constants[c] != nullptr) constants[c][row] = static_cast<float>(drawn[c]);
    }
    if (!ordered) return;
    constexpr int free = bench_thresholds - 1;
    for (int k = 0; k < free; ++k) {  // category j lies between thresholds j and j + 1, counted from 1
      below[row * free + k] = category == k + 2 ? 1.0F : 0.0F;
      above[row * free + k] = category == k + 1 ? 1.0F : 0.0F;
    }
  }
};

/// Item: i of `count`. Rows at even distances.
struct SpreadRows {
  std::int64_t rows, count;
  std::uint32_t* to;
  JENSEN_HD void operator()(std::int64_t i) const { to[i] = static_cast<std::uint32_t>(i * rows / count); }
};

/// Constants that a density reads: see densities/*.hpp.
inline int constant_count(DensityKind kind) {
  switch (kind) {
    case DensityKind::binomial_logit:
    case DensityKind::beta_logit:
      return 3;
    case DensityKind::poisson_log:
    case DensityKind::negative_binomial_log:
    case DensityKind::zero_inflated_poisson:
    case DensityKind::hurdle_poisson:
    case DensityKind::exponential_log:
    case DensityKind::weibull_log:
      return 2;
    default:
      return 1;
  }
}

/// Where a_1 .. are, as a typical response has them: log sigma 0, log nu of 5, log shape of 2, log phi of 10, logit -1;
/// thresholds' latents 0.
inline std::vector<float> other_locations(DensityKind kind) {
  switch (kind) {
    case DensityKind::gaussian:
      return {0.0F};
    case DensityKind::student_t:
      return {0.0F, std::log(5.0F)};
    case DensityKind::negative_binomial_log:
    case DensityKind::gamma_log:
    case DensityKind::weibull_log:
      return {std::log(2.0F)};
    case DensityKind::beta_logit:
      return {std::log(10.0F)};
    case DensityKind::zero_inflated_poisson:
    case DensityKind::hurdle_poisson:
      return {-1.0F};
    case DensityKind::cumulative_logit:
      return std::vector<float>(bench_thresholds - 1, 0.0F);
    default:
      return {};
  }
}

inline int bench_predictors(DensityKind kind) { return kind == DensityKind::categorical ? bench_categories - 1 : 1; }

}  // namespace jensen
