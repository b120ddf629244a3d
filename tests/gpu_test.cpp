/// \file The GPU against the CPU. Labelled gpu; skipped, visibly, where there is none.

#include <gtest/gtest.h>

#include <cmath>

#include "bench/problem_spec.hpp"
#include "bench_device.hpp"
#include "data_term_cases.hpp"
#include "level_models.hpp"
#include "limits.hpp"
#include "model/families.hpp"
#include "own_densities.hpp"

namespace jensen {
namespace {

class Gpu : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string reason;
    if (cuda_devices(reason).empty()) GTEST_SKIP() << "no GPU: " << reason;
  }
};

EngineSpec& prepare(testing::RandomModel& model, GuideShape guide, std::int64_t batch) {
  model.spec.guide = guide;
  model.spec.batch = batch;
  model.spec.reference = 1;
  model.spec.lambda = testing::random_lambda(testing::lambda_size(model.spec), 3);
  return model.spec;
}

/// Both round each row's arithmetic to single precision: 2^-24 times the sum of absolute values, of order `size`. As
/// these are of either sign, the gradient as a whole is nearer: within some 1e-6 of its norm, where factors rounded as
/// TF32 would leave 1e-4.
void expect_equal(const Engine::Estimate& cpu, const Engine::Estimate& gpu, double size) {
  EXPECT_NEAR(cpu.elbo, gpu.elbo, 1e-5 * size);
  double norm = 0, error = 0;
  for (std::size_t p = 0; p < cpu.gradient.size(); ++p) {
    const auto want = static_cast<double>(cpu.gradient[p]);
    EXPECT_NEAR(want, gpu.gradient[p], 1e-5 * size) << p;
    norm = std::hypot(norm, want);
    error = std::hypot(error, static_cast<double>(gpu.gradient[p]) - want);
  }
  EXPECT_LE(error, 2e-5 * norm);
}

/// So many steps on both. From the second on the GPU's come out of a graph.
void expect_same_trajectories(const EngineSpec& spec, std::int64_t steps) {
  const auto run = [&](std::unique_ptr<Engine> engine) {
    for (std::int64_t t = 0; t < steps; ++t) engine->step(t, 0.01, -1);
    return engine->lambda();
  };
  const auto cpu = run(make_cpu_engine(spec));
  const auto gpu = run(make_cuda_engine(spec));
  EXPECT_EQ(gpu, run(make_cuda_engine(spec)));
  // Adam divides by the gradient's own size, so rounding is amplified where a gradient is near zero, by at most a step.
  for (std::size_t p = 0; p < cpu.size(); ++p) EXPECT_NEAR(cpu[p], gpu[p], 0.02) << p;
}

TEST_F(Gpu, GradientsEqualTheCpus) {
  for (const auto density : {DensityKind::gaussian, DensityKind::bernoulli_logit, DensityKind::poisson_log}) {
    for (const auto guide : {GuideShape::meanfield, GuideShape::fullrank}) {
      for (const std::int64_t rows : {0, 1, 129, 5003}) {
        for (const int columns : {1, 28, 300}) {
          auto model = testing::random_model(density, rows, columns, 31);
          const EngineSpec& spec = prepare(model, guide, rows > 1000 ? 777 : rows);
          const auto a = make_cpu_engine(spec)->estimate(spec.lambda, 1);
          const auto b = make_cuda_engine(spec)->estimate(spec.lambda, 1);
          expect_equal(a, b, std::abs(a.elbo) + 10 * static_cast<double>(rows) * columns);
        }
      }
    }
  }
}

/// u = A w + b before the terms, and coordinates in ascending order among them; with an anchor if fewer than all rows.
TEST_F(Gpu, GradientsThroughTheAffineMapEqualTheCpus) {
  for (const auto guide : {GuideShape::meanfield, GuideShape::fullrank}) {
    for (const bool ascending : {false, true}) {
      for (const std::int64_t rows : {1, 129, 5003}) {
        auto model = testing::random_model(DensityKind::bernoulli_logit, rows, 12, 31);
        EngineSpec& spec = prepare(model, guide, rows > 1000 ? 777 : rows);
        const auto d = static_cast<std::size_t>(spec.dimension);
        spec.affine = true;
        spec.transforms.assign(d, CoordinateTransform::identity);
        for (const std::size_t i : {1, 2, 3, 7}) {
          if (ascending) spec.transforms[i] = CoordinateTransform::increment;
        }
        std::vector<double> matrix(d * d), shift(d, 0.25);
        for (std::size_t i = 0; i < d; ++i) {
          for (std::size_t j = i; j < d; ++j) matrix[i * d + j] = i == j ? 0.75 : 0.0625;
        }
        const auto cpu = make_cpu_engine(spec), gpu = make_cuda_engine(spec);
        cpu->set_affine(matrix, shift, spec.basis);
        gpu->set_affine(matrix, shift, spec.basis);
        const auto a = cpu->estimate(spec.lambda, 1), b = gpu->estimate(spec.lambda, 1);
        // A coordinate of an ascending run moves all that are above it.
        expect_equal(a, b, std::abs(a.elbo) + 40 * static_cast<double>(rows) * 12);
      }
    }
  }
}

TEST_F(Gpu, GradientsOfModelsWithGroupsEqualTheCpus) {
  using enum testing::Parametrization;
  for (const testing::LevelCase& c :
       {testing::LevelCase{
            DensityKind::gaussian, GuideShape::fullrank, 5003, 777, {2}, 300, automatic, true, false, true},
        testing::LevelCase{
            DensityKind::poisson_log, GuideShape::meanfield, 999, 999, {1, 3}, 40, automatic, false, false, false},
        testing::LevelCase{
            DensityKind::bernoulli_logit, GuideShape::fullrank, 801, 100, {2, 1}, 20, centred, true, false, false},
        testing::LevelCase{
            DensityKind::gaussian, GuideShape::fullrank, 999, 333, {1, 2}, 9, automatic, true, false, false, true},
        testing::LevelCase{DensityKind::gaussian,
                           GuideShape::fullrank,
                           999,
                           333,
                           {1, 2, 1},
                           70,
                           automatic,
                           true,
                           false,
                           false,
                           false,
                           true}}) {
    const testing::GroupModel model = testing::group_model(c);
    const EngineSpec& spec = model.model.spec;
    const auto a = make_cpu_engine(spec)->estimate(spec.lambda, 1);
    const auto b = make_cuda_engine(spec)->estimate(spec.lambda, 1);
    SCOPED_TRACE(c);
    expect_equal(a, b, std::abs(a.elbo) + 30 * static_cast<double>(spec.rows));
  }
}

/// Every bucket of the data term's kernels (kernels/data_term_plan.hpp), scattered and contiguous rows, and every
/// format.
struct DataTermCase {
  int columns, samples;
};
TEST_F(Gpu, DataTermsOfEveryBucketEqualTheCpus) {
  for (const auto& [columns, samples] :
       {DataTermCase{28, 1}, DataTermCase{28, 2}, DataTermCase{55, 8}, DataTermCase{100, 7}, DataTermCase{64, 15},
        DataTermCase{40, 30}, DataTermCase{100, 60}, DataTermCase{300, 8}, DataTermCase{300, 14}, DataTermCase{500, 31},
        DataTermCase{512, 64}, DataTermCase{800, 3}, DataTermCase{800, 30}, DataTermCase{0, 5},
        DataTermCase{1300, 9}}) {
    for (const Storage storage : {Storage::float32, Storage::float16, Storage::bfloat16}) {
      auto model = testing::random_model(DensityKind::bernoulli_logit, 3001, std::max(columns, 1), 77);
      if (columns == 0) model.spec.terms[0].arguments[0].part_count = 0;
      for (const std::int64_t batch : {3001, 500}) {
        EngineSpec& spec = prepare(model, GuideShape::meanfield, batch);
        spec.samples = samples;
        spec.storage = storage;
        const auto a = make_cpu_engine(spec)->estimate(spec.lambda, 1);
        const auto b = make_cuda_engine(spec)->estimate(spec.lambda, 1);
        SCOPED_TRACE(::testing::Message() << columns << " columns, " << samples << " samples");
        const double size = std::abs(a.elbo) + 10.0 * 3001;  // a predictor is of order ten
        expect_equal(a, b, size);
        EXPECT_EQ(b.gradient, make_cuda_engine(spec)->estimate(spec.lambda, 1).gradient);
        spec.precision = Precision::tf32;
        const auto c = make_cuda_engine(spec)->estimate(spec.lambda, 1);
        spec.precision = Precision::fp32;
        // TF32 rounds factors by 2^-11 where float does by 2^-24.
        for (std::size_t p = 0; p < a.gradient.size(); ++p) {
          EXPECT_NEAR(a.gradient[p], c.gradient[p], 1e-3 * size) << p;
        }
      }
    }
  }
}

TEST_F(Gpu, DataTermsOfEveryDensityEqualTheCpus) {
  for (const auto density : {DensityKind::student_t, DensityKind::binomial_probit, DensityKind::negative_binomial_log,
                             DensityKind::gamma_log, DensityKind::beta_logit, DensityKind::cumulative_logit}) {
    const TermCase c({density, 2000, 17, 9, 3});
    EngineSpec spec;
    spec.terms = {c.term};
    spec.dimension = c.dimension;
    spec.rows = spec.batch = c.term.rows;
    spec.samples = 9;
    spec.guide = GuideShape::meanfield;
    spec.lambda = testing::random_lambda(testing::lambda_size(spec), 3);
    if (density == DensityKind::cumulative_logit) spec.terms[0].arguments[2].constant = 6;  // thresholds in order
    const auto a = make_cpu_engine(spec)->estimate(spec.lambda, 1);
    const auto b = make_cuda_engine(spec)->estimate(spec.lambda, 1);
    SCOPED_TRACE(density_name(density));
    expect_equal(a, b, std::abs(a.elbo) + 30 * static_cast<double>(spec.rows));
  }
}

/// A user's likelihood goes by tiles, a prior and one of five arguments row by row.
TEST_F(Gpu, TrajectoriesOfOwnDensitiesStayTogetherAndRepeatBitForBit) {
  auto model = testing::random_model(DensityKind::poisson_log, 5003, 17, 23);
  const EngineSpec& spec = prepare(model, GuideShape::meanfield, 777);
  Term& likelihood = model.spec.terms[0];
  Term& prior = model.spec.terms[1];
  likelihood.density = prior.density = DensityKind::custom;
  prior.custom = &density<own::NormalPriorByDuals>();
  for (const bool five : {false, true}) {
    likelihood.custom = five ? &density<own::TwoNormals>() : &density<own::PoissonByDuals>();
    if (five) {
      likelihood.argument_count = 5;
      for (int a = 1; a < 5; ++a) {
        likelihood.arguments[a].part_count = 1;
        likelihood.arguments[a].parts[0].first = a;
      }
    }
    const Engine::Estimate a = make_cpu_engine(spec)->estimate(spec.lambda, 1);
    expect_equal(a, make_cuda_engine(spec)->estimate(spec.lambda, 1), std::abs(a.elbo) + 30.0 * 5003);
    expect_same_trajectories(spec, 60);
  }
}

TEST_F(Gpu, TrajectoriesStayTogetherAndRepeatBitForBit) {
  auto model = testing::random_model(DensityKind::bernoulli_logit, 20011, 12, 23);
  const EngineSpec& spec = prepare(model, GuideShape::fullrank, 6007);
  expect_same_trajectories(spec, 200);
}

// 32 steps go in one launch of one block; a report between them must not change what they do.
TEST_F(Gpu, TrajectoriesOfSmallModelsStayTogetherAndRepeatBitForBit) {
  for (const auto guide : {GuideShape::meanfield, GuideShape::fullrank}) {
    auto model = testing::random_model(DensityKind::gaussian, 8, 10, 23);
    const EngineSpec& spec = prepare(model, guide, 8);
    const auto run = [&](std::unique_ptr<Engine> engine, std::int64_t report_every) {
      for (std::int64_t t = 0; t < 200; ++t) {
        engine->step(t, 0.01, t < 100 ? 0 : 1);
        if (t % report_every == 0) engine->take_statistics();
      }
      return engine->state();
    };
    const EngineState cpu = run(make_cpu_engine(spec), 50);
    const EngineState gpu = run(make_cuda_engine(spec), 50);
    const EngineState other = run(make_cuda_engine(spec), 7);
    EXPECT_EQ(gpu.lambda, other.lambda);
    EXPECT_EQ(gpu.average[1], other.average[1]);
    for (std::size_t p = 0; p < cpu.lambda.size(); ++p) EXPECT_NEAR(cpu.lambda[p], gpu.lambda[p], 0.02) << p;
  }
}

// Each fixed batch has a recorded step of its own.
TEST_F(Gpu, TrajectoriesOfModelsWithGroupsStayTogetherAndRepeatBitForBit) {
  using enum testing::Parametrization;
  const testing::GroupModel model = testing::group_model(
      {DensityKind::gaussian, GuideShape::fullrank, 5003, 777, {2, 1}, 60, automatic, true, false, true});
  const EngineSpec& spec = model.model.spec;
  expect_same_trajectories(spec, 60);
}

/// Logits of categories, each with coefficients of its own: row by row.
TEST_F(Gpu, TrajectoriesOfManyArgumentsStayTogetherAndRepeatBitForBit) {
  constexpr int columns = 6, logits = 9;
  auto model = testing::random_model(DensityKind::poisson_log, 5003, columns, 23);
  Term& data = model.spec.terms[0];
  data.density = DensityKind::categorical;
  data.argument_count = logits;
  for (int k = 1; k < logits; ++k) {
    data.arguments[k] = data.arguments[0];
    data.arguments[k].parts[0].first = k * columns;
  }
  model.spec.dimension = logits * columns;
  const EngineSpec& spec = prepare(model, GuideShape::meanfield, 777);
  expect_same_trajectories(spec, 60);
}

TEST_F(Gpu, EvaluationEqualsTheCpus) {
  auto model = testing::random_model(DensityKind::gaussian, 3001, 9, 5);
  const EngineSpec& spec = prepare(model, GuideShape::fullrank, 3001);
  const Evaluation a = make_cpu_engine(spec)->evaluate(spec.lambda, 40);
  const Evaluation b = make_cuda_engine(spec)->evaluate(spec.lambda, 40);
  ASSERT_EQ(a.log_joint.size(), 40U);
  for (std::size_t s = 0; s < 40; ++s) {
    EXPECT_NEAR(a.log_joint[s], b.log_joint[s], 1e-5 * (std::abs(a.log_joint[s]) + 3001));
    EXPECT_NEAR(a.noise_squared[s], b.noise_squared[s], 1e-4);
  }
}

// Data made on the GPU, terms that are there already, and the benchmark's oracle.
TEST_F(Gpu, EveryFamilyIsRightOnDataMadeThere) {
  const auto device = make_cuda_bench();
  for (const FamilyInfo& family : all_families()) {
    for (const std::int64_t levels : {0, 300}) {
      if (levels > 0 && family.family != Family::bernoulli) continue;
      SCOPED_TRACE(family.name);
      const BenchProblem problem{"", family.family, 30'011, 30, levels};
      const auto data = device->generate(shape_of(problem, 2));
      ProblemSpec filled;
      fill_spec(problem, *data, guide_of(problem, GuideKind::automatic), filled);
      filled.spec.samples = 8;
      filled.spec.batch = levels > 0 ? default_batch_of(problem) : problem.rows;
      const auto engine = make_cuda_engine(filled.spec);
      engine->estimate(filled.spec.lambda, 0);
      EXPECT_LT(device->check(*engine, *data, 8, 1e9).error, 1e-5);  // single precision, or what keeps as much
      EXPECT_GT(engine->time_passes(2), 0);
    }
  }
}

TEST_F(Gpu, LimitsAreMeasured) {
  const auto probe = make_cuda_probe();
  EXPECT_GT(probe->read_bandwidth(), 1e10);  // any GPU of compute capability 8.0 has more
  EXPECT_GT(probe->copy_bandwidth(), 1e10);
  EXPECT_GT(probe->fp32_rate(), 1e12);
  EXPECT_GT(probe->matrix_rate(), 1e12);
  EXPECT_GT(probe->cache_bytes(), 0U);
  EXPECT_GT(probe->free_memory(), 0U);
  EXPECT_GE(cuda_versions().driver, cuda_versions().runtime / 1000 * 1000);  // a driver runs its own major version
}

TEST_F(Gpu, StagesAreTimedOnlyWhenAsked) {
  auto model = testing::random_model(DensityKind::poisson_log, 20011, 12, 23);
  const EngineSpec& spec = prepare(model, GuideShape::fullrank, 6007);
  const auto run = [&](bool timed) {
    const auto engine = make_cuda_engine(spec);
    engine->time_stages(timed);
    for (std::int64_t t = 0; t < 20; ++t) engine->step(t, 0.01, -1);
    const std::vector<float> lambda = engine->lambda();
    double seconds = 0;
    for (const StageTime& stage : engine->take_stages()) seconds += stage.seconds;
    EXPECT_EQ(seconds > 0, timed);
    return lambda;
  };
  EXPECT_EQ(run(true), run(false));  // one by one or from a graph: the same steps
}

}  // namespace
}  // namespace jensen
