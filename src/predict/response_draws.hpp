#pragma once
/// \file What new rows' responses depend on, in draws of the posterior: predictors, further parameters, thresholds.

#include <optional>
#include <span>
#include <vector>

#include "jensen/train.hpp"
#include "model/families.hpp"
#include "predict/predictor_draws.hpp"
#include "predict/response_mean.hpp"

namespace jensen {

/// Safe to call from several threads with a Scratch each.
class ResponseDraws {
 public:
  /// Throws InputError: the fit lacks a parameter, or the table a column of known standard deviations that is needed.
  ResponseDraws(const Fit& fit, const FitPredictors& predictors, const ParameterDraws& draws, const Table& table,
                PredictionKind kind);

  std::size_t count() const { return draws_.count(); }
  /// Categories of the response; 0: it is a number.
  std::size_t categories() const { return categories_; }

  struct Scratch {
    std::vector<PredictorDraws::Scratch> means, others;
    std::vector<double> etas;                    ///< predictors of the mean x S
    std::vector<double> other_etas;              ///< S
    std::vector<ResponseParameters> parameters;  ///< S
    std::vector<double> probabilities;           ///< S x categories
  };
  Scratch scratch() const;
  void load(std::span<const std::uint32_t> rows, Scratch& scratch) const;
  /// Linear predictors of the mean of one loaded row, in scratch.etas.
  void fill_etas(std::span<const std::uint32_t> rows, std::size_t i, Scratch& scratch) const;
  /// Parameters of one loaded row's response, or the probabilities of its categories, in scratch.
  void fill_parameters(std::span<const std::uint32_t> rows, std::size_t i, Scratch& scratch) const;

  /// A grouping by whose levels rows are best sorted, or null.
  const GroupDesign* sort_by() const;

 private:
  /// A parameter beside the mean: of a predictor, one number, or known.
  struct Other {
    Link link = Link::identity;
    std::optional<PredictorDraws> predictor;
    std::span<const double> values;  ///< S
    std::optional<Column> known;
  };

  const FitPredictors& predictors_;
  const ParameterDraws& draws_;
  Family family_;
  std::size_t categories_ = 0;
  std::vector<PredictorDraws> means_;
  std::vector<Other> others_;
  std::vector<double> thresholds_;  ///< S x categories - 1
};

}  // namespace jensen
