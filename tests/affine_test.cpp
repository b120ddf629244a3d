/// \file The affine map u = A w + b before a model's terms: the same as terms whose columns were multiplied by A.

#include <gtest/gtest.h>

#include <cmath>

#include "models.hpp"

namespace jensen {
namespace {

/// Upper triangular and well conditioned, and exact in single precision.
std::vector<double> upper(std::size_t d) {
  std::vector<double> a(d * d);
  for (std::size_t i = 0; i < d; ++i) {
    a[i * d + i] = 0.5 + 0.25 * static_cast<double>(i % 3);
    for (std::size_t j = i + 1; j < d; ++j) a[i * d + j] = 0.125 * static_cast<double>(j - i);
  }
  return a;
}
std::vector<double> shift(std::size_t d) {
  std::vector<double> b;
  for (std::size_t i = 0; i < d; ++i) b.push_back(0.25 * static_cast<double>(i % 4) - 0.375);
  return b;
}

/// X u + offset = (X A) w + (X b + offset), for every term of a model without scalar parts.
EngineSpec multiplied(testing::RandomModel& model, const std::vector<double>& a, const std::vector<double>& b) {
  EngineSpec spec = model.spec;
  const std::size_t d = b.size();
  for (Term& term : spec.terms) {
    Predictor& predictor = term.arguments[0];
    Part& part = predictor.parts[0];
    std::vector<float> x, offset;
    for (std::int64_t r = 0; r < term.rows; ++r) {
      const float* row = part.x + r * part.columns;
      double constant = predictor.offset == nullptr ? 0 : static_cast<double>(predictor.offset[r]);
      for (std::size_t i = 0; i < d; ++i) constant += static_cast<double>(row[i]) * b[i];
      offset.push_back(static_cast<float>(constant));
      for (std::size_t j = 0; j < d; ++j) {
        double sum = 0;
        for (std::size_t i = 0; i <= j; ++i) sum += static_cast<double>(row[i]) * a[i * d + j];
        x.push_back(static_cast<float>(sum));
      }
    }
    part.x = model.keep(std::move(x));
    predictor.offset = model.keep(std::move(offset));
  }
  return spec;
}

TEST(Affine, IsThatOfColumnsMultiplied) {
  constexpr std::int64_t rows = 200;
  for (const GuideShape shape : {GuideShape::fullrank, GuideShape::meanfield}) {
    for (const std::int64_t batch : {rows, std::int64_t{37}}) {  // with an anchor if fewer than all rows
      for (const float reference : {0.0F, 1.0F}) {
        auto model = testing::random_model(DensityKind::bernoulli_logit, rows, 5, 19);
        const auto d = static_cast<std::size_t>(model.spec.dimension);
        model.spec.guide = shape;
        model.spec.batch = batch;
        model.spec.reference = reference;
        model.spec.lambda = testing::random_lambda(testing::lambda_size(model.spec), 3);
        const auto plain = make_cpu_engine(multiplied(model, upper(d), shift(d)));
        model.spec.affine = true;
        const auto mapped = make_cpu_engine(model.spec);
        mapped->set_affine(upper(d), shift(d), model.spec.basis);
        for (const std::int64_t t : {0, 3}) {
          const auto expected = plain->estimate(model.spec.lambda, t);
          const auto got = mapped->estimate(model.spec.lambda, t);
          // As in engine_test: errors of 2^-24 of what a row adds, here of X A and of u.
          EXPECT_NEAR(got.elbo, expected.elbo, 1e-5 * (std::abs(expected.elbo) + rows));
          ASSERT_EQ(got.gradient.size(), expected.gradient.size());
          for (std::size_t p = 0; p < got.gradient.size(); ++p) {
            EXPECT_NEAR(got.gradient[p], expected.gradient[p], 1e-5 * rows) << p << " at step " << t;
          }
        }
        // The final evaluation, over all rows.
        const Evaluation expected = plain->evaluate(model.spec.lambda, 40),
                         got = mapped->evaluate(model.spec.lambda, 40);
        for (std::size_t s = 0; s < 40; ++s) {
          EXPECT_NEAR(got.log_joint[s], expected.log_joint[s], 1e-5 * (std::abs(expected.log_joint[s]) + rows));
        }
      }
    }
  }
}

/// The model's columns at ascending coordinates: its gradient is that of differences of its own ELBO, the noise fixed,
/// with all rows and, with an anchor, with some.
TEST(Affine, GradientThroughAscendingCoordinatesIsThatOfTheSameNoiseElbo) {
  constexpr std::int64_t rows = 60;
  using enum CoordinateTransform;
  for (const GuideShape shape : {GuideShape::fullrank, GuideShape::meanfield}) {
    for (const std::int64_t batch : {rows, std::int64_t{17}}) {
      auto model = testing::random_model(DensityKind::bernoulli_logit, rows, 5, 19);
      const auto d = static_cast<std::size_t>(model.spec.dimension);
      ASSERT_GE(d, 5U);
      model.spec.guide = shape;
      model.spec.batch = batch;
      model.spec.affine = true;
      model.spec.lambda = testing::random_lambda(testing::lambda_size(model.spec), 3);
      model.spec.transforms.assign(d, identity);
      for (const std::size_t i : {1, 2, 4}) model.spec.transforms[i] = increment;  // two runs, 0 .. 2 and 3 .. 4
      const auto engine = make_cpu_engine(model.spec);
      engine->set_affine(upper(d), shift(d), model.spec.basis);
      for (const std::int64_t t : {0, 2}) {
        const auto at = engine->estimate(model.spec.lambda, t);
        for (std::size_t p = 0; p < model.spec.lambda.size(); ++p) {
          // As in target_engine_test: rounding of the latents and curvature are both near 1e-4 at this step.
          constexpr float h = 1.0F / 64;
          auto above = model.spec.lambda, below = above;
          above[p] += h;
          below[p] -= h;
          const double slope = (engine->estimate(above, t).elbo - engine->estimate(below, t).elbo) / (2.0 * h);
          EXPECT_NEAR(at.gradient[p], slope, 2e-3 * (std::abs(slope) + std::sqrt(double{rows}))) << p << " at " << t;
        }
      }
    }
  }
}

/// Points of the search for a start are coordinates, not values: value and gradient by them.
TEST(Affine, JointAtAscendingCoordinates) {
  auto model = testing::random_model(DensityKind::bernoulli_logit, 60, 5, 19);
  const auto d = static_cast<std::size_t>(model.spec.dimension);
  model.spec.affine = true;
  const auto plain = make_cpu_engine(model.spec);
  model.spec.transforms.assign(d, CoordinateTransform::identity);
  model.spec.transforms[1] = model.spec.transforms[2] = CoordinateTransform::increment;
  const auto ascending = make_cpu_engine(model.spec);
  std::vector<double> u(d), z;
  for (std::size_t i = 0; i < d; ++i) u[i] = 0.125 * static_cast<double>(i) - 0.25;
  z = u;
  z[1] = z[0] + std::exp(u[1]);
  z[2] = z[1] + std::exp(u[2]);
  // Sums over 60 rows of single precision, each off by some 2^-24 of a few units.
  const auto by_z = plain->joint_at(z), by_u = ascending->joint_at(u);
  EXPECT_NEAR(by_u[0], by_z[0] + u[1] + u[2], 1e-4);
  EXPECT_NEAR(by_u[1], by_z[1] + by_z[2] + by_z[3], 1e-4);
  EXPECT_NEAR(by_u[2], (by_z[2] + by_z[3]) * std::exp(u[1]) + 1, 1e-4);
  EXPECT_NEAR(by_u[3], by_z[3] * std::exp(u[2]) + 1, 1e-4);
  for (std::size_t i = 3; i < d; ++i) EXPECT_NEAR(by_u[1 + i], by_z[1 + i], 1e-4);
}

}  // namespace
}  // namespace jensen
