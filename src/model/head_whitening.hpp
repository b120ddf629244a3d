#pragma once
/// \file Coordinates in which the effects of levels in the head are independent at the mode. Each level's own v
/// (kernels/group_map.hpp) is standard normal given everything else, but rows that levels share with those of other
/// groups tie them to one another, strongly so where rows are many.

#include "model/mode.hpp"
#include "model/model_data.hpp"

namespace jensen {

/// M, upper triangular, of v = M w (E x E) for the groups of a predictor that are in the head: if S is the precision of
/// their effects u at the mode and u = D v, then v has precision D^T S D = R^T R, and M = R^-1. Empty if S is not
/// known.
Matrix head_whitening(const BlockNormal& normal, const std::vector<GroupData>& groups);

}  // namespace jensen
