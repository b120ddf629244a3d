#include "model/mode.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include "jensen/errors.hpp"
#include "mode_problem.hpp"

namespace jensen {
namespace {

using testing::block;
using testing::dense_solve;
using testing::hessian;
using testing::normal_prior;
using testing::random_design;
using testing::scalar;

/// y ~ N(x beta, sigma) with normal(0, 2) on the coefficients.
struct LinearData {
  std::size_t rows, columns;
  std::vector<double> x, y;
  ModeProblem problem() const {
    ModeProblem p;
    p.rows = static_cast<std::int64_t>(rows);
    p.density = DensityKind::gaussian;
    p.constants[0] = y.data();
    p.arguments = 2;
    p.blocks = {block("mu", 0, x, columns), scalar("sigma", 1, rows)};
    for (std::size_t j = 0; j < columns; ++j) p.blocks[0].priors.push_back(normal_prior(columns, j, 2));
    return p;
  }
};

LinearData linear_data(std::size_t rows, std::size_t columns) {
  std::mt19937_64 generator(7);
  std::normal_distribution<double> normal;
  LinearData data{rows, columns, random_design(rows, columns, generator), {}};
  for (std::size_t i = 0; i < rows; ++i) {
    double mean = 0;
    for (std::size_t j = 0; j < columns; ++j) mean += data.x[i * columns + j] * (0.5 - static_cast<double>(j));
    data.y.push_back(mean + 0.7 * normal(generator));
  }
  return data;
}

/// Ridge regression by turns: coefficients given sigma, sigma^2 = the squared residuals' mean; plus, if `uncertain`,
/// the variance of each row's mean that the coefficients leave, as EM has it.
struct Ridge {
  std::vector<double> beta, hessian;
  double sigma2 = 1;
};
Ridge ridge(const LinearData& data, bool uncertain) {
  const std::size_t c = data.columns;
  std::vector<double> squares(c * c), products(c);  // X^T X, X^T y
  for (std::size_t i = 0; i < data.rows; ++i) {
    const double* x = data.x.data() + i * c;
    for (std::size_t j = 0; j < c; ++j) {
      products[j] += x[j] * data.y[i];
      for (std::size_t k = 0; k < c; ++k) squares[j * c + k] += x[j] * x[k];
    }
  }
  Ridge r;
  for (int iteration = 0; iteration < 1000; ++iteration) {
    r.hessian = squares;
    std::vector<double> g = products;
    for (double& h : r.hessian) h /= r.sigma2;
    for (double& v : g) v /= r.sigma2;
    for (std::size_t j = 0; j < c; ++j) r.hessian[j * c + j] += 0.25;
    r.beta = dense_solve(r.hessian, g, c, 1);
    double sum = 0;
    for (std::size_t i = 0; i < data.rows; ++i) {
      double residual = data.y[i];
      for (std::size_t j = 0; j < c; ++j) residual -= data.x[i * c + j] * r.beta[j];
      sum += residual * residual;
    }
    const std::vector<double> left = dense_solve(r.hessian, squares, c, c);
    for (std::size_t j = 0; j < c && uncertain; ++j) sum += left[j * c + j];
    r.sigma2 = sum / static_cast<double>(data.rows);
  }
  return r;
}

TEST(Mode, GaussianIsRidgeRegressionWithItsResidualSd) {
  const LinearData data = linear_data(200, 4);
  const std::vector<BlockNormal> found = find_mode(data.problem());
  const auto [beta, h, sigma2] = ridge(data, false);
  for (std::size_t j = 0; j < 4; ++j) EXPECT_NEAR(found[0].mean[j], beta[j], 1e-4);  // posterior sds: 0.05
  EXPECT_NEAR(found[1].mean[0], 0.5 * std::log(sigma2), 1e-4);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < 4; ++j) {
      EXPECT_NEAR(hessian(found[0].upper, i, j), h[i * 4 + j], 2e-3 * h[0]);
      double product = 0;
      for (std::size_t k = 0; k < 4; ++k) product += found[0].upper(i, k) * found[0].inverse(k, j);
      EXPECT_NEAR(product, i == j, 1e-12);
    }
  }
  EXPECT_NEAR(hessian(found[1].upper, 0, 0), 2.0 * static_cast<double>(data.rows), 1);
}

// As many rows as coefficients fit each other: the residuals, all near zero, are not what sigma is seen by.
TEST(Mode, SigmaCountsWhatFewRowsLeaveOpen) {
  for (const auto& [rows, columns] : {std::pair{60, 20}, std::pair{30, 20}, std::pair{20, 30}}) {
    const LinearData data = linear_data(static_cast<std::size_t>(rows), static_cast<std::size_t>(columns));
    const std::vector<BlockNormal> found = find_mode(data.problem());
    const Ridge expected = ridge(data, true);
    // The search stops where a step is a hundredth of a posterior sd, which is about 1 / sqrt(2 rows).
    EXPECT_NEAR(found[1].mean[0], 0.5 * std::log(expected.sigma2), 0.01 / std::sqrt(2.0 * rows)) << rows;
  }
}

TEST(Mode, WeightsCountRowsTwiceAndOffsetsMoveTheIntercept) {
  const LinearData data = linear_data(60, 2);
  LinearData twice = data;
  twice.rows = 80;
  twice.x.insert(twice.x.end(), data.x.begin(), data.x.begin() + 40);
  twice.y.insert(twice.y.end(), data.y.begin(), data.y.begin() + 20);
  std::vector<double> weights(60, 1.0), offset(60, 3.0), shifted = data.y;
  std::fill(weights.begin(), weights.begin() + 20, 2.0);
  for (double& y : shifted) y += 3;
  ModeProblem weighted = data.problem();
  weighted.weights = weights.data();
  weighted.constants[0] = shifted.data();
  weighted.offsets = {offset.data(), nullptr};
  const auto a = find_mode(weighted), b = find_mode(twice.problem());
  for (std::size_t j = 0; j < 2; ++j) EXPECT_NEAR(a[0].mean[j], b[0].mean[j], 1e-8);
  EXPECT_NEAR(a[1].mean[0], b[1].mean[0], 1e-8);
}

/// Newton's method written plainly, for a log density of one argument given by its slope and curvature.
template <class F>
std::vector<double> dense_newton(const std::vector<double>& x, std::size_t c, double prior_precision, F&& local) {
  std::vector<double> beta(c);
  for (int iteration = 0; iteration < 50; ++iteration) {
    std::vector<double> h(c * c), g(c);
    for (std::size_t i = 0; i < x.size() / c; ++i) {
      double eta = 0;
      for (std::size_t j = 0; j < c; ++j) eta += x[i * c + j] * beta[j];
      const auto [slope, curvature] = local(i, eta);
      for (std::size_t j = 0; j < c; ++j) {
        g[j] += slope * x[i * c + j];
        for (std::size_t k = 0; k < c; ++k) h[j * c + k] += curvature * x[i * c + j] * x[i * c + k];
      }
    }
    for (std::size_t j = 0; j < c; ++j) g[j] -= prior_precision * beta[j], h[j * c + j] += prior_precision;
    const std::vector<double> step = dense_solve(h, g, c, 1);
    for (std::size_t j = 0; j < c; ++j) beta[j] += step[j];
  }
  return beta;
}

struct Counts {
  std::vector<double> x, y, log_y;
  ModeProblem problem(DensityKind density) const {
    ModeProblem p;
    p.rows = static_cast<std::int64_t>(y.size());
    p.density = density;
    p.constants = {y.data(), density == DensityKind::poisson_log ? log_y.data() : nullptr, nullptr};
    p.blocks = {block("mu", 0, x, 3)};
    for (std::size_t j = 0; j < 3; ++j) p.blocks[0].priors.push_back(normal_prior(3, j, 2));
    return p;
  }
};

TEST(Mode, BernoulliAndPoissonAgreeWithPlainNewton) {
  std::mt19937_64 generator(3);
  std::uniform_real_distribution<double> uniform;
  Counts data{random_design(300, 3, generator), {}, {}};
  for (std::size_t i = 0; i < 300; ++i) {
    const double eta = 0.3 + 0.8 * data.x[i * 3 + 1] - 0.5 * data.x[i * 3 + 2];
    data.y.push_back(uniform(generator) < 1 / (1 + std::exp(-eta)));
  }
  const auto bernoulli = find_mode(data.problem(DensityKind::bernoulli_logit));
  const auto logistic = dense_newton(data.x, 3, 0.25, [&](std::size_t i, double eta) {
    const double p = 1 / (1 + std::exp(-eta));
    return std::pair{data.y[i] - p, p * (1 - p)};
  });
  for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(bernoulli[0].mean[j], logistic[j], 2e-4);  // posterior sds: 0.13

  for (std::size_t i = 0; i < 300; ++i) {
    std::poisson_distribution<int> counts(std::exp(1 + 0.5 * data.x[i * 3 + 1]));
    data.y[i] = counts(generator);
    data.log_y.push_back(data.y[i] > 0 ? std::log(data.y[i]) : 0);
  }
  const auto poisson = find_mode(data.problem(DensityKind::poisson_log));
  const auto rates = dense_newton(data.x, 3, 0.25, [&](std::size_t i, double eta) {
    return std::pair{data.y[i] - std::exp(eta), std::exp(eta)};
  });
  for (std::size_t j = 0; j < 3; ++j) EXPECT_NEAR(poisson[0].mean[j], rates[j], 1e-4);  // posterior sds: 0.03
}

TEST(Mode, SeparationStaysFiniteGivenAProperPrior) {
  Counts data;
  for (int i = 0; i < 40; ++i) {
    const double x = i - 19.5;
    data.x.insert(data.x.end(), {1.0, x, i % 3 - 1.0});
    data.y.push_back(x > 0);
  }
  const auto found = find_mode(data.problem(DensityKind::bernoulli_logit));
  const auto plain = dense_newton(data.x, 3, 0.25, [&](std::size_t i, double eta) {
    const double p = 1 / (1 + std::exp(-eta));
    return std::pair{data.y[i] - p, p * (1 - p)};
  });
  for (std::size_t j = 0; j < 3; ++j) {
    EXPECT_NEAR(found[0].mean[j], plain[j], 2e-3);  // posterior sds: above 0.5
    EXPECT_TRUE(std::isfinite(found[0].inverse(j, j)));
  }
}

std::string message_of(const ModeProblem& problem) {
  try {
    find_mode(problem);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Mode, ACollinearColumnIsNamed) {
  LinearData data = linear_data(50, 4);
  for (std::size_t i = 0; i < data.rows; ++i) data.x[i * 4 + 2] = 2 * data.x[i * 4 + 1] - 1;
  ModeProblem problem = data.problem();
  problem.blocks[0].priors.clear();
  EXPECT_NE(message_of(problem).find("'mu2' is a linear combination"), std::string::npos) << message_of(problem);
  problem.blocks[0].priors.push_back(normal_prior(4, 2, 2));
  EXPECT_EQ(message_of(problem), "");
}

TEST(Mode, AnOffsetTooLargeIsSaid) {
  Counts data;
  for (int i = 0; i < 20; ++i) data.x.insert(data.x.end(), {1.0, i * 0.1, i % 3 - 1.0});
  data.y.assign(20, 1.0);
  data.log_y.assign(20, 0.0);
  ModeProblem problem = data.problem(DensityKind::poisson_log);
  std::vector<double> offset(20, 800.0);
  problem.offsets = {offset.data()};
  EXPECT_NE(message_of(problem).find("size of the offset"), std::string::npos);
  offset.assign(20, 30.0);
  problem.blocks[0].priors.clear();
  problem.blocks[0].priors.push_back(normal_prior(3, 1, 2));
  problem.blocks[0].priors.push_back(normal_prior(3, 2, 2));
  EXPECT_NEAR(find_mode(problem)[0].mean[0], -30, 1e-2);  // rates from 1e13 down to 1
}

/// One block that feeds both mu and log sigma: y ~ N(x . theta, exp(w . theta)).
TEST(Mode, ABlockMayFeedTwoArguments) {
  std::mt19937_64 generator(17);
  std::normal_distribution<double> normal;
  const std::size_t rows = 400;
  const std::vector<double> x = random_design(rows, 2, generator);
  std::vector<double> w(rows * 2), y(rows);
  for (std::size_t i = 0; i < rows; ++i) {
    w[i * 2 + 1] = normal(generator);
    y[i] = 1 + 0.5 * x[i * 2 + 1] + std::exp(0.5 * w[i * 2 + 1]) * normal(generator);
  }
  ModeProblem problem;
  problem.rows = static_cast<std::int64_t>(rows);
  problem.density = DensityKind::gaussian;
  problem.constants[0] = y.data();
  problem.arguments = 2;
  problem.blocks = {block("both", 0, x, 2)};
  problem.blocks[0].feeds.push_back(testing::feed(1, std::make_shared<const std::vector<double>>(w), 2));
  const BlockNormal found = find_mode(problem)[0];
  double g[2] = {};
  for (std::size_t i = 0; i < rows; ++i) {
    double mean = 0, log_sigma = 0;
    for (std::size_t j = 0; j < 2; ++j) {
      mean += x[i * 2 + j] * found.mean[j];
      log_sigma += w[i * 2 + j] * found.mean[j];
    }
    const double r = (y[i] - mean) * std::exp(-log_sigma);
    for (std::size_t j = 0; j < 2; ++j) g[j] += x[i * 2 + j] * r * std::exp(-log_sigma) + w[i * 2 + j] * (r * r - 1);
  }
  for (std::size_t j = 0; j < 2; ++j) {  // the gradient in units of 1 / posterior sd
    EXPECT_NEAR(found.inverse(0, j) * g[0] + found.inverse(1, j) * g[1], 0, 2e-3);
    EXPECT_NEAR(found.mean[j], j == 0 ? 1.0 : 0.5, 0.15);  // posterior sds: about 0.04
  }
}

TEST(Mode, LongTablesAreThinnedAndScaledUp) {
  const LinearData data = linear_data(200'000, 2);
  const auto found = find_mode(data.problem());
  // Twice the information, N / 2 sigma^-2, within its Monte Carlo error: sd 1 / sqrt(2 * 65,536) relative.
  EXPECT_NEAR(hessian(found[0].upper, 0, 0) * 0.49 / 200'000, 1, 0.02);
  EXPECT_NEAR(found[0].mean[1], -0.5, 5 * 0.7 / 256);
}

TEST(Mode, WideDesignsUseTheHessiansDiagonal) {
  const LinearData data = linear_data(1500, 1100);
  std::vector<double> log_sigma(data.rows, 0.0);
  std::vector<std::int32_t> level(data.rows);
  for (std::size_t i = 0; i < data.rows; ++i) level[i] = static_cast<std::int32_t>(i % 5);
  ModeProblem problem = data.problem();
  problem.blocks.pop_back();
  problem.offsets = {nullptr, log_sigma.data()};
  const BlockNormal found = find_mode(problem)[0];
  problem.blocks[0].groups.push_back({1, 5, level.data(), nullptr, false, {1.0}});
  const BlockNormal grouped = find_mode(problem)[0];
  const double prior = 1 / std::pow(grouped.groups[0].factor[0], 2);
  for (std::size_t j = 0; j < 1100; j += 100) {
    double diagonal = 0.25, sums[5] = {}, eliminated = 0;
    for (std::size_t i = 0; i < data.rows; ++i) {
      diagonal += std::pow(data.x[i * 1100 + j], 2);
      sums[i % 5] += data.x[i * 1100 + j];
    }
    for (const double sum : sums) eliminated += sum * sum / (300 + prior);
    EXPECT_NEAR(found.upper(j, j), std::sqrt(diagonal), 1e-4 * std::sqrt(diagonal));
    EXPECT_NEAR(grouped.upper(j, j), std::sqrt(diagonal - eliminated), 1e-4 * std::sqrt(diagonal));
    EXPECT_EQ(found.upper(j, 1099), 0);
    EXPECT_TRUE(std::isfinite(found.mean[j]) && std::isfinite(grouped.mean[j]));
  }
}

TEST(Mode, ThreadsDoNotChangeTheBits) {
  const LinearData data = linear_data(5000, 5);
  const int before = omp_get_max_threads();
  std::vector<std::vector<double>> modes;
  for (int threads = 1; threads <= 3; ++threads) {
    omp_set_num_threads(threads);
    const auto found = find_mode(data.problem());
    modes.push_back(found[0].mean);
    modes.back().insert(modes.back().end(), found[0].upper.values.begin(), found[0].upper.values.end());
    modes.back().push_back(found[1].mean[0]);
  }
  omp_set_num_threads(before);
  EXPECT_EQ(modes[0], modes[1]);
  EXPECT_EQ(modes[0], modes[2]);
}

}  // namespace
}  // namespace jensen
