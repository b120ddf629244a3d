#pragma once
/// \file Every density by number, and the one place that turns the number into a type.

#include "densities/bernoulli_logit.hpp"
#include "densities/gaussian.hpp"
#include "densities/poisson_log.hpp"
#include "priors/correlation.hpp"
#include "priors/gamma.hpp"
#include "priors/horseshoe.hpp"
#include "priors/location_scale.hpp"
#include "priors/positive.hpp"
#include "priors/unit.hpp"

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
  // From here on priors alone (is_prior_only): evaluated by TermOracle, never by the fast data terms.
  laplace_prior,
  logistic_prior,
  uniform_prior,
  gamma_prior,
  inverse_gamma_prior,
  inverse_gamma_of_square_prior,
  uniform_positive_prior,
  beta_prior,
  uniform_unit_prior,
  lkj_partial,
  horseshoe,
};

/// True for densities that the fast data terms are not compiled for: with a few elements there is nothing to gain.
JENSEN_HD constexpr bool is_prior_only(DensityKind kind) { return kind >= DensityKind::laplace_prior; }

/// Calls f with an object of the density's type; not for is_prior_only().
#if defined(__CUDACC__)
#pragma nv_exec_check_disable  // f may be a host function when the caller is
#endif
template <class F>
JENSEN_HD auto with_data_density(DensityKind kind, F&& f) {
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
    default:
      return f(FlatPositivePrior{});
  }
}

#if defined(__CUDACC__)
#pragma nv_exec_check_disable
#endif
template <class F>
JENSEN_HD auto with_prior_only(DensityKind kind, F&& f) {
  switch (kind) {
    case DensityKind::laplace_prior:
      return f(LaplacePrior{});
    case DensityKind::logistic_prior:
      return f(LogisticPrior{});
    case DensityKind::uniform_prior:
      return f(UniformPrior{});
    case DensityKind::gamma_prior:
      return f(GammaPrior{});
    case DensityKind::inverse_gamma_prior:
      return f(InverseGammaPrior{});
    case DensityKind::inverse_gamma_of_square_prior:
      return f(InverseGammaOfSquarePrior{});
    case DensityKind::uniform_positive_prior:
      return f(UniformPositivePrior{});
    case DensityKind::beta_prior:
      return f(BetaPrior{});
    case DensityKind::uniform_unit_prior:
      return f(UniformUnitPrior{});
    case DensityKind::lkj_partial:
      return f(LkjPartial{});
    default:
      return f(Horseshoe{});
  }
}

/// Calls f with an object of the density's type.
#if defined(__CUDACC__)
#pragma nv_exec_check_disable
#endif
template <class F>
JENSEN_HD auto with_density(DensityKind kind, F&& f) {
  if (is_prior_only(kind)) return with_prior_only(kind, f);
  return with_data_density(kind, f);
}

/// How many arguments follow a_0.
JENSEN_HD int shared_arguments(DensityKind kind) {
  return with_density(kind, [](auto density) { return decltype(density)::shared; });
}

/// The value at the `count` arguments a, by number; d[k] = df/da_k. a and d have room for
/// 1 + shared_arguments(kind).
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
