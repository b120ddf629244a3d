#pragma once
/// \file What a model is made of, as its user names it: family, parameters; priors are in prior.hpp.

#include <string>
#include <string_view>

#include "jensen/prior.hpp"

namespace jensen {

/// Distribution of the response. docs/families.md has the densities.
enum class Family {
  gaussian,
  student_t,
  bernoulli,
  binomial,
  poisson,
  negative_binomial,
  gamma,
  beta,
  lognormal,
  exponential,
  weibull,
  zero_inflated_poisson,
  hurdle_poisson,
  cumulative,
  categorical,
};
std::string_view to_string(Family family);
/// Throws InputError listing the families if there is none of that name.
Family parse_family(std::string_view name);

/// Function that takes the mean (or another parameter) to its linear predictor.
enum class Link { identity, log, logit, probit, cloglog, softmax };
std::string_view to_string(Link link);
/// Throws InputError listing the links if there is none of that name.
Link parse_link(std::string_view name);

/// How a parameter's value comes from its unconstrained coordinate u.
enum class Transform {
  identity,     ///< value = u
  exponential,  ///< value = exp(u)
  logistic,     ///< value = 1 / (1 + exp(-u))
  increment,    ///< value = the parameter before + exp(u): thresholds in order
  correlation,  ///< u = atanh of a canonical partial correlation of a group's effects; packed by rows, q (q - 1) / 2 of
                ///< them make the correlation matrix (Lewandowski, Kurowicka & Joe 2009)
};

/// Where a parameter belongs in a summary.
enum class ParameterClass {
  population,  ///< coefficients and thresholds
  group,       ///< standard deviations and correlations of group effects
  family,      ///< sigma, nu, shape, ...
};

struct Parameter {
  std::string name;  ///< brms style: b_Intercept, b_x, b_sigma_x, sd_g__Intercept, cor_g__Intercept__x, sigma
  Transform transform = Transform::identity;
  ParameterClass kind = ParameterClass::population;
};

}  // namespace jensen
