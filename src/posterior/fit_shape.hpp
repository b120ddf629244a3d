#pragma once
/// \file Sizes that follow from the groups of a Fit.

#include <cstddef>

#include "jensen/fit.hpp"

namespace jensen {

/// F, coordinates that Fit::factor is over: the parameters and the levels of groups without GroupPosterior::scale.
std::size_t factor_columns(const Fit& fit);

/// E, effects of all levels of the groups that the group's levels depend on (GroupPosterior::coupled).
std::size_t coupled_effects(const Fit& fit, const GroupPosterior& group);

/// Place of the group's first effect among those of all groups.
std::size_t first_effect(const Fit& fit, const GroupPosterior& group);

}  // namespace jensen
