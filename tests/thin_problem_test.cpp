#include "model/thin_problem.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "jensen/jensen.hpp"
#include "mode_problem.hpp"

namespace jensen {
namespace {

using testing::block;
using testing::hessian;
using testing::scalar;

constexpr std::size_t rows = 300'000, columns = 3;

/// An intercept, a normal column and a level that `rare` rows have; y ~ N(x beta, 0.7).
struct RareLevel {
  std::vector<double> x, y;
  std::vector<std::size_t> at;  ///< the rare rows

  explicit RareLevel(std::size_t rare) : x(rows * columns), y(rows) {
    std::mt19937_64 generator(5);
    std::normal_distribution<double> normal;
    for (std::size_t k = 0; k < rare; ++k) at.push_back((2 * k + 1) * rows / (2 * rare));
    for (const std::size_t i : at) x[i * columns + 2] = 1;
    for (std::size_t i = 0; i < rows; ++i) {
      x[i * columns] = 1;
      x[i * columns + 1] = normal(generator);
      y[i] = 0.5 + 0.3 * x[i * columns + 1] + 2 * x[i * columns + 2] + 0.7 * normal(generator);
    }
  }
  ModeProblem problem() const {
    ModeProblem p;
    p.rows = rows;
    p.density = DensityKind::gaussian;
    p.constants[0] = y.data();
    p.arguments = 2;
    p.blocks = {block("mu", 0, x, columns), scalar("sigma", 1, rows)};
    return p;
  }
};

TEST(ThinProblem, EstimatesSumsOverAllRows) {
  const RareLevel data(2000);
  const ModeProblem all = data.problem();
  const ThinProblem thin(all, 20'000);
  const ModeProblem& some = thin.problem();
  EXPECT_LT(some.rows, 20'500);  // its sd is below 142
  EXPECT_GT(some.rows, 15'000);
  std::vector<double> design(static_cast<std::size_t>(some.rows) * columns);
  some.blocks[0].feeds[0].fill(0, some.rows, design.data());
  for (std::size_t k = 0; k < columns; ++k) {
    double want = 0, got = 0, variance = 0;
    for (std::size_t i = 0; i < rows; ++i) want += std::pow(data.x[i * columns + k], 2);
    for (std::int64_t i = 0; i < some.rows; ++i) {
      const double share = some.weights[i] * std::pow(design[static_cast<std::size_t>(i) * columns + k], 2);
      got += share;
      variance += share * share * (1 - 1 / some.weights[i]);  // of Poisson sampling, estimated from the sample
    }
    EXPECT_NEAR(got, want, 4 * std::sqrt(variance)) << k;
    EXPECT_LT(std::sqrt(variance), 0.02 * want) << k;
  }
}

TEST(ThinProblem, KeepsRowsThatAloneSpeakForAColumnOrAResponse) {
  RareLevel data(3);
  data.y[1234] = 1e6;
  data.x[777 * columns + 1] = -1e5;
  const ModeProblem all = data.problem();
  const ThinProblem thin(all, 10'000);
  std::map<double, double> weight_of;  // by y
  for (std::int64_t i = 0; i < thin.problem().rows; ++i) {
    weight_of[thin.problem().constants[0][i]] = thin.problem().weights[i];
  }
  for (const std::size_t i : {data.at[0], data.at[1], data.at[2], std::size_t{1234}, std::size_t{777}}) {
    EXPECT_EQ(weight_of[data.y[i]], 1) << i;
  }
}

TEST(ThinProblem, ACycleInTheRowsIsNotTakenForAConstant) {
  RareLevel data(3);
  for (std::size_t i = 0; i < rows; ++i) data.x[i * columns + 1] = static_cast<double>(i % 30);
  const ModeProblem all = data.problem();
  const ThinProblem thin(all, rows / 30);
  std::vector<double> design(static_cast<std::size_t>(thin.problem().rows) * columns);
  thin.problem().blocks[0].feeds[0].fill(0, thin.problem().rows, design.data());
  std::map<double, int> seen;
  for (std::int64_t i = 0; i < thin.problem().rows; ++i) ++seen[design[static_cast<std::size_t>(i) * columns + 1]];
  EXPECT_EQ(seen.size(), 30U);
}

// Without a prior: the three rows are all that is known of the last column.
TEST(ThinProblem, ModeOfARareLevelIsThatOfAllRows) {
  const RareLevel data(3);
  const std::vector<BlockNormal> found = find_mode(data.problem());
  double mean = 0;
  for (const std::size_t i : data.at) mean += (data.y[i] - 0.5 - 0.3 * data.x[i * columns + 1]) / 3;
  // The other coefficients and sigma are those of 65,536 rows: within 1 % of what they are.
  EXPECT_NEAR(found[0].mean[2], mean, 0.02);
  EXPECT_NEAR(hessian(found[0].upper, 2, 2) * 0.49 / 3, 1, 0.02);
}

// Rows that are repeated 300 times are as good as rows that weigh 300, which are too few to be thinned.
TEST(ThinProblem, SearchOnAllRowsGoesOnFromTheThinOne) {
  constexpr std::size_t base = 1000, copies = 300, levels = 12;
  std::mt19937_64 generator(8);
  std::normal_distribution<double> normal;
  const std::vector<double> x = testing::random_design(base, 2, generator);
  std::vector<double> y(base), effect(levels);
  std::vector<std::int32_t> level(base);
  for (double& u : effect) u = 0.6 * normal(generator);
  for (std::size_t i = 0; i < base; ++i) {
    level[i] = static_cast<std::int32_t>(i % levels);
    const double eta = 0.3 + 0.2 * x[i * 2 + 1] + effect[i % levels];
    y[i] = static_cast<double>(std::poisson_distribution<int>(std::exp(eta))(generator));
  }
  const auto repeated = [](const auto& some) {
    auto all = some;
    all.clear();
    for (std::size_t k = 0; k < copies; ++k) all.insert(all.end(), some.begin(), some.end());
    return all;
  };
  const auto problem_of = [](const std::vector<double>& design, const std::vector<double>& response,
                             const std::vector<std::int32_t>& group) {
    ModeProblem p;
    p.rows = static_cast<std::int64_t>(response.size());
    p.density = DensityKind::negative_binomial_log;
    p.constants = {response.data(), nullptr, nullptr};
    p.arguments = 2;
    p.blocks = {block("mu", 0, design, 2), scalar("shape", 1, response.size())};
    p.blocks[1].priors.push_back(testing::normal_prior(1, 0, 1));
    p.blocks[0].groups.push_back({1, levels, group.data(), nullptr, false, {1.0}});
    return p;
  };
  std::vector<double> log_y(base), weights(base, static_cast<double>(copies));
  for (std::size_t i = 0; i < base; ++i) log_y[i] = y[i] > 0 ? std::log(y[i]) : 0.0;
  const std::vector<double> all_x = repeated(x), all_y = repeated(y), all_log_y = repeated(log_y);
  const std::vector<std::int32_t> all_level = repeated(level);
  ModeProblem weighted = problem_of(x, y, level), long_one = problem_of(all_x, all_y, all_level);
  weighted.constants[1] = log_y.data();
  weighted.weights = weights.data();
  long_one.constants[1] = all_log_y.data();
  const std::vector<BlockNormal> want = find_mode(weighted), got = find_mode(long_one);
  for (std::size_t b = 0; b < 2; ++b) {
    for (std::size_t j = 0; j < want[b].mean.size(); ++j) {
      const double sd = 1 / std::sqrt(hessian(want[b].upper, j, j));
      EXPECT_NEAR(got[b].mean[j], want[b].mean[j], 0.01 * sd) << b << ' ' << j;
      EXPECT_NEAR(hessian(got[b].upper, j, j) * sd * sd, 1, 0.01) << b << ' ' << j;
    }
  }
  for (std::size_t j = 0; j < levels; ++j) {
    EXPECT_NEAR(got[0].groups[0].effects[j], want[0].groups[0].effects[j], 1e-4) << j;
  }
  EXPECT_NEAR(got[0].groups[0].factor[0] / want[0].groups[0].factor[0], 1, 0.02);
}

// By all defaults: one level of three rows, and one response in a thousand.
TEST(RareRows, OfALevelAreFitted) {
  const RareLevel data(3);
  std::vector<double> x(rows);
  std::vector<std::int32_t> level(rows);
  for (std::size_t i = 0; i < rows; ++i) x[i] = data.x[i * columns + 1];
  for (const std::size_t i : data.at) level[i] = 1;
  Table table("rare");
  table.add("y", std::span<const double>(data.y));
  table.add("x", std::span<const double>(x));
  table.add("level", std::span<const std::int32_t>(level), {"common", "rare"});
  TrainOptions options;
  options.family = Family::gaussian;
  const Fit fit = train("y ~ 1 + x + level", table, options);
  EXPECT_TRUE(fit.verdict.converged && fit.verdict.close) << fit.verdict.message;
  double mean = 0;
  for (const std::size_t i : data.at) mean += (data.y[i] - 0.5 - 0.3 * x[i]) / 3;
  const std::vector<ParameterSummary> summary = fit.summarize();
  const auto rare = std::ranges::find(summary, "b_levelrare", &ParameterSummary::name);
  ASSERT_NE(rare, summary.end());
  // Few steps see one of the three rows: the average moves by some hundredths of an sd, the sd by some per cent.
  EXPECT_NEAR(rare->mean, mean, 0.1 * rare->sd);
  EXPECT_NEAR(rare->sd / (0.7 / std::sqrt(3.0)), 1, 0.05);
}

TEST(RareRows, OfAResponseAreFitted) {
  const RareLevel data(3);
  std::vector<double> x(rows), y(rows);
  std::mt19937_64 generator(6);
  std::uniform_real_distribution<double> uniform;
  for (std::size_t i = 0; i < rows; ++i) {
    x[i] = data.x[i * columns + 1];
    y[i] = uniform(generator) < 1 / (1 + std::exp(7.4 - x[i])) ? 1 : 0;
  }
  double theta[2] = {-7, 0}, information[3] = {};  // Newton's method on all rows
  for (int iteration = 0; iteration < 30; ++iteration) {
    double g[2] = {};
    std::fill(information, information + 3, 0.0);
    for (std::size_t i = 0; i < rows; ++i) {
      const double p = 1 / (1 + std::exp(-theta[0] - theta[1] * x[i]));
      g[0] += y[i] - p;
      g[1] += (y[i] - p) * x[i];
      information[0] += p * (1 - p);
      information[1] += p * (1 - p) * x[i];
      information[2] += p * (1 - p) * x[i] * x[i];
    }
    const double determinant = information[0] * information[2] - information[1] * information[1];
    theta[0] += (information[2] * g[0] - information[1] * g[1]) / determinant;
    theta[1] += (information[0] * g[1] - information[1] * g[0]) / determinant;
  }
  const double determinant = information[0] * information[2] - information[1] * information[1];
  Table table("rare");
  table.add("y", std::span<const double>(y));
  table.add("x", std::span<const double>(x));
  TrainOptions options;
  options.family = Family::bernoulli;
  const Fit fit = train("y ~ 1 + x", table, options);
  EXPECT_TRUE(fit.verdict.converged && fit.verdict.close) << fit.verdict.message;
  for (const ParameterSummary& p : fit.summarize()) {
    const bool slope = p.name == "b_x";
    const double sd = std::sqrt(information[slope ? 0 : 2] / determinant);
    EXPECT_NEAR(p.mean, theta[slope ? 1 : 0], 0.1 * sd) << p.name;  // a normal's mode and mean differ by 0.03 sd here
    EXPECT_NEAR(p.sd / sd, 1, 0.05) << p.name;
  }
}

}  // namespace
}  // namespace jensen
