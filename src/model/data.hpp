#pragma once
/// \file The rows of a regression, checked and standardised, and the moments that undo it.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "design/model_matrix.hpp"
#include "jensen/options.hpp"

namespace jensen {

/// Response, offset and column moments of the rows in use. The design's columns stay in the ModelMatrix and are
/// standardised block by block by whoever reads them.
struct RegressionData {
  const ModelMatrix* design = nullptr;
  Family family = Family::gaussian;
  bool intercept = true;
  std::vector<double> response;  ///< N, as given
  std::vector<double> offset;    ///< N, or empty
  std::vector<double> center;    ///< K: column means; 0 without an intercept
  std::vector<double> scale;     ///< K: column sds; root mean squares without an intercept
  std::vector<double> sd;        ///< K: column sds (n - 1), what default priors are scaled by
  double response_mean = 0, response_sd = 0;

  /// What eta is measured in: the data's own unit, or for a gaussian response its sd about its mean.
  double eta_center = 0, eta_scale = 1;

  std::size_t rows() const { return response.size(); }
  /// Coefficients of the linear predictor, the intercept (if any) first.
  std::size_t coefficients() const { return scale.size() + (intercept ? 1 : 0); }
  /// Rows `at` (positions among the rows in use) x coefficients(), standardised, the intercept's column 1.
  void standardised(std::span<const std::uint32_t> at, double* out) const;
};

/// Reads response and offset and the columns' moments. Throws InputError: missing values under MissingPolicy::error,
/// a response outside the family's range (row named) or constant, a constant column.
RegressionData read_regression(const ModelMatrix& design, const Table& table, const TrainOptions& options);

}  // namespace jensen
