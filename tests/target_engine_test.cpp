/// \file A caller's log joint in the engine: coordinates, gradients against finite differences, the score function.

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>
#include <random>

#include "constrain.hpp"
#include "engine.hpp"
#include "guides/fullrank.hpp"

namespace jensen {
namespace {

/// log p = sum over rows r of scale * -1/2 (theta - c_r)^T P (theta - c_r) / N - ..., smooth in every coordinate, and
/// defined on positive and unit parameters.
struct Smooth : LogJoint {
  bool gradient;
  int dimension, rows;
  std::int64_t calls = 0;
  Smooth(bool with_gradient, int d, int n) : gradient(with_gradient), dimension(d), rows(n) {}
  bool has_gradient() const override { return gradient; }
  double center(std::int64_t row, int i) const { return 0.3 * i + 0.1 * static_cast<double>(row % 7); }
  void evaluate(const double* theta, int samples, int d, const RowList& list, double scale, void* stream,
                double* log_density, double* slope) override {
    EXPECT_EQ(d, dimension);
    EXPECT_EQ(stream, nullptr);
    EXPECT_EQ(slope != nullptr, gradient);
    ++calls;
    for (int s = 0; s < samples; ++s) {
      const double* at = theta + s * d;
      double value = 0;
      std::vector<double> g(static_cast<std::size_t>(d));
      for (int i = 0; i < d; ++i) {  // a prior, with neighbours coupled
        const double next = i + 1 < d ? at[i + 1] : 0;
        value -= 0.5 * (at[i] - 0.4 * next) * (at[i] - 0.4 * next);
        g[static_cast<std::size_t>(i)] -= at[i] - 0.4 * next;
        if (i + 1 < d) g[static_cast<std::size_t>(i) + 1] += 0.4 * (at[i] - 0.4 * next);
      }
      for (std::int64_t r = 0; r < list.count; ++r) {
        for (int i = 0; i < d; ++i) {
          const double away = at[i] - center(list[r], i);
          value -= scale * 0.5 * away * away / rows;
          g[static_cast<std::size_t>(i)] -= scale * away / rows;
        }
      }
      log_density[s] = value;
      for (int i = 0; i < d && gradient; ++i) slope[s * d + i] = g[static_cast<std::size_t>(i)];
    }
  }
};

std::vector<float> start(int d, GuideShape shape, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<float> uniform(-0.4F, 0.4F);
  std::vector<float> lambda(static_cast<std::size_t>(shape == GuideShape::meanfield ? 2 * d : d + d * (d + 1) / 2));
  for (float& value : lambda) value = uniform(random);
  return lambda;
}

EngineSpec spec_of(Smooth& target, GuideShape shape, std::int64_t batch) {
  EngineSpec spec;
  spec.target = &target;
  spec.dimension = target.dimension;
  for (int i = 0; i < target.dimension; ++i) spec.transforms.push_back(static_cast<CoordinateTransform>(i % 4));
  spec.rows = target.rows;
  spec.batch = batch;
  spec.samples = 6;
  spec.seed = 3;
  spec.guide = shape;
  spec.affine = true;
  spec.reference = target.gradient ? 1 : 0;
  const auto d = static_cast<std::size_t>(target.dimension);
  if (shape == GuideShape::meanfield) {
    spec.basis.assign(d * d, 0);
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = i; j < d; ++j) spec.basis[i * d + j] = i == j ? 1.1F : 0.2F;
    }
  }
  spec.lambda = start(target.dimension, shape, 5);
  return spec;
}

/// Upper triangular and well conditioned.
std::vector<double> some_matrix(int d) {
  std::vector<double> a(static_cast<std::size_t>(d * d));
  for (int i = 0; i < d; ++i) {
    for (int j = i; j < d; ++j) a[static_cast<std::size_t>(i * d + j)] = i == j ? 0.6 + 0.1 * i : 0.15 * (j - i);
  }
  return a;
}
std::vector<double> some_shift(int d) {
  std::vector<double> b;
  for (int i = 0; i < d; ++i) b.push_back(0.2 * i - 0.3);
  return b;
}

TEST(TargetEngine, GradientIsThatOfTheSameNoiseElbo) {
  for (const GuideShape shape : {GuideShape::fullrank, GuideShape::meanfield}) {
    for (const std::int64_t batch : {20, 7}) {
      for (const int d : {1, 4, 7}) {
        Smooth target(true, d, 20);
        const EngineSpec spec = spec_of(target, shape, batch);
        const auto engine = make_cpu_engine(spec);
        engine->set_affine(some_matrix(d), some_shift(d), spec.basis);
        const Engine::Estimate at = engine->estimate(spec.lambda, 2);
        for (std::size_t p = 0; p < spec.lambda.size(); ++p) {
          // The latents are single precision: a step of 1/64 keeps both rounding and curvature near 1e-4.
          constexpr float h = 1.0F / 64;
          std::vector<float> up = spec.lambda, down = spec.lambda;
          up[p] += h;
          down[p] -= h;
          const double difference = (engine->estimate(up, 2).elbo - engine->estimate(down, 2).elbo) /
                                    (static_cast<double>(up[p]) - static_cast<double>(down[p]));
          EXPECT_NEAR(static_cast<double>(at.gradient[p]), difference, 2e-3 * (1 + std::abs(difference)))
              << "element " << p << " of " << d << " dimensions, batch " << batch;
        }
      }
    }
  }
}

TEST(TargetEngine, JointAtIsTheLogDensityOfTheUnconstrained) {
  Smooth target(true, 5, 11);
  const auto engine = make_cpu_engine(spec_of(target, GuideShape::fullrank, 11));
  std::mt19937_64 random(1);
  std::normal_distribution<double> normal;
  std::vector<double> points(40 * 5);
  for (double& value : points) value = normal(random);
  const std::vector<double> joint = engine->joint_at(points);
  ASSERT_EQ(joint.size(), 40U * 6U);
  for (std::size_t s = 0; s < 40; ++s) {
    const double* u = points.data() + s * 5;
    const double p = 1 / (1 + std::exp(-u[2]));
    const double theta[5] = {u[0], std::exp(u[1]), p, p + std::exp(u[3]), u[4]};
    double value = 0;
    target.gradient = true;
    double slope[5];
    target.evaluate(theta, 1, 5, {nullptr, 11}, 1, nullptr, &value, slope);
    EXPECT_NEAR(joint[s * 6], value + u[1] + std::log(p * (1 - p)) + u[3], 1e-12);
    for (std::size_t i = 0; i < 5; ++i) {
      std::vector<double> moved(u, u + 5);
      constexpr double h = 1e-5;
      moved[i] += h;
      const double up = engine->joint_at(moved)[0];
      moved[i] -= 2 * h;
      EXPECT_NEAR(joint[s * 6 + 1 + i], (up - engine->joint_at(moved)[0]) / (2 * h), 1e-7 * (1 + std::abs(up)));
    }
  }
}

/// The score function's gradient has the expectation of the pathwise one: over many steps' noise their means differ by
/// no more than 5 standard errors (of some hundred comparisons the largest would be 3 to 4).
TEST(TargetEngine, ScoreFunctionIsUnbiased) {
  for (const GuideShape shape : {GuideShape::fullrank, GuideShape::meanfield}) {
    for (const int d : {1, 3}) {
      Smooth with(true, d, 5), without(false, d, 5);
      EngineSpec pathwise = spec_of(with, shape, 5), score = spec_of(without, shape, 5);
      score.reference = pathwise.reference = 1;  // the same closed form in both
      const auto a = make_cpu_engine(pathwise);
      const auto b = make_cpu_engine(score);
      for (const auto& engine : {a.get(), b.get()}) engine->set_affine(some_matrix(d), some_shift(d), pathwise.basis);
      constexpr int steps = 20000;
      std::vector<double> mean(pathwise.lambda.size()), square(pathwise.lambda.size());
      for (int t = 0; t < steps; ++t) {
        const auto x = a->estimate(pathwise.lambda, t).gradient;
        const auto y = b->estimate(pathwise.lambda, t).gradient;
        for (std::size_t p = 0; p < x.size(); ++p) {
          const double difference = static_cast<double>(y[p]) - static_cast<double>(x[p]);
          mean[p] += difference / steps;
          square[p] += difference * difference / steps;
        }
      }
      for (std::size_t p = 0; p < mean.size(); ++p) {
        EXPECT_LT(std::abs(mean[p]), 5 * std::sqrt(square[p] / steps)) << "element " << p << " of " << d;
      }
    }
  }
}

TEST(TargetEngine, StepsOnFromItsStateWithTheSameBits) {
  for (const bool gradient : {true, false}) {
    Smooth target(gradient, 4, 20);
    EngineSpec spec = spec_of(target, GuideShape::fullrank, 6);
    const auto run = [&](int threads, int interrupted) {
      spec.threads = threads;
      auto engine = make_cpu_engine(spec);
      for (int t = 0; t < 30; ++t) {
        if (t == interrupted) {
          const EngineState state = engine->state();
          engine = make_cpu_engine(spec);
          engine->restore(state);
        }
        engine->step(t, 0.05, t < 15 ? -1 : 0);
      }
      return engine->state();
    };
    const EngineState whole = run(1, -1);
    for (const auto& other : {run(2, -1), run(3, 11)}) {
      EXPECT_EQ(whole.lambda, other.lambda);
      EXPECT_EQ(whole.average[0], other.average[0]);
    }
  }
}

TEST(TargetEngine, CountsWhatIsNotFiniteAndLetsExceptionsThrough) {
  struct Bad : Smooth {
    using Smooth::Smooth;
    bool fails = false;
    void evaluate(const double* theta, int samples, int d, const RowList& rows_, double scale, void* stream,
                  double* log_density, double* slope) override {
      if (fails) throw std::runtime_error("the solver gave up");
      Smooth::evaluate(theta, samples, d, rows_, scale, stream, log_density, slope);
      log_density[1] = std::nan("");
    }
  };
  for (const bool gradient : {true, false}) {
    Bad target(gradient, 3, 5);
    const auto engine = make_cpu_engine(spec_of(target, GuideShape::fullrank, 5));
    for (int t = 0; t < 10; ++t) engine->step(t, 0.05, -1);
    EXPECT_EQ(engine->take_statistics().nonfinite, gradient ? 10 : 20);  // without gradients a pair goes together
    for (const float value : engine->lambda()) EXPECT_TRUE(std::isfinite(value));
    target.fails = true;
    EXPECT_THROW(engine->step(10, 0.05, -1), std::runtime_error);
  }
}

TEST(TargetEngine, RefusesWhatItCannotDo) {
  Smooth target(false, 3, 5);
  EngineSpec spec = spec_of(target, GuideShape::fullrank, 5);
  for (const int samples : {2, 5, 7}) {
    spec.samples = samples;
    EXPECT_THROW(make_cpu_engine(spec), std::invalid_argument);
  }
}

}  // namespace
}  // namespace jensen
