#pragma once
#include "densities/list.hpp"

namespace jensen {

/// As DensityKind writes it: the name of the stage that evaluates it.
inline const char* density_name(DensityKind kind) {
  constexpr const char* names[] = {
      "gaussian",
      "student_t",
      "bernoulli_logit",
      "binomial_logit",
      "binomial_probit",
      "binomial_cloglog",
      "poisson_log",
      "negative_binomial_log",
      "gamma_log",
      "beta_logit",
      "exponential_log",
      "weibull_log",
      "zero_inflated_poisson",
      "hurdle_poisson",
      "cumulative_logit",
      "categorical",
      "custom",
      "normal_prior",
      "student_t_prior",
      "half_normal_prior",
      "half_student_t_prior",
      "exponential_prior",
      "flat_positive_prior",
      "laplace_prior",
      "logistic_prior",
      "uniform_prior",
      "gamma_prior",
      "inverse_gamma_prior",
      "inverse_gamma_of_square_prior",
      "uniform_positive_prior",
      "beta_prior",
      "uniform_unit_prior",
      "lkj_partial",
      "horseshoe",
  };
  return names[static_cast<int>(kind)];
}

}  // namespace jensen
