#include "posterior/fit_shape.hpp"

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

}  // namespace jensen
