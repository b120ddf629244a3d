#include "io/fit_sizes.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "posterior/fit_shape.hpp"

namespace jensen::io {
namespace {

constexpr std::size_t most_effects = 8;  // as kernels/group_map.hpp

/// True if `count` places from `first` on lie below `end`.
bool within(std::size_t first, std::size_t count, std::size_t end) { return count <= end && first <= end - count; }

bool empty_or(std::size_t size, std::size_t wanted) { return size == 0 || size == wanted; }

/// Groups whose effects stand in Fit::factor, each once, which themselves depend on no other group.
bool couples_well(const Fit& fit, const GroupPosterior& group) {
  for (auto at = group.coupled.begin(); at != group.coupled.end(); ++at) {
    if (*at >= fit.groups.size() || std::find(group.coupled.begin(), at, *at) != at) return false;
    const GroupPosterior& other = fit.groups[*at];
    if (&other == &group || !other.scale.empty() || !other.coupled.empty()) return false;
  }
  return true;
}

/// Rows of a sparse matrix over the effects of groups before this one.
bool follows_well(const Fit& fit, const GroupPosterior& group) {
  const std::vector<std::int64_t>& begin = group.followed_begin;
  if (begin.empty()) return group.followed.empty() && group.followed_slope.empty();
  const std::size_t before = first_effect(fit, group);
  const auto entries = static_cast<std::int64_t>(group.followed.size());
  if (begin.size() != group.levels * group.effects.size() + 1 || begin.front() != 0 || begin.back() != entries ||
      !std::ranges::is_sorted(begin) || group.followed_slope.size() != group.followed.size()) {
    return false;
  }
  for (std::size_t row = 0; row + 1 < begin.size(); ++row) {
    for (auto k = static_cast<std::size_t>(begin[row]); k < static_cast<std::size_t>(begin[row + 1]); ++k) {
      const bool ascends = k == static_cast<std::size_t>(begin[row]) || group.followed[k - 1] < group.followed[k];
      if (!ascends || group.followed[k] < 0 || static_cast<std::size_t>(group.followed[k]) >= before) return false;
    }
  }
  return true;
}

std::string group_problem(const Fit& fit, const GroupPosterior& group) {
  const std::size_t q = group.effects.size();
  const std::size_t all = fit.mean.size();
  const std::size_t parameters = fit.parameters.size();
  const auto wrong = [&](std::string_view what) { return fmt::format("group '{}' has {}", group.group, what); };
  if (q == 0 || q > most_effects) return wrong(fmt::format("{} effects", q));
  if (group.levels > all || group.levels * q > all || !within(group.first, group.levels * q, all) ||
      group.first < parameters) {
    return wrong(fmt::format("{} levels that are not among the {} coordinates", group.levels, all));
  }
  const std::size_t factor = factor_columns(fit);
  const bool own_scale = !group.scale.empty();
  if (own_scale ? group.first < factor : !within(group.first, group.levels * q, factor)) {
    return wrong(fmt::format("levels on the wrong side of the {} coordinates of the factor", factor));
  }
  const std::size_t packed = q * (q + 1) / 2;
  const bool places = within(group.first_sd, q, parameters) &&
                      (group.first_correlation == 0 || within(group.first_correlation, packed - q, parameters)) &&
                      within(group.first_coefficient, group.coefficients, parameters);
  if (!places) return wrong("parameters that are not there");
  if (!group.coupling.empty() && group.origin.size() != group.coefficients) {
    return wrong(fmt::format("an origin of {} numbers for {} coefficients", group.origin.size(), group.coefficients));
  }
  const bool scales = group.information_slope.size() == group.information_by.size() &&
                      group.information_origin.size() == group.information_by.size() &&
                      std::ranges::all_of(group.information_by, [&](std::size_t k) { return k < parameters; });
  if (!scales) return wrong("information that depends on parameters that are not there");
  if (!couples_well(fit, group)) return wrong("levels that depend on groups that are not within the factor");
  if (!follows_well(fit, group)) return wrong("levels that depend on effects that are not before them");
  if (group.centered && group.reference.size() != packed) return wrong("no reference");
  if (std::ranges::find(group.skew, 0.0F) != group.skew.end()) return wrong("a skewness of 0");
  const bool arrays =
      empty_or(group.information.size(), group.levels * packed) && empty_or(group.location.size(), group.levels * q) &&
      empty_or(group.skew.size(), group.levels * q) && empty_or(group.answer.size(), q == 1 ? 2 * group.levels : 0) &&
      empty_or(group.coupling.size(), group.levels * q * (group.coefficients + coupled_effects(fit, group))) &&
      empty_or(group.scale.size(), group.levels * packed);
  return arrays ? ""
                : wrong(fmt::format("arrays of other sizes than its {} levels of {} effects need", group.levels, q));
}

}  // namespace

std::string fit_problem(const Fit& fit) {
  const std::size_t parameters = fit.parameters.size();
  std::size_t coordinates = parameters;
  for (const GroupPosterior& group : fit.groups) {
    if (std::string problem = group_problem(fit, group); !problem.empty()) return problem;
    coordinates += group.levels * group.effects.size();
  }
  const std::size_t factor = factor_columns(fit);
  if (parameters == 0 || fit.mean.size() != coordinates || fit.factor.size() != factor * factor) {
    return fmt::format("there are {} parameters, {} coordinates, {} means and a factor of {} numbers", parameters,
                       coordinates, fit.mean.size(), fit.factor.size());
  }
  if (fit.parameters.front().transform == Transform::increment) return "the first parameter has none before it";
  return "";
}

}  // namespace jensen::io
