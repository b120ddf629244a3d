/// \file What a GPU does with a step, played on the CPU: launches recorded once and replayed, priors together, a small
/// model's steps as the work of one thread block.

#include <gtest/gtest.h>

#include <functional>
#include <numeric>
#include <utility>

#include "backend_cpu.hpp"
#include "data_term_plan.hpp"
#include "engine_impl.hpp"
#include "engine_states.hpp"
#include "level_models.hpp"

namespace jensen {
namespace {

/// A device that runs the items of a launch in random order, and with `record` replays launches as CUDA graphs do: with
/// the arguments that they had when they were recorded.
class PlayedBackend {
 public:
  static constexpr std::int64_t least_rows = 32;
  static constexpr std::int64_t most_blocks = 40;
  static constexpr std::int64_t level_block = 8;
  static constexpr bool small_terms_together = true;
  static constexpr bool lists_rows = true;
  static constexpr int elements_at_once = 1;

  /// `halves`: X stays in 16 bits where it is asked for, row by row as kernels read it.
  explicit PlayedBackend(bool record, bool halves = false) : record_(record), halves_(halves) {}

  bool takes_halves(const Term&) const { return halves_; }
  bool needs_row_values(const Term&) const { return false; }
  StageClock clock;
  StageClock::Scope stage(const char* name) { return {clock, name}; }
  template <class F>
  double seconds(F work) {
    return cpu_.seconds(work);
  }

  void* allocate(std::size_t bytes) { return cpu_.allocate(bytes); }
  void release(void* memory, std::size_t bytes) { cpu_.release(memory, bytes); }
  CpuBackend::Scope enter() const { return {}; }
  void accept(const Term& term) { cpu_.accept(term); }
  void* stream() const { return nullptr; }
  void upload(void* to, const void* from, std::size_t bytes) { cpu_.upload(to, from, bytes); }
  void upload_shuffled(void* to, const void* from, std::size_t row_bytes, const Shuffle& order) {
    cpu_.upload_shuffled(to, from, row_bytes, order);
  }
  void download(void* to, const void* from, std::size_t bytes) { cpu_.download(to, from, bytes); }
  template <class T>
  void set(T* to, const T& value) {
    *to = value;
  }
  void zero(void* to, std::size_t bytes) {
    launch([=, this] { cpu_.zero(to, bytes); });
  }
  template <class F>
  void for_each(const char*, std::int64_t n, F f, std::int64_t = 1) {
    launch([=, this] { in_random_order(n, f); });
  }
  template <class Guide>
  void update_parameters(const UpdateParameter<Guide>& update) {
    for_each("update", update.guide.size(), update);
  }
  void add_blocks(const char* name, const AddBlocksOfGroup& groups) { for_each(name, groups.items(), groups); }
  void fill_level_noise(const FillLevelNoise& noise) { for_each("level_noise", noise.items(), noise); }
  template <class Stage>
  void for_each_sample(const char* name, std::int64_t units, const Stage& stage_of, std::int64_t = 1) {
    for_each(name, units * stage_of.samples, stage_of);
  }
  void select_rows(const StepInput* input, std::int64_t count, std::uint32_t* rows) {
    for_each("select_rows", count, SelectRows{input, rows});
  }
  void evaluate_term(const Term& term, const Term* in_memory, RowList rows, BlockPlan plan, const float* z,
                     int dimension, Partials out) {
    launch([=, this] {
      std::vector<float> x;
      cpu_.evaluate_term(in_floats(term, x), in_memory, rows, plan, z, dimension, out);
    });
  }
  void evaluate_general_term(const Term& term, const Term* in_memory, RowList rows, BlockPlan plan, const float* z,
                             int dimension, Effects effects, RowValues values, Partials out) {
    launch([=, this] { cpu_.evaluate_general_term(term, in_memory, rows, plan, z, dimension, effects, values, out); });
  }

  template <class F>
  void replay(const ReplayKey& key, F enqueue) {
    if (!record_) return enqueue();
    for (const auto& [known, launches] : recorded_) {
      if (!(known == key)) continue;
      for (const auto& one : launches) one();
      return;
    }
    std::vector<std::function<void()>> launches;
    recording_ = &launches;
    enqueue();
    recording_ = nullptr;
    for (const auto& one : launches) one();
    recorded_.emplace_back(key, std::move(launches));
  }
  template <class Step>
  void run_steps(const Step& step, std::span<const StepInput> inputs) {
    EXPECT_LE(inputs.size(), std::size_t{most_steps_together});
    for (const StepInput& input : inputs) {
      *step.input = input;
      step.stages([&](std::int64_t items, const auto& stage) { in_random_order(items, stage); });
    }
    ++block_launches;
  }

  static inline int block_launches = 0;

 private:
  /// The term with its halves, if it has any, as floats in `x`.
  static Term in_floats(Term term, std::vector<float>& x) {
    const int dense = dense_part_of(term);
    if (dense < 0 || term.arguments[0].parts[dense].halves == nullptr) return term;
    Part& part = term.arguments[0].parts[dense];
    for (std::int64_t i = 0; i < term.rows; ++i) {
      for (int k = 0; k < part.columns; ++k) {
        const std::uint16_t half = part.halves[i * half_pitch(part.columns) + k];
        x.push_back(half_value(half, part.storage == Storage::bfloat16) * part.scale);
      }
    }
    part.halves = nullptr;
    part.x = x.data();
    return term;
  }
  template <class Work>
  void launch(Work work) {
    if (recording_ == nullptr) return work();
    recording_->emplace_back(work);
  }
  template <class F>
  void in_random_order(std::int64_t n, const F& f) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(n));
    std::iota(order.begin(), order.end(), 0);
    std::shuffle(order.begin(), order.end(), random_);
    for (const std::int64_t i : order) f(i);
  }

  CpuBackend cpu_{1};
  bool record_, halves_;
  std::mt19937 random_{11};
  std::vector<std::function<void()>>* recording_ = nullptr;
  std::vector<std::pair<ReplayKey, std::vector<std::function<void()>>>> recorded_;
};

std::unique_ptr<Engine> make_played(const EngineSpec& spec, bool record) {
  return make_engine(std::make_unique<PlayedBackend>(record), spec);
}

testing::RandomModel regression(DensityKind density, GuideShape guide, std::int64_t rows, std::int64_t batch,
                                int columns) {
  auto model = testing::random_model(density, rows, columns, 31);
  model.spec.guide = guide;
  model.spec.batch = batch;
  model.spec.reference = 1;
  model.spec.lambda = testing::random_lambda(testing::lambda_size(model.spec), 3);
  return model;
}

/// What rounding of each row's arithmetic to single precision makes of a result: 2^-24 times the sum of absolute
/// values.
double rounding(const Engine::Estimate& result, const EngineSpec& spec) {
  return 1e-6 * (std::abs(result.elbo) + 30 * static_cast<double>(spec.rows) + 100);
}

void expect_the_cpus(const EngineSpec& spec) {
  for (const std::int64_t t : {0, 3}) {
    const auto a = make_cpu_engine(spec)->estimate(spec.lambda, t);
    const auto b = make_played(spec, false)->estimate(spec.lambda, t);
    ASSERT_EQ(a.gradient.size(), b.gradient.size());
    const double error = rounding(a, spec);
    EXPECT_NEAR(a.elbo, b.elbo, error);
    for (std::size_t p = 0; p < a.gradient.size(); ++p) EXPECT_NEAR(a.gradient[p], b.gradient[p], error) << p;
  }
}

EngineState run(const EngineSpec& spec, bool record, int interrupt_every) {
  const auto engine = make_played(spec, record);
  for (std::int64_t t = 0; t < 70; ++t) {
    engine->step(t, 0.02, t < 35 ? 0 : (t < 60 ? 1 : -1));
    if (interrupt_every > 0 && t % interrupt_every == 0) engine->take_statistics();
  }
  return engine->state();
}

TEST(SmallModels, GradientIsTheCpus) {
  const int before = PlayedBackend::block_launches;
  for (const auto density : {DensityKind::gaussian, DensityKind::bernoulli_logit, DensityKind::poisson_log}) {
    for (const auto guide : {GuideShape::meanfield, GuideShape::fullrank}) {
      for (const std::int64_t rows : {0, 1, 8, 129}) {
        for (const int columns : {1, 10}) expect_the_cpus(regression(density, guide, rows, rows, columns).spec);
      }
    }
  }
  EXPECT_EQ(PlayedBackend::block_launches - before, 2 * 3 * 2 * 4 * 2) << "these models are small";
}

TEST(SmallModels, StepsTogetherAreStepsApart) {
  const int before = PlayedBackend::block_launches;
  const auto model = regression(DensityKind::gaussian, GuideShape::fullrank, 20, 20, 4);
  const EngineState together = run(model.spec, true, 0);
  EXPECT_EQ(PlayedBackend::block_launches - before, 3);  // 70 steps by 32
  EXPECT_NE(together.lambda, model.spec.lambda);
  testing::expect_same_bits(together, run(model.spec, true, 1));
  testing::expect_same_bits(together, run(model.spec, true, 7));
}

TEST(SmallModels, FollowTheCpusPath) {
  const auto model = regression(DensityKind::bernoulli_logit, GuideShape::meanfield, 30, 30, 5);
  const auto cpu = make_cpu_engine(model.spec);
  const auto played = make_played(model.spec, true);
  for (std::int64_t t = 0; t < 100; ++t) {
    cpu->step(t, 0.01, -1);
    played->step(t, 0.01, -1);
  }
  const StepStatistics a = cpu->take_statistics(), b = played->take_statistics();
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_EQ(a.nonfinite, b.nonfinite);
  EXPECT_NEAR(a.elbo_sum, b.elbo_sum, 1e-4 * std::abs(a.elbo_sum));
  const auto at = cpu->lambda(), other = played->lambda();
  // Adam divides by the gradient's own size, so rounding is amplified where a gradient is near zero, by at most a step.
  for (std::size_t p = 0; p < at.size(); ++p) EXPECT_NEAR(at[p], other[p], 0.02) << p;
}

TEST(LargerModels, GradientIsTheCpus) {
  const int before = PlayedBackend::block_launches;
  expect_the_cpus(regression(DensityKind::bernoulli_logit, GuideShape::fullrank, 5003, 5003, 12).spec);
  expect_the_cpus(regression(DensityKind::gaussian, GuideShape::meanfield, 900, 77, 3).spec);
  expect_the_cpus(regression(DensityKind::poisson_log, GuideShape::meanfield, 0, 0, 200).spec);
  EXPECT_EQ(PlayedBackend::block_launches, before);
}

using enum testing::Parametrization;

TEST(Replay, NothingOfAStepIsInTheLaunches) {
  const testing::GroupModel groups = testing::group_model(
      {DensityKind::gaussian, GuideShape::fullrank, 503, 77, {2, 1}, 30, automatic, true, false, true});
  const testing::GroupModel whole = testing::group_model(
      {DensityKind::poisson_log, GuideShape::meanfield, 99, 99, {1}, 9, automatic, false, false, false});
  const auto batches = regression(DensityKind::bernoulli_logit, GuideShape::fullrank, 1001, 300, 6);  // 250 and 251
  const auto full = regression(DensityKind::gaussian, GuideShape::meanfield, 9000, 9000, 12);
  for (const EngineSpec* spec : {&groups.model.spec, &whole.model.spec, &batches.spec, &full.spec}) {
    const EngineState replayed = run(*spec, true, 0);
    EXPECT_NE(replayed.lambda, spec->lambda);
    testing::expect_same_bits(replayed, run(*spec, false, 0));
    testing::expect_same_bits(replayed, run(*spec, true, 3));
  }
}

TEST(Storage, RowsInHalvesAreTheRoundedOnes) {
  for (const auto storage : {Storage::float16, Storage::bfloat16}) {
    for (const int columns : {1, 4, 55}) {
      for (const std::int64_t batch : {1500, 77}) {
        auto model = regression(DensityKind::bernoulli_logit, GuideShape::meanfield, 1500, batch, columns);
        model.spec.storage = storage;
        const auto halves = make_engine(std::make_unique<PlayedBackend>(false, true), model.spec);
        const auto rounded = make_played(model.spec, false);
        for (const std::int64_t t : {0, 3}) {
          const auto a = halves->estimate(model.spec.lambda, t), b = rounded->estimate(model.spec.lambda, t);
          const double error = rounding(a, model.spec);
          EXPECT_NEAR(a.elbo, b.elbo, error) << columns << " columns, batch " << batch;
          for (std::size_t p = 0; p < a.gradient.size(); ++p) {
            EXPECT_NEAR(a.gradient[p], b.gradient[p], error) << columns << " columns, batch " << batch;
          }
        }
      }
    }
  }
}

}  // namespace
}  // namespace jensen
