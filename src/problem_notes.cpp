#include "problem_notes.hpp"

#include <fmt/format.h>

#include <cmath>

#include "show.hpp"

namespace jensen {
namespace {

constexpr std::size_t many_levels = 100;

}  // namespace

std::vector<std::string> problem_notes(const TrainOptions& given, const ModelData& data, const DesignState& design) {
  std::vector<std::string> notes;
  if (!data.has_groups() && given.guide == GuideKind::structured) {
    notes.emplace_back("the model has no groups, without which a structured guide is a full-rank one (--guide)");
  }
  if (!data.has_groups() && given.parametrization != Parametrization::automatic) {
    notes.emplace_back(
        "the model has no groups: the parametrization of their effects changes nothing (--parametrization)");
  }
  for (const FactorLevels& factor : design.factors) {
    if (factor.levels.size() <= many_levels) continue;
    notes.push_back(
        fmt::format("factor {} has {} levels, and each a coefficient of its own; (1 | {}) would estimate them together",
                    show(factor.column), factor.levels.size(), factor.column));
  }
  const std::size_t rows = data.size(), coefficients = data.predictors.front().coefficients();
  if (has_location_and_scale(data.family) && data.log_se.empty() && rows <= 2 * coefficients) {
    // The guide's sd of log sigma is that of N residuals, the posterior's that of N - C.
    const std::string narrow =
        rows > coefficients
            ? fmt::format("its sd will be about {:.1f} times too small",
                          std::sqrt(static_cast<double>(rows) / static_cast<double>(rows - coefficients)))
            : "the priors alone tell it from the coefficients, and its sd may be far too small";
    notes.push_back(
        fmt::format("{} rows for {} coefficients leave little to see sigma by: {}", rows, coefficients, narrow));
  }
  for (const GroupData& group : data.predictors.front().groups) {
    if (!has_location_and_scale(data.family) || !data.log_se.empty() || group.design->levels() < data.size()) continue;
    notes.push_back(fmt::format(
        "group {} has a level for every row: the data tell sigma and the group's sd together, not apart, and "
        "the fitted posterior of each may be far too narrow; leave the group out, or give sigma (se())",
        show(group.design->group())));
  }
  return notes;
}

}  // namespace jensen
