#pragma once
/// \file The normal nearest to a block's posterior, where rows see more of it than a parabola.

#include <cstddef>

#include "model/mode_rows.hpp"

namespace jensen {

/// From the normal that the curvature at the mode tells of to the one of the greatest evidence lower bound, all other
/// blocks held, by steps along the natural gradient (Opper & Archambeau 2009, "The variational Gaussian approximation
/// revisited").
///
/// At the mode a coefficient of which the data only say that it is small enough (a level without a single count) has
/// next to no curvature: that normal is as wide as the prior, and half of it lies where the density is exp(-exp(..)).
/// Rows whose argument is known to within 0.3 are left at the parabola about the mode, and where there are very many
/// others the best known of these too. Changes nothing where all are left, where the priors do not keep the block
/// finite, of a block of several feeds, and above most_dense coefficients. The block has no groups.
void find_nearest_normal(const ModeProblem& problem, const ModeRows& rows, std::size_t index, BlockNormal& block);

}  // namespace jensen
