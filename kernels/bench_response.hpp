#pragma once
/// \file Responses drawn from a density at its arguments, on the device: the benchmark's data.

#include <cmath>

#include "densities/list.hpp"
#include "noise.hpp"

namespace jensen {

/// Random numbers of one row: a function of (seed, row, place in the sequence).
class RowNoise {
 public:
  JENSEN_HD RowNoise(std::uint64_t seed, std::uint32_t stream, std::int64_t row)
      : seed_(seed), stream_(stream), row_(static_cast<std::uint64_t>(row)) {}

  /// (0, 1): the middles of 2^32 cells.
  JENSEN_HD double uniform() {
    if (next_ % 4 == 0) {
      words_ = philox({{static_cast<std::uint32_t>(row_), static_cast<std::uint32_t>(row_ >> 32U), next_ / 4,
                        (static_cast<std::uint32_t>(Purpose::bench) << 24U) | stream_}},
                      seed_);
    }
    return (static_cast<double>(words_.w[next_++ % 4]) + 0.5) * 0x1p-32;
  }
  /// Box-Muller.
  JENSEN_HD double normal() {
    const double radius = ::sqrt(-2 * ::log(uniform()));
    return radius * ::cos(6.283185307179586 * uniform());
  }

 private:
  std::uint64_t seed_;
  std::uint32_t stream_;
  std::uint64_t row_;
  std::uint32_t next_ = 0;
  Words words_{};
};

/// log of a standard gamma variable (Marsaglia & Tsang 2000, "A simple method for generating gamma variables"); a shape
/// below 1 by G(a) = G(a + 1) U^(1/a).
JENSEN_HD double draw_log_gamma(double shape, RowNoise& noise) {
  const bool small = shape < 1;
  const double d = (small ? shape + 1 : shape) - 1.0 / 3;
  const double c = 1 / ::sqrt(9 * d);
  double log_v = 0;
  for (bool taken = false; !taken;) {
    const double x = noise.normal();
    if (1 + c * x <= 0) continue;
    log_v = 3 * ::log(1 + c * x);
    taken = ::log(noise.uniform()) < 0.5 * x * x + d - d * ::exp(log_v) + d * log_v;
  }
  return ::log(d) + log_v + (small ? ::log(noise.uniform()) / shape : 0.0);
}

/// By inversion, counting up. Means beyond a few hundred do not occur in standardised data.
JENSEN_HD double draw_poisson(double mean, RowNoise& noise) {
  constexpr double most = 500;
  const double bounded = mean < most ? mean : most;
  double p = ::exp(-bounded);
  double left = noise.uniform();
  double count = 0;
  for (; left > p && count < 2 * most; ++count) {
    left -= p;
    p *= bounded / (count + 1);
  }
  return count;
}

/// The first arrival in a process of unit rate, given that it comes before `mean`, and what follows it.
JENSEN_HD double draw_positive_poisson(double mean, RowNoise& noise) {
  const double first = -::log1p(noise.uniform() * ::expm1(-mean));
  return 1 + draw_poisson(mean - first, noise);
}

JENSEN_HD double log_or_zero(double y) { return y > 0 ? ::log(y) : 0.0; }

constexpr double bench_trials = 10;     ///< of each binomial response
constexpr double bench_censored = 0.1;  ///< share of waiting times that are cut short
constexpr int bench_thresholds = 3;     ///< of ordered categories; the first is 0
constexpr int bench_categories = 10;    ///< unordered ones

/// The density's constants (see densities/*.hpp) of a response drawn at the arguments a_0 .. Of cumulative_logit a_1 ..
/// are the thresholds after the first, and the category, from 0, is what comes back; else 0.
JENSEN_HD int draw_response(DensityKind kind, const float* arguments, int count, RowNoise& noise, double* constants) {
  double a[max_arguments] = {};
  for (int k = 0; k < count; ++k) a[k] = static_cast<double>(arguments[k]);
  const double probability = 1 / (1 + ::exp(-a[0]));
  double y = 0;
  switch (kind) {
    case DensityKind::gaussian:
      constants[0] = a[0] + ::exp(a[1]) * noise.normal();
      return 0;
    case DensityKind::student_t: {
      const double half = 0.5 * ::exp(a[2]);
      const double n = noise.normal();
      constants[0] = a[0] + ::exp(a[1]) * n * ::exp(-0.5 * (draw_log_gamma(half, noise) - ::log(half)));
      return 0;
    }
    case DensityKind::bernoulli_logit:
      constants[0] = noise.uniform() < probability ? 1 : 0;
      return 0;
    case DensityKind::binomial_logit: {
      for (int i = 0; i < static_cast<int>(bench_trials); ++i) y += noise.uniform() < probability ? 1 : 0;
      constants[0] = y;
      constants[1] = bench_trials;
      const double rest = bench_trials - y;
      constants[2] = (y > 0 ? y * ::log(y / bench_trials) : 0) + (rest > 0 ? rest * ::log(rest / bench_trials) : 0);
      return 0;
    }
    case DensityKind::poisson_log:
      y = draw_poisson(::exp(a[0]), noise);
      break;
    case DensityKind::negative_binomial_log:
      y = draw_poisson(::exp(a[0] + draw_log_gamma(::exp(a[1]), noise) - a[1]), noise);
      break;
    case DensityKind::gamma_log:
      constants[0] = a[0] + draw_log_gamma(::exp(a[1]), noise) - a[1];
      return 0;
    case DensityKind::beta_logit: {
      const double phi = ::exp(a[1]);
      const double odds = draw_log_gamma(probability * phi, noise) - draw_log_gamma((1 - probability) * phi, noise);
      const double up = ::exp(-::fabs(odds));
      constants[0] = -::log1p(up) + (odds < 0 ? odds : 0);  // log y
      constants[1] = -::log1p(up) - (odds > 0 ? odds : 0);  // log(1 - y)
      constants[2] = odds < 0 ? ::exp(constants[0]) : -::exp(constants[1]);
      return 0;
    }
    case DensityKind::exponential_log:
    case DensityKind::weibull_log: {
      const double shape = kind == DensityKind::weibull_log ? ::exp(a[1]) : 1;
      double log_time = a[0] + ::log(-::log(noise.uniform())) / shape - ::lgamma(1 + 1 / shape);
      const bool censored = noise.uniform() < bench_censored;
      if (censored) log_time += ::log(noise.uniform());
      constants[0] = kind == DensityKind::weibull_log ? log_time : ::exp(log_time);
      constants[1] = censored ? 1 : 0;
      return 0;
    }
    case DensityKind::zero_inflated_poisson:
      y = noise.uniform() < 1 / (1 + ::exp(-a[1])) ? 0 : draw_poisson(::exp(a[0]), noise);
      break;
    case DensityKind::hurdle_poisson:
      y = noise.uniform() < 1 / (1 + ::exp(-a[1])) ? 0 : draw_positive_poisson(::exp(a[0]), noise);
      constants[0] = y;
      constants[1] = log_or_zero(y - 1);
      return 0;
    case DensityKind::cumulative_logit: {
      const double u = noise.uniform();
      const double position = a[0] + ::log(u) - ::log1p(-u);
      int category = position > 0 ? 1 : 0;
      for (int k = 1; k < count; ++k) category += position > a[k] ? 1 : 0;
      constants[0] = category == 0 ? 0 : (category == count ? 2 : 1);
      return category;
    }
    case DensityKind::categorical: {
      double total = 1;
      for (int k = 0; k < count; ++k) total += ::exp(a[k]);
      double left = noise.uniform() * total - 1;
      int category = 0;
      for (; left > 0 && category < count; ++category) left -= ::exp(a[category]);
      constants[0] = category;
      return 0;
    }
    default:
      return 0;
  }
  constants[0] = y;
  constants[1] = log_or_zero(y);
  return 0;
}

}  // namespace jensen
