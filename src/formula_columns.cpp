#include <algorithm>

#include "design/formula.hpp"
#include "jensen/train.hpp"

namespace jensen {
namespace {

void add_once(std::vector<std::string>& columns, const std::vector<std::string>& more) {
  for (const std::string& name : more) {
    if (std::ranges::find(columns, name) == columns.end()) columns.push_back(name);
  }
}

void add_others(std::vector<std::string>& columns, const std::vector<ParameterFormula>& others) {
  for (const ParameterFormula& other : others) {
    add_once(columns, parse_right_side(other.formula, other.parameter).columns());
  }
}

}  // namespace

std::vector<std::string> formula_columns(std::string_view formula, const std::vector<ParameterFormula>& others) {
  std::vector<std::string> columns = parse_formula(formula).columns();
  add_others(columns, others);
  return columns;
}

PredictionColumns prediction_columns(const Fit& fit) {
  const Formula formula = parse_formula(fit.formula);
  PredictionColumns columns{formula.columns(false), {}};
  add_others(columns.needed, fit.options.formulas);
  for (const auto& addition : {formula.additions.trials, formula.additions.se}) {
    if (addition) add_once(columns.optional, addition->columns);
  }
  return columns;
}

}  // namespace jensen
