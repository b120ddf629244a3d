#include "design/response_design.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "design/binder.hpp"
#include "jensen/errors.hpp"
#include "show.hpp"

namespace jensen {
namespace {

[[noreturn]] void fail_value(const Table& table, std::uint32_t row, const Expression& expression,
                             std::string_view value, std::string_view rule) {
  throw InputError(fmt::format("{}: row {}, {} {}: {} {}; correct the row", table.source(), std::size_t{row} + 1,
                               expression.is_column() ? "column" : "expression", show(expression.text), value, rule));
}

template <class Good>
Column checked(const Expression& expression, std::string_view use, std::string_view rule, const Binder& binder,
               Good good) {
  Column column = binder.numbers(expression, use);
  for (const std::uint32_t row : binder.rows()) {
    const double value = column.number(row);
    if (!good(value)) fail_value(binder.table(), row, expression, fmt::format("{}", value), rule);
  }
  return column;
}

Column read_trials(const Expression& expression, const Binder& binder) {
  return checked(expression, "trials()", "is not a number of trials 1, 2, .. below 2^31", binder,
                 [](double value) { return value >= 1 && value == std::floor(value) && value < 2147483648.0; });
}

std::vector<std::uint8_t> read_censoring(const Expression& expression, const Binder& binder) {
  constexpr std::string_view rule = "is not a kind of censoring that is supported; use 0 or none, 1 or right";
  std::vector<std::uint8_t> censored(binder.table().rows(), 0);
  if (expression.is_column() && binder.table().at(expression.text).text) {
    const Column& column = binder.table().at(expression.text);
    for (const std::uint32_t row : binder.rows()) {
      const std::string& kind = column.levels[static_cast<std::size_t>(column.codes[row])];
      const bool right = kind == "right" || kind == "1";
      if (!right && kind != "none" && kind != "0") fail_value(binder.table(), row, expression, show(kind), rule);
      censored[row] = right ? 1 : 0;
    }
    return censored;
  }
  const Column column =
      checked(expression, "cens()", rule, binder, [](double value) { return value == 0 || value == 1; });
  for (const std::uint32_t row : binder.rows()) censored[row] = column.number(row) == 1 ? 1 : 0;
  return censored;
}

}  // namespace

ResponseDesign::ResponseDesign(const Formula& formula, Binder& binder)
    : name_(formula.response), source_(binder.table().source()) {
  const Table& table = binder.table();
  const Expression& value = formula.response_value;
  value_ = value.is_column() ? table.at(value.text) : binder.numbers(value, "the response");
  const Additions& additions = formula.additions;
  if (additions.trials) trials_ = read_trials(*additions.trials, binder);
  if (additions.weights) {
    weights_ = checked(*additions.weights, "weights()", "is not a weight 0 or more", binder,
                       [](double weight) { return weight >= 0; });
  }
  if (additions.se) {
    se_ =
        checked(*additions.se, "se()", "is not a standard deviation above 0", binder, [](double se) { return se > 0; });
  }
  if (additions.censored) censored_ = read_censoring(*additions.censored, binder);
}

ResponseDesign ResponseDesign::for_prediction(const Formula& formula, Binder& binder) {
  ResponseDesign design;
  design.name_ = formula.response;
  if (const auto& trials = formula.additions.trials; trials && has_columns(binder.table(), *trials)) {
    design.trials_ = read_trials(*trials, binder);
  }
  return design;
}

void ResponseDesign::learn_levels(std::span<const std::uint32_t> rows) {
  factor_ = code_column(value_, rows);
  levels_ = rank_codes(factor_);
  if (levels_.size() >= 2) return;
  throw InputError(fmt::format(
      "the response {} has only the level {} in the complete rows ({}), so there is nothing to learn; check the column",
      show(name_), show(levels_.empty() ? "" : levels_.front()), source_));
}

bool has_columns(const Table& table, const Expression& expression) {
  return std::ranges::all_of(expression.columns, [&](const std::string& name) { return table.find(name) != nullptr; });
}

}  // namespace jensen
