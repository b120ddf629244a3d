#pragma once
/// \file What a model is made of, as its user names it: family, priors, parameters.

#include <string>
#include <string_view>
#include <vector>

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
std::string_view to_string(Family family);
/// Throws InputError listing the families if there is none of that name.
Family parse_family(std::string_view name);

/// How a parameter of the distribution comes from its linear predictor eta.
enum class Link {
  identity,  ///< eta
  log,       ///< exp(eta)
  logit,     ///< 1 / (1 + exp(-eta))
  probit,    ///< Phi(eta), the standard normal distribution function
  cloglog,   ///< 1 - exp(-exp(eta))
  softmax,   ///< exp(eta_k) / sum of exp(eta_j), eta of the first category 0
};
std::string_view to_string(Link link);
/// Throws InputError listing the links if there is none of that name.
Link parse_link(std::string_view name);

enum class PriorKind { flat, normal, student_t, half_normal, half_student_t, half_cauchy, exponential };

/// A prior on one parameter or on a class of them, always on the scale of the data's own columns.
///
/// `target` is a class: `b` (every coefficient but the intercept), `Intercept`, `sigma`; or one coefficient,
/// `b_NAME`, which wins over its class. `Intercept_centered` is the intercept of the model whose predictors are
/// centred, eta at the mean of the predictors; the default prior is on it, as in rstanarm, because its scale does
/// not depend on where the predictors' zeros are. A prior on `Intercept` replaces it.
struct Prior {
  std::string target;
  PriorKind kind = PriorKind::flat;
  double location = 0;  ///< normal, student_t: location. 0 for the half_ kinds
  double scale = 1;     ///< scale > 0; for exponential: 1 / rate
  double df = 0;        ///< degrees of freedom > 0 of student_t and half_student_t

  friend bool operator==(const Prior&, const Prior&) = default;
};
/// Reads "b ~ normal(0, 2.5)". Arguments, as in Stan: normal(location, scale), student_t(df, location, scale),
/// cauchy(location, scale), half_normal(scale) or half_normal(0, scale), half_cauchy(scale) or half_cauchy(0, scale),
/// half_student_t(df, 0, scale), exponential(rate) or exponential(1/scale), flat(). A prior on `sigma` given as normal,
/// student_t or cauchy with location 0 means its positive half. Throws InputError with a caret under the place.
Prior parse_prior(std::string_view text);
/// The text that parse_prior reads back to the same prior (bit for bit).
std::string to_string(const Prior& prior);

/// How a parameter's value comes from its unconstrained coordinate u.
enum class Transform {
  identity,     ///< value = u
  exponential,  ///< value = exp(u)
};

struct Parameter {
  std::string name;  ///< brms style: b_Intercept, b_x, sigma
  Transform transform = Transform::identity;
};

}  // namespace jensen
