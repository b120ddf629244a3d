#include "jensen/pieces.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tolerances.hpp"

namespace jensen {
namespace {

/// Logarithms of `n` draws of the generalised Pareto distribution with shape k > 0, scale 1, location 1.
std::vector<double> log_pareto_draws(double k, std::size_t n, std::mt19937_64& generator) {
  std::uniform_real_distribution<double> uniform(std::numeric_limits<double>::min(), 1);
  std::vector<double> logs(n);
  for (double& v : logs) v = std::log(1 + (std::pow(uniform(generator), -k) - 1) / k);
  return logs;
}

std::vector<double> normal_logs(double scale, std::size_t n, unsigned seed) {
  std::mt19937_64 generator(seed);
  std::normal_distribution<double> normal(0, scale);
  std::vector<double> logs(n);
  for (double& v : logs) v = normal(generator);
  return logs;
}

// The excesses of a generalised Pareto variable over any threshold are one of the same shape. k estimated from m of
// them has standard deviation (1 + k) / sqrt(m) and a bias of order 1 / m; then it is drawn to 0.5 by 10 observations.
TEST(ParetoKhat, FindsTheShapeOfAGeneralisedPareto) {
  constexpr std::size_t draws = 10'000;
  constexpr double tail = 300;  // 3 sqrt(draws)
  constexpr int replicates = 50;
  std::mt19937_64 generator(17);
  for (const double k : {0.2, 0.5, 0.9}) {
    double sum = 0;
    for (int i = 0; i < replicates; ++i) {
      const double khat = pareto_khat(log_pareto_draws(k, draws, generator));
      const double unshrunk = (khat * (tail + 10) - 0.5 * 10) / tail;
      EXPECT_NEAR(unshrunk, k, tolerance::z_one * (1 + k) / std::sqrt(tail)) << "replicate " << i;
      sum += unshrunk;
    }
    EXPECT_NEAR(sum / replicates, k, tolerance::z_one * (1 + k) / std::sqrt(tail * replicates) + 3 / tail);
  }
}

TEST(ParetoKhat, JudgesNormalLogRatiosByTheirSpread) {
  EXPECT_LT(pareto_khat(normal_logs(0.1, 4000, 1)), 0.3);
  EXPECT_GT(pareto_khat(normal_logs(5, 4000, 1)), 0.7);
}

TEST(ParetoKhat, DoesNotChangeWithAConstantAddedToTheLogRatios) {
  std::mt19937_64 generator(3);
  const std::vector<double> logs = log_pareto_draws(0.6, 1000, generator);
  const double khat = pareto_khat(logs);
  for (const double constant : {-1e5, -800.0, 1.0, 800.0, 1e5}) {
    std::vector<double> moved = logs;
    for (double& v : moved) v += constant;
    // The ratios move by the rounding of the sum, and k-hat by about as much.
    EXPECT_NEAR(pareto_khat(moved), khat, 64 * tolerance::double_epsilon * (1 + std::abs(constant))) << constant;
  }
}

TEST(ParetoKhat, DoesNotDependOnTheOrder) {
  std::vector<double> logs = normal_logs(1, 500, 4);
  const double khat = pareto_khat(logs);
  std::reverse(logs.begin(), logs.end());
  EXPECT_EQ(pareto_khat(logs), khat);
}

TEST(ParetoKhat, OfEqualRatiosIsZero) {
  for (const std::size_t n : {25U, 26U, 100U, 1000U}) {
    for (const double value : {0.0, -1e6, 1e300}) EXPECT_EQ(pareto_khat(std::vector<double>(n, value)), 0.0) << n;
  }
}

TEST(ParetoKhat, OfNonFiniteRatiosIsInfinite) {
  for (const double bad : {std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(),
                           std::numeric_limits<double>::quiet_NaN()}) {
    std::vector<double> logs = normal_logs(1, 100, 5);
    logs[37] = bad;
    EXPECT_EQ(pareto_khat(logs), std::numeric_limits<double>::infinity());
  }
}

TEST(ParetoKhat, OfFewerThan25DrawsIsNaN) {
  for (std::size_t n = 0; n < 25; ++n) EXPECT_TRUE(std::isnan(pareto_khat(normal_logs(1, n, 6)))) << n;
}

TEST(ParetoKhat, IsFiniteForFewDraws) {
  for (std::size_t n = 25; n <= 120; ++n) {
    for (const double scale : {1e-3, 0.3, 1.0, 3.0, 10.0}) {
      for (unsigned seed = 0; seed < 5; ++seed) {
        const double khat = pareto_khat(normal_logs(scale, n, seed));
        EXPECT_TRUE(std::isfinite(khat)) << "n " << n << ", scale " << scale << ", seed " << seed;
      }
    }
  }
}

// Ratios so far apart that all but a few are zero next to the largest.
TEST(ParetoKhat, OfRatiosBeyondDoubleIsInfinite) {
  for (const std::size_t n : {25U, 40U, 1000U}) {
    std::vector<double> logs(n);
    for (std::size_t i = 0; i < n; ++i) logs[i] = 1000.0 * static_cast<double>(i);
    EXPECT_EQ(pareto_khat(logs), std::numeric_limits<double>::infinity()) << n;
  }
}

// Ties with the threshold: j of the tail's smallest excesses are zero. Whatever j, the answer is a verdict, not NaN.
TEST(ParetoKhat, IsNeverNaNWhereRatiosTie) {
  for (const std::size_t n : {25U, 30U, 33U, 40U, 48U, 100U, 400U}) {
    for (std::size_t distinct = 0; distinct <= n; ++distinct) {
      std::vector<double> logs = normal_logs(1, n, 7);
      std::sort(logs.begin(), logs.end());
      std::fill(logs.begin(), logs.end() - static_cast<std::ptrdiff_t>(distinct),
                logs[n - 1 - std::min(distinct, n - 1)]);
      EXPECT_FALSE(std::isnan(pareto_khat(logs))) << "n " << n << ", distinct " << distinct;
    }
  }
}

}  // namespace
}  // namespace jensen
