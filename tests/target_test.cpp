/// \file A log joint of the caller's own, from Target to Fit.

#include "jensen/target.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <numeric>
#include <random>

#include "jensen/errors.hpp"
#include "jensen/trainer.hpp"

namespace jensen {
namespace {

const double log_two_pi = std::log(2 * std::numbers::pi);

/// A density by a function of one theta, its gradient written to g (null if none is wanted).
struct Density : Target {
  using Function = double (*)(const double* theta, const Batch& batch, double* g);
  Function function;
  bool gradient = true;
  explicit Density(Function f, bool with_gradient = true) : function(f), gradient(with_gradient) {}
  bool has_gradient() const override { return gradient; }
  void evaluate(const double* theta, std::size_t samples, std::size_t dimension, const Batch& batch,
                double* log_density, double* g) override {
    for (std::size_t s = 0; s < samples; ++s) {
      log_density[s] = function(theta + s * dimension, batch, gradient ? g + s * dimension : nullptr);
    }
  }
};

TargetModel parameters(std::vector<Transform> transforms) {
  TargetModel model;
  for (const Transform transform : transforms) {
    model.parameters.push_back({"p" + std::to_string(model.parameters.size() + 1), transform});
  }
  return model;
}

/// N((1000, -3), [[4, 1.9 * 0.01], [., 0.0001]]), correlation 0.95.
double correlated_normal(const double* theta, const Batch&, double* g) {
  const double a = (theta[0] - 1000) / 2, b = (theta[1] + 3) / 0.01, rho = 0.95;
  const double q = 1 - rho * rho;
  if (g != nullptr) {
    g[0] = -(a - rho * b) / q / 2;
    g[1] = -(b - rho * a) / q / 0.01;
  }
  return -0.5 * (a * a - 2 * rho * a * b + b * b) / q - log_two_pi - 0.5 * std::log(q) - std::log(2 * 0.01);
}

TEST(Target, FindsACorrelatedNormalFromAfar) {
  Density target(correlated_normal);
  const Fit fit = train(target, parameters({Transform::identity, Transform::identity}));
  const auto summary = fit.summarize();
  EXPECT_TRUE(fit.verdict.converged) << fit.verdict.message;
  EXPECT_NEAR(summary[0].mean, 1000, 0.02 * 2);
  EXPECT_NEAR(summary[0].sd, 2, 0.02 * 2);
  EXPECT_NEAR(summary[1].mean, -3, 0.02 * 0.01);
  EXPECT_NEAR(summary[1].sd, 0.01, 0.02 * 0.01);
  EXPECT_NEAR(fit.elbo, 0, 1e-3);  // the density is normalised
  const double covariance = fit.factor[0] * fit.factor[2] + fit.factor[1] * fit.factor[3];
  EXPECT_NEAR(covariance / (summary[0].sd * summary[1].sd), 0.95, 0.01);
}

TEST(Target, MeanfieldIsIndependentInTheParametersThemselves) {
  Density target(correlated_normal);
  TrainOptions options;
  options.guide = GuideKind::meanfield;
  const Fit fit = train(target, parameters({Transform::identity, Transform::identity}), options);
  EXPECT_NEAR(fit.summarize()[0].sd, 2 * std::sqrt(1 - 0.95 * 0.95), 0.02);  // 1 / sqrt(precision)
  EXPECT_NEAR(fit.factor[1] * fit.factor[3] + fit.factor[0] * fit.factor[2], 0, 1e-6);
  // KL of the best product of normals: -1/2 log(1 - rho^2)
  EXPECT_NEAR(fit.elbo, 0.5 * std::log(1 - 0.95 * 0.95), 5 * fit.elbo_se + 1e-3);
}

/// Gamma(9, 3) and Beta(40, 60), independent, and an increment above the latter, Gamma(25, 5).
double gamma_beta(const double* theta, const Batch&, double* g) {
  const double x = theta[0], p = theta[1], gap = theta[2] - theta[1];
  if (g != nullptr) {
    g[0] = 8 / x - 3;
    g[1] = 39 / p - 59 / (1 - p) - (24 / gap - 5);
    g[2] = 24 / gap - 5;
  }
  return 8 * std::log(x) - 3 * x + 9 * std::log(3) - std::lgamma(9) + 39 * std::log(p) + 59 * std::log1p(-p) +
         std::lgamma(100) - std::lgamma(40) - std::lgamma(60) + 24 * std::log(gap) - 5 * gap + 25 * std::log(5) -
         std::lgamma(25);
}

TEST(Target, AddsTheJacobianOfEveryTransform) {
  Density target(gamma_beta);
  const Fit fit = train(target, parameters({Transform::exponential, Transform::logistic, Transform::increment}));
  const auto summary = fit.summarize();
  // The normal of log x is an approximation: KL about 1 / (12 shape), means within a few hundredths of an sd.
  EXPECT_NEAR(summary[0].mean, 3, 0.05 * 1);
  EXPECT_NEAR(summary[0].sd, 1, 0.05);
  EXPECT_NEAR(summary[1].mean, 0.4, 0.05 * 0.049);
  EXPECT_NEAR(summary[1].sd, std::sqrt(0.24 / 101), 0.05 * 0.049);
  EXPECT_NEAR(summary[2].mean, 5.4, 0.05);
  EXPECT_NEAR(summary[2].sd, std::sqrt(1 + 0.24 / 101), 0.05);
  EXPECT_LT(fit.elbo, 3 * fit.elbo_se);
  EXPECT_GT(fit.elbo, -0.03);
  EXPECT_TRUE(fit.verdict.close) << fit.verdict.message;
}

/// y_r ~ N(mu, 1), mu ~ N(0, 10): conjugate.
const std::vector<double>& normal_rows() {
  static const std::vector<double> y = [] {
    std::mt19937_64 random(5);
    std::normal_distribution<double> normal(2, 1);
    std::vector<double> out(2000);
    for (double& value : out) value = normal(random);
    return out;
  }();
  return y;
}
double normal_mean(const double* theta, const Batch& batch, double* g) {
  double value = -0.005 * theta[0] * theta[0] - std::log(10.0) - 0.5 * log_two_pi, slope = -0.01 * theta[0];
  for (std::int64_t i = 0; i < batch.count; ++i) {
    const double away = normal_rows()[static_cast<std::size_t>(batch[i])] - theta[0];
    value -= batch.scale * 0.5 * (away * away + log_two_pi);
    slope += batch.scale * away;
  }
  if (g != nullptr) g[0] = slope;
  return value;
}
/// Posterior precision and mean, and log p(y), of the first n rows.
struct Conjugate {
  double mean, sd, log_evidence;
  explicit Conjugate(std::size_t n) {
    const auto& y = normal_rows();
    const double sum = std::accumulate(y.begin(), y.begin() + static_cast<std::ptrdiff_t>(n), 0.0);
    double squares = 0;
    for (std::size_t i = 0; i < n; ++i) squares += y[i] * y[i];
    const double precision = 0.01 + static_cast<double>(n);
    mean = sum / precision;
    sd = 1 / std::sqrt(precision);
    log_evidence = -0.5 * static_cast<double>(n) * log_two_pi - 0.5 * squares + 0.5 * sum * mean +
                   0.5 * std::log(0.01 / precision);
  }
};

TEST(Target, TakesMinibatchesOfRows) {
  Density target(normal_mean);
  TargetModel model = parameters({Transform::identity});
  model.rows = 2000;
  TrainOptions options;
  options.batch = 500;
  const Fit fit = train(target, model, options);
  const Conjugate exact(2000);
  EXPECT_NEAR(fit.summarize()[0].mean, exact.mean, 0.1 * exact.sd);
  EXPECT_NEAR(fit.summarize()[0].sd, exact.sd, 0.03 * exact.sd);
  EXPECT_NEAR(fit.elbo, exact.log_evidence, 0.02);
}

TEST(Target, WithoutGradientsReachesTheEvidenceOfAConjugateModel) {
  Density target(normal_mean, false);
  TargetModel model = parameters({Transform::identity});
  model.rows = 20;
  model.start = {1};
  model.scale = {0.5};
  TrainOptions options;
  options.steps = 4000;
  const Fit fit = train(target, model, options);
  const Conjugate exact(20);
  EXPECT_EQ(fit.options.samples, 64);
  EXPECT_NEAR(fit.summarize()[0].mean, exact.mean, 0.1 * exact.sd);
  EXPECT_NEAR(fit.summarize()[0].sd, exact.sd, 0.1 * exact.sd);
  // A lower bound, short of log p(y) by no more than KL of means and sds that are a tenth of an sd off: 0.015.
  EXPECT_LT(fit.elbo, exact.log_evidence + 3 * fit.elbo_se);
  EXPECT_GT(fit.elbo, exact.log_evidence - 0.015 - 3 * fit.elbo_se);
}

TEST(Target, SameBitsForAnyThreadsAndFromAState) {
  for (const bool gradient : {true, false}) {
    Density target(gamma_beta, gradient);
    const TargetModel model = parameters({Transform::exponential, Transform::logistic, Transform::increment});
    TrainOptions options;
    options.steps = 120;
    const Fit whole = train(target, model, options);
    for (const int threads : {1, 2, 3}) {
      options.threads = threads;
      Trainer first(target, model, options);
      while (first.steps() < 20 + 30 * threads) first.step();
      Trainer second(target, model, options);
      second.restore(first.state());
      const Fit fit = second.run();
      EXPECT_EQ(fit.mean, whole.mean);
      EXPECT_EQ(fit.factor, whole.factor);
      EXPECT_EQ(fit.elbo, whole.elbo);
    }
  }
}

TEST(Target, ExceptionsGoThroughAndNonFiniteEndsTheRun) {
  Density throws([](const double*, const Batch&, double*) -> double { throw std::runtime_error("no solution"); });
  EXPECT_THROW(train(throws, parameters({Transform::identity})), std::runtime_error);
  Density refuses([](const double*, const Batch&, double*) -> double { throw std::invalid_argument("no such rate"); });
  EXPECT_THROW(train(refuses, parameters({Transform::identity})), std::invalid_argument);  // its own, no InputError
  Density nowhere([](const double*, const Batch&, double* g) {
    g[0] = 0;
    return std::nan("");
  });
  EXPECT_THROW(train(nowhere, parameters({Transform::identity})), InputError);
  // Finite near its mode only: most draws are not, which ends the run with a verdict.
  Density narrow([](const double* theta, const Batch&, double* g) {
    g[0] = -theta[0];
    return std::abs(theta[0]) < 0.5 ? -0.5 * theta[0] * theta[0] : std::nan("");
  });
  const Fit fit = train(narrow, parameters({Transform::identity}));
  EXPECT_TRUE(fit.verdict.failed);
  EXPECT_GT(fit.verdict.nonfinite, 0);
}

TEST(Target, NotesAGradientThatIsNone) {
  const TargetModel model = parameters({Transform::exponential, Transform::logistic, Transform::increment});
  Density right(gamma_beta);
  EXPECT_TRUE(Trainer(right, model).description().notes.empty());
  Density wrong([](const double* theta, const Batch& batch, double* g) {
    const double value = gamma_beta(theta, batch, g);
    g[0] = 8 / theta[0] + 3;  // a sign
    return value;
  });
  const auto notes = Trainer(wrong, model).description().notes;
  ASSERT_EQ(notes.size(), 1U);
  EXPECT_NE(notes[0].find("the gradient is not that of the log density"), std::string::npos) << notes[0];
}

/// A parameter whose gradient is large must not hide that another's is wrong.
TEST(Target, NotesAGradientThatIsWrongInOneParameter) {
  static double factor;
  for (const double one : {0.0, 0.5, 1.0, 1.3, 2.0}) {
    SCOPED_TRACE(one);
    factor = one;
    Density target([](const double* theta, const Batch&, double* g) {
      const double r = (theta[0] - 1) * 1e3, s = theta[1] - 2;  // sds 1e-3 and 1
      g[0] = -r * 1e3;
      g[1] = -s * factor;
      return -0.5 * (r * r + s * s);
    });
    const auto notes = Trainer(target, parameters({Transform::identity, Transform::identity})).description().notes;
    if (factor == 1) {
      EXPECT_TRUE(notes.empty()) << notes[0];
      continue;
    }
    ASSERT_EQ(notes.size(), 1U);
    EXPECT_NE(notes[0].find("do not curve as it says in"), std::string::npos) << notes[0];
  }
}

TEST(Target, HasNoRowsToPredict) {
  Density target(gamma_beta);
  const Fit fit = train(target, parameters({Transform::exponential, Transform::logistic, Transform::increment}));
  try {
    predict(fit, Table());
    FAIL();
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("no formula"), std::string::npos) << error.what();
  }
}

TEST(Target, SaysWhatIsWrong) {
  Density target(normal_mean), blind(normal_mean, false);
  const auto message = [](Target& of, const TargetModel& model, const TrainOptions& options) -> std::string {
    try {
      train(of, model, options);
    } catch (const InputError& error) {
      return error.what();
    }
    return "none";
  };
  const TargetModel good = parameters({Transform::identity});
  const auto with = [&](auto change) {
    TargetModel model = good;
    change(model);
    return message(target, model, {});
  };
  using Model = TargetModel;
  EXPECT_NE(with([](Model& m) { m.parameters.clear(); }).find("without parameters"), std::string::npos);
  EXPECT_NE(with([](Model& m) { m.parameters[0].name = ""; }).find("no name"), std::string::npos);
  EXPECT_NE(with([](Model& m) { m.parameters.push_back(m.parameters[0]); }).find("two parameters"), std::string::npos);
  EXPECT_NE(with([](Model& m) { m.parameters[0].transform = Transform::increment; }).find("increment"),
            std::string::npos);
  EXPECT_NE(with([](Model& m) { m.start = {1, 2}; }).find("2 numbers for 1"), std::string::npos);
  EXPECT_NE(with([](Model& m) { m.scale = {0}; }).find("scale of 0"), std::string::npos);
  EXPECT_NE(with([](Model& m) { m.rows = -1; }).find("-1 rows"), std::string::npos);
  EXPECT_NE(with([](Model& m) {
              m.parameters[0].transform = Transform::exponential;
              m.start = {-1};
            }).find("p1' cannot be -1"),
            std::string::npos);
  TrainOptions options;
  options.priors = {parse_prior("b ~ normal(0, 1)")};
  EXPECT_NE(message(target, good, options).find("priors"), std::string::npos);
  options = {};
  options.family = Family::poisson;
  EXPECT_NE(message(target, good, options).find("family"), std::string::npos);
  options = {};
  options.device = DeviceKind::cuda;
  EXPECT_NE(message(target, good, options).find("the target is for cpu"), std::string::npos);
  options = {};
  options.samples = 7;
  EXPECT_NE(message(blind, good, options).find("even number"), std::string::npos);
}

}  // namespace
}  // namespace jensen
