#pragma once
/// \file A block of a mixed model's Hessian between the effects of two groups.

#include <cstdint>
#include <vector>

namespace jensen {

/// Of two groups g (q effects) and h (r): level j of g meets the levels level[k] of h, start[j] <= k < start[j + 1],
/// once each.
struct CrossProducts {
  std::vector<std::int64_t> start;  ///< J + 1
  std::vector<std::int32_t> level;
  std::vector<double> value;  ///< of each pair q x r
};

/// The block of a group with another one, by its place.
struct FollowedGroup {
  std::size_t group = 0;
  CrossProducts block;
};

}  // namespace jensen
