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
inline int shared_arguments(DensityKind kind) {
  return with_density(kind, [](auto density) { return decltype(density)::shared; });
}

}  // namespace jensen
