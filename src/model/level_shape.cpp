#include "model/level_shape.hpp"

#include <algorithm>
#include <cmath>

#include "group_map.hpp"
#include "model/packed_cholesky.hpp"

namespace jensen {
namespace {

constexpr double visible = 0.01;
constexpr double least_skew = 1e-3;  // T has no gamma of 0
constexpr double most_skew = 0.5;
constexpr double most_answer = 2;  // of log W, which rests on the sd alone at -2

/// The share of a change of the level's effects that its rows see.
double share_seen(int q, const float* w, const double* own, const std::vector<double>& covariance) {
  const double whole = packed_trace(q, own, covariance.data());
  return whole > 0 ? std::clamp(packed_trace(q, w, covariance.data()) / whole, 0.0, 1.0) : 0;
}

template <int Q>
void skew_of_level(const SystemGroup& group, std::int64_t j, const std::vector<double>& factor, const float* w,
                   double share, const std::vector<double>& third, float* skew) {
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
  for (int e = 0; e < Q; ++e) {
    const double gamma = std::clamp(-sum[e] * share * share * share / 3, -most_skew, most_skew);
    skew[e] = static_cast<float>(std::copysign(std::max(std::abs(gamma), least_skew), gamma));
  }
}

void answer_of_level(const SystemGroup& group, std::int64_t j, double precision, double m, double w, double share,
                     const HigherDerivatives& rows, float* answer) {
  double third = 0, fourth = 0;
  for (auto at = size_of(group.rows->start[size_of(j)]); at < size_of(group.rows->start[size_of(j) + 1]); ++at) {
    const std::int64_t i = group.rows->order[at];
    const double seen = share * group.group->z(i, 0), cube = seen * seen * seen;
    third += rows.third[size_of(i)] * cube;
    fourth += rows.fourth[size_of(i)] * cube * seen;
  }
  const double variance = 1 / (precision + w);
  const double at_rest = 2 * variance * precision * m;                   // dm if V stood still
  const double by_variance = 0.5 * (fourth - variance * third * third);  // dW / dV, m following
  const double dv = variance * variance * (2 * precision - third * at_rest) / (1 + variance * variance * by_variance);
  const double dw = third * at_rest + by_variance * dv;
  const double log_answer = w > 0 ? std::clamp(dw / w, -most_answer, most_answer) : 0;
  answer[0] = static_cast<float>(log_answer);
  answer[1] = static_cast<float>(log_answer * w * m - 0.5 * third * dv);
}

bool none_visible(const std::vector<float>& values) {
  return std::ranges::none_of(values, [](float value) { return std::abs(value) >= static_cast<float>(visible); });
}

}  // namespace

LevelShape level_shape(const SystemGroup& group, const std::vector<double>& factor, const std::vector<double>& effects,
                       const std::vector<float>& information, const std::vector<double>& own,
                       const HigherDerivatives& rows) {
  const int q = group.group->effects;
  const std::vector<double> covariance = group.covariance();
  LevelShape shape{std::vector<float>(size_of(group.group->levels * q)), {}};
  if (q == 1) shape.answer.resize(size_of(2 * group.group->levels));
  for_levels(*group.rows, [&](int, std::int64_t j) {
    with_effects(q, [&](auto count) {
      constexpr int Q = decltype(count)::value;
      const float* w = information.data() + j * packed_size(Q);
      const double share = share_seen(q, w, own.data() + j * packed_size(Q), covariance);
      skew_of_level<Q>(group, j, factor, w, share, rows.third, shape.skew.data() + j * Q);
      if (Q > 1) return;
      answer_of_level(group, j, group.precision[0], effects[size_of(j)], static_cast<double>(w[0]), share, rows,
                      shape.answer.data() + 2 * j);
    });
  });
  if (none_visible(shape.skew)) shape.skew.clear();
  if (none_visible(shape.answer)) shape.answer.clear();
  return shape;
}

}  // namespace jensen
