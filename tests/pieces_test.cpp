/// \file The public pieces: transforms, a normal guide, the guide of a fit.

#include "jensen/pieces.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

#include "jensen/errors.hpp"
#include "jensen/target.hpp"

namespace jensen {
namespace {

const std::vector<Parameter> all{{"a", Transform::identity},
                                 {"b", Transform::exponential},
                                 {"c", Transform::logistic},
                                 {"d", Transform::increment},
                                 {"e", Transform::increment}};

TEST(Transforms, ThereAndBack) {
  const std::vector<double> u{-1.5, 0.3, 2, -1, 0.5};
  const std::vector<double> theta = constrain(all, u);
  const double c = 1 / (1 + std::exp(-2.0));
  const std::vector<double> expected{-1.5, std::exp(0.3), c, c + std::exp(-1.0), c + std::exp(-1.0) + std::exp(0.5)};
  const std::vector<double> back = unconstrain(all, theta);
  for (std::size_t i = 0; i < u.size(); ++i) {
    EXPECT_DOUBLE_EQ(theta[i], expected[i]);
    EXPECT_NEAR(back[i], u[i], 1e-14);
  }
  // The Jacobian is triangular: the product of dT/du.
  EXPECT_NEAR(log_jacobian(all, u), 0.3 + std::log(c * (1 - c)) - 1 + 0.5, 1e-14);
  EXPECT_NEAR(log_jacobian(std::span(all).subspan(2, 1), std::vector<double>{-800.0}), -800, 1e-9);
}

TEST(Transforms, RefuseWhatTheyDoNotReach) {
  EXPECT_THROW(unconstrain(all, std::vector<double>{0, -1, 0.5, 1, 2}), InputError);
  EXPECT_THROW(unconstrain(all, std::vector<double>{0, 1, 1.5, 2, 3}), InputError);
  EXPECT_THROW(unconstrain(all, std::vector<double>{0, 1, 0.5, 0.4, 3}), InputError);
  EXPECT_THROW(constrain(all, std::vector<double>{0, 1}), InputError);
  EXPECT_THROW(constrain(std::span(all).last(1), std::vector<double>{0}), InputError);
}

TEST(NormalGuide, DensityEntropyAndDrawsAgree) {
  const NormalGuide guide({1, -2}, {2, 99, 0.6, 0.8});  // what is above the diagonal is not read
  // covariance [[4, 1.2], [1.2, 1]], determinant 2.56
  const std::vector<double> u{2, -1.5};
  const double quadratic = (1 * 1 * 1.0 - 2 * 1.2 * 1 * 0.5 + 4 * 0.25) / 2.56;
  EXPECT_NEAR(guide.log_density(u), -0.5 * quadratic - std::log(2 * std::numbers::pi) - 0.5 * std::log(2.56), 1e-14);
  EXPECT_NEAR(guide.entropy(), 1 + std::log(2 * std::numbers::pi) + 0.5 * std::log(2.56), 1e-14);
  constexpr std::size_t count = 40000;
  const std::vector<double> draws = guide.draw(count, 3);
  EXPECT_EQ(draws, guide.draw(count, 3));
  EXPECT_NE(draws, guide.draw(count, 4));
  double mean = 0, covariance = 0, surprise = 0;
  for (std::size_t s = 0; s < count; ++s) {
    const double a = draws[2 * s] - 1, b = draws[2 * s + 1] + 2;
    mean += draws[2 * s] / count;
    covariance += a * b / count;
    surprise -= guide.log_density(std::span(draws).subspan(2 * s, 2)) / count;
  }
  // Bounds of 5 standard errors: sd 2; of a b sqrt(4 * 1 + 1.2^2) = 2.3; of -log q sqrt(D / 2) = 1.
  EXPECT_NEAR(mean, 1, 5 * 2 / std::sqrt(count));
  EXPECT_NEAR(covariance, 1.2, 5 * 2.4 / std::sqrt(count));
  EXPECT_NEAR(surprise, guide.entropy(), 5 / std::sqrt(count));
  EXPECT_THROW(NormalGuide({1, 2}, {1, 0, 0}), InputError);
  EXPECT_THROW(NormalGuide({1, 2}, {1, 0, 3, -1}), InputError);
  EXPECT_THROW(guide.log_density(std::vector<double>{1}), InputError);
}

/// A fit's guide and a target are all that an importance estimate of the evidence takes.
TEST(NormalGuide, OfAFitServesForTheVerdictsOwnNumbers) {
  struct Gamma : Target {
    void evaluate(const double* theta, std::size_t samples, std::size_t, const Batch&, double* log_density,
                  double* gradient) override {
      for (std::size_t s = 0; s < samples; ++s) {  // Gamma(20, 4)
        log_density[s] = 19 * std::log(theta[s]) - 4 * theta[s] + 20 * std::log(4) - std::lgamma(20);
        gradient[s] = 19 / theta[s] - 4;
      }
    }
  } target;
  const TargetModel model{{{"x", Transform::exponential}}, {}, {}, 0};
  const Fit fit = train(target, model);
  const NormalGuide guide = guide_of(fit);
  std::vector<double> log_ratio;
  double sum = 0, evidence = 0;
  for (const double u : guide.draw(4000, 1)) {
    const std::vector<double> at{u};
    const std::vector<double> theta = constrain(model.parameters, at);
    double value = 0, slope = 0;
    target.evaluate(theta.data(), 1, 1, {}, &value, &slope);
    log_ratio.push_back(value + log_jacobian(model.parameters, at) - guide.log_density(at));
    sum += log_ratio.back() / 4000;
    evidence += std::exp(log_ratio.back()) / 4000;
  }
  EXPECT_NEAR(sum, fit.elbo, 5 * fit.verdict.log_ratio_sd / std::sqrt(4000));
  EXPECT_NEAR(evidence, 1, 5 * fit.verdict.log_ratio_sd / std::sqrt(4000));
}

}  // namespace
}  // namespace jensen
