#pragma once
/// \file A mixed model's systems where some groups are "in the head": small groups whose effects u_h are taken with the
/// coefficients, not with the effects u of the groups that depend on both.
///
///     S = H_hh - H_hu H_uu^-1 H_uh    h: (theta, u_h), C + E; u: the effects of the other groups
///
/// A small group crossed with large ones is strongly tied to them through the rows that they share: what the data say
/// of it is S, not the sum over its own rows.

#include "model/group_chain.hpp"
#include "model/mixed_system.hpp"

namespace jensen {

/// Whether a group's effects are taken with the coefficients: none's are if all groups are marked so.
bool in_head(const MixedSystem& system, std::size_t group);

/// The system with the effects of the groups in the head (in order of the groups) behind the coefficients; its groups
/// are the others. Factorised.
MixedSystem head_system(const MixedSystem& system);

/// As eliminate(), with what makes the guide over the levels.
///
/// schur: C x C, all effects integrated out. coupling: of a group in the head as ever, J x q x C, by its `information`;
/// of another J x q x (C + E), as the chain of those has it (chain_coupling()).
struct GuideElimination : Elimination {
  /// For each group J x packed_size(q): the diagonal blocks of S less P, at least 0, or the chain's information.
  std::vector<std::vector<double>> information;
  std::vector<std::vector<double>> pivot;            ///< likewise: see marginal_pivots(); of groups in the head empty
  std::vector<std::vector<FollowedGroup>> followed;  ///< of each group, those that it follows in the chain
  Matrix precision;  ///< E x E: S over the effects in the head; empty if it could not be solved for
  std::vector<std::vector<double>> shares;  ///< see shares_of_sd(); 1 of groups in the head
};
GuideElimination eliminate_for_guide(const MixedSystem& system, double tolerance);

}  // namespace jensen
