#pragma once
/// \file What a model is made of, as its user names it: family, parameters; priors are in prior.hpp.

#include <string>
#include <string_view>

#include "jensen/export.h"
#include "jensen/prior.hpp"

namespace jensen {

/// Distribution of the response. mu is its mean unless said otherwise, or the probability of success; a link takes it
/// to the linear predictor.
enum class Family {
  gaussian,               ///< y ~ Normal(mu, sigma)
  student_t,              ///< y ~ StudentT(nu, mu, sigma), mu the location
  bernoulli,              ///< y in {0, 1}
  binomial,               ///< y successes in as many trials as the row says
  poisson,                ///< y in {0, 1, ...}
  negative_binomial,      ///< y in {0, 1, ...}, variance mu + mu^2 / shape
  gamma,                  ///< y > 0, rate shape / mu
  beta,                   ///< 0 < y < 1, y ~ Beta(mu phi, (1 - mu) phi)
  lognormal,              ///< y > 0, log(y) ~ Normal(mu, sigma)
  exponential,            ///< y >= 0, may be right-censored
  weibull,                ///< y > 0, may be right-censored, scale mu / Gamma(1 + 1 / shape)
  zero_inflated_poisson,  ///< 0 with probability zi, else Poisson(mu)
  hurdle_poisson,         ///< 0 with probability hu, else Poisson(mu) given that it is not 0
  cumulative,             ///< ordered categories between thresholds on the scale of eta
  categorical,            ///< unordered categories, one linear predictor for each but the first
};
JENSEN_API std::string_view to_string(Family family);
/// Throws InputError listing the families if there is none of that name.
JENSEN_API Family parse_family(std::string_view name);

/// How a parameter of the distribution comes from its linear predictor eta.
enum class Link {
  identity,  ///< eta
  log,       ///< exp(eta)
  logit,     ///< 1 / (1 + exp(-eta))
  probit,    ///< Phi(eta), the standard normal distribution function
  cloglog,   ///< 1 - exp(-exp(eta))
  softmax,   ///< exp(eta_k) / sum of exp(eta_j), eta of the first category 0
};
JENSEN_API std::string_view to_string(Link link);
/// Throws InputError listing the links if there is none of that name.
JENSEN_API Link parse_link(std::string_view name);

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
