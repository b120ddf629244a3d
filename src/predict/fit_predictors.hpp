#pragma once
/// \file A fit's predictors bound to new rows: which parameters are the coefficients of which columns.

#include <span>
#include <string>
#include <vector>

#include "design/design.hpp"
#include "jensen/fit.hpp"
#include "jensen/train.hpp"

namespace jensen {

/// The linear predictor of one parameter of the response (of one category, if it has several).
struct BoundPredictor {
  std::string parameter;  ///< mu, sigma, ..; muLEVEL
  const PredictorDesign* design = nullptr;
  bool intercept = false;           ///< then `places` begins with its place
  std::vector<std::size_t> places;  ///< of the coefficients among Fit::parameters
  std::vector<std::size_t> groups;  ///< place in Fit::groups of each of the design's group terms
};

/// The fit's formulas, parsed, and what they make of a table. Not to be moved: its predictors point into it.
class FitPredictors {
 public:
  /// Throws InputError as Design::apply, and if the fit lacks a coefficient of its own formulas.
  FitPredictors(const Fit& fit, const Table& table);
  FitPredictors(const FitPredictors&) = delete;
  FitPredictors& operator=(const FitPredictors&) = delete;

  const Design& design() const { return design_; }
  const Formula& formula() const { return formulas_.front(); }
  /// Of the mean; of categories one each but for the first.
  const std::vector<BoundPredictor>& means() const { return means_; }
  /// Null if the parameter has no predictor.
  const BoundPredictor* other(std::string_view parameter) const;
  /// Place of a parameter of this name, or the number of parameters.
  std::size_t place_of(std::string_view name) const;
  /// Throws InputError naming the first row and group whose level training had not.
  void check_levels(const Table& table) const;

 private:
  BoundPredictor bind(std::string parameter, std::size_t formula, bool thresholds) const;

  const Fit& fit_;
  std::vector<Formula> formulas_;
  Design design_;
  std::vector<BoundPredictor> means_, others_;
};

}  // namespace jensen
