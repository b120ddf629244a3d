#pragma once
/// \file An arithmetic expression of columns, such as log(x + 1) / 2, as a value.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "jensen/table.hpp"

namespace jensen {

/// Written for a stack: operands stand before their operator, so x + 2 is `x 2 +`.
struct Expression {
  enum class Op {
    number,
    column,
    negate,
    add,
    subtract,
    multiply,
    divide,
    power,
    log,
    log2,
    log10,
    log1p,
    exp,
    expm1,
    sqrt,
    abs,
    sin,
    cos,
    tan,
  };
  struct Step {
    Op op = Op::number;
    double number = 0;       ///< of Op::number
    std::size_t column = 0;  ///< of Op::column: index into `columns`

    friend bool operator==(const Step&, const Step&) = default;
  };

  std::vector<Step> steps;
  std::vector<std::string> columns;  ///< distinct, in order of appearance
  std::string text;                  ///< as R prints it: blanks normalised; a lone column without backquotes

  static Expression of_column(std::string name);
  bool is_column() const { return steps.size() == 1 && steps.front().op == Op::column; }

  friend bool operator==(const Expression&, const Expression&) = default;
};

/// Values of `expression` in `rows` of the table, in each of which its columns are present; other rows hold NaN.
/// A lone numeric column is returned as it is. The column is named by the expression's text.
///
/// Throws InputError: no such column, a column that is text (`use` says what needs numbers: "offset() needs numbers"),
/// or a value that is not a finite number (row, columns and operation named).
Column evaluate(const Expression& expression, const Table& table, std::span<const std::uint32_t> rows,
                std::string_view use);

}  // namespace jensen
