#pragma once
/// \file What a model is made of, as its user names it: family, parameters; priors are in prior.hpp.

#include <string>
#include <string_view>

#include "jensen/prior.hpp"

namespace jensen {

/// Distribution of the response, with its link.
enum class Family {
  gaussian,   ///< y ~ Normal(eta, sigma), identity link
  bernoulli,  ///< y in {0, 1}, logit(P(y = 1)) = eta
  poisson,    ///< y in {0, 1, ...}, log(E y) = eta
};
std::string_view to_string(Family family);
/// Throws InputError listing the families if there is none of that name.
Family parse_family(std::string_view name);

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
