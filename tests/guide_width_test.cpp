#include "guide_width.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "jensen/jensen.hpp"

namespace jensen {
namespace {

/// Draws of N(0, I) in two dimensions, and log p/q where p has another sd and mean of the first.
struct Draws {
  std::vector<float> noise;
  std::vector<double> log_ratio;

  Draws(std::size_t count, double sd, double mean) : noise(2 * count), log_ratio(count) {
    std::mt19937_64 generator(12);
    std::normal_distribution<float> normal;
    for (float& eps : noise) eps = normal(generator);
    for (std::size_t s = 0; s < count; ++s) {
      const auto x = static_cast<double>(noise[2 * s]);
      log_ratio[s] = 0.5 * x * x - 0.5 * (x - mean) * (x - mean) / (sd * sd) + 1e3;
    }
  }
};

const std::vector<double> identity{1, 0, 0, 1};
const std::vector<Parameter> two(2);

TEST(GuideWidth, IsTheRatioOfTheSds) {
  const Draws draws(4000, 1.3, 0);
  const GuideWidth found = guide_width(two, identity, draws.noise, draws.log_ratio);
  EXPECT_EQ(found.parameter, 0U);
  EXPECT_NEAR(found.sd_ratio, 1.3, 0.08);  // its standard error is 0.02
}

// u_0 = eps_1, whose sd is right, and u_1 = 4 eps_0 + 3 eps_1, of which p makes 16 into 16 * 1.69: sd^2 from 25 to 36.
TEST(GuideWidth, IsThatOfParametersNotOfNoise) {
  const Draws draws(4000, 1.3, 0);
  const std::vector<double> factor{0, 1, 4, 3};
  EXPECT_EQ(guide_width(std::span(two).first(1), factor, draws.noise, draws.log_ratio).sd_ratio, 1);
  const GuideWidth found = guide_width(two, factor, draws.noise, draws.log_ratio);
  EXPECT_EQ(found.parameter, 1U);
  EXPECT_NEAR(found.sd_ratio, std::sqrt((16 * 1.69 + 9) / 25), 0.06);  // its standard error is 0.02
}

// exp(0.3 eps): sd^2 is exp(2 m + v) (exp(v) - 1), with m = 0 in both, v = 0.09 in q and 0.1521 in p.
TEST(GuideWidth, IsOnTheScaleOfPositiveParameters) {
  const Draws draws(4000, 1.3, 0);
  const std::vector<Parameter> positive{{"sd_g", Transform::exponential}};
  const std::vector<double> factor{0.3, 0};
  const auto variance = [](double v) { return std::exp(v) * std::expm1(v); };
  EXPECT_NEAR(guide_width(positive, factor, draws.noise, draws.log_ratio).sd_ratio,
              std::sqrt(variance(0.1521) / variance(0.09)), 0.15);  // its standard error is 0.04
}

TEST(GuideWidth, IsOneWhereTheGuideIsNotNarrow) {
  for (const auto& [sd, mean] : {std::pair{1.0, 0.0}, {1.0, 0.5}, {0.8, 0.0}, {1.03, 0.1}}) {
    const Draws draws(4000, sd, mean);
    EXPECT_EQ(guide_width(two, identity, draws.noise, draws.log_ratio).sd_ratio, 1) << sd << ' ' << mean;
  }
}

TEST(GuideWidth, SaysNothingOfFewDrawsAndLeavesOutThoseThatAreNotFinite) {
  const Draws few(300, 1.3, 0);
  EXPECT_EQ(guide_width(two, identity, few.noise, few.log_ratio).sd_ratio, 1);
  EXPECT_EQ(guide_width({}, {}, {}, {}).sd_ratio, 1);
  Draws draws(4000, 1.3, 0);
  draws.log_ratio[5] = std::numeric_limits<double>::quiet_NaN();
  draws.log_ratio[6] = -std::numeric_limits<double>::infinity();
  EXPECT_NEAR(guide_width(two, identity, draws.noise, draws.log_ratio).sd_ratio, 1.3, 0.08);
}

// Mean-field sds are the conditional ones: those of two slopes whose columns correlate by 0.6 are 0.8 of the
// posterior's.
TEST(GuideWidth, OfMeanfieldIsInTheVerdict) {
  constexpr std::size_t rows = 2000;
  std::mt19937_64 generator(2);
  std::normal_distribution<double> normal;
  std::vector<double> a(rows), b(rows), y(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    a[i] = normal(generator);
    b[i] = 0.6 * a[i] + 0.8 * normal(generator);
    y[i] = 1 + a[i] - b[i] + normal(generator);
  }
  Table table("correlated");
  table.add("y", std::span<const double>(y));
  table.add("a", std::span<const double>(a));
  table.add("b", std::span<const double>(b));
  TrainOptions options;
  options.family = Family::gaussian;
  const Fit fullrank = train("y ~ 1 + a + b", table, options);
  EXPECT_EQ(fullrank.verdict.sd_ratio, 1);
  EXPECT_TRUE(fullrank.verdict.close) << fullrank.verdict.message;
  options.guide = GuideKind::meanfield;
  const Fit meanfield = train("y ~ 1 + a + b", table, options);
  const Verdict& verdict = meanfield.verdict;
  EXPECT_NEAR(verdict.sd_ratio, 1.25, 0.08) << verdict.message;  // 4,096 draws: its standard error is 0.02
  EXPECT_TRUE(verdict.narrowest == "b_a" || verdict.narrowest == "b_b") << verdict.narrowest;
}

}  // namespace
}  // namespace jensen
