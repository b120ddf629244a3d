#include "group_map.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "tolerances.hpp"

namespace jensen {
namespace {

/// A random level: factor, information, r, v and the derivative of everything else by u.
struct Case {
  int q;
  std::vector<double> b, r, v, u_bar;
  std::vector<float> w;
  std::vector<double> log_scale = {0.3, -0.2};  ///< of W and r, and of W alone
  std::vector<float> skew = {};                 ///< none, or Q
};

Case random_case(int q, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Case c{q, std::vector<double>(packed_size(q)), {}, {}, {}, std::vector<float>(packed_size(q))};
  std::vector<double> half(static_cast<std::size_t>(q) * q);
  for (double& h : half) h = normal(random);
  for (int i = 0; i < q; ++i) {
    for (int j = 0; j <= i; ++j) {
      c.b[packed(i, j)] = i == j ? std::exp(0.5 * normal(random)) : 0.4 * normal(random);
      double sum = 0;
      for (int l = 0; l < q; ++l) sum += half[i * q + l] * half[j * q + l];
      c.w[packed(i, j)] = static_cast<float>(sum);
    }
    c.r.push_back(normal(random));
    c.v.push_back(normal(random));
    c.u_bar.push_back(normal(random));
  }
  return c;
}

template <int Q>
struct Forward {
  std::vector<double> u = std::vector<double>(Q);
  double log_density = 0;
};
template <int Q>
Forward<Q> forward(const Case& c, bool information) {
  LevelMap<double, Q> map;
  map.prepare(c.b.data(), information ? c.w.data() : nullptr, c.skew.empty() ? nullptr : c.skew.data(),
              std::exp(c.log_scale[0]), std::exp(c.log_scale[1]));
  Forward<Q> out;
  map.forward(c.r.data(), c.v.data(), out.u.data());
  out.log_density = map.log_density();
  return out;
}

/// What reverse() differentiates.
template <int Q>
double objective(const Case& c, bool information, double share) {
  const Forward<Q> out = forward<Q>(c, information);
  double total = share * out.log_density;
  for (int i = 0; i < Q; ++i) total += c.u_bar[i] * out.u[i];
  return total;
}

template <int Q>
void check_reverse(bool information, double share, bool skew = false) {
  Case c = random_case(Q, 17 + Q);
  for (int i = 0; i < Q && skew; ++i) c.skew.push_back(0.2F - 0.15F * static_cast<float>(i % 3));
  LevelMap<double, Q> map;
  map.prepare(c.b.data(), information ? c.w.data() : nullptr, c.skew.empty() ? nullptr : c.skew.data(),
              std::exp(c.log_scale[0]), std::exp(c.log_scale[1]));
  std::vector<double> u(Q), v_bar(Q), r_bar(Q), b_bar(packed_size(Q));
  map.forward(c.r.data(), c.v.data(), u.data());
  const ScaleSlopes<double> by = map.reverse(c.u_bar.data(), c.r.data(), information ? c.w.data() : nullptr, share,
                                             v_bar.data(), r_bar.data(), b_bar.data());
  const auto check = [&](std::vector<double>& x, const std::vector<double>& bar) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double at = x[i];
      const double h = 1e-5;
      x[i] = at + h;
      const double above = objective<Q>(c, information, share);
      x[i] = at - h;
      const double below = objective<Q>(c, information, share);
      x[i] = at;
      // central differences: h^2 of truncation, epsilon / h of rounding
      EXPECT_NEAR(bar[i], (above - below) / (2 * h), 1e-7 * (1 + std::abs(bar[i]))) << "Q " << Q << ", " << i;
    }
  };
  check(c.v, v_bar);
  check(c.r, r_bar);
  check(c.b, b_bar);
  check(c.log_scale, {by.both, by.information});
}

TEST(LevelMap, ReverseEqualsFiniteDifferences) {
  for (const bool information : {true, false}) {
    for (const double share : {1.0, 0.0}) {
      check_reverse<1>(information, share);
      check_reverse<2>(information, share);
      check_reverse<3>(information, share);
      check_reverse<5>(information, share);
      check_reverse<8>(information, share);
      check_reverse<1>(information, 1, true);
      check_reverse<3>(information, 1, true);
      check_reverse<8>(information, 1, true);
    }
  }
}

TEST(LevelMap, MakesTheConditionalPosteriorStandardNormal) {
  // log N(u; 0, B B^T) + c (r^T u - a u^T W u / 2) + log |du/dv| must be -|v|^2 / 2 up to a constant.
  const Case c = random_case(3, 5);
  std::mt19937 random(9);
  std::normal_distribution<double> normal;
  double first = 0;
  for (int trial = 0; trial < 20; ++trial) {
    Case at = c;
    double square = 0;
    for (double& v : at.v) v = 2 * normal(random), square += v * v;
    const Forward<3> out = forward<3>(at, true);
    const double scale = std::exp(c.log_scale[0]);
    double value = out.log_density + 0.5 * square;
    for (int i = 0; i < 3; ++i) {
      value += scale * c.r[i] * out.u[i];
      for (int j = 0; j < 3; ++j) {
        const float w = i >= j ? c.w[packed(i, j)] : c.w[packed(j, i)];
        value -= 0.5 * scale * std::exp(c.log_scale[1]) * out.u[i] * static_cast<double>(w) * out.u[j];
      }
    }
    if (trial == 0) first = value;
    EXPECT_NEAR(value, first, 1e-11 * (1 + std::abs(first)));
  }
}

TEST(LevelMap, SkewedCoordinatesHaveMeanZeroAndTheirJacobian) {
  Case c = random_case(2, 4);
  c.skew = {-0.3F, 0.1F};
  const auto at = [&](double v0, double v1) {
    c.v = {v0, v1};
    return forward<2>(c, true);
  };
  // Over standard normal v, in steps of a quarter up to six: u's mean is that of the map without a skew.
  double total = 0, mean[2] = {};
  for (int i = -24; i <= 24; ++i) {
    for (int j = -24; j <= 24; ++j) {
      const Forward<2> here = at(i / 4.0, j / 4.0);
      const double weight = std::exp(-(i * i + j * j) / 32.0);
      total += weight;
      for (int k = 0; k < 2; ++k) mean[k] += weight * here.u[k];
    }
  }
  Case plain = c;
  plain.skew.clear();
  plain.v = {0, 0};
  const Forward<2> middle = forward<2>(plain, true);
  for (int k = 0; k < 2; ++k) EXPECT_NEAR(mean[k] / total, middle.u[k], 1e-7);
  // log |du/dv| moves by log |dT/dv|.
  const double h = 1e-4;
  const auto log_jacobian = [&](double v0, double v1) {
    const Forward<2> a = at(v0 + h, v1), b = at(v0 - h, v1), d = at(v0, v1 + h), e = at(v0, v1 - h);
    return std::log(std::abs((a.u[0] - b.u[0]) * (d.u[1] - e.u[1]) - (a.u[1] - b.u[1]) * (d.u[0] - e.u[0])) /
                    (4 * h * h));
  };
  const double gamma[] = {static_cast<double>(c.skew[0]), static_cast<double>(c.skew[1])};
  EXPECT_NEAR(log_jacobian(1.5, -0.7) - log_jacobian(0, 0), 1.5 * gamma[0] - 0.7 * gamma[1], 1e-6);
}

TEST(LevelMap, WithoutInformationIsNonCentred) {
  Case c = random_case(2, 3);
  c.r = {0, 0};
  const Forward<2> out = forward<2>(c, false);
  EXPECT_DOUBLE_EQ(out.u[0], c.b[0] * c.v[0]);
  EXPECT_DOUBLE_EQ(out.u[1], c.b[1] * c.v[0] + c.b[2] * c.v[1]);
}

TEST(CovarianceFactor, HasTheStandardDeviationsAndACorrelationMatrix) {
  const int q = 4;
  const std::vector<double> log_sd = {0.3, -1, 0, 2};
  const std::vector<double> a = {0.5, -0.2, 1.5, 0.1, -0.9, 0.4};
  std::vector<double> b(packed_size(q));
  covariance_factor(q, log_sd.data(), a.data(), b.data());
  for (int i = 0; i < q; ++i) {
    double square = 0;
    for (int j = 0; j <= i; ++j) square += b[packed(i, j)] * b[packed(i, j)];
    EXPECT_NEAR(std::sqrt(square), std::exp(log_sd[i]), 8 * tolerance::double_epsilon * std::exp(log_sd[i]));
  }
  EXPECT_NEAR(b[packed(1, 0)] / std::exp(-1), std::tanh(0.5), 1e-15);  // the first is a plain correlation
}

TEST(CovarianceFactor, ReverseEqualsFiniteDifferences) {
  const int q = 4;
  std::vector<double> log_sd = {0.3, -1, 0, 0.5};
  std::vector<double> a = {0.5, -0.2, 1.5, 0.1, -0.9, 0.4};
  std::mt19937 random(2);
  std::normal_distribution<double> normal;
  std::vector<double> b_bar(packed_size(q));
  for (double& v : b_bar) v = normal(random);
  std::vector<double> log_sd_bar(q), a_bar(a.size());
  covariance_factor_reverse(q, log_sd.data(), a.data(), b_bar.data(), log_sd_bar.data(), a_bar.data());
  const auto objective = [&] {
    std::vector<double> b(packed_size(q));
    covariance_factor(q, log_sd.data(), a.data(), b.data());
    double total = 0;
    for (std::size_t i = 0; i < b.size(); ++i) total += b[i] * b_bar[i];
    return total;
  };
  const auto check = [&](std::vector<double>& x, const std::vector<double>& bar) {
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double at = x[i];
      x[i] = at + 1e-5;
      const double above = objective();
      x[i] = at - 1e-5;
      const double below = objective();
      x[i] = at;
      EXPECT_NEAR(bar[i], (above - below) / 2e-5, 1e-8 * (1 + std::abs(bar[i]))) << i;
    }
  };
  check(log_sd, log_sd_bar);
  check(a, a_bar);
}

}  // namespace
}  // namespace jensen
