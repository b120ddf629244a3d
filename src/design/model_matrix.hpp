#pragma once
/// \file The columns that a formula makes of a table, coded as R's model.matrix codes them.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "design/formula.hpp"
#include "design/term_plan.hpp"
#include "jensen/fit.hpp"
#include "jensen/table.hpp"

namespace jensen {

/// A formula bound to a table: K columns (the intercept is not among them), any rows on request.
///
/// Treatment coding with R's rule: within a term, a factor gets contrasts (its first level left out) if the rest of
/// the term is empty or part of an earlier term, else one column a level. Without an intercept the first factor of
/// the first term that has one gets one column a level. In an interaction the first variable's levels vary fastest.
class ModelMatrix {
 public:
  /// Learns each factor's levels from the rows of `table` that have no missing value in a used column: text in byte
  /// order, numbers ascending. Throws InputError: no such column, text used as a number, a factor with fewer than two
  /// levels, a text response.
  static ModelMatrix learn(const Formula& formula, const Table& table);
  /// Uses levels learned before, for new data: the response need not be there. Throws InputError as above, and for a
  /// cell whose level was not seen in training (row, column and level named).
  static ModelMatrix apply(const Formula& formula, const Table& table, const std::vector<FactorLevels>& factors);

  const Formula& formula() const { return formula_; }
  const std::vector<FactorLevels>& factors() const { return factors_; }
  /// K names as brms writes them after `b_`: x, carrierAA, a:b, factormonth2.
  const std::vector<std::string>& names() const { return names_; }
  std::size_t columns() const { return names_.size(); }

  /// Rows (from 0) with no missing value in the response (if learned) or any predictor or offset column, ascending.
  const std::vector<std::uint32_t>& complete_rows() const { return complete_rows_; }
  std::size_t table_rows() const { return table_rows_; }
  /// First incomplete row (from 0) and the column that is missing there; column empty if there is none.
  struct FirstMissing {
    std::size_t row = 0;
    std::string column;
  };
  const FirstMissing& first_missing() const { return first_missing_; }

  /// Writes rows.size() x K values, row-major. The rows must be complete. Safe to call from several threads.
  void fill(std::span<const std::uint32_t> rows, double* out) const;
  /// Response of one complete row (only if learned).
  double response(std::uint32_t row) const;
  /// Sum of the offset columns; 0 if there are none.
  double offset(std::uint32_t row) const;

 private:
  static ModelMatrix bind(const Formula& formula, const Table& table, const std::vector<FactorLevels>* trained);
  void find_complete_rows(const Table& table, bool with_response);
  void plan(const Table& table, const std::vector<FactorLevels>* trained);

  // The table's columns are views; those that are used are copied in, so the Table may go.
  Formula formula_;
  std::vector<FactorLevels> factors_;
  std::vector<std::string> names_;
  std::vector<std::uint32_t> complete_rows_;
  std::size_t table_rows_ = 0;
  FirstMissing first_missing_;
  std::vector<TermPlan> plans_;
  std::vector<Column> offsets_;
  Column response_;
};

}  // namespace jensen
