/// \file The normal of the greatest evidence lower bound against closed forms and bounds by another quadrature.

#include "model/nearest_normal.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "mode_problem.hpp"
#include "posterior/normal_expectation.hpp"

namespace jensen {
namespace {

using testing::block;
using testing::hessian;
using testing::normal_prior;
using testing::random_design;

/// Responses of one block mu.
struct Responses {
  std::vector<double> x, y, log_y;
  ModeProblem problem(DensityKind density, std::size_t columns, double prior_sd) const {
    ModeProblem p;
    p.rows = static_cast<std::int64_t>(y.size());
    p.density = density;
    p.constants = {y.data(), density == DensityKind::poisson_log ? log_y.data() : nullptr, nullptr};
    p.blocks = {block("mu", 0, x, columns)};
    for (std::size_t j = 0; j < columns; ++j) p.blocks[0].priors.push_back(normal_prior(columns, j, prior_sd));
    return p;
  }
};
const Responses no_count{{1}, {0}, {0}};

double sd_of(const BlockNormal& normal) { return 1 / std::abs(normal.upper(0, 0)); }

// E log p = -exp(m + s^2 / 2) - (m^2 + s^2) / (2 tau^2): at the optimum exp(m + s^2 / 2) = -m / tau^2 and
// 1 / s^2 = (1 - m) / tau^2.
TEST(NearestNormal, OfALoneCountOfZeroIsTheClosedForm) {
  for (const double tau : {1.0, 2.5, 5.0}) {
    double m = -1;
    for (int i = 0; i < 500; ++i) m = 0.5 * (m + std::log(-m / (tau * tau)) - 0.5 * tau * tau / (1 - m));
    const double s = tau / std::sqrt(1 - m);
    const BlockNormal found = find_normals(no_count.problem(DensityKind::poisson_log, 1, tau))[0];
    EXPECT_NEAR(found.mean[0], m, 0.05 * s) << tau;
    EXPECT_NEAR(sd_of(found) / s, 1, 0.03) << tau;
    EXPECT_NEAR(found.upper(0, 0) * found.inverse(0, 0), 1, 1e-12);
  }
}

// With a wider prior E exp(a) under the best normal comes from further out than draws go (m + s^2 is 19 sds off at
// tau = 1,000). The bound is taken over six sds instead, and draws keep clear of where the density falls off.
TEST(NearestNormal, StaysWhereDrawsAreFinite) {
  for (const double tau : {50.0, 1000.0}) {
    const BlockNormal found = find_normals(no_count.problem(DensityKind::poisson_log, 1, tau))[0];
    const double s = sd_of(found);
    EXPECT_LT(found.mean[0] + 5 * s, 15) << tau;
    EXPECT_GT(s, 2) << tau;
    const BlockNormal at_mode = find_mode(no_count.problem(DensityKind::poisson_log, 1, tau))[0];
    EXPECT_GT(at_mode.mean[0] + 5 * sd_of(at_mode), 50) << "the normal at the mode would do";
  }
}

// Opper & Archambeau's conditions: the precision is E of minus the Hessian, and E of the gradient is zero.
TEST(NearestNormal, OfALogisticRegressionIsStationary) {
  constexpr std::size_t c = 3, n = 25;
  std::mt19937_64 generator(5);
  std::uniform_real_distribution<double> uniform;
  Responses data{random_design(n, c, generator), {}, {}};
  for (std::size_t i = 0; i < n; ++i) {
    data.y.push_back(uniform(generator) < 1 / (1 + std::exp(-0.5 - 2 * data.x[i * c + 1])));
  }
  const ModeProblem problem = data.problem(DensityKind::bernoulli_logit, c, 3);
  const BlockNormal found = find_normals(problem)[0], at_mode = find_mode(problem)[0];
  std::vector<double> h(c * c), g(c);
  for (std::size_t j = 0; j < c; ++j) g[j] = -found.mean[j] / 9, h[j * c + j] = 1.0 / 9;
  for (std::size_t i = 0; i < n; ++i) {
    const double* x = data.x.data() + i * c;
    double mean = 0, variance = 0;
    for (std::size_t j = 0; j < c; ++j) {
      mean += x[j] * found.mean[j];
      double v = 0;
      for (std::size_t k = 0; k <= j; ++k) v += x[k] * found.inverse(k, j);
      variance += v * v;
    }
    const auto p = [](double a) { return 1 / (1 + std::exp(-a)); };
    const double slope = data.y[i] - normal_expectation(mean, std::sqrt(variance), p);
    const double w = normal_expectation(mean, std::sqrt(variance), [&](double a) { return p(a) * (1 - p(a)); });
    for (std::size_t j = 0; j < c; ++j) {
      g[j] += slope * x[j];
      for (std::size_t k = 0; k < c; ++k) h[j * c + k] += w * x[j] * x[k];
    }
  }
  // Rows known to within 0.3 are parabolas about the mode: of a logistic density's second derivative, 0.25 at most,
  // that leaves out about 0.3^2 / 2 of it for each, 4 %, and most rows here are known less well.
  double off = 0, largest = 0;
  for (std::size_t j = 0; j < c; ++j) {
    double whitened = 0;  // of R^-T g, which is sds
    for (std::size_t k = 0; k <= j; ++k) whitened += found.inverse(k, j) * g[k];
    off = std::max(off, std::abs(whitened));
    largest = std::max(largest, std::abs(at_mode.mean[j] - found.mean[j]) * std::abs(at_mode.upper(j, j)));
    for (std::size_t k = 0; k < c; ++k) {
      const double scale = std::sqrt(h[j * c + j] * h[k * c + k]);
      EXPECT_NEAR(hessian(found.upper, j, k) / scale, h[j * c + k] / scale, 0.03) << j << ", " << k;
    }
  }
  EXPECT_LT(off, 0.05);
  EXPECT_GT(largest, 0.1) << "the normal at the mode would do";
}

// A tail that is heavier than a normal's, in prior and likelihood: no normal on a grid has a larger bound.
TEST(NearestNormal, OfATailAsHeavyAsTheStudentTs) {
  ModeProblem problem = Responses{{1}, {1}, {0}}.problem(DensityKind::bernoulli_logit, 1, 1);
  const double one = 1;
  problem.constants[0] = &one;
  problem.blocks[0].priors = {{DensityKind::student_t_prior, {0, 1 / 2.5, 3}, {1.0}, 0}};
  const BlockNormal found = find_normals(problem)[0];
  const auto bound = [&](double m, double s) {
    return std::log(s) + normal_expectation(m, s, [](double a) {
             return -std::log1p(std::exp(-a)) - 2 * std::log1p(a * a / (3 * 2.5 * 2.5));
           });
  };
  double best = -1e9;
  for (double m = -2; m < 8; m += 0.02) {
    for (double s = 0.5; s < 6; s *= 1.02) best = std::max(best, bound(m, s));
  }
  EXPECT_GT(bound(found.mean[0], sd_of(found)), best - 0.01);
}

TEST(NearestNormal, IsThatAtTheModeWhereRowsAreParabolas) {
  std::mt19937_64 generator(9);
  std::uniform_real_distribution<double> uniform;
  Responses data{random_design(4000, 3, generator), {}, {}};
  for (std::size_t i = 0; i < 4000; ++i) data.y.push_back(uniform(generator) < 0.4);
  const ModeProblem problem = data.problem(DensityKind::bernoulli_logit, 3, 2);
  const BlockNormal mode = find_mode(problem)[0], nearest = find_normals(problem)[0];
  EXPECT_EQ(mode.mean, nearest.mean);
  EXPECT_EQ(mode.upper.values, nearest.upper.values);
}

}  // namespace
}  // namespace jensen
