#pragma once
/// \file Coordinates in which the posterior is round, found before training.

#include <vector>

#include "model/data.hpp"
#include "model/linear_algebra.hpp"
#include "model/priors.hpp"

namespace jensen {

/// A linear functional of the standardised coefficients v that has a prior: value = row . v + shift, on the scale of
/// the data's own columns.
struct PriorRow {
  Prior prior;
  std::vector<double> row;
  double shift = 0;
};
std::vector<PriorRow> prior_rows(const RegressionData& data, const ResolvedPriors& priors);

/// v = mode + inverse w, with inverse = R^-1 and R^T R = minus the log joint's Hessian at the mode: in the coordinates
/// w the posterior is near N(0, I), so one step size suits every direction and data of any scale.
///
/// The mode is found by Newton's method on at most 65,536 evenly spaced rows (fewer if C is above 170), their
/// likelihood scaled up: close enough to start from and for its curvature. Above 1,024 coefficients only the Hessian's
/// diagonal is used.
struct Conditioning {
  std::vector<double> mode;  ///< C
  Matrix upper;              ///< R, C x C
  Matrix inverse;            ///< R^-1
  double log_sigma = 0;      ///< of the response in units of eta_scale, at the mode (gaussian)
};
/// Throws InputError if the data and the priors leave a direction undetermined (column named).
Conditioning condition(const RegressionData& data, const std::vector<PriorRow>& priors);

}  // namespace jensen
