#include "posterior/fit_shape.hpp"

#include <algorithm>
#include <numeric>

namespace jensen {

std::size_t factor_columns(const Fit& fit) {
  std::size_t columns = fit.parameters.size();
  for (const GroupPosterior& group : fit.groups) {
    if (group.scale.empty()) columns += group.levels * group.effects.size();
  }
  return columns;
}

std::size_t coupled_effects(const Fit& fit, const GroupPosterior& group) {
  std::size_t effects = 0;
  for (const std::size_t place : group.coupled) effects += fit.groups[place].levels * fit.groups[place].effects.size();
  return effects;
}

std::size_t first_effect(const Fit& fit, const GroupPosterior& group) {
  std::size_t effects = 0;
  for (const GroupPosterior& other : fit.groups) {
    if (&other == &group) break;
    effects += other.levels * other.effects.size();
  }
  return effects;
}

std::vector<std::size_t> Fit::groups_in_order() const {
  std::vector<std::size_t> order(groups.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(order, {}, [&](std::size_t g) { return groups[g].first_sd; });
  return order;
}

}  // namespace jensen
