#include "design/design.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "design/binder.hpp"
#include "jensen/errors.hpp"
#include "show.hpp"

namespace jensen {
namespace {

void append(std::vector<std::string>& names, const std::vector<std::string>& more) {
  for (const std::string& name : more) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
}

std::vector<PredictorDesign> bind_predictors(const std::vector<Formula>& formulas, Binder& binder) {
  std::vector<PredictorDesign> predictors;
  for (const Formula& formula : formulas) predictors.emplace_back(formula, binder);
  return predictors;
}

// parse_formula sees this for its own terms; the response of another formula it does not know.
void check_response_apart(const std::vector<Formula>& formulas) {
  const std::vector<std::string>& response = formulas.front().response_value.columns;
  if (response.size() != 1) return;
  for (const Formula& formula : formulas) {
    const std::vector<std::string> columns = formula.columns(false);
    if (std::ranges::find(columns, response.front()) == columns.end()) continue;
    throw InputError(fmt::format("the response {} cannot be a predictor too (formula of another parameter); remove it",
                                 show(response.front())));
  }
}

}  // namespace

Design::Design(CompleteRows complete, DesignState state, std::vector<PredictorDesign> predictors,
               ResponseDesign response)
    : complete_(std::move(complete)),
      state_(std::move(state)),
      predictors_(std::move(predictors)),
      response_(std::move(response)) {}

Design Design::learn(const std::vector<Formula>& formulas, const Table& table) {
  check_response_apart(formulas);
  if (table.rows() == 0) throw InputError(fmt::format("the table has no rows ({})", table.source()));
  std::vector<std::string> columns;
  for (const Formula& formula : formulas) append(columns, formula.columns());
  CompleteRows complete = find_complete_rows(table, columns);
  if (complete.rows.empty()) {
    throw InputError(
        fmt::format("every row has a missing value in a column of the formula ({}; row {} in {}); leave such columns "
                    "out or fill them in",
                    table.source(), complete.first_missing.row + 1, show(complete.first_missing.column)));
  }
  Binder binder(table, complete.rows, nullptr);
  ResponseDesign response(formulas.front(), binder);
  std::vector<PredictorDesign> predictors = bind_predictors(formulas, binder);
  DesignState state = binder.state();
  return {std::move(complete), std::move(state), std::move(predictors), std::move(response)};
}

Design Design::apply(const std::vector<Formula>& formulas, const Table& table, const DesignState& state) {
  std::vector<std::string> columns;
  if (const auto& trials = formulas.front().additions.trials; trials && has_columns(table, *trials)) {
    append(columns, trials->columns);
  }
  for (const Formula& formula : formulas) append(columns, formula.columns(false));
  CompleteRows complete = find_complete_rows(table, columns);
  Binder binder(table, complete.rows, &state);
  ResponseDesign response = ResponseDesign::for_prediction(formulas.front(), binder);
  std::vector<PredictorDesign> predictors = bind_predictors(formulas, binder);
  return {std::move(complete), state, std::move(predictors), std::move(response)};
}

}  // namespace jensen
