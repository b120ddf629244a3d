/// \file The mode of families with more than a mean: thresholds that feed two arguments, one predictor for each
/// category, a shape.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <functional>

#include "mode_problem.hpp"
#include "model/response.hpp"

namespace jensen {
namespace {

using testing::block;
using testing::hessian;
using testing::random_design;
using testing::scalar;

/// A logistic variable about eta.
double logistic(double eta, std::mt19937_64& generator) {
  const double u = std::uniform_real_distribution<double>(1e-9, 1 - 1e-9)(generator);
  return eta + std::log(u / (1 - u));
}

/// Four ordered categories, cut at -1, 0.5 and 2; levels' intercepts of sd 0.8; two columns.
struct Ordinal {
  static constexpr std::size_t rows = 4000;
  std::vector<double> x, position, lower, upper, category;
  std::vector<std::int32_t> level;

  Ordinal() : lower(rows * 3), upper(rows * 3) {
    std::mt19937_64 generator(31);
    std::normal_distribution<double> normal;
    const double cuts[] = {-1, 0.5, 2};
    std::vector<double> effects(50);
    for (double& u : effects) u = 0.8 * normal(generator);
    for (std::size_t i = 0; i < rows; ++i) {
      level.push_back(static_cast<std::int32_t>(i % 50));
      for (int k = 0; k < 2; ++k) x.push_back(normal(generator));
      const double latent = logistic(0.7 * x[i * 2] - 0.4 * x[i * 2 + 1] + effects[i % 50], generator);
      const auto y = static_cast<std::size_t>(std::lower_bound(cuts, cuts + 3, latent) - cuts);
      category.push_back(static_cast<double>(y));
      position.push_back(y == 0 ? 0 : y == 3 ? 2 : 1);
      if (y > 0) lower[i * 3 + y - 1] = 1;
      if (y < 3) upper[i * 3 + y] = 1;
    }
  }
};

/// Columns x and thresholds in one block with three feeds, so that the thresholds' own share of the levels' mean is
/// known; `thresholds_apart` makes them a block of their own.
ModeProblem ordinal_problem(const Ordinal& data, bool thresholds_apart) {
  ModeProblem problem;
  problem.rows = Ordinal::rows;
  problem.density = DensityKind::cumulative_logit;
  problem.constants[0] = data.position.data();
  problem.arguments = 3;
  if (thresholds_apart) {
    problem.blocks = {block("mu", 0, data.x, 2), block("thresholds", 1, data.lower, 3)};
    problem.blocks[1].feeds.push_back(testing::feed(2, std::make_shared<const std::vector<double>>(data.upper), 3));
    problem.blocks[1].start = {-0.5, 0, 0.5};
  } else {
    std::vector<double> wide[3];
    for (std::size_t i = 0; i < Ordinal::rows; ++i) {
      for (std::size_t j = 0; j < 5; ++j) {
        wide[0].push_back(j < 2 ? data.x[i * 2 + j] : 0);
        wide[1].push_back(j < 2 ? 0 : data.lower[i * 3 + j - 2]);
        wide[2].push_back(j < 2 ? 0 : data.upper[i * 3 + j - 2]);
      }
    }
    problem.blocks = {block("mu", 0, wide[0], 5)};
    for (int k = 1; k < 3; ++k) {
      problem.blocks[0].feeds.push_back(testing::feed(k, std::make_shared<const std::vector<double>>(wide[k]), 5));
    }
    problem.blocks[0].start = {0, 0, -0.5, 0, 0.5};
  }
  problem.blocks[0].groups.push_back({1, 50, data.level.data(), nullptr, false, {2.0}});
  return problem;
}

constexpr double cuts[] = {-1, 0.5, 2};

TEST(ModeFamilies, ThresholdsOfTheirOwnFeedTwoArguments) {
  const Ordinal data;
  const auto found = find_mode(ordinal_problem(data, true));
  EXPECT_NEAR(found[0].mean[0], 0.7, 0.15);  // posterior sds: about 0.035
  EXPECT_NEAR(found[0].mean[1], -0.4, 0.15);
  EXPECT_NEAR(found[0].groups[0].factor[0], 0.8, 0.3);
  for (std::size_t k = 0; k < 3; ++k) EXPECT_NEAR(found[1].mean[k], cuts[k], 0.45);  // sd of the levels' mean: 0.11
}

TEST(ModeFamilies, ThresholdsBesideCoefficientsShareTheLevelsMean) {
  const Ordinal data;
  const BlockNormal found = find_mode(ordinal_problem(data, false))[0];
  const auto apart = find_mode(ordinal_problem(data, true));
  for (std::size_t j = 0; j < 2; ++j) EXPECT_NEAR(found.mean[j], apart[0].mean[j], 0.01);
  const double sd = found.groups[0].factor[0];
  EXPECT_NEAR(sd, apart[0].groups[0].factor[0], 0.02);
  for (std::size_t k = 0; k < 3; ++k) {
    // apart, the thresholds see the effects' conditional spread
    EXPECT_NEAR(found.mean[2 + k], apart[1].mean[k], 0.04);
    double variance = 0;  // of a threshold: the levels' mean has sd / sqrt(50) of it
    for (std::size_t j = 0; j < 5; ++j) variance += found.inverse(2 + k, j) * found.inverse(2 + k, j);
    EXPECT_GT(std::sqrt(variance), sd / std::sqrt(50.0));
    EXPECT_LT(std::sqrt(variance), 1.5 * sd / std::sqrt(50.0));
  }
}

TEST(ModeFamilies, CategoricalHasAPredictorForEachCategory) {
  std::mt19937_64 generator(37);
  std::uniform_real_distribution<double> uniform;
  const std::size_t rows = 5000;
  const std::vector<double> x = random_design(rows, 2, generator);
  std::vector<double> y;
  const double theta[2][2] = {{0.5, 1}, {-0.5, -0.6}};
  for (std::size_t i = 0; i < rows; ++i) {
    double p[3] = {1};
    for (int k = 0; k < 2; ++k) p[k + 1] = std::exp(theta[k][0] + theta[k][1] * x[i * 2 + 1]);
    const double u = uniform(generator) * (p[0] + p[1] + p[2]);
    y.push_back(u < p[0] ? 0 : u < p[0] + p[1] ? 1 : 2);
  }
  ModeProblem problem;
  problem.rows = static_cast<std::int64_t>(rows);
  problem.density = DensityKind::categorical;
  problem.constants[0] = y.data();
  problem.arguments = 2;
  problem.blocks = {block("mu1", 0, x, 2), block("mu2", 1, x, 2)};
  const auto found = find_mode(problem);
  std::vector<double> g(4);
  for (std::size_t i = 0; i < rows; ++i) {
    double p[3] = {1};
    for (std::size_t k = 0; k < 2; ++k) p[k + 1] = std::exp(found[k].mean[0] + found[k].mean[1] * x[i * 2 + 1]);
    for (std::size_t k = 0; k < 2; ++k) {
      const double slope = (y[i] == static_cast<double>(k + 1)) - p[k + 1] / (p[0] + p[1] + p[2]);
      for (std::size_t j = 0; j < 2; ++j) g[k * 2 + j] += slope * x[i * 2 + j];
    }
  }
  for (std::size_t k = 0; k < 2; ++k) {
    for (std::size_t j = 0; j < 2; ++j) {
      EXPECT_NEAR(g[k * 2 + j] * found[k].inverse(j, j), 0, 5e-3);  // in units of 1 / posterior sd
      EXPECT_NEAR(found[k].mean[j], theta[k][j], 0.2);              // posterior sds: about 0.04
    }
  }
}

/// A response of log or logit mean 0.3 + 0.5 x and further arguments that all rows share.
struct FamilyCase {
  std::string name;
  DensityKind density;
  std::vector<double> shared;  ///< true a_1, a_2
  std::function<double(double eta, std::mt19937_64& generator)> response;
};
void PrintTo(const FamilyCase& c, std::ostream* out) { *out << c.name; }

double poisson(double mean, std::mt19937_64& generator) {
  return static_cast<double>(std::poisson_distribution<int>(mean)(generator));
}

double gamma(double shape, double mean, std::mt19937_64& generator) {
  return std::gamma_distribution<double>(shape, mean / shape)(generator);
}

std::vector<FamilyCase> family_cases() {
  using G = std::mt19937_64;
  return {
      {"StudentT",
       DensityKind::student_t,
       {std::log(0.7), std::log(5.0)},
       [](double eta, G& g) { return eta + 0.7 * std::student_t_distribution<double>(5)(g); }},
      {"NegativeBinomial",
       DensityKind::negative_binomial_log,
       {std::log(2.0)},
       [](double eta, G& g) { return poisson(gamma(2, std::exp(eta), g), g); }},
      {"Gamma", DensityKind::gamma_log, {std::log(3.0)}, [](double eta, G& g) { return gamma(3, std::exp(eta), g); }},
      {"Weibull",
       DensityKind::weibull_log,
       {std::log(1.5)},
       [](double eta, G& g) {
         return std::exp(eta - std::lgamma(1 + 1 / 1.5)) * std::weibull_distribution<double>(1.5, 1.0)(g);
       }},
      {"Beta",
       DensityKind::beta_logit,
       {std::log(8.0)},
       [](double eta, G& g) {
         const double mu = 1 / (1 + std::exp(-eta));
         const double a = gamma(8 * mu, 1, g) * 8 * mu, b = gamma(8 * (1 - mu), 1, g) * 8 * (1 - mu);
         return a / (a + b);
       }},
      {"ZeroInflatedPoisson",
       DensityKind::zero_inflated_poisson,
       {-1.0},
       [](double eta, G& g) { return logistic(-1, g) > 0 ? 0 : poisson(std::exp(eta), g); }},
  };
}

class ModeOfFamily : public ::testing::TestWithParam<FamilyCase> {};

TEST_P(ModeOfFamily, TheGradientVanishesAndTheTruthIsNear) {
  const FamilyCase& family = GetParam();
  std::mt19937_64 generator(41);
  const std::size_t rows = 4000;
  const std::vector<double> x = random_design(rows, 2, generator);
  std::array<std::vector<double>, 3> constants;
  for (std::size_t i = 0; i < rows; ++i) {
    ResponseRow row{};
    row.y = family.response(0.3 + 0.5 * x[i * 2 + 1], generator);
    const auto of_row = response_constants(family.density, row);
    for (std::size_t k = 0; k < 3; ++k) constants[k].push_back(of_row[k]);
  }
  ModeProblem problem;
  problem.rows = static_cast<std::int64_t>(rows);
  problem.density = family.density;
  for (std::size_t k = 0; k < 3; ++k) problem.constants[k] = constants[k].data();
  problem.arguments = 1 + static_cast<int>(family.shared.size());
  problem.blocks = {block("mu", 0, x, 2)};
  for (int k = 1; k < problem.arguments; ++k)
    problem.blocks.push_back(testing::scalar("a" + std::to_string(k), k, rows));
  const auto found = find_mode(problem);

  std::vector<double> g(4);  // in mu's two coefficients, then in each shared argument
  for (std::size_t i = 0; i < rows; ++i) {
    const double c[] = {constants[0][i], constants[1][i], constants[2][i]};
    double a[1 + most_shared] = {found[0].mean[0] + x[i * 2 + 1] * found[0].mean[1]}, d[1 + most_shared];
    for (std::size_t k = 1; k < found.size(); ++k) a[k] = found[k].mean[0];
    evaluate_density(family.density, c, a, problem.arguments, d);
    g[0] += d[0];
    g[1] += d[0] * x[i * 2 + 1];
    for (std::size_t k = 1; k < found.size(); ++k) g[1 + k] += d[k];
  }
  for (std::size_t j = 0; j < 2; ++j) {
    const double sd = found[0].inverse(j, 1);
    EXPECT_NEAR(g[j] * sd, 0, 5e-3);
    EXPECT_NEAR(found[0].mean[j], j == 0 ? 0.3 : 0.5, 5 * std::hypot(found[0].inverse(j, 0), sd));
  }
  for (std::size_t k = 1; k < found.size(); ++k) {
    const double sd = found[k].inverse(0, 0);
    EXPECT_NEAR(g[1 + k] * sd, 0, 5e-3);
    EXPECT_NEAR(found[k].mean[0], family.shared[k - 1], 10 * sd);  // sd given the other arguments, so too small
  }
}

INSTANTIATE_TEST_SUITE_P(Families, ModeOfFamily, ::testing::ValuesIn(family_cases()),
                         [](const auto& tested) { return tested.param.name; });

// The curvature of a log shape is negative in many rows; what counts is their sum.
TEST(Mode, WidthOfALogShapeIsThatOfTheSum) {
  constexpr std::size_t n = 4000;
  std::mt19937_64 generator(3);
  std::vector<double> y(n), log_y(n);
  for (std::size_t i = 0; i < n; ++i) {
    const double rate = std::gamma_distribution<double>(0.8, 0.1 / 0.8)(generator);
    y[i] = static_cast<double>(std::poisson_distribution<int>(rate)(generator));
    log_y[i] = y[i] > 0 ? std::log(y[i]) : 0.0;
  }
  ModeProblem p;
  p.rows = n;
  p.density = DensityKind::negative_binomial_log;
  p.constants = {y.data(), log_y.data(), nullptr};
  p.arguments = 2;
  p.blocks = {scalar("mu", 0, n), scalar("shape", 1, n)};
  p.blocks[1].priors.push_back(testing::normal_prior(1, 0, 1));
  const std::vector<BlockNormal> found = find_mode(p);
  const double eta = found[0].mean[0], theta = found[1].mean[0];
  const auto value = [&](double log_shape) {
    double sum = -0.5 * log_shape * log_shape;
    for (std::size_t i = 0; i < n; ++i) {
      const double phi = std::exp(log_shape), mu = std::exp(eta);
      sum += std::lgamma(y[i] + phi) - std::lgamma(phi) + phi * std::log(phi / (phi + mu)) +
             y[i] * std::log(mu / (phi + mu));
    }
    return sum;
  };
  constexpr double h = 1e-3;
  EXPECT_NEAR((value(theta + h) - value(theta - h)) / (2 * h), 0, 0.01);
  const double curvature = (2 * value(theta) - value(theta + h) - value(theta - h)) / (h * h);
  EXPECT_NEAR(hessian(found[1].upper, 0, 0) / curvature, 1, 1e-3);
}

}  // namespace
}  // namespace jensen
