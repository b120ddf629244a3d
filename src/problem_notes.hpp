#pragma once
/// \file What the one who trains should know of a model, though it is no error.

#include <string>
#include <vector>

#include "jensen/design_state.hpp"
#include "jensen/options.hpp"
#include "model/model_data.hpp"

namespace jensen {

/// Options that were given and do nothing in this model; factors with more levels than coefficients of their own suit.
std::vector<std::string> problem_notes(const TrainOptions& given, const ModelData& data, const DesignState& design);

}  // namespace jensen
