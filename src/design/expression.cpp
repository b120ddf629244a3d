#include "design/expression.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "jensen/errors.hpp"
#include "show.hpp"

namespace jensen {
namespace {

using Op = Expression::Op;

double apply(Op op, double x) {
  switch (op) {
    case Op::negate:
      return -x;
    case Op::log:
      return std::log(x);
    case Op::log2:
      return std::log2(x);
    case Op::log10:
      return std::log10(x);
    case Op::log1p:
      return std::log1p(x);
    case Op::exp:
      return std::exp(x);
    case Op::expm1:
      return std::expm1(x);
    case Op::sqrt:
      return std::sqrt(x);
    case Op::abs:
      return std::abs(x);
    case Op::sin:
      return std::sin(x);
    case Op::cos:
      return std::cos(x);
    default:
      return std::tan(x);
  }
}

double apply(Op op, double x, double y) {
  switch (op) {
    case Op::add:
      return x + y;
    case Op::subtract:
      return x - y;
    case Op::multiply:
      return x * y;
    case Op::divide:
      return x / y;
    default:
      return std::pow(x, y);
  }
}

std::string list_quoted(const std::vector<std::string>& names) {
  std::vector<std::string> quoted;
  for (const std::string& name : names) quoted.push_back(show(name));
  return fmt::format("{}", fmt::join(quoted, ", "));
}

bool is_binary(Op op) { return op >= Op::add && op <= Op::power; }

// An expression with its columns.
class Program {
 public:
  Program(const Expression& expression, const Table& table) : steps_(expression.steps) {
    for (const std::string& name : expression.columns) columns_.push_back(table.at(name));
    std::size_t height = 0;
    for (const auto& step : steps_) {
      if (step.op == Op::number || step.op == Op::column) height_ = std::max(height_, ++height);
      if (is_binary(step.op)) --height;
    }
  }

  std::size_t height() const { return height_; }

  // `stack` has room for height() numbers.
  double run(std::uint32_t row, double* stack) const {
    double* top = stack - 1;
    for (const Expression::Step& step : steps_) {
      if (step.op == Op::number) {
        *++top = step.number;
      } else if (step.op == Op::column) {
        *++top = columns_[step.column].number(row);
      } else if (is_binary(step.op)) {
        --top;
        *top = apply(step.op, top[0], top[1]);
      } else {
        *top = apply(step.op, *top);
      }
    }
    return *top;
  }

 private:
  std::vector<Expression::Step> steps_;
  std::vector<Column> columns_;
  std::size_t height_ = 0;
};

[[noreturn]] void fail_text(const Column& column, const Table& table, std::string_view use) {
  throw InputError(
      fmt::format("column {} is text ({}), but {} needs numbers; recode it as numbers in the table beforehand",
                  show(column.name), table.source(), use));
}

std::string number_text(double value) { return fmt::format("{:.6g}", value); }

[[noreturn]] void fail_value(const Expression& expression, double value, const Table& table, std::uint32_t row) {
  const char* kind = std::isnan(value) ? "undefined" : "infinite";
  if (expression.columns.empty()) {
    throw InputError(fmt::format("{} is {} (formula); correct it", show(expression.text), kind));
  }
  std::vector<std::string> cells;
  for (const std::string& name : expression.columns) {
    cells.push_back(fmt::format("{} = {}", name, number_text(table.at(name).number(row))));
  }
  throw InputError(fmt::format("{}: row {}, column{} {}: {} is {} where {}; correct the row or mark it as missing",
                               table.source(), std::size_t{row} + 1, expression.columns.size() == 1 ? "" : "s",
                               list_quoted(expression.columns), show(expression.text), kind,
                               fmt::join(cells, " and ")));
}

}  // namespace

Expression Expression::of_column(std::string name) { return {{{Op::column, 0, 0}}, {name}, name}; }

Column evaluate(const Expression& expression, const Table& table, std::span<const std::uint32_t> rows,
                std::string_view use) {
  for (const std::string& name : expression.columns) {
    if (table.at(name).text) fail_text(table.at(name), table, use);
  }
  if (expression.is_column()) return table.at(expression.columns.front());

  const Program program(expression, table);
  const auto values = std::make_shared<std::vector<double>>(table.rows(), std::numeric_limits<double>::quiet_NaN());
  const auto count = static_cast<std::int64_t>(rows.size());
  std::int64_t first_bad = count;
#pragma omp parallel reduction(min : first_bad)
  {
    std::vector<double> stack(program.height());
#pragma omp for schedule(static)
    for (std::int64_t i = 0; i < count; ++i) {
      const std::uint32_t row = rows[static_cast<std::size_t>(i)];
      const double value = program.run(row, stack.data());
      if (!std::isfinite(value)) first_bad = std::min(first_bad, i);
      (*values)[row] = value;
    }
  }
  if (first_bad < count) {
    const std::uint32_t row = rows[static_cast<std::size_t>(first_bad)];
    fail_value(expression, (*values)[row], table, row);
  }
  Column column;
  column.name = expression.text;
  column.doubles = *values;
  column.owner = values;
  return column;
}

}  // namespace jensen
