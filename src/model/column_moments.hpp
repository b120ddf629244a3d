#pragma once
/// \file Means, sds and ranges of a predictor's columns, and what default priors are scaled by.

#include <string>

#include "model/model_data.hpp"

namespace jensen {

/// Beyond these sizes what a model keeps in single precision (responses, scales of priors) overflows or vanishes.
/// Throws InputError.
void check_scale(const std::string& column, double size);

/// Fills in center, scale and prior_unit. Throws InputError if there are too many columns, or one is constant or beyond
/// these sizes.
void find_column_moments(const ModelData& data, PredictorData& p);

}  // namespace jensen
