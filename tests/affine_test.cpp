/// \file The affine map u = A w + b before a model's terms: the same as terms whose columns were multiplied by A.

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace jensen
