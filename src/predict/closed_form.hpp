#pragma once
/// \file Predictions without draws: where the linear predictor is normal and the mean is its inverse link.

#include "predict/fit_predictors.hpp"

namespace jensen {

/// True if the fit has no groups, and it is the linear predictor that is asked for, or a mean that is its inverse link.
bool has_closed_form(const Fit& fit, PredictionKind kind);

/// Writes mean, q05 and q95 of each complete row to `values`, table rows x 3. `link` is that of the mean; identity for
/// the linear predictor itself.
void predict_closed_form(const Fit& fit, const FitPredictors& predictors, Link link, bool times_trials, double* values);

}  // namespace jensen
