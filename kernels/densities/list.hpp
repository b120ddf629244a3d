#pragma once
/// \file Every density by number, and the one place that turns the number into a type.

#include "densities/bernoulli_logit.hpp"
#include "densities/beta_logit.hpp"
#include "densities/binomial_cloglog.hpp"
#include "densities/binomial_logit.hpp"
#include "densities/binomial_probit.hpp"
#include "densities/categorical.hpp"
#include "densities/cumulative_logit.hpp"
#include "densities/exponential_log.hpp"
#include "densities/gamma_log.hpp"
#include "densities/gaussian.hpp"
#include "densities/hurdle_poisson.hpp"
#include "densities/negative_binomial_log.hpp"
#include "densities/poisson_log.hpp"
#include "densities/student_t.hpp"
#include "densities/weibull_log.hpp"
#include "densities/zero_inflated_poisson.hpp"
#include "priors/correlation.hpp"
#include "priors/gamma.hpp"
#include "priors/horseshoe.hpp"
#include "priors/location_scale.hpp"
#include "priors/positive.hpp"
#include "priors/unit.hpp"

namespace jensen {

enum class DensityKind : int {
  // of a response
  gaussian,
  student_t,
  bernoulli_logit,
  binomial_logit,
  binomial_probit,
  binomial_cloglog,
  poisson_log,
  negative_binomial_log,
  gamma_log,
  beta_logit,
  exponential_log,
  weibull_log,
  zero_inflated_poisson,
  hurdle_poisson,
  cumulative_logit,
  categorical,  ///< all arguments at once: see evaluate_density()
  custom,       ///< the user's own: Term::custom is its code (density_code.hpp)
  // priors
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

JENSEN_HD bool is_prior(DensityKind kind) { return kind > DensityKind::custom; }

/// Calls f with an object of a response's density. Not for categorical, which fits no such f: has_data_shape() and
/// evaluate_density() see to it.
#if defined(__CUDACC__)
#pragma nv_exec_check_disable  // f may be a host function when the caller is
#endif
template <class F>
JENSEN_HD auto with_response_density(DensityKind kind, F&& f) {
  switch (kind) {
    case DensityKind::gaussian:
      return f(Gaussian{});
    case DensityKind::student_t:
      return f(StudentT{});
    case DensityKind::bernoulli_logit:
      return f(BernoulliLogit{});
    case DensityKind::binomial_logit:
      return f(BinomialLogit{});
    case DensityKind::binomial_probit:
      return f(BinomialProbit{});
    case DensityKind::binomial_cloglog:
      return f(BinomialCloglog{});
    case DensityKind::poisson_log:
      return f(PoissonLog{});
    case DensityKind::negative_binomial_log:
      return f(NegativeBinomialLog{});
    case DensityKind::gamma_log:
      return f(GammaLog{});
    case DensityKind::beta_logit:
      return f(BetaLogit{});
    case DensityKind::exponential_log:
      return f(ExponentialLog{});
    case DensityKind::weibull_log:
      return f(WeibullLog{});
    case DensityKind::zero_inflated_poisson:
      return f(ZeroInflatedPoisson{});
    case DensityKind::hurdle_poisson:
      return f(HurdlePoisson{});
    default:
      break;
  }
  return f(CumulativeLogit{});
}

/// Calls f with an object of the density's type; not for categorical and is_prior_only().
#if defined(__CUDACC__)
#pragma nv_exec_check_disable  // f may be a host function when the caller is
#endif
template <class F>
JENSEN_HD auto with_data_density(DensityKind kind, F&& f) {
  switch (kind) {
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
      return f(FlatPositivePrior{});
    default:
      break;
  }
  return with_response_density(kind, f);
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

/// Calls f with an object of the density's type; not for categorical.
#if defined(__CUDACC__)
#pragma nv_exec_check_disable
#endif
template <class F>
JENSEN_HD auto with_density(DensityKind kind, F&& f) {
  if (is_prior_only(kind)) return with_prior_only(kind, f);
  return with_data_density(kind, f);
}

/// How many arguments follow a_0. Not for categorical.
JENSEN_HD int shared_arguments(DensityKind kind) {
  return with_density(kind, [](auto density) { return decltype(density)::shared; });
}

/// The value of any density at the `count` arguments a, by number; d[k] = df/da_k. a and d have room for
/// 1 + shared_arguments(kind).
template <class R>
JENSEN_HD R evaluate_density(DensityKind kind, const R* constants, const R* a, int count, R* d) {
  if (kind == DensityKind::categorical) return Categorical::evaluate_all(constants, a, count, d);
  return with_density(kind, [&](auto density) {
    using Density = decltype(density);
    const auto value = Density::evaluate(constants, a[0], Density::prepare(a + 1));
    for (int k = 0; k <= Density::shared; ++k) d[k] = value.d[k];
    return value.log_density;
  });
}

/// The densities that a kernel is compiled for: Jensen's own, chosen by number. OnlyDensity (own_density.hpp) is
/// another such set.
struct BuiltInDensities {
  static constexpr bool built_in = true;
#if defined(__CUDACC__)
#pragma nv_exec_check_disable
#endif
  template <class F>
  static JENSEN_HD auto with_data(DensityKind kind, F&& f) {
    return with_data_density(kind, f);
  }
#if defined(__CUDACC__)
#pragma nv_exec_check_disable
#endif
  template <class F>
  static JENSEN_HD auto with_response(DensityKind kind, F&& f) {
    return with_response_density(kind, f);
  }
  template <class R>
  static JENSEN_HD R evaluate(DensityKind kind, const R* constants, const R* a, int count, R* d) {
    return evaluate_density(kind, constants, a, count, d);
  }
};

}  // namespace jensen
