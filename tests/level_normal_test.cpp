/// \file What training starts from where the likelihood is not normal: of each level the nearest normal, how skew it
/// is, and how it answers the group's sd.

#include <gtest/gtest.h>

#include <cmath>
#include <random>

#include "group_map.hpp"
#include "mixed_data.hpp"
#include "model/mode.hpp"

namespace jensen {
namespace {

using testing::GroupData;
using testing::mixed_data;
using testing::MixedData;

/// 40 levels of 3 rows and more, counts of mean 1 or so.
MixedData counts(int effects) {
  const auto level = [](std::size_t i) { return static_cast<std::int32_t>(i < 120 ? i % 40 : i * i % 40); };
  MixedData data = mixed_data(220, 2, {{effects, 40, effects > 1, level}});
  std::mt19937_64 random(5);
  for (double& y : data.y) {
    y = static_cast<double>(std::poisson_distribution<int>(std::exp(std::min(0.7 * y - 0.3, 3.0)))(random));
    data.log_y.push_back(y > 0 ? std::log(y) : 0);
  }
  return data;
}

double fixed_part(const MixedData& data, const std::vector<double>& theta, std::size_t i) {
  double eta = 0;
  for (std::size_t k = 0; k < data.columns; ++k) eta += data.x[i * data.columns + k] * theta[k];
  return eta;
}

/// At the normal N(m, V) of the greatest evidence lower bound V^-1 = P + E[W] and P m = E[slope] (Opper & Archambeau
/// 2009); of a count's rate E[exp(eta)] = exp(m + v / 2).
TEST(LevelNormal, IsTheNearestOne) {
  const MixedData data = counts(1);
  const BlockNormal found = find_normals(data.problem(DensityKind::poisson_log))[0];
  const GroupMode& g = found.groups[0];
  const double precision = 1 / (g.factor[0] * g.factor[0]);
  double widest = 0;
  for (std::size_t j = 0; j < 40; ++j) {
    const double w = g.information[j], m = g.effects[j], v = 1 / (w + precision);
    double rates = 0, slope = 0;
    for (std::size_t i = 0; i < data.rows; ++i) {
      if (data.groups[0].level[i] != static_cast<std::int32_t>(j)) continue;
      const double rate = std::exp(fixed_part(data, found.mean, i) + m + v / 2);
      rates += rate, slope += data.y[i] - rate;
    }
    const double cubature = 0.1 * v * v;                         // of exp by its values at two points: sd^4 / 12
    EXPECT_NEAR(w / rates, 1, cubature + 0.02) << j;             // and where the search ends
    const double at_mode = v < 0.0225 ? 0.5 * std::sqrt(v) : 0;  // of narrow levels, in sds
    EXPECT_NEAR((slope - precision * m) * v, 0, (at_mode + cubature + 0.02) * std::sqrt(v)) << j;
    EXPECT_NEAR(g.location[j], (w + precision) * m, 1e-4 * (1 + std::abs(g.location[j])));
    widest = std::max(widest, v);
  }
  EXPECT_GT(widest, 0.2);  // a tenth between the mode's curvature and this one's
}

/// KL(q || p) of a level's conditional posterior given theta, v standard normal: with A = log p(y, u) + log |du/dv| -
/// log q(v) it is log E exp(A) - E A, by sums over a grid.
template <int Q>
double divergence(const MixedData& data, const BlockNormal& found, std::size_t j, bool skew) {
  const GroupMode& g = found.groups[0];
  LevelMap<double, Q> map{};
  map.prepare(g.factor.data(), g.information.data() + j * packed_size(Q), skew ? g.shape.skew.data() + j * Q : nullptr);
  double r[Q], v[Q], u[Q], total = 0, mean = 0, evidence = 0;
  for (std::size_t k = 0; k < Q; ++k) r[k] = g.location[j * Q + k];
  constexpr int half = 24, nodes = 2 * half + 1;
  for (int node = 0; node < (Q == 1 ? nodes : nodes * nodes); ++node) {
    double square = 0;
    for (int k = 0, rest = node; k < Q; ++k, rest /= nodes) {
      v[k] = 0.25 * (rest % nodes - half);
      square += v[k] * v[k];
    }
    map.forward(r, v, u);
    double a = map.log_density() + 0.5 * square;
    for (std::size_t i = 0; i < data.rows; ++i) {
      if (data.groups[0].level[i] != static_cast<std::int32_t>(j)) continue;
      double eta = fixed_part(data, found.mean, i);
      for (int k = 0; k < Q; ++k) eta += data.groups[0].z(i, k) * u[k];
      a += data.y[i] * eta - std::exp(eta);
    }
    const double weight = std::exp(-0.5 * square);
    total += weight;
    mean += weight * a;
    evidence += weight * std::exp(a);
  }
  return std::log(evidence / total) - mean / total;
}

template <int Q>
void expect_skew_to_help(double most_left) {
  const MixedData data = counts(Q);
  const BlockNormal found = find_normals(data.problem(DensityKind::poisson_log))[0];
  ASSERT_EQ(found.groups[0].shape.skew.size(), 40U * Q);
  double plain = 0, skew = 0;
  for (std::size_t j = 0; j < 40; ++j) {
    plain += divergence<Q>(data, found, j, false);
    skew += divergence<Q>(data, found, j, true);
  }
  EXPECT_GT(plain, 0.1);
  EXPECT_LT(skew, most_left * plain);
}

TEST(LevelSkew, TakesMostOfTheDivergenceFromEachLevel) { expect_skew_to_help<1>(0.1); }

/// Of two effects their mixed third derivatives are left.
TEST(LevelSkew, OfTwoEffectsTakesHalf) { expect_skew_to_help<2>(0.5); }

/// W and r of a level's nearest normal, by damped steps to the fixed point.
struct Nearest {
  double w = 1, r = 0;
};
Nearest nearest(const MixedData& data, const BlockNormal& found, std::size_t j, double log_sd) {
  const double precision = std::exp(-2 * log_sd);
  double m = 0, w = 1, slope = 0;
  for (int step = 0; step < 2000; ++step) {
    double rates = 0;
    slope = 0;
    for (std::size_t i = 0; i < data.rows; ++i) {
      if (data.groups[0].level[i] != static_cast<std::int32_t>(j)) continue;
      const double rate = std::exp(fixed_part(data, found.mean, i) + m + 0.5 / (w + precision));
      rates += rate, slope += data.y[i] - rate;
    }
    w += 0.2 * (rates - w);
    m += 0.2 * (slope - precision * m) / (w + precision);
  }
  return {w, w * m + slope};
}

TEST(LevelAnswer, IsThatOfTheNearestNormal) {
  const MixedData data = counts(1);
  const BlockNormal found = find_normals(data.problem(DensityKind::poisson_log))[0];
  const GroupMode& g = found.groups[0];
  ASSERT_EQ(g.shape.answer.size(), 80U);
  const double h = 0.05, log_sd = std::log(g.factor[0]);
  double largest = 0;
  for (std::size_t j = 0; j < 40; ++j) {
    const Nearest above = nearest(data, found, j, log_sd + h), below = nearest(data, found, j, log_sd - h);
    const double by_w = std::log(above.w / below.w) / (2 * h), by_r = (above.r - below.r) / (2 * h);
    // Of the five nodes' third and fourth derivatives, and of the W of two nodes: a few percent of the largest.
    EXPECT_NEAR(g.shape.answer[2 * j], by_w, 0.05) << j;
    EXPECT_NEAR(g.shape.answer[2 * j + 1], by_r, 0.05 * (1 + std::abs(by_r))) << j;
    largest = std::max(largest, std::abs(by_w));
  }
  EXPECT_GT(largest, 0.3);
}

TEST(LevelShape, OfNormalResponsesIsEmpty) {
  const auto level = [](std::size_t i) { return static_cast<std::int32_t>(i % 40); };
  const MixedData data = mixed_data(120, 2, {{1, 40, false, level}});
  const LevelShape shape = find_normals(data.problem(DensityKind::gaussian))[0].groups[0].shape;
  EXPECT_TRUE(shape.skew.empty() && shape.answer.empty());
}

}  // namespace
}  // namespace jensen
