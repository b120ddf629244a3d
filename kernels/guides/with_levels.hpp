#pragma once
#include <cstdint>

#include "group_block.hpp"
#include "guides/draws.hpp"
#include "guides/reference.hpp"

namespace jensen {

/// Parameters of one group's LevelGuide within lambda.
struct LevelParameters {
  int effects = 1;          ///< q
  std::int64_t levels = 0;  ///< J
  std::int64_t first = 0;   ///< coordinate of the first effect
  std::int64_t begin = 0;   ///< of the means in lambda; the scales follow
  bool dense = true;

  JENSEN_HD std::int64_t means() const { return levels * effects; }
  JENSEN_HD int scales() const { return dense ? packed_size(effects) : effects; }
  JENSEN_HD std::int64_t size() const { return means() + levels * scales(); }
};

/// A guide over the head, and for each level of each group a normal of its own: the "structured" guide. In whitened
/// coordinates levels depend on the head through their map (group_map.hpp), so q needs no further coupling.
///
/// lambda = [the head's, then each group's means and scales].
template <class Guide>
struct WithLevels {
  Guide head;
  float reference;  ///< rho
  int group_count = 0;
  LevelParameters groups[max_groups] = {};

  JENSEN_HD std::int64_t size() const {
    std::int64_t total = head.size();
    for (int g = 0; g < group_count; ++g) total += groups[g].size();
    return total;
  }
  std::int64_t work() const { return head.work(); }

  JENSEN_HD ClosedForm closed_form(const float* lambda, std::int64_t p) const {
    if (p < head.size()) return head.closed_form(lambda, p);
    const Place place = find(p);
    const auto rho = static_cast<double>(reference);
    const auto value = static_cast<double>(lambda[p]);
    if (place.row < 0 || place.row != place.column) return closed_form_location(rho, value);
    return closed_form_log_scale(rho, value, static_cast<double>(::expf(lambda[p])), 1);
  }

  JENSEN_HD double pull_back(const float* lambda, std::int64_t p, const Draws& draws) const {
    if (p < head.size()) return head.pull_back(lambda, p, draws);
    const Place place = find(p);
    const double exact = closed_form(lambda, p).derivative;
    const float* bar = draws.level_bar + (place.first + (place.row < 0 ? place.column : place.row)) * draws.stride;
    if (place.row < 0) return exact + draws.mean([&](int s) { return static_cast<double>(bar[s]); });
    const float* eps = draws.level_eps + (place.first + place.column) * draws.stride;
    const double along = draws.mean([&](int s) { return static_cast<double>(bar[s]) * static_cast<double>(eps[s]); });
    return exact + (place.row == place.column ? along * static_cast<double>(::expf(lambda[p])) : along);
  }

 private:
  /// What element p of lambda is: a mean (row -1, of effect `column`) or L_row,column, of the level whose first effect
  /// has coordinate `first`.
  struct Place {
    std::int64_t first;
    int row, column;
  };
  JENSEN_HD Place find(std::int64_t p) const {
    int g = 0;
    while (g + 1 < group_count && p >= groups[g + 1].begin) ++g;
    const LevelParameters& group = groups[g];
    std::int64_t i = p - group.begin;
    if (i < group.means()) {
      return {group.first + i / group.effects * group.effects, -1, static_cast<int>(i % group.effects)};
    }
    i -= group.means();
    const std::int64_t first = group.first + i / group.scales() * group.effects;
    const auto k = static_cast<int>(i % group.scales());
    if (!group.dense) return {first, k, k};
    int row = 0;
    while (packed_size(row + 1) <= k) ++row;
    return {first, row, k - packed_size(row)};
  }
};

}  // namespace jensen
