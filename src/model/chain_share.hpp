#pragma once
/// \file What a chain of crossed groups misses (group_chain.hpp): above all that all effects of one may go up while
/// those of the other go down, which the data hardly feel.

#include <vector>

#include "model/mixed_system.hpp"

namespace jensen {

/// For each group and each of its effects the share of a level's sd, on average over levels, that the chain leaves: 1
/// where there is one group only. `elimination`: of this system; `pivots`: marginal_pivots().
std::vector<std::vector<double>> shares_of_sd(const MixedSystem& system, const Elimination& elimination,
                                              const std::vector<std::vector<double>>& pivots);

}  // namespace jensen
