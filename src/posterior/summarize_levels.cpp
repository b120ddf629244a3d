/// \file Fit::summarize_levels(): linear in the number of levels.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "jensen/errors.hpp"
#include "jensen/fit.hpp"
#include "posterior/draw_summary.hpp"
#include "posterior/fit_shape.hpp"
#include "posterior/level_effects.hpp"
#include "posterior/normal_expectation.hpp"

namespace jensen {
namespace {

constexpr std::size_t slopes_per_map = 16;  // slopes of an effect that take as long as the rest of it

/// Draws of what is within the factor alone, for the levels of the other groups: their own share of the variance needs
/// none. As many as take a few seconds.
std::size_t factor_draws(const Fit& fit) {
  std::size_t work = 1;
  for (const GroupPosterior& group : fit.groups) {
    if (group.scale.empty()) continue;
    const std::size_t slopes = group.coupling.empty() ? 0 : group.coefficients + coupled_effects(fit, group);
    work += group.levels * group.effects.size() * (1 + slopes / slopes_per_map);
    work += group.followed.size() / slopes_per_map;
  }
  return std::clamp<std::size_t>(200'000'000 / work, 200, 2000) / 2 * 2;
}

/// Draws as the levels of a group need them, made when first asked for.
class SummaryDraws {
 public:
  explicit SummaryDraws(const Fit& fit) : fit_(fit) {}

  const ParameterDraws& of(const GroupPosterior& group) {
    std::optional<ParameterDraws>& draws = group.scale.empty() ? joint_ : conditional_;
    const std::size_t count = group.scale.empty() ? summary_draws : factor_draws(fit_);
    if (!draws) draws.emplace(fit_, DrawPlan{summary_seed, 0, count, true});
    return *draws;
  }

 private:
  const Fit& fit_;
  std::optional<ParameterDraws> joint_, conditional_;
};

const std::vector<std::string>& labels_of(const Fit& fit, const GroupPosterior& group) {
  const auto found = std::ranges::find(fit.design.groups, group.group, &GroupLevels::group);
  if (found != fit.design.groups.end() && found->levels.size() == group.levels) return found->levels;
  throw InputError(fmt::format("the fit has not the names of the {} levels of group '{}' (Fit::design); train again",
                               group.levels, group.group));
}

/// Law of total expectation and variance over draws of what the levels depend on; quantiles of the normal with these
/// moments.
void from_moments(std::span<const double> means, std::span<const double> variances, ParameterSummary& row) {
  const auto n = static_cast<double>(means.size());
  double mean = 0, within = 0, between = 0;
  for (const double m : means) mean += m / n;
  for (const double v : variances) within += v / n;
  for (const double m : means) between += (m - mean) * (m - mean) / n;
  row.mean = row.q50 = mean;
  row.sd = std::sqrt(within + between);
  row.q05 = mean - normal_95 * row.sd;
  row.q95 = mean + normal_95 * row.sd;
}

void from_draws(std::span<double> draws, ParameterSummary& row) {
  const DrawSummary s = summarize_draws(draws);
  row.mean = s.mean, row.sd = s.sd, row.q05 = s.q05, row.q50 = s.q50, row.q95 = s.q95;
}

/// r_g of the mean, r_g__sigma of another parameter.
std::string prefix_of(const GroupPosterior& group) {
  return group.parameter == "mu" ? fmt::format("r_{}", group.group)
                                 : fmt::format("r_{}__{}", group.group, group.parameter);
}

}  // namespace

std::vector<ParameterSummary> Fit::summarize_levels() const {
  std::vector<ParameterSummary> out;
  if (groups.empty()) return out;
  SummaryDraws drawn(*this);
  for (const std::size_t g : groups_in_order()) {
    const GroupPosterior& group = groups[g];
    const std::vector<std::string>& labels = labels_of(*this, group);
    const std::string prefix = prefix_of(group);
    const ParameterDraws& draws = drawn.of(group);
    const LevelEffects effects(*this, g, draws);
    const std::size_t q = effects.effects();
    const std::size_t count = draws.count();
    const std::size_t begin = out.size();
    out.resize(begin + group.levels * q);
#pragma omp parallel
    {
      std::vector<double> first(q * count), second(q * count);
#pragma omp for schedule(static)
      for (std::int64_t j = 0; j < static_cast<std::int64_t>(group.levels); ++j) {
        const auto level = static_cast<std::size_t>(j);
        if (group.scale.empty()) {
          effects.fill(level, first.data());
        } else {
          effects.fill_moments(level, first.data(), second.data());
        }
        for (std::size_t e = 0; e < q; ++e) {
          ParameterSummary& row = out[begin + level * q + e];
          row.name = fmt::format("{}[{},{}]", prefix, labels[level], group.effects[e]);
          const std::span<double> values = std::span(first).subspan(e * count, count);
          if (group.scale.empty()) {
            from_draws(values, row);
          } else {
            from_moments(values, std::span(second).subspan(e * count, count), row);
          }
        }
      }
    }
  }
  return out;
}

}  // namespace jensen
