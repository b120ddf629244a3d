#pragma once
#include <cstdint>

#include "guides/level_parameters.hpp"

namespace jensen {

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
  /// Operations to pull back one draw to all elements.
  std::int64_t pull_back_work() const { return size() + head.size() * (head.pull_back_work() - 1); }

  /// The closed form's sum over elements p .. p + count - 1 of lambda, at most N.
  template <int N>
  JENSEN_HD double closed_form(const float* lambda, std::int64_t p, int count) const {
    double total = 0;
    for_owners<N>(
        p, count, [&](int at, int n) { total += head.template closed_form<N>(lambda, p + at, n); },
        [&](const LevelParameters& group, int at, int n) {
          total += group.template closed_form<N>(static_cast<double>(reference), lambda, p + at, n);
        });
    return total;
  }

  /// dELBO/dlambda of the same elements. [equation (5)]
  template <int N>
  JENSEN_HD void pull_back(const float* lambda, std::int64_t p, int count, const Draws& draws, double* g) const {
    for_owners<N>(
        p, count, [&](int at, int n) { head.template pull_back<N>(lambda, p + at, n, draws, g + at); },
        [&](const LevelParameters& group, int at, int n) {
          group.template pull_back<N>(static_cast<double>(reference), lambda, p + at, n, draws, g + at);
        });
  }

 private:
  /// of_head(first of the elements, their number) and of_group(group, likewise) for what is theirs of p .. p + count
  /// - 1.
  template <int N, class OfHead, class OfGroup>
  JENSEN_HD void for_owners(std::int64_t p, int count, OfHead of_head, OfGroup of_group) const {
    if constexpr (N == 1) {
      if (p < head.size()) return of_head(0, 1);
      int g = 0;
      while (g + 1 < group_count && p >= groups[g + 1].begin) ++g;
      of_group(groups[g], 0, 1);
    } else {
      const auto part = [&](std::int64_t end, int at) {
        const std::int64_t left = end - (p + at);
        return left <= 0 ? 0 : (left < count - at ? static_cast<int>(left) : count - at);
      };
      int at = part(head.size(), 0);
      if (at > 0) of_head(0, at);
      for (int g = 0; g < group_count && at < count; ++g) {
        const int n = part(groups[g].begin + groups[g].size(), at);
        if (n > 0) of_group(groups[g], at, n);
        at += n;
      }
    }
  }
};

}  // namespace jensen
