#pragma once
/// \file One right side of a formula bound to a table: its columns, offset and group terms.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "design/formula.hpp"
#include "design/group_design.hpp"
#include "design/term_plan.hpp"
#include "jensen/table.hpp"

namespace jensen {

class Binder;

/// K columns (the intercept is not among them), any rows on request.
///
/// Treatment coding with R's rule: within a term, a factor gets contrasts (its first level left out) if the rest of
/// the term is empty or part of an earlier term, else one column a level. Without an intercept the first factor of
/// the first term that has one gets one column a level. In an interaction the first variable's levels vary fastest.
class PredictorDesign {
 public:
  PredictorDesign(const Formula& formula, Binder& binder);

  bool intercept() const { return intercept_; }
  /// K names, those of R's model.matrix: x, carrierAA, a:b, I(x^2), poly(x, 2)1; but factormonth2 for factor(month)2.
  const std::vector<std::string>& names() const { return plans_.names(); }
  std::size_t columns() const { return plans_.columns(); }
  /// Writes rows.size() x K values, row-major. The rows must be complete. Safe to call from several threads.
  void fill(std::span<const std::uint32_t> rows, double* out) const { plans_.fill(rows, columns(), out); }
  bool has_offset() const { return !offsets_.empty(); }
  /// Sum of the offsets; 0 if there are none.
  double offset(std::uint32_t row) const;
  const std::vector<GroupDesign>& groups() const { return groups_; }

 private:
  bool intercept_ = true;
  TermPlans plans_;
  std::vector<Column> offsets_;
  std::vector<GroupDesign> groups_;
};

}  // namespace jensen
