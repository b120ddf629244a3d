#include "predict/fit_predictors.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "jensen/errors.hpp"
#include "show.hpp"

namespace jensen {
namespace {

std::vector<Formula> parse_formulas(const Fit& fit) {
  if (fit.formula.empty()) {
    throw InputError("the fit is of no formula, so that there are no rows to predict (predict); use its draws");
  }
  std::vector<Formula> formulas{parse_formula(fit.formula)};
  for (const ParameterFormula& other : fit.options.formulas) {
    formulas.push_back(parse_right_side(other.formula, other.parameter));
  }
  return formulas;
}

}  // namespace

FitPredictors::FitPredictors(const Fit& fit, const Table& table)
    : fit_(fit), formulas_(parse_formulas(fit)), design_(Design::apply(formulas_, table, fit.design)) {
  if (fit.options.family == Family::categorical) {
    for (std::size_t k = 1; k < fit.response_levels.size(); ++k) {
      means_.push_back(bind("mu" + fit.response_levels[k], 0, false));
    }
  } else {
    means_.push_back(bind("mu", 0, fit.options.family == Family::cumulative));
  }
  for (std::size_t f = 1; f < formulas_.size(); ++f) {
    others_.push_back(bind(fit.options.formulas[f - 1].parameter, f, false));
  }
}

BoundPredictor FitPredictors::bind(std::string parameter, std::size_t formula, bool thresholds) const {
  BoundPredictor bound;
  bound.design = &design_.predictors()[formula];
  bound.intercept = bound.design->intercept() && !thresholds;  // thresholds are in its place
  const std::string prefix = parameter == "mu" ? "b_" : fmt::format("b_{}_", parameter);
  std::vector<std::string> names;
  if (bound.intercept) names.emplace_back("Intercept");
  names.insert(names.end(), bound.design->names().begin(), bound.design->names().end());
  for (const std::string& name : names) {
    bound.places.push_back(place_of(prefix + name));
    if (bound.places.back() < fit_.parameters.size()) continue;
    throw InputError(
        fmt::format("the fit has no parameter {}, which its formula asks for; train again", show(prefix + name)));
  }
  for (const GroupDesign& group : bound.design->groups()) {
    // The fit has its groups in an order of its own: those approximated with the coefficients come first.
    const auto found = std::ranges::find_if(fit_.groups, [&](const auto& of_fit) {
      return of_fit.parameter == parameter && of_fit.group == group.group() && of_fit.effects == group.effects() &&
             of_fit.levels == group.levels();
    });
    if (found == fit_.groups.end()) {
      throw InputError(fmt::format("the fit has no effects of group {} on {}, which its formula asks for; train again",
                                   show(group.group()), parameter));
    }
    bound.groups.push_back(static_cast<std::size_t>(found - fit_.groups.begin()));
  }
  bound.parameter = std::move(parameter);
  return bound;
}

const BoundPredictor* FitPredictors::other(std::string_view parameter) const {
  const auto found = std::ranges::find(others_, parameter, &BoundPredictor::parameter);
  return found == others_.end() ? nullptr : &*found;
}

std::size_t FitPredictors::place_of(std::string_view name) const {
  return static_cast<std::size_t>(std::ranges::find(fit_.parameters, name, &Parameter::name) - fit_.parameters.begin());
}

void FitPredictors::check_levels(const Table& table) const {
  for (const PredictorDesign& predictor : design_.predictors()) {
    for (const GroupDesign& group : predictor.groups()) {
      if (group.new_labels().empty()) continue;
      const auto& rows = design_.complete_rows();
      const auto row = std::ranges::find_if(rows, [&](std::uint32_t r) { return group.level(r) < 0; });
      if (row == rows.end()) continue;
      throw InputError(fmt::format(
          "{}: row {}, group {}: level {} was not in the training data (--new-levels); remove the row, or take "
          "new levels from the group's distribution (--new-levels sample)",
          table.source(), std::size_t{*row} + 1, show(group.group()), show(group.new_labels()[group.new_level(*row)])));
    }
  }
}

}  // namespace jensen
