#pragma once
/// \file Priors as densities of linear functionals of a predictor's standardised coefficients.

#include <vector>

#include "model/model_data.hpp"
#include "model/priors.hpp"

namespace jensen {

/// prior's density at row . theta + shift, on the scale of the data's own columns (of the link for a parameter that is
/// one number, Jacobian included).
struct PriorRow {
  Prior prior;
  Support support = Support::real;
  std::vector<double> row;  ///< C; of a threshold C + increments
  double shift = 0;
};

/// What the mean's coefficients are measured in: eta_scale for mu, 1 for others.
double unit_of_predictor(const ModelData& data, const PredictorData& p);

/// theta's functional that is the raw intercept: eta where all columns are 0.
std::vector<double> raw_intercept_row(const ModelData& data, const PredictorData& p);

/// Of one predictor: intercept and coefficients, or the number; a horseshoe's rows too, whose density needs more.
std::vector<PriorRow> prior_rows(const ModelData& data, const PredictorData& p, const PredictorPriors& priors);

/// Of the thresholds b_Intercept[1], ..: over mu's coefficients, then the thresholds above the first.
std::vector<PriorRow> threshold_rows(const ModelData& data, const ResolvedPriors& priors);

}  // namespace jensen
