#pragma once
/// \file The mode search of a model: where its training starts, in standardised coefficients.

#include <vector>

#include "model/latent_layout.hpp"
#include "model/mode.hpp"
#include "model/model_data.hpp"
#include "model/prior_rows.hpp"

namespace jensen {

/// What argument p.argument has beside coefficients and groups, in the kernel density's units: N, or empty for 0.
std::vector<double> argument_offset(const ModelData& data, const PredictorData& p);

/// One-hot rows of the thresholds above the first (thresholds - 1 columns): the one below or above each row's category.
void threshold_columns(const ModelData& data, bool upper, std::int64_t begin, std::int64_t count, double* out);

struct Start {
  std::vector<BlockNormal> predictors;  ///< empty mode where a predictor has no coefficients
  BlockNormal thresholds;               ///< those above the first, as they are
};
/// Throws InputError as find_mode() does.
Start find_start(const ModelData& data, const ResolvedPriors& priors);

}  // namespace jensen
