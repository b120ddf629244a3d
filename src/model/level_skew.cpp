#include "model/level_skew.hpp"

#include <algorithm>
#include <cmath>

#include "group_map.hpp"

namespace jensen {
namespace {

constexpr double visible = 0.01;
constexpr double least = 1e-3;  // T has no gamma of 0
constexpr double most = 0.5;

/// W's trace in units of the effects' prior sds.
template <int Q, class T>
double trace(const T* w, const std::vector<double>& factor) {
  double sum = 0;
  for (int k = 0; k < Q; ++k) {
    double variance = 0;
    for (int l = 0; l <= k; ++l) variance += factor[size_of(packed(k, l))] * factor[size_of(packed(k, l))];
    sum += static_cast<double>(w[packed(k, k)]) * variance;
  }
  return sum;
}

template <int Q>
void skew_of_level(const SystemGroup& group, std::int64_t j, const std::vector<double>& factor, const float* w,
                   const double* own, const std::vector<double>& third, float* skew) {
  LevelMap<double, Q> map;
  map.prepare(factor.data(), w);
  double d[Q][Q];  // row e: d_e
  for (int e = 0; e < Q; ++e) {
    double r[Q] = {}, v[Q] = {};
    v[e] = 1;
    map.affine(r, v, d[e]);
  }
  double sum[Q] = {};
  for (auto at = size_of(group.rows->start[size_of(j)]); at < size_of(group.rows->start[size_of(j) + 1]); ++at) {
    const std::int64_t i = group.rows->order[at];
    for (int e = 0; e < Q; ++e) {
      double t = 0;
      for (int k = 0; k < Q; ++k) t += group.group->z(i, k) * d[e][k];
      sum[e] += third[size_of(i)] * t * t * t;
    }
  }
  const double whole = trace<Q>(own, factor);
  const double share = whole > 0 ? std::clamp(trace<Q>(w, factor) / whole, 0.0, 1.0) : 0;
  for (int e = 0; e < Q; ++e) {
    const double gamma = std::clamp(-sum[e] * share * share * share / 3, -most, most);
    skew[e] = static_cast<float>(std::copysign(std::max(std::abs(gamma), least), gamma));
  }
}

}  // namespace

std::vector<float> level_skew(const SystemGroup& group, const std::vector<double>& factor,
                              const std::vector<float>& information, const std::vector<double>& own,
                              const std::vector<double>& third) {
  const int q = group.group->effects;
  std::vector<float> skew(size_of(group.group->levels * q));
  for_levels(*group.rows, [&](int, std::int64_t j) {
    with_effects(q, [&](auto count) {
      const std::int64_t at = j * packed_size(q);
      skew_of_level<decltype(count)::value>(group, j, factor, information.data() + at, own.data() + at, third,
                                            skew.data() + j * q);
    });
  });
  if (std::ranges::none_of(skew, [](float gamma) { return std::abs(gamma) >= static_cast<float>(visible); })) return {};
  return skew;
}

}  // namespace jensen
