/// \file Models with groups and thresholds on the CPU: gradients against finite differences of the same-noise ELBO,
/// determinism, resume.

#include <gtest/gtest.h>

#include "models.hpp"

namespace jensen {
namespace {

enum class Parametrization { automatic, centred, noncentred };

struct Case {
  DensityKind density;
  GuideShape guide;
  std::int64_t rows, batch;
  std::vector<int> effects;  ///< of each group
  std::int64_t levels;
  Parametrization parametrization;
  bool dense;
  bool in_head;
  bool weights;
  bool coupled = false;  ///< the first group is in the head, and the second depends on its effects
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << "density " << static_cast<int>(c.density) << ", rows " << c.rows << ", batch " << c.batch << ", groups "
             << c.effects.size() << ", levels " << c.levels;
}

/// A random model with a first group on its first argument and a second one, if there is, on its last.
struct GroupModel {
  testing::RandomModel model;
  std::vector<std::unique_ptr<std::vector<std::int32_t>>> indices;
};

GroupModel group_model(const Case& c) {
  GroupModel out{testing::random_model(c.density, c.rows, 3, 41), {}};
  EngineSpec& spec = out.model.spec;
  std::mt19937 random(7);
  std::normal_distribution<float> normal;
  const auto draws = [&](std::int64_t n, float scale) {
    std::vector<float> x(static_cast<std::size_t>(n));
    for (float& v : x) v = scale * normal(random);
    return x;
  };
  spec.guide = c.guide;
  spec.batch = c.batch;
  spec.reference = 1;
  spec.samples = 5;
  spec.dense_levels = c.dense;
  Term& data = spec.terms[0];
  if (c.weights) {
    std::vector<float> weights = draws(c.rows, 1);
    for (float& w : weights) w = std::abs(w);
    data.weights = out.model.keep(weights);
  }
  int head = spec.dimension;
  for (std::size_t g = 0; g < c.effects.size(); ++g) {
    const int q = c.effects[g];
    GroupBlock group;
    group.effects = q;
    group.levels = c.levels + static_cast<std::int64_t>(g);
    group.first_sd = head;
    for (int k = 0; k < q; ++k) group.sd[k] = {-0.3F - 0.2F * static_cast<float>(k), 0.4F};
    head += q;
    if (g == 0 && q > 1) {
      group.first_correlation = head;
      for (int k = 0; k < q * (q - 1) / 2; ++k) group.correlation[k] = {0.2F, 0.6F};
      head += q * (q - 1) / 2;
    }
    if (c.parametrization != Parametrization::noncentred) {
      std::vector<float> information;
      for (std::int64_t j = 0; j < group.levels; ++j) {
        const std::vector<float> half = draws(q * q, 1.5F);
        for (int i = 0; i < q; ++i) {
          for (int k = 0; k <= i; ++k) {
            float sum = 0;
            for (int l = 0; l < q; ++l) sum += half[i * q + l] * half[k * q + l];
            information.push_back(sum);
          }
        }
      }
      group.information = out.model.keep(information);
      group.location = out.model.keep(draws(group.levels * q, 1));
      group.coefficients = 2;
      group.first_coefficient = 1;
      if (c.coupled && g > 0) {
        group.coupled_group = 0;
        for (const GroupBlock& before : spec.groups) group.coupled += static_cast<int>(before.levels) * before.effects;
      }
      group.coupling = out.model.keep(draws(group.levels * q * (2 + group.coupled), 0.5F));
    }
    if (c.parametrization == Parametrization::centred) {
      group.centred = true;
      for (int i = 0; i < q; ++i) {
        for (int k = 0; k <= i; ++k) group.reference[packed(i, k)] = i == k ? 0.7F : 0.1F;
      }
    }
    std::vector<std::int32_t> index(static_cast<std::size_t>(c.rows));
    for (auto& level : index) level = static_cast<std::int32_t>(random() % static_cast<unsigned>(group.levels));
    out.indices.push_back(std::make_unique<std::vector<std::int32_t>>(index));
    Predictor& predictor = data.arguments[g == 1 ? data.argument_count - 1 : 0];
    Part part{PartKind::gather, 0, q, 1, q == 1 ? nullptr : out.model.keep(draws(c.rows * q, 1))};
    part.index = out.indices.back()->data();
    part.group = static_cast<int>(g);
    predictor.parts[predictor.part_count++] = part;
    spec.groups.push_back(group);
  }
  for (GroupBlock& group : spec.groups) {
    if (!c.in_head && !(c.coupled && &group == &spec.groups.front())) continue;
    group.in_head = head;
    head += static_cast<int>(group.levels) * group.effects;
  }
  spec.dimension = head;
  std::size_t size = testing::lambda_size(spec);
  for (const GroupBlock& group : spec.groups) {
    const int each = group.effects + (c.dense ? packed_size(group.effects) : group.effects);
    if (group.in_head < 0) size += static_cast<std::size_t>(group.levels * each);
  }
  spec.lambda = testing::random_lambda(size, 3);
  return out;
}

void expect_gradient(const EngineSpec& spec, std::int64_t t) {
  const std::unique_ptr<Engine> engine = make_cpu_engine(spec);
  const Engine::Estimate estimate = engine->estimate(spec.lambda, t);
  const std::vector<double> lambda(spec.lambda.begin(), spec.lambda.end());
  const auto elbo = [&](const std::vector<double>& at) {
    return testing::elbo_in_double(spec, at, estimate.noise, t, estimate.level_noise);
  };
  const double expected_elbo = elbo(lambda);
  // Single precision per row and level, summed in double: 2^-24 times the sum of absolute values, here below 1e4.
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

class LevelGradient : public ::testing::TestWithParam<Case> {};

TEST_P(LevelGradient, EqualsFiniteDifferencesOfTheSameNoiseElbo) {
  const GroupModel model = group_model(GetParam());
  for (const std::int64_t t : {0, 3}) expect_gradient(model.model.spec, t);
}

using enum Parametrization;
INSTANTIATE_TEST_SUITE_P(
    Shapes, LevelGradient,
    ::testing::Values(
        Case{DensityKind::gaussian, GuideShape::fullrank, 60, 60, {1}, 7, automatic, true, false, false},
        Case{DensityKind::gaussian, GuideShape::fullrank, 60, 60, {2}, 5, automatic, true, false, true},
        Case{DensityKind::gaussian, GuideShape::fullrank, 60, 17, {2, 1}, 5, automatic, true, false, false},
        Case{DensityKind::bernoulli_logit, GuideShape::meanfield, 60, 60, {3}, 4, automatic, false, false, false},
        Case{DensityKind::poisson_log, GuideShape::fullrank, 60, 20, {1, 1}, 9, automatic, true, false, false},
        Case{DensityKind::poisson_log, GuideShape::fullrank, 40, 40, {2}, 3, automatic, true, true, false},
        Case{DensityKind::bernoulli_logit, GuideShape::fullrank, 40, 13, {2, 1}, 3, automatic, true, true, false},
        Case{DensityKind::gaussian, GuideShape::fullrank, 60, 17, {2}, 5, centred, true, false, false},
        Case{DensityKind::gaussian, GuideShape::fullrank, 60, 60, {2}, 5, noncentred, true, false, false},
        Case{DensityKind::gaussian, GuideShape::fullrank, 1, 1, {1}, 2, automatic, true, false, false},
        Case{DensityKind::gaussian, GuideShape::fullrank, 0, 0, {1}, 2, automatic, true, false, false},
        Case{DensityKind::gaussian, GuideShape::fullrank, 60, 60, {1, 2}, 4, automatic, true, false, false, true},
        Case{DensityKind::poisson_log, GuideShape::fullrank, 60, 17, {2, 1}, 3, automatic, true, false, false, true}));

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

EngineState run(const EngineSpec& spec, std::int64_t steps, std::int64_t interrupted) {
  std::unique_ptr<Engine> engine = make_cpu_engine(spec);
  for (std::int64_t t = 0; t < steps; ++t) {
    if (t == interrupted && t > 0) {
      const EngineState state = engine->state();
      engine = make_cpu_engine(spec);
      engine->restore(state);
    }
    engine->step(t, 0.05, t >= steps / 2 ? 1 : -1);
  }
  return engine->state();
}

TEST(Levels, SameBitsForAnyThreadsAndAfterAnInterruption) {
  GroupModel model = group_model(
      {DensityKind::gaussian, GuideShape::fullrank, 5000, 1700, {2, 1}, 300, automatic, true, false, false});
  EngineSpec& spec = model.model.spec;
  spec.threads = 1;
  const EngineState one = run(spec, 12, 0);
  EXPECT_NE(one.lambda, spec.lambda);
  for (const int threads : {2, 3}) {
    spec.threads = threads;
    EXPECT_EQ(one.lambda, run(spec, 12, 0).lambda);
  }
  for (const std::int64_t interrupted : {2, 7}) {
    const EngineState other = run(spec, 12, interrupted);
    EXPECT_EQ(one.lambda, other.lambda);
    EXPECT_EQ(one.average[1], other.average[1]);
  }
}

}  // namespace
}  // namespace jensen
