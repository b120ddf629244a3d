#pragma once
/// \file What there is to choose from: the families of the response and the distributions of priors, as lists.

#include <string>
#include <string_view>
#include <vector>

#include "jensen/export.h"
#include "jensen/model.hpp"
#include "jensen/options.hpp"
#include "jensen/prior.hpp"

namespace jensen {

struct FamilyDescription {
  Family family = Family::gaussian;
  std::string_view response;                 ///< what y may be: "0 or 1"
  std::string_view summary;                  ///< one line
  std::vector<Link> links;                   ///< of the mean, the default first
  std::vector<std::string_view> parameters;  ///< beside the mean: sigma, nu, ...; each may have a formula of its own
  bool trials = false;                       ///< takes y | trials(n)
  bool censoring = false;                    ///< takes y | cens(c)
};
/// Every family, in the order of Family.
JENSEN_API std::vector<FamilyDescription> describe_families();
/// Every parameter beside the mean that some family has, each once.
JENSEN_API std::vector<std::string_view> other_parameters();
/// Throws InputError if the family has not the link of the options, or not a parameter that has a formula there; also
/// if a parameter has two.
JENSEN_API void check_family(const TrainOptions& options);

struct PriorDescription {
  PriorKind kind = PriorKind::flat;
  std::string usage;                        ///< "normal(location, scale)", "half_normal(0, scale)"
  std::vector<std::string_view> arguments;  ///< names of those that Prior::arguments has, in the order of the call
  std::string_view example;                 ///< "normal(0, 2.5)"
  std::vector<Support> supports;            ///< where it may be used as it is written
  std::vector<std::string_view> targets;    ///< classes of parameters that live there
};
/// Every distribution of priors, in the order of PriorKind.
JENSEN_API std::vector<PriorDescription> describe_priors();

/// "real", "positive", "unit", "increasing", "correlation"
JENSEN_API std::string_view to_string(Support support);

}  // namespace jensen
