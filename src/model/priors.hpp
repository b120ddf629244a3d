#pragma once
/// \file From the priors a user names to one prior for each parameter.

#include <string>
#include <vector>

#include "jensen/model.hpp"
#include "model/data.hpp"

namespace jensen {

struct ResolvedPriors {
  std::vector<Prior> listed;        ///< what is printed and stored: the user's, then the defaults for the rest
  std::vector<Prior> coefficients;  ///< one for each column of the design
  Prior intercept;                  ///< on Intercept, or on Intercept_centered; only if there is an intercept
  Prior sigma;                      ///< only for the gaussian family
};

/// Defaults, as rstanarm's with autoscale (Goodrich et al., "Prior distributions for rstanarm models"):
///     Intercept_centered ~ normal(mean(y), 2.5 sd(y)) gaussian, normal(0, 2.5) else
///     b_x ~ normal(0, 2.5 sd(y) / sd(x)) gaussian, normal(0, 2.5 / sd(x)) else
///     sigma ~ exponential(1 / sd(y))
/// rounded to four significant digits of the scale.
/// Throws InputError: a target that the model has not, one named twice, or a prior of the wrong support.
ResolvedPriors resolve_priors(const std::vector<Prior>& given, const RegressionData& data);

}  // namespace jensen
