/// \file Random intercepts and slopes of 2,000 levels, simulated: what training recovers, and how surely.

#include <gtest/gtest.h>

#include <array>
#include <iostream>
#include <map>

#include "jensen/jensen.hpp"
#include "model/linear_algebra.hpp"
#include "simulated_mixed.hpp"
#include "tolerances.hpp"

namespace jensen {
namespace {

using Two = std::array<std::array<double, 2>, 2>;

Two operator*(const Two& a, const Two& b) {
  Two c{};
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < 2; ++j) c[i][j] = a[i][0] * b[0][j] + a[i][1] * b[1][j];
  }
  return c;
}
double trace(const Two& a) { return a[0][0] + a[1][1]; }
Two inverse(const Two& a) {
  const double d = a[0][0] * a[1][1] - a[0][1] * a[1][0];
  return {{{a[1][1] / d, -a[0][1] / d}, {-a[1][0] / d, a[0][0] / d}}};
}

/// Asymptotic standard errors at given parameters. Least squares within level j, whose rows have information W_j, is
/// N(b, V_j) with V_j = G + W_j^-1. So b has information sum_j V_j^-1, and parameters a of G have
/// 1/2 sum_j tr(V_j^-1 dG/da V_j^-1 dG/da'), sigma being known well by comparison.
struct StandardErrors {
  double intercept, slope, intercept_sd, slope_sd, correlation;

  StandardErrors(const testing::SimulatedMixed& data, double s, double t, double r, double sigma) {
    const Two g{{{s * s, r * s * t}, {r * s * t, t * t}}};
    const std::array<Two, 3> derivatives{Two{{{2 * s, r * t}, {r * t, 0}}}, Two{{{0, r * s}, {r * s, 2 * t}}},
                                         Two{{{0, s * t}, {s * t, 0}}}};
    std::vector<Two> information(data.effects.size() / 2);
    for (std::size_t i = 0; i < data.y.size(); ++i) {
      Two& w = information[static_cast<std::size_t>(data.level[i])];
      const double x = static_cast<double>(data.x[i]), unit = 1 / (sigma * sigma);
      w[0][0] += unit, w[0][1] += x * unit, w[1][0] += x * unit, w[1][1] += x * x * unit;
    }
    Two of_coefficients{};
    Matrix of_covariance(3, 3);
    for (const Two& w : information) {
      Two a = w * g;  // V^-1 = (I + W G)^-1 W, whether or not W is singular
      a[0][0] += 1, a[1][1] += 1;
      const Two precision = inverse(a) * w;
      for (std::size_t i = 0; i < 2; ++i) {
        for (std::size_t j = 0; j < 2; ++j) of_coefficients[i][j] += precision[i][j];
      }
      for (std::size_t i = 0; i < 3; ++i) {
        for (std::size_t j = 0; j < 3; ++j) {
          of_covariance(i, j) += 0.5 * trace(precision * derivatives[i] * precision * derivatives[j]);
        }
      }
    }
    const Two covariance = inverse(of_coefficients);
    intercept = std::sqrt(covariance[0][0]);
    slope = std::sqrt(covariance[1][1]);
    // With R^T R the information, its inverse has the squared rows of R^-1 on the diagonal.
    const Matrix root = inverse_upper(cholesky(of_covariance, 1e-12).upper);
    const auto sd = [&root](std::size_t i) { return std::hypot(root(i, 0), root(i, 1), root(i, 2)); };
    intercept_sd = sd(0), slope_sd = sd(1), correlation = sd(2);
  }
};

TEST(Mixed, RecoversWhatWasSimulated) {
  constexpr std::size_t rows = 50'000, levels = 2'000;
  const testing::SimulatedMixed data(rows, levels, 1);
  const Fit fit = train(data.formula, data.table());
  EXPECT_TRUE(fit.verdict.converged) << fit.verdict.message;
  EXPECT_EQ(fit.verdict.nonfinite, 0);
  std::map<std::string, ParameterSummary> found;
  for (const ParameterSummary& s : fit.summarize()) found[s.name] = s;
  const std::map<std::string, double> truth{{"b_Intercept", data.intercept},           {"b_x", data.slope},
                                            {"sd_g__Intercept", data.intercept_sd},    {"sd_g__x", data.slope_sd},
                                            {"cor_g__Intercept__x", data.correlation}, {"sigma", data.sigma}};
  ASSERT_EQ(found.size(), truth.size());
  for (const auto& [name, value] : truth) {
    const ParameterSummary& s = found.at(name);
    EXPECT_LT(std::abs(s.mean - value) / s.sd, tolerance::z_one) << name;
  }

  // Of 2,000 levels the posterior is normal about its mean within a few percent.
  const StandardErrors expected(data, found["sd_g__Intercept"].mean, found["sd_g__x"].mean,
                                found["cor_g__Intercept__x"].mean, found["sigma"].mean);
  const auto expect_sd = [&](const char* name, double sd) {
    EXPECT_NEAR(found.at(name).sd / sd, 1, 0.05) << name;
    std::cout << name << ": " << found.at(name).mean << " (" << found.at(name).sd << "), expected (" << sd << ")\n";
  };
  expect_sd("b_Intercept", expected.intercept);
  expect_sd("b_x", expected.slope);
  expect_sd("sd_g__Intercept", expected.intercept_sd);
  expect_sd("sd_g__x", expected.slope_sd);
  expect_sd("cor_g__Intercept__x", expected.correlation);
  expect_sd("sigma", data.sigma / std::sqrt(2.0 * (rows - levels)));  // some of 2 J degrees of freedom are used up

  const auto summary = fit.summarize_levels();
  ASSERT_EQ(summary.size(), 2 * levels);
  EXPECT_EQ(summary[5].name, "r_g[g00000002,x]");
  const auto coverage = data.coverage(summary);
  // Each share is binomial(J, 0.9) / J where the intervals are right.
  const double bound = tolerance::z_one * std::sqrt(0.9 * 0.1 / levels);
  EXPECT_NEAR(coverage.intercept, 0.9, bound);
  EXPECT_NEAR(coverage.slope, 0.9, bound);
  std::cout << "coverage " << coverage.intercept << ", " << coverage.slope << "; " << fit.steps << " steps, "
            << fit.seconds << " s; " << fit.verdict.message << '\n';
}

}  // namespace
}  // namespace jensen
