/// \file Models with groups and thresholds on the CPU: gradients against finite differences of the same-noise ELBO,
/// determinism, resume.

#include <gtest/gtest.h>

#include "engine_states.hpp"
#include "level_models.hpp"

namespace jensen {
namespace {

void expect_gradient(const EngineSpec& spec, std::int64_t t) {
  const std::unique_ptr<Engine> engine = make_cpu_engine(spec);
  const Engine::Estimate estimate = engine->estimate(spec.lambda, t);
  const std::vector<double> lambda(spec.lambda.begin(), spec.lambda.end());
  const auto elbo = [&](const std::vector<double>& at) {
    return testing::elbo_in_double(spec, at, estimate.noise, t, estimate.level_noise);
  };
  const double expected_elbo = elbo(lambda);
  // Single precision per row and level, summed in double: 2^-24 times the sum of absolute values. Where a draw's
  // exponentials make that huge, they also multiply the rounding of what is in them: such draws are no cases. 1e7 =
  // exp(16), and 16 rounds by 1e-6.
  ASSERT_LT(std::abs(expected_elbo), 1e7);
  EXPECT_NEAR(estimate.elbo, expected_elbo, 1e-5 * (std::abs(expected_elbo) + static_cast<double>(spec.rows)));
  std::vector<double> expected;
  double largest = 0;
  for (std::size_t p = 0; p < lambda.size(); ++p) {
    std::vector<double> moved = lambda;
    const double h = 1e-5;  // truncation h^2, rounding 1e-16 |elbo| / h: both below 1e-7 here
    moved[p] = lambda[p] + h;
    const double above = elbo(moved);
    moved[p] = lambda[p] - h;
    expected.push_back((above - elbo(moved)) / (2 * h));
    largest = std::max(largest, std::abs(expected.back()));
  }
  ASSERT_EQ(estimate.gradient.size(), lambda.size());
  for (std::size_t p = 0; p < lambda.size(); ++p) {
    EXPECT_NEAR(estimate.gradient[p], expected[p], 1e-5 * (largest + static_cast<double>(spec.rows) / 10))
        << p << " at step " << t;
  }
}

using testing::group_model;
using testing::GroupModel;
using testing::LevelCase;

class LevelGradient : public ::testing::TestWithParam<LevelCase> {};

TEST_P(LevelGradient, EqualsFiniteDifferencesOfTheSameNoiseElbo) {
  const GroupModel model = group_model(GetParam());
  for (const std::int64_t t : {0, 3}) expect_gradient(model.model.spec, t);
}

using enum testing::Parametrization;
INSTANTIATE_TEST_SUITE_P(
    Shapes, LevelGradient,
    ::testing::Values(
        LevelCase{DensityKind::gaussian, GuideShape::fullrank, 60, 60, {1}, 7, automatic, true, false, false},
        LevelCase{DensityKind::gaussian, GuideShape::fullrank, 60, 60, {2}, 5, automatic, true, false, true},
        LevelCase{DensityKind::gaussian, GuideShape::fullrank, 60, 17, {2, 1}, 5, automatic, true, false, false},
        LevelCase{DensityKind::bernoulli_logit, GuideShape::meanfield, 60, 60, {3}, 4, automatic, false, false, false},
        LevelCase{DensityKind::poisson_log, GuideShape::fullrank, 60, 20, {1, 1}, 9, automatic, true, false, false},
        LevelCase{DensityKind::poisson_log, GuideShape::fullrank, 40, 40, {2}, 3, automatic, true, true, false},
        LevelCase{DensityKind::bernoulli_logit, GuideShape::fullrank, 40, 13, {2, 1}, 3, automatic, true, true, false},
        LevelCase{DensityKind::gaussian, GuideShape::fullrank, 60, 17, {2}, 5, centred, true, false, false},
        LevelCase{DensityKind::gaussian, GuideShape::fullrank, 60, 60, {2}, 5, noncentred, true, false, false},
        LevelCase{DensityKind::gaussian, GuideShape::fullrank, 1, 1, {1}, 2, automatic, true, false, false},
        LevelCase{DensityKind::gaussian, GuideShape::fullrank, 0, 0, {1}, 2, automatic, true, false, false},
        LevelCase{DensityKind::gaussian, GuideShape::fullrank, 60, 60, {1, 2}, 6, automatic, true, false, false, true},
        LevelCase{
            DensityKind::poisson_log, GuideShape::fullrank, 60, 17, {2, 1}, 3, automatic, true, false, false, true},
        LevelCase{
            DensityKind::gaussian, GuideShape::fullrank, 60, 60, {1, 2}, 6, automatic, true, false, false, false, true},
        LevelCase{DensityKind::poisson_log,
                  GuideShape::fullrank,
                  60,
                  17,
                  {2, 1, 2},
                  4,
                  automatic,
                  true,
                  false,
                  false,
                  false,
                  true},
        LevelCase{DensityKind::bernoulli_logit,
                  GuideShape::fullrank,
                  60,
                  17,
                  {1, 2, 1},
                  3,
                  centred,
                  true,
                  false,
                  false,
                  true,
                  true},
        LevelCase{DensityKind::gaussian,
                  GuideShape::meanfield,
                  60,
                  17,
                  {1, 1},
                  5,
                  noncentred,
                  false,
                  false,
                  false,
                  false,
                  true}));

TEST(Thresholds, GradientEqualsFiniteDifferences) {
  auto model = testing::random_model(DensityKind::bernoulli_logit, 50, 4, 3);
  EngineSpec& spec = model.spec;  // coordinates 1 .. 3 are thresholds
  OrderedBlock block;
  block.first = 1;
  block.count = 3;
  for (int k = 0; k < 3; ++k) block.shift[k] = -0.5F + 0.3F * static_cast<float>(k);
  block.matrix = model.keep({0.5F, 0.1F, 0, 0.2F, 0.7F, -0.1F, 0.3F, 0, 0.6F});
  spec.ordered = {block};
  spec.reference = 1;
  for (const std::int64_t batch : {50, 20}) {
    spec.batch = batch;
    spec.lambda = testing::random_lambda(testing::lambda_size(spec), 3);
    for (const std::int64_t t : {0, 3}) expect_gradient(spec, t);
  }
}

TEST(Levels, SameBitsForAnyThreadsAndAfterAnInterruption) {
  GroupModel model = group_model(
      {DensityKind::gaussian, GuideShape::fullrank, 5000, 1700, {2, 1}, 300, automatic, true, false, false});
  EngineSpec& spec = model.model.spec;
  spec.threads = 1;
  const EngineState one = testing::run(spec, 12, 0);
  EXPECT_NE(one.lambda, spec.lambda);
  for (const int threads : {2, 3}) {
    spec.threads = threads;
    EXPECT_EQ(one.lambda, testing::run(spec, 12, 0).lambda);
  }
  for (const std::int64_t interrupted : {2, 7}) {
    const EngineState other = testing::run(spec, 12, interrupted);
    EXPECT_EQ(one.lambda, other.lambda);
    EXPECT_EQ(one.average[1], other.average[1]);
  }
}

}  // namespace
}  // namespace jensen
