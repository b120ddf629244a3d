#pragma once
/// \file The table of response families: links, further parameters, and the kernel density of each.

#include <string_view>
#include <vector>

#include "densities/list.hpp"
#include "jensen/model.hpp"

namespace jensen {

/// A parameter of the response beside mu, and its link.
struct FamilyParameter {
  std::string_view name;
  Link link;
};

struct FamilyInfo {
  Family family;
  std::string_view name;
  std::string_view response;            ///< what y must be, for messages: "0 or 1"
  std::string_view summary;             ///< one line for a list of families
  std::vector<Link> links;              ///< of mu, the default first
  std::vector<FamilyParameter> others;  ///< a_1, a_2 of the density, in this order; thresholds not counted
  bool trials;                          ///< y is out of a number of trials
  bool censoring;                       ///< y may be right-censored
};

/// In the order of Family.
const std::vector<FamilyInfo>& all_families();
const FamilyInfo& info_of(Family family);

/// Throws InputError, listing the family's links, if it has not this one.
DensityKind density_of(Family family, Link link);

}  // namespace jensen
