#pragma once
/// \file How the information W_j of a group's levels answers what the search for the mode holds: the sds of the groups
/// that are integrated out of it, and other arguments of the density (log sigma, shape), on which the rows' curvature
/// depends.
///
/// Given everything else W_j is the sum over the level's rows of their curvature, and answers it in proportion. With
/// another group integrated out it is less, and answers less: it is homogeneous of degree one in the curvature and the
/// groups' precisions together, so that what it owes to these it does not owe to the curvature.

#include <vector>

#include "model/mixed_system.hpp"
#include "model/mode_rows.hpp"

namespace jensen {

/// Derivatives of log W_j, on average over the levels that the data say much of.
struct InformationSlopes {
  std::vector<double> by_curvature;  ///< for each group: by the logarithm of every row's curvature
  std::vector<std::vector<std::vector<double>>> by_log_sd;  ///< [g][h][k]: by the log sd of effect k of group h
};
/// Changes the groups' precisions, and puts them back.
InformationSlopes information_slopes(MixedSystem& system);

/// For each argument of the density: the derivative of the logarithm of all rows' curvature, in the argument that a
/// block's groups feed, as the argument rises in every row; 0 of those that the block feeds, or none. `curvature`: of
/// the rows where they are. Moves the rows, and puts them back.
std::vector<double> curvature_slopes(const ModeProblem& problem, ModeRows& rows, std::size_t block,
                                     const std::vector<double>& curvature);

}  // namespace jensen
