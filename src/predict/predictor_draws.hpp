#pragma once
/// \file The linear predictor of new rows in draws of the posterior.

#include <memory>
#include <span>
#include <vector>

#include "posterior/level_effects.hpp"
#include "predict/fit_predictors.hpp"

namespace jensen {

/// Effects of one group term's levels in S draws: kept if they are few, else made row by row.
class LevelTable {
 public:
  LevelTable(const Fit& fit, std::size_t group, const GroupDesign& design, const ParameterDraws& draws);

  const GroupDesign& design() const { return design_; }
  bool kept() const { return !values_.empty(); }
  /// What a thread remembers of the row before.
  struct Memory {
    std::size_t level = ~std::size_t{0};
    std::vector<double> values;
  };
  /// Effects of the row's level, q x S.
  const double* of(std::uint32_t row, Memory& memory) const;

 private:
  std::size_t level_of(std::uint32_t row) const;
  void fill(std::size_t level, double* out) const;

  const GroupDesign& design_;
  LevelEffects effects_;
  std::size_t size_;            ///< q x S
  std::vector<double> values_;  ///< levels, then new levels; x q x S
};

/// One predictor in S draws. Safe to call from several threads with a Scratch each.
class PredictorDraws {
 public:
  PredictorDraws(const Fit& fit, const BoundPredictor& predictor, const ParameterDraws& draws);

  /// For the rows at hand in one thread.
  struct Scratch {
    std::vector<double> columns;               ///< rows x K
    std::vector<std::vector<double>> effects;  ///< of each group, rows x q
    std::vector<LevelTable::Memory> memories;  ///< of each group
  };
  Scratch scratch() const;
  /// Reads the rows' columns.
  void load(std::span<const std::uint32_t> rows, Scratch& scratch) const;
  /// eta of row `rows[i]`, loaded before, in S draws.
  void fill(std::span<const std::uint32_t> rows, std::size_t i, Scratch& scratch, double* eta) const;

  /// The first group whose levels are not kept, or null: rows sorted by its levels are fastest.
  const GroupDesign* sort_by() const;

 private:
  const BoundPredictor& predictor_;
  const ParameterDraws& draws_;
  std::vector<std::unique_ptr<LevelTable>> levels_;
};

}  // namespace jensen
