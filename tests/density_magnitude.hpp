#pragma once
/// \file What tests of the densities share: which there are, and the size of what each adds up, which rounding is
/// relative to.

#include <algorithm>
#include <array>
#include <cmath>

#include "densities/list.hpp"
#include "densities/names.hpp"

namespace jensen {

/// Those of a_0 and, perhaps, shared arguments that a fast data term takes: categorical is apart, as are the priors of
/// tests/prior_density_test.cpp.
inline constexpr std::array all_densities{DensityKind::gaussian,
                                          DensityKind::student_t,
                                          DensityKind::bernoulli_logit,
                                          DensityKind::binomial_logit,
                                          DensityKind::binomial_probit,
                                          DensityKind::binomial_cloglog,
                                          DensityKind::poisson_log,
                                          DensityKind::negative_binomial_log,
                                          DensityKind::gamma_log,
                                          DensityKind::beta_logit,
                                          DensityKind::exponential_log,
                                          DensityKind::weibull_log,
                                          DensityKind::zero_inflated_poisson,
                                          DensityKind::hurdle_poisson,
                                          DensityKind::cumulative_logit,
                                          DensityKind::normal_prior,
                                          DensityKind::student_t_prior,
                                          DensityKind::half_normal_prior,
                                          DensityKind::half_student_t_prior,
                                          DensityKind::exponential_prior,
                                          DensityKind::flat_positive_prior};

/// The arguments a_0, a_1, a_2 and, of any density, the value and the derivatives; 0 by arguments that it has not.
template <class R>
using Arguments = std::array<R, 1 + max_shared>;
template <class R>
using AnyValue = Value<R, 1 + max_shared>;

/// A density by number.
template <class R>
AnyValue<R> evaluate_any(DensityKind kind, const R* constants, const Arguments<R>& a) {
  std::array<R, 1 + most_shared> at{};
  std::array<R, 1 + most_shared> d{};
  std::copy(a.begin(), a.end(), at.begin());
  AnyValue<R> value{};
  value.log_density = evaluate_density(kind, constants, at.data(), 1 + shared_arguments(kind), d.data());
  std::copy_n(d.begin(), a.size(), value.d);
  return value;
}

/// For the value and each derivative the sum of the absolute values of what it is the sum of. Where a density promises
/// not to cancel (Bernoulli; Poisson near the count's logarithm) that is the value itself.
inline AnyValue<double> density_magnitude(DensityKind kind, const double* constants, const Arguments<double>& a) {
  const AnyValue<double> v = evaluate_any(kind, constants, a);
  const double a0 = a[0];
  const double a1 = a[1];
  const double value = std::abs(v.log_density);
  const double slope = std::abs(v.d[0]);
  switch (kind) {
    case DensityKind::gaussian:
      return {value + 2 * std::abs(a1), {slope, std::abs(v.d[1]) + 2}};
    case DensityKind::poisson_log: {
      const double y = constants[0];
      const double u = a0 - constants[1];
      const bool near = std::abs(u) < 0.25 && y > 0;
      return {near ? value : y * std::abs(u) + std::exp(a0) + y, {y + std::exp(a0)}};
    }
    case DensityKind::half_normal_prior:
    case DensityKind::exponential_prior:
      return {value + 2 * std::abs(a0), {slope + 2}};
    case DensityKind::half_student_t_prior: {
      const double df = constants[2];
      const double logs = 2 * std::abs(a0) + 2 * std::abs(std::log(constants[1])) + std::abs(std::log(df));
      const double share = (1 - v.d[0]) / (df + 1);  // q / (1 + q)
      return {value + std::abs(a0) * 2 + (df + 1) * share * logs, {1 + (df + 1) * share * (1 + logs * (1 - share))}};
    }
    case DensityKind::bernoulli_logit:
    case DensityKind::normal_prior:
    case DensityKind::student_t_prior:
    case DensityKind::flat_positive_prior:
      return {value, {slope}};
    default: {
      // Sums of the constants, of arguments and of functions of them that are of order one where those are.
      const double sum =
          2 + std::abs(a0) + std::abs(a1) + std::abs(a[2]) + std::abs(constants[0]) + std::abs(constants[1]);
      AnyValue<double> size{value + sum, {}};
      for (int k = 0; k < 3; ++k) size.d[k] = std::abs(v.d[k]) + sum;
      return size;
    }
  }
}

}  // namespace jensen
