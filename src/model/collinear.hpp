#pragma once
/// \file Columns that repeat others: a prior alone would tell their coefficients apart.

#include <vector>

#include "jensen/prior.hpp"
#include "model/model_data.hpp"

namespace jensen {

/// Throws InputError naming a column that is a linear combination of those before it (the intercept first), unless the
/// user gave the coefficients a prior of their own or of their class. Of tables where it would take minutes it looks at
/// evenly spaced rows first, and does not see what depends on levels that none of these has; beyond some 2,000
/// coefficients it does not look.
void check_collinear(const ModelData& data, const PredictorData& p, const std::vector<Prior>& given);

}  // namespace jensen
