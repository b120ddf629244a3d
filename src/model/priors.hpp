#pragma once
/// \file From the priors a user names to one prior for each parameter.

#include <string>
#include <vector>

#include "jensen/prior.hpp"
#include "model/model_data.hpp"

namespace jensen {

/// Priors of one predictor's coefficients and of its groups, each fitted to its parameter's support.
struct PredictorPriors {
  Prior intercept;                  ///< on Intercept or Intercept_centered; of a parameter that is one number: on it
  std::vector<Prior> coefficients;  ///< K
  struct Group {
    std::vector<Prior> sd;  ///< q
    Prior correlation;      ///< only if the effects are correlated
  };
  std::vector<Group> groups;
};

struct ResolvedPriors {
  std::vector<Prior> listed;      ///< what is printed and stored: the user's, then the defaults for the rest
  std::vector<Prior> thresholds;  ///< of the cumulative family
  std::vector<PredictorPriors> predictors;
};

/// Defaults, for the mean as rstanarm's with autoscale (Goodrich et al., "Prior distributions for rstanarm models"),
/// rounded to four significant digits of the scale; docs/families.md lists them.
/// Throws InputError: a target that the model has not, one named twice, or a prior of the wrong support.
ResolvedPriors resolve_priors(const std::vector<Prior>& given, const ModelData& data);

/// Names of the parameters as the user sees them.
std::string coefficient_name(const PredictorData& p, std::size_t j);  ///< Intercept first, without b_ and infix
std::string sd_name(const PredictorData& p, const GroupData& group, std::size_t effect);
std::string correlation_name(const PredictorData& p, const GroupData& group, std::size_t i, std::size_t j);

/// Support of a parameter that is one number, by its link.
Support support_of(Link link);

}  // namespace jensen
