#pragma once
/// \file What tests of the densities share: their names, and the size of what each adds up, which rounding is relative
/// to.

#include <algorithm>
#include <array>
#include <cmath>

#include "densities/list.hpp"

namespace jensen {

inline constexpr std::array all_densities{DensityKind::gaussian,
                                          DensityKind::bernoulli_logit,
                                          DensityKind::poisson_log,
                                          DensityKind::normal_prior,
                                          DensityKind::student_t_prior,
                                          DensityKind::half_normal_prior,
                                          DensityKind::half_student_t_prior,
                                          DensityKind::exponential_prior,
                                          DensityKind::flat_positive_prior};

inline const char* density_name(DensityKind kind) {
  constexpr std::array names{"gaussian",    "bernoulli_logit", "poisson_log", "normal",       "student_t",
                             "half_normal", "half_student_t",  "exponential", "flat_positive"};
  return names[static_cast<std::size_t>(kind)];
}

/// The density in double, by number.
inline Value<double> density_in_double(DensityKind kind, const double* constants, double a0, double a1) {
  return with_density(kind, [&](auto density) {
    using Density = decltype(density);
    return Density::evaluate(constants, a0, Density::prepare(a1));
  });
}

/// For the value and each derivative the sum of the absolute values of what it is the sum of. Where a density promises
/// not to cancel (Bernoulli; Poisson near the count's logarithm) that is the value itself.
inline Value<double> density_magnitude(DensityKind kind, const double* constants, double a0, double a1) {
  const Value<double> v = density_in_double(kind, constants, a0, a1);
  const double value = std::abs(v.log_density);
  const double slope = std::abs(v.d_first);
  switch (kind) {
    case DensityKind::gaussian:
      return {value + 2 * std::abs(a1), slope, std::abs(v.d_shared) + 2};
    case DensityKind::poisson_log: {
      const double y = constants[0];
      const double u = a0 - constants[1];
      const bool near = std::abs(u) < 0.25 && y > 0;
      return {near ? value : y * std::abs(u) + std::exp(a0) + y, y + std::exp(a0), 0};
    }
    case DensityKind::half_normal_prior:
    case DensityKind::exponential_prior:
      return {value + 2 * std::abs(a0), slope + 2, 0};
    case DensityKind::half_student_t_prior: {
      const double df = constants[2];
      const double logs = 2 * std::abs(a0) + 2 * std::abs(std::log(constants[1])) + std::abs(std::log(df));
      const double share = (1 - v.d_first) / (df + 1);  // q / (1 + q)
      return {value + std::abs(a0) * 2 + (df + 1) * share * logs, 1 + (df + 1) * share * (1 + logs * (1 - share)), 0};
    }
    default:
      return {value, slope, 0};
  }
}

}  // namespace jensen
