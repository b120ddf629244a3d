#pragma once
/// \file Which kernel density stands for a prior, with which constants.

#include <array>
#include <cmath>
#include <numbers>

#include "densities/list.hpp"
#include "jensen/model.hpp"

namespace jensen {

/// Not for a flat prior on a real parameter, which is no term at all.
inline DensityKind density_of(PriorKind kind) {
  switch (kind) {
    case PriorKind::normal:
      return DensityKind::normal_prior;
    case PriorKind::student_t:
      return DensityKind::student_t_prior;
    case PriorKind::half_normal:
      return DensityKind::half_normal_prior;
    case PriorKind::half_student_t:
    case PriorKind::half_cauchy:
      return DensityKind::half_student_t_prior;
    case PriorKind::exponential:
      return DensityKind::exponential_prior;
    case PriorKind::flat:
      break;
  }
  return DensityKind::flat_positive_prior;
}

/// location, 1 / scale, degrees of freedom
inline std::array<double, 3> constants_of(const Prior& prior) {
  return {prior.location, 1 / prior.scale, prior.kind == PriorKind::half_cauchy ? 1.0 : prior.df};
}

/// Log of the normalising constant, which the kernel densities leave out; 0 for an improper prior.
inline double log_normalizer(const Prior& prior) {
  const double df = constants_of(prior)[2];
  const auto student_t = [&] {
    return std::lgamma((df + 1) / 2) - std::lgamma(df / 2) - 0.5 * std::log(df * std::numbers::pi) -
           std::log(prior.scale);
  };
  const double normal = -0.5 * std::log(2 * std::numbers::pi) - std::log(prior.scale);
  switch (prior.kind) {
    case PriorKind::normal:
      return normal;
    case PriorKind::student_t:
      return student_t();
    case PriorKind::half_normal:
      return std::numbers::ln2 + normal;
    case PriorKind::half_student_t:
    case PriorKind::half_cauchy:
      return std::numbers::ln2 + student_t();
    case PriorKind::exponential:
      return -std::log(prior.scale);
    case PriorKind::flat:
      break;
  }
  return 0;
}

}  // namespace jensen
