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

/// A variable of the formula bound to a table: a factor, or one column of numbers, or the k columns of poly(x, k).
struct BoundVariable {
  std::string label;                  ///< in the names of coefficients
  std::optional<CodedFactor> factor;  ///< with ranks
  std::vector<Column> numbers;        ///< none if it is a factor
  std::vector<std::string> suffixes;  ///< follow the label: levels of the factor, 1..k of poly(x, k); else one, empty
};

/// A term's columns: a factor selects one of its columns in each row, poly(x, k) writes to all of its k; where they
/// are, products of the term's numbers stand.
class TermPlan {
 public:
  /// `full[i]`: factor `term[i]` has a column for its first level too.
  TermPlan(const std::vector<int>& term, const std::vector<bool>& full, const std::vector<BoundVariable>& variables,
           std::size_t first_column);

  std::size_t columns() const { return columns_; }
  /// Appends the columns' names: the first variable's levels vary fastest.
  void append_names(const std::vector<BoundVariable>& variables, std::vector<std::string>& names) const;
  /// Writes what is not zero to rows.size() x `stride` values, row-major, zeroed before.
  void write(std::span<const std::uint32_t> rows, std::size_t stride, double* out) const;

 private:
  struct Selector {
    std::span<const std::int32_t> codes;
    std::vector<std::int32_t> shifts;  // of a code: columns from the term's first; -1: all of them are 0
    std::shared_ptr<const void> owner;
  };
  struct Product {
    std::size_t shift = 0;  // columns from the one that the factors select
    std::vector<Column> numbers;
  };

  std::vector<int> term_;
  std::vector<bool> full_;
  std::size_t first_column_ = 0;
  std::size_t columns_ = 1;
  std::vector<Product> products_{{}};
  std::vector<Selector> selectors_;
};

/// The columns of a sum of terms (its intercept is not among them).
class TermPlans {
 public:
  TermPlans() = default;
  /// Codes the terms by R's rule. Throws InputError: more than a million columns, or two of one name.
  TermPlans(const TermSum& sum, const std::vector<BoundVariable>& variables);

  std::size_t columns() const { return names_.size(); }
  const std::vector<std::string>& names() const { return names_; }
  /// Writes rows.size() x columns() values, row by row `stride` values apart. Safe to call from several threads.
  void fill(std::span<const std::uint32_t> rows, std::size_t stride, double* out) const;

 private:
  std::vector<TermPlan> plans_;
  std::vector<std::string> names_;
};

}  // namespace jensen
