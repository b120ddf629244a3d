/// \file Draws and summaries of posteriors against closed forms; fits made by hand whose marginals are known.

#include <gtest/gtest.h>
#include <omp.h>

#include <array>
#include <cmath>
#include <functional>
#include <numbers>

#include "coupled_fit.hpp"
#include "group_map.hpp"
#include "jensen/errors.hpp"
#include "jensen/fit.hpp"
#include "posterior/draw_summary.hpp"
#include "posterior/level_effects.hpp"
#include "tolerances.hpp"

namespace jensen {
namespace {

/// E f(m + s Z) by a plain sum of 200,001 nodes.
double expect(double m, double s, const std::function<double(double)>& f) {
  constexpr int nodes = 200'001;
  double sum = 0, total = 0;
  for (int i = 0; i < nodes; ++i) {
    const double t = -10 + 20.0 * i / (nodes - 1);
    const double weight = std::exp(-t * t / 2);
    sum += weight * f(m + s * t), total += weight;
  }
  return sum / total;
}

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

/// z-score of a sample's mean.
double mean_z(std::span<const double> sample, double mean, double sd) {
  double sum = 0;
  for (const double x : sample) sum += x;
  const auto n = static_cast<double>(sample.size());
  return (sum / n - mean) / (sd / std::sqrt(n));
}
/// z-score of the covariance of two normal samples of known moments.
double covariance_z(std::span<const double> a, std::span<const double> b, double mean_a, double mean_b, double var_a,
                    double var_b, double covariance) {
  double sum = 0;
  for (std::size_t s = 0; s < a.size(); ++s) sum += (a[s] - mean_a) * (b[s] - mean_b);
  const auto n = static_cast<double>(a.size());
  return (sum / n - covariance) / std::sqrt((var_a * var_b + covariance * covariance) / n);
}

std::vector<double> column_of(const std::vector<double>& draws, std::size_t columns, std::size_t column) {
  std::vector<double> out;
  for (std::size_t i = column; i < draws.size(); i += columns) out.push_back(draws[i]);
  return out;
}

Fit mixed_fit() {
  Fit fit;
  fit.parameters = {{"b_Intercept", Transform::identity},
                    {"sigma", Transform::exponential, ParameterClass::family},
                    {"zi", Transform::logistic, ParameterClass::family}};
  fit.mean = {0.5, -1, 0.7};
  fit.factor = {0.3, 0.1, 0.2, 0, 0.4, -0.1, 0.5, 0.2, 1.1};  // not triangular on purpose
  return fit;
}

TEST(ParameterDraws, HaveTheMomentsOfTheirTransforms) {
  const Fit fit = mixed_fit();
  constexpr std::size_t n = 50'000;
  const std::vector<double> draws = fit.draw(n, 3);
  const double v0 = 0.09 + 0.01 + 0.04, v1 = 0.16 + 0.01, v2 = 0.25 + 0.04 + 1.21;
  const std::vector<double> b = column_of(draws, 3, 0), sigma = column_of(draws, 3, 1), zi = column_of(draws, 3, 2);
  EXPECT_LT(std::abs(mean_z(b, 0.5, std::sqrt(v0))), tolerance::z_one);
  const double lognormal_mean = std::exp(-1 + v1 / 2);
  EXPECT_LT(std::abs(mean_z(sigma, lognormal_mean, lognormal_mean * std::sqrt(std::expm1(v1)))), tolerance::z_one);
  const double p = expect(0.7, std::sqrt(v2), logistic);
  const double p2 = expect(0.7, std::sqrt(v2), [](double u) { return logistic(u) * logistic(u); });
  EXPECT_LT(std::abs(mean_z(zi, p, std::sqrt(p2 - p * p))), tolerance::z_one);
  std::vector<double> u1, u2;
  for (std::size_t s = 0; s < n; ++s) u1.push_back(std::log(sigma[s])), u2.push_back(std::log(zi[s] / (1 - zi[s])));
  EXPECT_LT(std::abs(covariance_z(b, b, 0.5, 0.5, v0, v0, v0)), tolerance::z_one);
  EXPECT_LT(std::abs(covariance_z(b, u1, 0.5, -1, v0, v1, 0.04 - 0.02)), tolerance::z_one);
  EXPECT_LT(std::abs(covariance_z(u1, u2, -1, 0.7, v1, v2, 0.08 - 0.11)), tolerance::z_one);
}

TEST(ParameterDraws, AreTheSameInAnyBlock) {
  const Fit fit = mixed_fit();
  const std::vector<double> all = fit.draw(3000, 9);
  const std::vector<double> few = fit.draw(1500, 9);
  EXPECT_TRUE(std::equal(few.begin(), few.end(), all.begin()));
  const ParameterDraws part(fit, {9, 700, 5, false});
  for (std::size_t s = 0; s < 5; ++s) EXPECT_EQ(part.value(1)[s], all[(700 + s) * 3 + 1]);
  EXPECT_NE(fit.draw(1, 10), fit.draw(1, 9));
  const ParameterDraws pairs(fit, {9, 0, 100, true});
  for (std::size_t s = 0; s < 100; s += 2) {
    for (std::size_t i = 0; i < 3; ++i) {
      EXPECT_NEAR(pairs.coordinate(i)[s] + pairs.coordinate(i)[s + 1], 2 * fit.mean[i], 1e-12);
    }
  }
}

TEST(Summary, OfALogisticParameterIsExact) {
  for (const double s : {0.01, 0.5, 2.0, 15.0}) {
    Fit fit;
    fit.parameters = {{"zi", Transform::logistic, ParameterClass::family}};
    fit.mean = {-0.8};
    fit.factor = {s};
    const ParameterSummary row = fit.summarize().at(0);
    const double mean = expect(-0.8, s, logistic);
    const double sd = std::sqrt(expect(-0.8, s, [&](double u) { return (logistic(u) - mean) * (logistic(u) - mean); }));
    EXPECT_NEAR(row.mean, mean, 1e-10) << s;
    EXPECT_NEAR(row.sd, sd, 1e-10) << s;
    EXPECT_NEAR(row.q05, logistic(-0.8 - 1.6448536269514722 * s), 1e-12);
    EXPECT_NEAR(row.q50, logistic(-0.8), 1e-12);
    EXPECT_NEAR(row.q95, logistic(-0.8 + 1.6448536269514722 * s), 1e-12);
  }
}

/// One group of q effects with everything at its mean but what the test sets.
Fit group_fit(std::size_t q, std::size_t levels) {
  Fit fit;
  fit.parameters = {{"b_Intercept", Transform::identity}};
  GroupPosterior group;
  group.group = "g";
  group.parameter = "mu";
  group.levels = levels;
  group.first_sd = 1;
  for (std::size_t e = 0; e < q; ++e) {
    group.effects.push_back(e == 0 ? "Intercept" : "x" + std::to_string(e));
    fit.parameters.push_back({"sd_g__" + group.effects.back(), Transform::exponential, ParameterClass::group});
  }
  if (q > 1) group.first_correlation = fit.parameters.size();
  for (std::size_t i = 0; i < q; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      fit.parameters.push_back(
          {"cor_g__" + group.effects[j] + "__" + group.effects[i], Transform::correlation, ParameterClass::group});
    }
  }
  group.first = fit.parameters.size();
  GroupLevels labels{"g", {}, {}};
  for (std::size_t j = 0; j < levels; ++j) labels.levels.push_back("L" + std::to_string(j));
  fit.design.groups = {labels};
  fit.mean.assign(fit.parameters.size() + levels * q, 0.0);
  fit.factor.assign(fit.parameters.size() * fit.parameters.size(), 0.0);
  const auto packed_q = static_cast<std::size_t>(packed_size(static_cast<int>(q)));
  group.scale.assign(levels * packed_q, 0.0F);
  for (std::size_t j = 0; j < levels; ++j) {
    for (std::size_t e = 0; e < q; ++e) {
      group.scale[j * packed_q + static_cast<std::size_t>(packed(static_cast<int>(e), static_cast<int>(e)))] = 1;
    }
  }
  fit.groups = {group};
  return fit;
}

TEST(Summary, OfASingleCorrelationIsExact) {
  Fit fit = group_fit(2, 2);
  fit.mean[3] = 0.4;
  fit.factor[3 * 4 + 3] = 0.6;
  const ParameterSummary row = fit.summarize().at(3);
  EXPECT_EQ(row.name, "cor_g__Intercept__x1");
  const auto tanh = [](double u) { return std::tanh(u); };
  const double mean = expect(0.4, 0.6, tanh);
  EXPECT_NEAR(row.mean, mean, 1e-10);
  EXPECT_NEAR(row.sd, std::sqrt(expect(0.4, 0.6, [&](double u) { return std::pow(std::tanh(u) - mean, 2); })), 1e-10);
  EXPECT_NEAR(row.q95, std::tanh(0.4 + 0.6 * 1.6448536269514722), 1e-12);
  const std::vector<double> draws = column_of(fit.draw(20'000, 1), 4, 3);
  EXPECT_LT(std::abs(mean_z(draws, row.mean, row.sd)), tolerance::z_one);
}

// Partial correlations z21, z31, z32 make c32 = z21 z31 + z32 sqrt((1 - z21^2) (1 - z31^2)).
TEST(Summary, OfThreeEffectsHasTheCorrelationMatrix) {
  Fit fit = group_fit(3, 2);
  const std::array<double, 3> a{0.5, -0.3, 0.9};
  for (std::size_t k = 0; k < 3; ++k) fit.mean[4 + k] = a[k];
  const double z21 = std::tanh(a[0]), z31 = std::tanh(a[1]), z32 = std::tanh(a[2]);
  const double c32 = z21 * z31 + z32 * std::sqrt((1 - z21 * z21) * (1 - z31 * z31));
  std::vector<ParameterSummary> rows = fit.summarize();  // the posterior is a point
  EXPECT_NEAR(rows.at(4).mean, z21, 1e-12);
  EXPECT_NEAR(rows.at(5).mean, z31, 1e-12);
  EXPECT_NEAR(rows.at(6).mean, c32, 1e-12);
  EXPECT_NEAR(rows.at(6).q05, c32, 1e-12);
  EXPECT_NEAR(rows.at(6).sd, 0, 1e-12);

  const std::array<double, 3> s{0.3, 0.5, 0.4};
  for (std::size_t k = 0; k < 3; ++k) fit.factor[(4 + k) * 7 + 4 + k] = s[k];
  rows = fit.summarize();
  const auto first = [](double u) { return std::tanh(u); };
  const auto root = [](double u) { return std::sqrt(1 - std::tanh(u) * std::tanh(u)); };
  // independent coordinates: the expectation factors
  const double expected = expect(a[0], s[0], first) * expect(a[1], s[1], first) +
                          expect(a[2], s[2], first) * expect(a[0], s[0], root) * expect(a[1], s[1], root);
  EXPECT_LT(std::abs(rows.at(6).mean - expected) / (rows.at(6).sd / std::sqrt(4000.0)), tolerance::z_one);
  EXPECT_GT(rows.at(6).sd, 0.1);
}

TEST(Summary, OfThresholdsIsOfOrderedNumbers) {
  Fit fit;
  fit.parameters = {{"b_Intercept[1]", Transform::identity},
                    {"b_Intercept[2]", Transform::increment},
                    {"b_Intercept[3]", Transform::increment}};
  fit.mean = {-1, 0.2, -0.5};
  fit.factor = {0.5, 0, 0, 0.1, 0.3, 0, 0, 0.2, 0.4};
  const std::vector<ParameterSummary> rows = fit.summarize();
  const double v1 = 0.1, v2 = 0.2;
  const double second = -1 + std::exp(0.2 + v1 / 2), third = second + std::exp(-0.5 + v2 / 2);
  EXPECT_EQ(rows.at(0).mean, -1);
  EXPECT_LT(std::abs(rows.at(1).mean - second) / (rows.at(1).sd / std::sqrt(4000.0)), tolerance::z_one);
  EXPECT_LT(std::abs(rows.at(2).mean - third) / (rows.at(2).sd / std::sqrt(4000.0)), tolerance::z_one);
  // Var(a + e^c) = Var a + Var e^c + 2 Cov(a, c) E e^c
  const double e = std::exp(0.2 + v1 / 2);
  const double sd = std::sqrt(0.25 + e * e * std::expm1(v1) + 2 * 0.05 * e);
  EXPECT_NEAR(rows.at(1).sd / sd, 1, tolerance::z_one / std::sqrt(2.0 * 2000));
  const std::vector<double> draws = fit.draw(500, 2);
  for (std::size_t s = 0; s < 500; ++s) {
    EXPECT_LT(draws[3 * s], draws[3 * s + 1]);
    EXPECT_LT(draws[3 * s + 1], draws[3 * s + 2]);
  }
}

// y_ij = b + u_j + noise of known sd: given b the data say of u_j exp(-w u^2 / 2 + r u), w = n_j / sigma^2, and r falls
// by w when b rises by 1. So u_j is normal with E = (l - w (m - b_0)) / M, Var = 1 / M + (w / M)^2 s^2, M = w + 1 /
// sd^2.
struct OneWay {
  static constexpr std::size_t levels = 5;
  static constexpr double sd = 0.8, m = 1.2, s = 0.3, origin = 1;
  std::array<double, levels> w{0, 0.5, 2, 8, 40}, l{0, 1, -1, 4, 10};
  Fit fit = group_fit(1, levels);
  OneWay() {
    fit.mean[0] = m;
    fit.mean[1] = std::log(sd);
    fit.factor[0] = s;
    GroupPosterior& group = fit.groups[0];
    group.coefficients = 1;
    group.origin = {origin};
    for (std::size_t j = 0; j < levels; ++j) {
      group.information.push_back(static_cast<float>(w[j]));
      group.location.push_back(static_cast<float>(l[j]));
      group.coupling.push_back(static_cast<float>(w[j]));
    }
  }
  double precision(std::size_t j) const { return w[j] + 1 / (sd * sd); }
  double mean(std::size_t j) const { return (l[j] - w[j] * (m - origin)) / precision(j); }
  double slope(std::size_t j) const { return -w[j] / precision(j); }
  double variance(std::size_t j) const { return 1 / precision(j) + slope(j) * slope(j) * s * s; }
};

TEST(LevelEffects, OfAConjugateModelHaveItsPosterior) {
  const OneWay model;
  constexpr std::size_t n = 40'000;
  const ParameterDraws draws(model.fit, {7, 0, n, false});
  const LevelEffects effects(model.fit, 0, draws);
  std::vector<double> u(n), before(n, 0.0);
  for (std::size_t j = 0; j < OneWay::levels; ++j) {
    effects.fill(j, u.data());
    const double mean = model.mean(j), variance = model.variance(j);
    EXPECT_LT(std::abs(mean_z(u, mean, std::sqrt(variance))), tolerance::z_one) << j;
    EXPECT_LT(std::abs(covariance_z(u, u, mean, mean, variance, variance, variance)), tolerance::z_one) << j;
    EXPECT_LT(std::abs(covariance_z(u, draws.coordinate(0), mean, OneWay::m, variance, 0.09, model.slope(j) * 0.09)),
              tolerance::z_one);
    if (j > 0) {
      EXPECT_LT(std::abs(covariance_z(u, before, mean, model.mean(j - 1), variance, model.variance(j - 1),
                                      model.slope(j) * model.slope(j - 1) * 0.09)),
                tolerance::z_one);
    }
    before = u;
  }
}

/// Inverse of a symmetric 2 x 2 matrix given as (a00, a10, a11).
std::array<double, 3> inverse2(const std::array<double, 3>& a) {
  const double det = a[0] * a[2] - a[1] * a[1];
  return {a[2] / det, -a[1] / det, a[0] / det};
}

/// Three effects of a and, of each of two levels, two of b, which follow some of them. The sds have no uncertainty.
Fit following_fit() {
  Fit fit = group_fit(1, 3);
  const GroupPosterior b_alone = group_fit(2, 2).groups[0];
  fit.parameters = group_fit(2, 2).parameters;  // an intercept, two sds and a correlation
  fit.groups.push_back(b_alone);
  fit.mean = {0.5, std::log(0.7), std::log(0.4), std::atanh(0.3)};
  fit.factor.assign(16, 0.0);
  fit.factor[0] = 0.2;
  GroupPosterior &a = fit.groups[0], &b = fit.groups[1];
  a.group = "a";
  a.first = 4;
  a.scale.assign(3, 0.8F);
  a.information = {1, 4, 9};
  a.location = {0.5, -1, 2};
  b.first = 7;
  for (int i = 0; i < 7; ++i) fit.mean.push_back(0.1 * i - 0.3);
  b.scale = {0.9F, 0.1F, 1.1F, 1, 0, 0.7F};
  b.information = {3, 1, 5, 2, -0.5, 4};
  b.location = {1, 2, -1, 0.5};
  b.followed_begin = {0, 2, 3, 3, 5};
  b.followed = {0, 2, 1, 0, 2};
  b.followed_slope = {1.5, -0.5, 2, 0.25, 3};
  return fit;
}

TEST(LevelEffects, FollowThoseOfOtherGroups) {
  const Fit fit = following_fit();
  constexpr std::size_t n = 200;
  const ParameterDraws draws(fit, {7, 0, n, false});
  const LevelEffects a(fit, 0, draws), kept(fit, 1, draws), remade(fit, 1, draws, 0);
  Fit still = fit;
  still.groups[1].followed_begin.clear(), still.groups[1].followed.clear(), still.groups[1].followed_slope.clear();
  const LevelEffects alone(still, 1, draws);
  std::vector<double> u(3 * n), here(2 * n), again(2 * n), without(2 * n), means(2 * n), unused(2 * n);
  for (std::size_t j = 0; j < 3; ++j) a.fill(j, u.data() + j * n);
  const double sd[] = {0.7, 0.4}, rho = 0.3;
  const auto prior = inverse2({sd[0] * sd[0], sd[0] * sd[1] * rho, sd[1] * sd[1]});
  for (std::size_t j = 0; j < 2; ++j) {
    kept.fill(j, here.data());
    remade.fill(j, again.data());
    alone.fill(j, without.data());
    EXPECT_EQ(here, again);
    const GroupPosterior& b = fit.groups[1];
    const auto w = [&](std::size_t k) { return static_cast<double>(b.information[3 * j + k]); };
    const auto cov = inverse2({prior[0] + w(0), prior[1] + w(1), prior[2] + w(2)});
    for (std::size_t s = 0; s < n; ++s) {  // u is affine in r: u moves by (W + P)^-1 times what r does
      const double r[2][2] = {{1.5 * u[s] - 0.5 * u[2 * n + s], 2 * u[n + s]}, {0, 0.25 * u[s] + 3 * u[2 * n + s]}};
      EXPECT_NEAR(here[s] - without[s], -(cov[0] * r[j][0] + cov[1] * r[j][1]), 1e-9);
      EXPECT_NEAR(here[n + s] - without[n + s], -(cov[1] * r[j][0] + cov[2] * r[j][1]), 1e-9);
    }
    // The moments are those given the others' effects: what is left is noise of its own.
    kept.fill_moments(j, means.data(), unused.data());
    alone.fill_moments(j, again.data(), unused.data());
    for (std::size_t s = 0; s < 2 * n; ++s) EXPECT_NEAR(here[s] - means[s], without[s] - again[s], 1e-9);
  }
}

TEST(LevelEffects, AreSummarizedByTheLawOfTotalVariance) {
  const OneWay model;
  const std::vector<ParameterSummary> rows = model.fit.summarize_levels();
  ASSERT_EQ(rows.size(), OneWay::levels);
  EXPECT_EQ(rows[2].name, "r_g[L2,Intercept]");
  for (std::size_t j = 0; j < OneWay::levels; ++j) {
    EXPECT_NEAR(rows[j].mean, model.mean(j), 1e-6);  // linear in b, drawn in pairs: float inputs are all that is left
    // The share of Var b is estimated from 1,000 pairs: relative error sqrt(2 / 1,000).
    const double share = model.slope(j) * model.slope(j) * 0.09;
    EXPECT_NEAR(rows[j].sd * rows[j].sd, model.variance(j), tolerance::z_one * std::sqrt(2.0 / 1000) * share + 1e-6);
    EXPECT_NEAR(rows[j].q95 - rows[j].mean, 1.6448536269514722 * rows[j].sd, 1e-12);
    EXPECT_EQ(rows[j].q50, rows[j].mean);
  }
}

// Two correlated effects with v ~ N(m_j, L L^T): u = B K^-T (K^-1 B^T r + v).
TEST(LevelEffects, OfTwoCorrelatedEffects) {
  for (const bool centered : {false, true}) {
    Fit fit = group_fit(2, 1);
    GroupPosterior& group = fit.groups[0];
    const double sd0 = 0.9, sd1 = 0.4, rho = -0.5;
    fit.mean[1] = std::log(sd0), fit.mean[2] = std::log(sd1), fit.mean[3] = std::atanh(rho);
    if (centered) {  // the parameters' own values must not matter then
      group.centered = true;
      group.reference = {sd0, sd1 * rho, sd1 * std::sqrt(1 - rho * rho)};
      fit.mean[1] = 3, fit.mean[2] = -2, fit.mean[3] = 0.1;
    }
    group.information = {3, 1, 5};
    group.location = {2, -1};
    // (W + Sigma^-1)^-1
    const auto prior = inverse2({sd0 * sd0, sd0 * sd1 * rho, sd1 * sd1});
    const auto cov = inverse2({prior[0] + 3, prior[1] + 1, prior[2] + 5});
    const ParameterDraws draws(fit, {5, 0, 30'000, false});
    const LevelEffects effects(fit, 0, draws);
    std::vector<double> u(60'000), moments(60'000), variances(60'000);
    effects.fill(0, u.data());
    effects.fill_moments(0, moments.data(), variances.data());
    const double m0 = cov[0] * 2 - cov[1], m1 = cov[1] * 2 - cov[2];
    EXPECT_NEAR(moments[0], m0, 1e-12);
    EXPECT_NEAR(moments[30'000], m1, 1e-12);
    EXPECT_NEAR(variances[7], cov[0], 1e-12);
    EXPECT_NEAR(variances[30'007], cov[2], 1e-12);
    const auto u0 = std::span<const double>(u).first(30'000), u1 = std::span<const double>(u).last(30'000);
    EXPECT_LT(std::abs(mean_z(u0, m0, std::sqrt(cov[0]))), tolerance::z_one);
    EXPECT_LT(std::abs(mean_z(u1, m1, std::sqrt(cov[2]))), tolerance::z_one);
    EXPECT_LT(std::abs(covariance_z(u0, u1, m0, m1, cov[0], cov[2], cov[1])), tolerance::z_one);

    // A factor of its own: u = A v + .., so mean and variance move with it.
    fit.mean[4] = 0.7;
    group.scale = {0.5F, 0.25F, 2};
    const LevelEffects scaled(fit, 0, draws);
    scaled.fill(0, u.data());
    scaled.fill_moments(0, moments.data(), variances.data());
    EXPECT_NE(moments[0], m0);
    EXPECT_LT(std::abs(mean_z(u0, moments[0], std::sqrt(variances[0]))), tolerance::z_one);
    EXPECT_LT(std::abs(mean_z(u1, moments[30'000], std::sqrt(variances[30'000]))), tolerance::z_one);
    EXPECT_LT(std::abs(covariance_z(u0, u0, moments[0], moments[0], variances[0], variances[0], variances[0])),
              tolerance::z_one);
  }
}

// Levels within the factor go with the parameters' draws. Without information u = sd v.
TEST(LevelEffects, WithinTheFactorAreCorrelatedWithTheParameters) {
  Fit fit = group_fit(1, 2);
  fit.groups[0].scale.clear();
  fit.mean = {1, std::log(0.5), 0.3, -0.6};
  fit.factor = {0.4, 0, 0, 0, 0, 0, 0, 0, -0.5, 0, 0.6, 0, 0.1, 0, 0.2, 0.9};
  const ParameterDraws draws(fit, {5, 0, 30'000, false});
  const LevelEffects effects(fit, 0, draws);
  std::vector<double> first(30'000), second(30'000);
  effects.fill(0, first.data());
  effects.fill(1, second.data());
  const double v0 = 0.25 * 0.61, v1 = 0.25 * 0.86;
  EXPECT_LT(std::abs(mean_z(first, 0.15, std::sqrt(v0))), tolerance::z_one);
  EXPECT_LT(std::abs(covariance_z(first, draws.coordinate(0), 0.15, 1, v0, 0.16, 0.5 * -0.2)), tolerance::z_one);
  EXPECT_LT(std::abs(covariance_z(first, second, 0.15, -0.3, v0, v1, 0.25 * 0.07)), tolerance::z_one);
  const std::vector<ParameterSummary> rows = fit.summarize_levels();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_NEAR(rows[1].mean, -0.3, 1e-9);  // pairs
  EXPECT_NEAR(rows[1].sd / std::sqrt(v1), 1, tolerance::z_one / std::sqrt(2.0 * 2000));
  EXPECT_NEAR((rows[1].q95 - rows[1].q50) / std::sqrt(v1), 1.645, 0.15);
}

/// Effects z of the coupled fit in draws, 15 x S; of g the moments given the rest instead if `variances` is there.
std::vector<double> coupled_effects_of(const Fit& fit, const ParameterDraws& draws, std::vector<double>* variances) {
  using test::CoupledFit;
  const std::size_t n = draws.count();
  std::vector<double> z(CoupledFit::all * n);
  for (std::size_t c = 0; c < 2; ++c) std::ranges::copy(draws.coordinate(c), z.data() + c * n);
  const std::array<std::size_t, 3> places{CoupledFit::g_at, CoupledFit::h_at, CoupledFit::k_at};
  if (variances != nullptr) variances->assign(6 * n, 0.0);
  for (std::size_t g = 0; g < 3; ++g) {
    const LevelEffects effects(fit, g, draws);
    const std::size_t q = effects.effects();
    for (std::size_t j = 0; j < effects.group().levels; ++j) {
      double* out = z.data() + (places[g] + j * q) * n;
      if (g == 0 && variances != nullptr) {
        effects.fill_moments(j, out, variances->data() + j * q * n);
      } else {
        effects.fill(j, out);
      }
    }
  }
  return z;
}

/// Of effect i of g given (b, k, h): covariance with them times the inverse of theirs.
std::vector<double> coupled_slopes(const test::CoupledFit& model, std::size_t i) {
  test::Dense head{test::CoupledFit::head};
  std::vector<double> with(head.n);
  for (std::size_t a = 0; a < head.n; ++a) {
    with[a] = model.covariance(i, a);
    for (std::size_t b = 0; b < head.n; ++b) head(a, b) = model.covariance(a, b);
  }
  return test::solve(head, with);
}

// In every draw the levels' conditional moments are those of the dense normal given the draw's own b, k and h.
TEST(LevelEffects, OfALargeGroupDependOnThoseOfSmallOnes) {
  using test::CoupledFit;
  const CoupledFit model;
  constexpr std::size_t n = 50;
  const ParameterDraws draws(model.fit, {5, 0, n, false});
  std::vector<double> variances;
  const std::vector<double> z = coupled_effects_of(model.fit, draws, &variances);
  for (std::size_t i = CoupledFit::g_at; i < CoupledFit::all; ++i) {
    const std::vector<double> slopes = coupled_slopes(model, i);
    double variance = model.covariance(i, i);
    for (std::size_t a = 0; a < CoupledFit::head; ++a) variance -= slopes[a] * model.covariance(i, a);
    for (std::size_t s = 0; s < n; ++s) {
      double mean = model.mean[i];
      for (std::size_t a = 0; a < CoupledFit::head; ++a) mean += slopes[a] * (z[a * n + s] - model.mean[a]);
      EXPECT_NEAR(z[i * n + s], mean, 1e-5) << i << " " << s;  // single precision of location and coupling
      EXPECT_NEAR(variances[(i - CoupledFit::g_at) * n + s], variance, 1e-5) << i << " " << s;
    }
  }
}

TEST(LevelEffects, OfCoupledGroupsHaveTheJointPosterior) {
  using test::CoupledFit;
  const CoupledFit model;
  constexpr std::size_t n = 40'000;
  const ParameterDraws draws(model.fit, {9, 0, n, false});
  const std::vector<double> z = coupled_effects_of(model.fit, draws, nullptr);
  const auto lane = [&](std::size_t i) { return std::span(z).subspan(i * n, n); };
  for (std::size_t i = 0; i < CoupledFit::all; ++i) {
    const double variance = model.covariance(i, i);
    EXPECT_LT(std::abs(mean_z(lane(i), model.mean[i], std::sqrt(variance))), tolerance::z_many) << i;
    for (std::size_t j = 0; j <= i; ++j) {
      EXPECT_LT(std::abs(covariance_z(lane(i), lane(j), model.mean[i], model.mean[j], variance, model.covariance(j, j),
                                      model.covariance(i, j))),
                tolerance::z_many)
          << i << " " << j;
    }
  }
}

TEST(LevelEffects, OfCoupledGroupsAreSummarized) {
  using test::CoupledFit;
  const CoupledFit model;
  const std::vector<ParameterSummary> rows = model.fit.summarize_levels();
  ASSERT_EQ(rows.size(), CoupledFit::all - 2);  // g, h, k
  EXPECT_EQ(rows[1].name, "r_g[ga,x]");
  EXPECT_EQ(rows[12].name, "r_k[kc,Intercept]");
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::size_t i = r < 6 ? CoupledFit::g_at + r : r < 10 ? CoupledFit::h_at + r - 6 : CoupledFit::k_at + r - 10;
    const double variance = model.covariance(i, i);
    EXPECT_NEAR(rows[r].mean, model.mean[i], 1e-5) << rows[r].name;  // linear, drawn in pairs
    double drawn = variance;                                         // the part of it that is estimated from draws
    double pairs = 2000;
    if (r < 6) {
      drawn = 0, pairs = 1000;
      const std::vector<double> slopes = coupled_slopes(model, i);
      for (std::size_t a = 0; a < CoupledFit::head; ++a) drawn += slopes[a] * model.covariance(i, a);
    }
    EXPECT_NEAR(rows[r].sd * rows[r].sd, variance, tolerance::z_many * std::sqrt(2 / pairs) * drawn + 1e-5)
        << rows[r].name;
    EXPECT_GT(drawn, 0.1 * variance);
  }
}

TEST(LevelEffects, OfNewLevelsComeFromTheGroup) {
  Fit fit = group_fit(2, 3);
  fit.mean[1] = std::log(2.0), fit.mean[2] = std::log(0.5), fit.mean[3] = std::atanh(0.6);
  const ParameterDraws draws(fit, {11, 0, 30'000, false});
  const LevelEffects effects(fit, 0, draws);
  std::vector<double> a(60'000), b(60'000);
  effects.fill_new(0, a.data());
  effects.fill_new(1, b.data());
  const auto a0 = std::span<const double>(a).first(30'000), a1 = std::span<const double>(a).last(30'000);
  const auto b0 = std::span<const double>(b).first(30'000);
  EXPECT_LT(std::abs(mean_z(a0, 0, 2)), tolerance::z_one);
  EXPECT_LT(std::abs(covariance_z(a0, a0, 0, 0, 4, 4, 4)), tolerance::z_one);
  EXPECT_LT(std::abs(covariance_z(a1, a1, 0, 0, 0.25, 0.25, 0.25)), tolerance::z_one);
  EXPECT_LT(std::abs(covariance_z(a0, a1, 0, 0, 4, 0.25, 0.6)), tolerance::z_one);
  EXPECT_LT(std::abs(covariance_z(a0, b0, 0, 0, 4, 4, 0)), tolerance::z_one);
}

TEST(LevelEffects, OfAnotherParameterSaySo) {
  Fit fit = group_fit(2, 2);
  fit.groups[0].parameter = "sigma";
  EXPECT_EQ(fit.summarize_levels().at(1).name, "r_g__sigma[L0,x1]");
  fit.design.groups[0].levels.pop_back();
  EXPECT_THROW(fit.summarize_levels(), InputError);
}

TEST(Posterior, SameBitsForAnyNumberOfThreads) {
  const OneWay model;
  const test::CoupledFit coupled;
  std::vector<std::vector<double>> results;
  for (const int threads : {1, 2, 3}) {
    omp_set_num_threads(threads);
    std::vector<double>& result = results.emplace_back(model.fit.draw(3000, 4));
    for (const Fit* fit : {&model.fit, &coupled.fit}) {
      for (const ParameterSummary& row : fit->summarize_levels()) {
        result.insert(result.end(), {row.mean, row.sd, row.q05, row.q95});
      }
    }
  }
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

TEST(DrawSummary, HasRsQuantiles) {
  std::vector<double> draws{3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5};  // R: quantile(x, c(.05, .5, .95)) is 1.0, 4.0, 7.5
  const DrawSummary s = summarize_draws(draws);
  EXPECT_NEAR(s.q05, 1, 1e-12);
  EXPECT_NEAR(s.q50, 4, 1e-12);
  EXPECT_NEAR(s.q95, 7.5, 1e-12);
  EXPECT_NEAR(s.mean, 4, 1e-12);
  EXPECT_NEAR(s.sd, std::sqrt(5.6), 1e-12);
  std::vector<double> missing{1, std::nan(""), 2};
  EXPECT_TRUE(std::isnan(summarize_draws(missing).q50));
}

}  // namespace
}  // namespace jensen
