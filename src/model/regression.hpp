#pragma once
/// \file A regression as terms: what the engine runs, and the map from its latent w back to the user's parameters.

#include <cstdint>
#include <vector>

#include "engine.hpp"
#include "model/conditioning.hpp"
#include "model/data.hpp"

namespace jensen {

/// Latent w = [whitened coefficients (C), whitened log sigma (gaussian only)], D in all. User coordinates u:
/// b_Intercept, the coefficients, log sigma; u = to_user w + shift.
struct Regression {
  std::vector<Parameter> parameters;  ///< D
  std::vector<Prior> priors;          ///< as listed to the user
  Matrix to_user;                     ///< D x D
  std::vector<double> shift;          ///< D
  double log_determinant = 0;         ///< log |det to_user|
  Matrix basis;                       ///< D x D: mean-field's independent coordinates, see guides/meanfield.hpp
  double log_basis_determinant = 0;

  std::vector<Term> terms;                  ///< pointing into `columns`
  std::vector<std::vector<float>> columns;  ///< what the terms read

  int dimension() const { return static_cast<int>(parameters.size()); }
};

Regression build_regression(const RegressionData& data, const std::vector<Prior>& priors);

}  // namespace jensen
