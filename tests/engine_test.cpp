/// \file The step on the CPU: gradients against finite differences of the same-noise ELBO, determinism, resume.

#include <gtest/gtest.h>

#include <algorithm>

#include "engine_states.hpp"
#include "models.hpp"

namespace jensen {
namespace {

/// Where the engine's rows are: in a copy of its own, in one that is in random order as it is given, or not copied.
enum class Rows { copied, shuffled, resident };

struct Case {
  DensityKind density;
  GuideShape guide;
  std::int64_t rows, batch;
  int columns;
  bool basis;
  float reference;
  Rows kept = Rows::copied;
};

class Gradient : public ::testing::TestWithParam<Case> {};

TEST_P(Gradient, EqualsFiniteDifferencesOfTheSameNoiseElbo) {
  const Case& c = GetParam();
  auto model = testing::random_model(c.density, c.rows, c.columns, 17);
  EngineSpec& spec = model.spec;
  spec.guide = c.guide;
  spec.batch = c.batch;
  spec.reference = c.reference;
  spec.shuffled = c.kept == Rows::shuffled;
  spec.terms[0].resident = c.kept == Rows::resident;
  const auto d = static_cast<std::size_t>(spec.dimension);
  if (c.basis) spec.basis = testing::random_lambda(d * d, 5);
  for (std::size_t i = 0; i < d && c.basis; ++i) {
    for (std::size_t j = 0; j < i; ++j) spec.basis[i * d + j] = 0;
  }
  spec.lambda = testing::random_lambda(testing::lambda_size(spec), 3);
  const std::unique_ptr<Engine> engine = make_cpu_engine(spec);

  for (const std::int64_t t : {0, 3}) {
    const Engine::Estimate estimate = engine->estimate(spec.lambda, t);
    const std::vector<double> lambda(spec.lambda.begin(), spec.lambda.end());
    const double elbo = testing::elbo_in_double(spec, lambda, estimate.noise, t);
    // Single precision per row, summed in double: errors of 2^-24 times the sum of absolute values, here below 1e4.
    EXPECT_NEAR(estimate.elbo, elbo, 1e-5 * (std::abs(elbo) + static_cast<double>(c.rows)));
    double largest = 0;
    std::vector<double> expected;
    for (std::size_t p = 0; p < lambda.size(); ++p) {
      std::vector<double> moved = lambda;
      const double h = 1e-5;  // truncation h^2, rounding 1e-16 |elbo| / h: both below 1e-7 here
      moved[p] = lambda[p] + h;
      const double above = testing::elbo_in_double(spec, moved, estimate.noise, t);
      moved[p] = lambda[p] - h;
      expected.push_back((above - testing::elbo_in_double(spec, moved, estimate.noise, t)) / (2 * h));
      largest = std::max(largest, std::abs(expected.back()));
    }
    for (std::size_t p = 0; p < lambda.size(); ++p) {
      EXPECT_NEAR(estimate.gradient[p], expected[p], 1e-5 * (largest + static_cast<double>(c.rows) / 10))
          << p << " at step " << t;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Shapes, Gradient,
    ::testing::Values(Case{DensityKind::gaussian, GuideShape::fullrank, 200, 200, 5, false, 0},
                      Case{DensityKind::gaussian, GuideShape::fullrank, 200, 200, 5, false, 1},
                      Case{DensityKind::gaussian, GuideShape::meanfield, 200, 37, 4, false, 0},
                      Case{DensityKind::bernoulli_logit, GuideShape::meanfield, 131, 131, 3, true, 1},
                      Case{DensityKind::bernoulli_logit, GuideShape::fullrank, 301, 50, 7, false, 1},
                      Case{DensityKind::bernoulli_logit, GuideShape::fullrank, 301, 50, 7, false, 1, Rows::shuffled},
                      Case{DensityKind::gaussian, GuideShape::meanfield, 200, 37, 4, false, 0, Rows::resident},
                      Case{DensityKind::poisson_log, GuideShape::fullrank, 77, 77, 1, false, 0},
                      Case{DensityKind::poisson_log, GuideShape::meanfield, 1, 1, 2, true, 0},
                      Case{DensityKind::gaussian, GuideShape::fullrank, 0, 0, 3, false, 0}));

// A table kept in 16 bits is another table: the same as one that was rounded before.
TEST(Storage, RoundsTheColumnsAndNothingElse) {
  for (const Storage storage : {Storage::float16, Storage::bfloat16}) {
    auto model = testing::random_model(DensityKind::bernoulli_logit, 500, 6, 41);
    EngineSpec& spec = model.spec;
    spec.batch = 120;
    spec.lambda = testing::random_lambda(testing::lambda_size(spec), 3);
    const auto as_it_is = make_cpu_engine(spec)->estimate(spec.lambda, 0);
    spec.storage = storage;
    const auto kept = make_cpu_engine(spec)->estimate(spec.lambda, 0);
    spec.storage = Storage::float32;
    Part& dense = spec.terms[0].arguments[0].parts[0];
    dense.x = model.keep(rounded({dense.x, 500 * 6}, 6, storage));
    const auto rounded_before = make_cpu_engine(spec)->estimate(spec.lambda, 0);
    EXPECT_EQ(kept.elbo, rounded_before.elbo);
    EXPECT_EQ(kept.gradient, rounded_before.gradient);
    EXPECT_NE(kept.elbo, as_it_is.elbo);
  }
}

class Trajectory : public ::testing::TestWithParam<GuideShape> {};

TEST_P(Trajectory, SameBitsForAnyThreadCountAndAfterAnInterruption) {
  // Enough rows that several blocks exist and the loops are really spread over threads.
  auto model = testing::random_model(DensityKind::bernoulli_logit, 20011, 12, 23);
  model.spec.guide = GetParam();
  model.spec.batch = 6007;
  model.spec.samples = 14;
  model.spec.lambda = testing::random_lambda(testing::lambda_size(model.spec), 1);
  model.spec.threads = 1;
  const EngineState one = testing::run(model.spec, 40, 0);
  EXPECT_NE(one.lambda, model.spec.lambda);
  testing::expect_same_bits(one, testing::run(model.spec, 40, 0));
  for (const int threads : {2, 3}) {
    model.spec.threads = threads;
    testing::expect_same_bits(one, testing::run(model.spec, 40, 0));
  }
  for (const std::int64_t interrupted : {1, 17, 30})
    testing::expect_same_bits(one, testing::run(model.spec, 40, interrupted));
}

INSTANTIATE_TEST_SUITE_P(Guides, Trajectory, ::testing::Values(GuideShape::meanfield, GuideShape::fullrank));

TEST(Step, CountsNonFiniteDrawsAndLeavesLambdaAlone) {
  auto model = testing::random_model(DensityKind::poisson_log, 50, 2, 9);
  EngineSpec& spec = model.spec;
  spec.lambda = testing::random_lambda(testing::lambda_size(spec), 1);
  for (int i = 0; i < 2; ++i) spec.lambda[static_cast<std::size_t>(i)] = 1e30F;  // exp overflows in every draw
  const std::unique_ptr<Engine> engine = make_cpu_engine(spec);
  engine->step(0, 0.05, -1);
  const StepStatistics statistics = engine->take_statistics();
  EXPECT_EQ(statistics.nonfinite, spec.samples);
  EXPECT_EQ(statistics.steps, 0);
  EXPECT_EQ(engine->lambda(), spec.lambda);
}

TEST(Step, AnEpochTakesEveryRowOnce) {
  for (const std::int64_t rows : {1, 7, 100, 1001}) {
    for (const std::int64_t batch : {1, 3, 64, 1001}) {
      if (batch > rows) continue;
      std::int64_t next = 0;
      for (std::int64_t t = 0;; ++t) {
        const BatchRange range = batch_range(rows, batch, t);
        if (range.epoch > 0) break;
        EXPECT_EQ(range.begin, next);
        EXPECT_LE(range.end - range.begin, batch);
        next = range.end;
      }
      EXPECT_EQ(next, rows);
    }
  }
}

TEST(Step, AnEpochTakesEveryFixedBatchOnce) {
  constexpr std::int64_t rows = 1001, batch = 100;
  std::vector<std::int64_t> first, order, second;
  for (std::int64_t t = 0; t < 22; ++t) {
    const BatchRange range = fixed_batch(rows, batch, t, 7);
    EXPECT_EQ(range.begin, batch_begin(rows, 11, range.batch));
    EXPECT_EQ(range.end, batch_begin(rows, 11, range.batch + 1));
    (range.epoch == 0 ? first : second).push_back(range.batch);
  }
  EXPECT_NE(first, second);
  for (std::int64_t b = 0; b < 11; ++b) order.push_back(b);
  EXPECT_TRUE(std::ranges::is_permutation(first, order));
  EXPECT_TRUE(std::ranges::is_permutation(second, order));
}

// What the engine does with rows in any order, the caller can do before.
TEST(Step, ACopyInRandomOrderIsTheTableInThatOrder) {
  constexpr int columns = 5;
  auto model = testing::random_model(DensityKind::bernoulli_logit, 20011, columns, 29);
  EngineSpec& spec = model.spec;
  spec.batch = 3000;
  spec.lambda = testing::random_lambda(testing::lambda_size(spec), 1);
  const EngineState copied = testing::run(spec, 15, 0);
  const auto in_order = [&, order = row_order(spec)](const float* column, std::uint32_t width) {
    std::vector<float> to;
    for (std::uint32_t i = 0; i < spec.rows; ++i) {
      for (std::uint32_t k = 0; k < width; ++k) to.push_back(column[order(i) * width + k]);
    }
    return model.keep(std::move(to));
  };
  Term& data = spec.terms[0];
  data.constants[0] = in_order(data.constants[0], 1);
  data.arguments[0].offset = in_order(data.arguments[0].offset, 1);
  data.arguments[0].parts[0].x = in_order(data.arguments[0].parts[0].x, columns);
  EXPECT_NE(testing::run(spec, 15, 0).lambda, copied.lambda);
  spec.shuffled = true;
  testing::expect_same_bits(testing::run(spec, 15, 0), copied);
}

TEST(Blocks, NoNumberOfRowsMakesMoreThanTheBound) {
  for (const std::int64_t least : {1, 3, 128}) {
    for (const std::int64_t most : {1, 7, 64}) {
      for (std::int64_t rows = 0; rows < 3 * least * most; rows += least) {
        const std::int64_t bound = bound_blocks(rows, least, most);
        for (std::int64_t fewer = 0; fewer <= rows; fewer += 1 + rows / 50) {
          const BlockPlan plan = plan_blocks(fewer, least, most);
          EXPECT_LE(plan.blocks, bound) << fewer << " of " << rows;
          EXPECT_GE(plan.blocks * plan.rows_per_block, fewer);
        }
      }
    }
  }
}

}  // namespace
}  // namespace jensen
