#pragma once
/// \file Every density by number, and the one place that turns the number into a type.

#include "densities/bernoulli_logit.hpp"
#include "densities/gaussian.hpp"
#include "densities/poisson_log.hpp"
#include "priors/location_scale.hpp"
#include "priors/positive.hpp"

namespace jensen {

enum class DensityKind : int {
  gaussian,
  bernoulli_logit,
  poisson_log,
  normal_prior,
  student_t_prior,
  half_normal_prior,
  half_student_t_prior,
  exponential_prior,
  flat_positive_prior,
};

/// Calls f with an object of the density's type.
#if defined(__CUDACC__)
#pragma nv_exec_check_disable  // f may be a host function when the caller is
#endif
template <class F>
JENSEN_HD auto with_density(DensityKind kind, F&& f) {
  switch (kind) {
    case DensityKind::gaussian:
      return f(Gaussian{});
    case DensityKind::bernoulli_logit:
      return f(BernoulliLogit{});
    case DensityKind::poisson_log:
      return f(PoissonLog{});
    case DensityKind::normal_prior:
      return f(NormalPrior{});
    case DensityKind::student_t_prior:
      return f(StudentTPrior{});
    case DensityKind::half_normal_prior:
      return f(HalfNormalPrior{});
    case DensityKind::half_student_t_prior:
      return f(HalfStudentTPrior{});
    case DensityKind::exponential_prior:
      return f(ExponentialPrior{});
    case DensityKind::flat_positive_prior:
      break;
  }
  return f(FlatPositivePrior{});
}

/// How many arguments follow a_0.
JENSEN_HD int shared_arguments(DensityKind kind) {
  return with_density(kind, [](auto density) { return decltype(density)::shared; });
}

/// The value at the `count` arguments a, by number; d[k] = df/da_k. a and d have room for 1 + max_shared.
template <class R>
JENSEN_HD R evaluate_density(DensityKind kind, const R* constants, const R* a, int /*count*/, R* d) {
  return with_density(kind, [&](auto density) {
    using Density = decltype(density);
    const auto value = Density::evaluate(constants, a[0], Density::prepare(a + 1));
    for (int k = 0; k <= Density::shared; ++k) d[k] = value.d[k];
    return value.log_density;
  });
}

}  // namespace jensen
