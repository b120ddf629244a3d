#pragma once
/// \file The columns of one term of a formula, planned once so that rows are written without looking anything up.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "design/factor.hpp"
#include "design/formula.hpp"
#include "jensen/table.hpp"

namespace jensen {

/// A variable of the formula with its column.
struct PlannedVariable {
  Column column;
  std::optional<CodedFactor> factor;  ///< with ranks; none: a covariate
  std::vector<std::string> levels;    ///< of the factor
  std::string label;                  ///< in the names of coefficients
};

/// A term's columns: in each row the product of its covariates stands in the one column that its factors select.
class TermPlan {
 public:
  /// `full[i]`: factor `term[i]` has a column for its first level too.
  TermPlan(const std::vector<int>& term, const std::vector<bool>& full, const std::vector<PlannedVariable>& variables,
           std::size_t first_column);

  std::size_t first_column() const { return first_column_; }
  std::size_t columns() const { return columns_; }
  /// Appends the columns' names: the first variable's levels vary fastest.
  void append_names(const std::vector<PlannedVariable>& variables, std::vector<std::string>& names) const;
  /// Writes what is not zero to rows.size() x `stride` values, row-major, zeroed before.
  void write(std::span<const std::uint32_t> rows, std::size_t stride, double* out) const;

 private:
  struct Selector {
    std::span<const std::int32_t> codes;
    std::vector<std::int32_t> shifts;  // of a code: columns from the term's first; -1: all of them are 0
    std::shared_ptr<const void> owner;
  };

  std::vector<int> term_;
  std::vector<bool> full_;
  std::size_t first_column_ = 0;
  std::size_t columns_ = 1;
  std::vector<Column> covariates_;
  std::vector<Selector> selectors_;
};

/// Codes the terms by R's rule. Throws InputError if the columns are more than a million.
std::vector<TermPlan> plan_terms(const Formula& formula, const std::vector<PlannedVariable>& variables);
std::vector<std::string> column_names(const std::vector<TermPlan>& plans,
                                      const std::vector<PlannedVariable>& variables);

}  // namespace jensen
