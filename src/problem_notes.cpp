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
  return notes;
}

}  // namespace jensen
