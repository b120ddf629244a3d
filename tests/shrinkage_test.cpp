/// \file Priors that shrink: what training finds, in steps that a smooth prior would take.

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "jensen/jensen.hpp"

namespace jensen {
namespace {

std::string sum_of(std::size_t columns) {
  std::string sum;
  for (std::size_t j = 0; j < columns; ++j) sum += (j == 0 ? "x" : " + x") + std::to_string(j);
  return sum;
}

/// The normal N(m, sd^2) nearest in KL(q || p) to p(b) ~ N(b; estimate, error^2) exp(-|b| / scale): of
///     (estimate - m) / error^2 = (2 Phi(m / sd) - 1) / scale,   1 / sd = sd / error^2 + 2 phi(m / sd) / scale
/// the solution, since E|b| = m (2 Phi(m / sd) - 1) + 2 sd phi(m / sd).
struct Nearest {
  double m, sd;
  Nearest(double estimate, double error, double scale) : m(estimate), sd(error) {
    for (int i = 0; i < 2000; ++i) {
      const double z = m / sd;
      const double density = std::exp(-0.5 * z * z) / std::sqrt(2 * std::numbers::pi);
      const double precision = 1 / (error * error) + 2 * density / (scale * sd);
      const double slope = (estimate - m) / (error * error) - std::erf(z / std::numbers::sqrt2) / scale;
      m += 0.5 * slope / precision;
      sd = std::pow(sd, 0.5) * std::pow(precision, -0.25);
    }
  }
};

/// Columns are orthogonal and sigma is known, so that coefficients are independent a posteriori. Estimates from nothing
/// to many errors, prior scales from a fifth of an error to five.
TEST(Shrinkage, LaplaceGivesTheNearestNormal) {
  constexpr std::size_t rows = 256, columns = 6;
  constexpr double error = 1.0 / 16;
  const double estimates[columns] = {0, 0.3 * error, error, 2 * error, 5 * error, -40 * error};
  std::vector<double> y(rows), se(rows, 1.0), x[columns];
  for (std::size_t j = 0; j < columns; ++j) {
    for (std::size_t i = 0; i < rows; ++i) {
      x[j].push_back((i >> j) % 2 == 0 ? -1 : 1);
      y[i] += estimates[j] * x[j][i];
    }
  }
  Table table("orthogonal");
  table.add("y", y);
  table.add("se", se);
  for (std::size_t j = 0; j < columns; ++j) table.add("x" + std::to_string(j), x[j]);
  for (const double scale : {0.2 * error, error, 5 * error}) {
    SCOPED_TRACE(scale);
    TrainOptions options;
    options.priors = {{"b", PriorKind::laplace, {0, scale}}};
    const Fit fit = train("y | se(se) ~ 0 + " + sum_of(columns), table, options);
    EXPECT_TRUE(fit.verdict.converged) << fit.verdict.message;
    EXPECT_LE(fit.steps, 4000);
    const std::vector<ParameterSummary> summary = fit.summarize();
    for (std::size_t j = 0; j < columns; ++j) {
      const Nearest nearest(estimates[j], error, scale);
      EXPECT_NEAR(summary[j].mean, nearest.m, 0.05 * nearest.sd) << j;  // the rule's drift
      EXPECT_NEAR(summary[j].sd / nearest.sd, 1, 0.05) << j;
    }
  }
}

/// Three coefficients of twenty are not zero.
TEST(Shrinkage, AHorseshoeShrinksWhatIsNothing) {
  constexpr std::size_t rows = 400, columns = 20;
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  const double truth[] = {2, -1.5, 1};
  std::vector<double> y(rows), x[columns];
  for (std::size_t i = 0; i < rows; ++i) {
    y[i] = normal(random);
    for (std::size_t j = 0; j < columns; ++j) {
      x[j].push_back(normal(random));
      if (j < 3) y[i] += truth[j] * x[j][i];
    }
  }
  Table table("sparse");
  table.add("y", y);
  for (std::size_t j = 0; j < columns; ++j) table.add("x" + std::to_string(j), x[j]);
  TrainOptions options;
  const Fit flat = train("y ~ " + sum_of(columns), table, options);
  options.priors = {{"b", PriorKind::horseshoe, {1, 3.0 / 17 / 20, 4, 2}}};
  const Fit fit = train("y ~ " + sum_of(columns), table, options);
  EXPECT_EQ(fit.options.guide, GuideKind::meanfield);
  EXPECT_FALSE(fit.verdict.failed);
  EXPECT_EQ(fit.verdict.nonfinite, 0);
  const std::vector<ParameterSummary> with = fit.summarize(), without = flat.summarize();
  double shrunk = 0, before = 0;
  for (std::size_t j = 0; j < columns; ++j) {
    const ParameterSummary &a = with[1 + j], &b = without[1 + j];
    ASSERT_EQ(a.name, "b_x" + std::to_string(j));
    if (j < 3) {
      EXPECT_NEAR(a.mean, b.mean, b.sd) << j;
    } else {
      shrunk += a.mean * a.mean;
      before += b.mean * b.mean;
    }
  }
  EXPECT_LT(shrunk, 0.25 * before);  // to less than half, in root mean square
}

}  // namespace
}  // namespace jensen
