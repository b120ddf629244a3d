#pragma once
/// \file Large groups that depend on one another, as a chain: the one with the most levels given all others, the next
/// with it integrated out and given the rest, and so on, each level on its own.
///
///     u_gj = -D_gj^-1 sum over groups h before g and levels l that j meets of X_gj,hl u_hl + D_gj^-1/2 noise
///
/// Block elimination of H_uu that keeps D and X where a block was: exact where groups are nested (pupils in classes in
/// schools). Where they are crossed, integrating out one ties the levels of another to each other, which is left out.

#include <vector>

#include "model/mixed_system.hpp"

namespace jensen {

/// Groups by their numbers of levels: each may follow those before it. The first of the largest is the last.
std::vector<std::size_t> chain_order(const std::vector<std::int64_t>& levels);

struct GroupChain {
  std::vector<std::size_t> order;                 ///< see chain_order()
  std::vector<std::vector<double>> information;   ///< for each group J x packed_size(q): D less P, at least 0
  std::vector<std::vector<double>> pivot;         ///< likewise: Cholesky factor of D
  std::vector<std::vector<CrossProducts>> cross;  ///< [g][h]: X, levels of each row ascending; no rows: not kept

  /// Whether levels of g depend on those of h.
  bool follows(std::size_t g, std::size_t h) const { return !cross[g][h].start.empty(); }
};

/// Of groups that meet in very many pairs of levels no X is kept: each pair says little then, and every step of
/// training goes through all of them.
GroupChain chain_groups(const MixedSystem& system);

/// For each group J x packed_size(q): Cholesky factor of the inverse of a level's covariance in the chain.
std::vector<std::vector<double>> marginal_pivots(const MixedSystem& system, const GroupChain& chain);

/// For each group J x q x C: how r of the chain's levels falls with the coefficients, so that given them every level's
/// mean is the one of `elimination`, which is of this system.
std::vector<std::vector<double>> chain_coupling(const MixedSystem& system, const GroupChain& chain,
                                                const Elimination& elimination);

}  // namespace jensen
