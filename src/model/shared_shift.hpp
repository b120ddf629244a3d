#pragma once
/// \file What a guide that takes groups as independent given the coefficients misses of crossed ones: that all effects
/// of one may go up while those of the other go down, which the data hardly feel.

#include <vector>

#include "model/mixed_system.hpp"

namespace jensen {

/// For each group and each of its effects the share of a level's sd, on average over levels, that is left by such a
/// guide: 1 where there is one group only. `elimination`: of this system.
std::vector<std::vector<double>> shares_of_sd(const MixedSystem& system, const Elimination& elimination);

}  // namespace jensen
