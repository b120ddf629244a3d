#include "problem_notes.hpp"

#include <fmt/format.h>

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
