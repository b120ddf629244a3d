#pragma once
/// \file The effects that a group's levels follow, as the sparse matrix that the engine and the fit hold.

#include <cstdint>
#include <vector>

#include "model/mode.hpp"

namespace jensen {

/// Effect i of the group, level by level, follows those of places effect[k] with slopes slope[k], begin[i] <= k <
/// begin[i + 1].
struct FollowedRows {
  std::vector<std::int64_t> begin;
  std::vector<std::int32_t> effect;
  std::vector<double> slope;
};

/// Of group g of a block; `first`: place of each group's first effect, of those that g follows. Moves `location` (J x
/// q) from where the followed effects are at the mode to where they are 0. No rows if g follows none.
FollowedRows followed_rows(const std::vector<GroupMode>& groups, std::size_t g, const std::vector<std::size_t>& first,
                           std::vector<float>& location);

}  // namespace jensen
