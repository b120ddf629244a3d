#pragma once
/// \file What the one who trains should know of a model, though it is no error.

#include <string>
#include <vector>

#include "jensen/design_state.hpp"
#include "jensen/options.hpp"
#include "model/guide_normal.hpp"
#include "model/model.hpp"
#include "model/model_data.hpp"

namespace jensen {

/// Options that were given and do nothing in this model; factors with more levels than coefficients of their own suit.
std::vector<std::string> problem_notes(const TrainOptions& given, const ModelData& data, const DesignState& design);

/// Columns that determine the response, sigma's start being next to nothing.
std::vector<std::string> perfect_fit_notes(const ModelData& data, const Model& model);

/// Default priors that outweigh what the rows say.
std::vector<std::string> prior_notes(const TrainOptions& given, const Model& model);

/// Groups that are crossed and too large for any to be in the head of the guide: what this costs their levels' sds.
std::vector<std::string> crossing_notes(const Model& model, const GuideLayout& layout);

}  // namespace jensen
