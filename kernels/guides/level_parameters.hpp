#pragma once
/// \file The parameters of the normals of one group's levels, as elements of lambda.

#include <cstdint>

#include "group_block.hpp"
#include "guides/draws.hpp"
#include "guides/reference.hpp"

namespace jensen {

/// lambda[begin ..] = the means (J x q), then of each level its scales (see LevelGuide).
struct LevelParameters {
  int effects = 1;          ///< q
  std::int64_t levels = 0;  ///< J
  std::int64_t first = 0;   ///< coordinate of the first effect
  std::int64_t begin = 0;   ///< of the means in lambda; the scales follow
  bool dense = true;

  JENSEN_HD std::int64_t means() const { return levels * effects; }
  JENSEN_HD int scales() const { return dense ? packed_size(effects) : effects; }
  JENSEN_HD std::int64_t size() const { return means() + levels * scales(); }

  /// The closed form's sum over elements p .. p + count - 1 of lambda, at most N.
  template <int N>
  JENSEN_HD double closed_form(double rho, const float* lambda, std::int64_t p, int count) const {
    double is_log[N], value[N];
    float scale[N];
    for_parameters<N>(p, count, [&](int k, const Place& place) { is_log[k] = place.is_log_scale() ? 1 : 0; });
    for (int k = 0; k < count; ++k) scale[k] = math::exp(lambda[p + k]);
    for (int k = 0; k < count; ++k) value[k] = closed_form_at(rho, lambda[p + k], scale[k], is_log[k]).value;
    double total = 0;
    for (int k = 0; k < count; ++k) total += value[k];
    return total;
  }

  /// dELBO/dlambda of the same elements. [equation (5)]
  template <int N>
  JENSEN_HD void pull_back(double rho, const float* lambda, std::int64_t p, int count, const Draws& draws,
                           double* g) const {
    double is_log[N], mean[N];
    float scale[N];
    const double share = draws.share();
    for_parameters<N>(p, count, [&](int k, const Place& place) {
      is_log[k] = place.is_log_scale() ? 1 : 0;
      const float* bar = draws.level_bar + (place.first + (place.row < 0 ? place.column : place.row)) * draws.stride;
      const float* eps = draws.level_eps + (place.first + place.column) * draws.stride;
      mean[k] =
          share * (place.row < 0
                       ? draws.sum([&](int s) { return static_cast<double>(bar[s]); })
                       : draws.sum([&](int s) { return static_cast<double>(bar[s]) * static_cast<double>(eps[s]); }));
    });
    for (int k = 0; k < count; ++k) scale[k] = math::exp(lambda[p + k]);
    for (int k = 0; k < count; ++k) {
      g[k] = mean[k] * (is_log[k] != 0 ? static_cast<double>(scale[k]) : 1.0) +
             closed_form_at(rho, lambda[p + k], scale[k], is_log[k]).derivative;
    }
  }

 private:
  /// What an element is: a mean (row -1, of effect `column`) or L_row,column, of the level whose first effect has
  /// coordinate `first`.
  struct Place {
    std::int64_t first;
    int row, column;
    JENSEN_HD bool is_log_scale() const { return row == column; }
  };
  JENSEN_HD Place place_of(std::int64_t i) const {
    if (i < means()) return {first + i / effects * effects, -1, static_cast<int>(i % effects)};
    i -= means();
    const std::int64_t of_level = first + i / scales() * effects;
    const auto k = static_cast<int>(i % scales());
    if (!dense) return {of_level, k, k};
    int row = 0;
    while (packed_size(row + 1) <= k) ++row;
    return {of_level, row, k - packed_size(row)};
  }
  /// The place after `place`.
  JENSEN_HD void move_on(Place& place) const {
    if (place.row >= 0 && place.column < place.row) {
      ++place.column;
      return;
    }
    int& counter = place.row < 0 ? place.column : place.row;
    if (++counter == effects) {
      counter = 0;
      place.first += effects;
    }
    if (place.row < 0) {
      if (place.first == first + means()) place = {first, 0, 0};
    } else {
      place.column = dense ? 0 : place.row;
    }
  }
  /// f(k, place) for the elements p + k of lambda.
  template <int N, class F>
  JENSEN_HD void for_parameters(std::int64_t p, int count, F f) const {
    Place place = place_of(p - begin);
    if constexpr (N == 1) {
      f(0, place);
    } else {
      for (int k = 0; k < count; ++k, move_on(place)) f(k, place);
    }
  }
  /// `is_log`: 1 of a log scale, else 0: a number, as what it is chosen for are.
  JENSEN_HD static ClosedForm closed_form_at(double rho, float value, float scale, double is_log) {
    const ClosedForm log_scale = closed_form_log_scale(rho, static_cast<double>(value), static_cast<double>(scale), 1);
    const ClosedForm location = closed_form_location(rho, static_cast<double>(value));
    return {is_log != 0 ? log_scale.value : location.value, is_log != 0 ? log_scale.derivative : location.derivative};
  }
};

}  // namespace jensen
