/// \file Draws and summaries of posteriors against closed forms; fits made by hand whose marginals are known.

#include <gtest/gtest.h>
#include <omp.h>

#include <array>
#include <cmath>
#include <functional>
#include <numbers>

#include "coupled_fit.hpp"
#include "group_fit.hpp"
#include "jensen/fit.hpp"
#include "posterior/draw_summary.hpp"
#include "posterior/parameter_draws.hpp"
#include "tolerances.hpp"

namespace jensen {
namespace {

using testing::covariance_z;
using testing::group_fit;
using testing::mean_z;
using testing::OneWay;

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
