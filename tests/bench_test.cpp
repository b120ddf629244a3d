/// \file The benchmark as a library call: its data, its oracle, its numbers.

#include "jensen/bench.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "batches.hpp"
#include "bench/measure.hpp"
#include "bench/memory.hpp"
#include "bench/problem_spec.hpp"
#include "bench_device.hpp"
#include "jensen/errors.hpp"
#include "model/families.hpp"
#include "tolerances.hpp"

namespace jensen {
namespace {

using testing::HasSubstr;

BenchProblem problem_of(Family family, std::int64_t rows, int columns, std::int64_t levels = 0) {
  return {std::string(to_string(family)), family, rows, columns, levels};
}

/// An engine over the data, at draws near where it was made.
std::unique_ptr<Engine> engine_of(const BenchProblem& problem, const BenchData& data, int samples,
                                  ProblemSpec& filled) {
  fill_spec(problem, data, guide_of(problem, GuideKind::automatic), filled);
  filled.spec.samples = samples;
  filled.spec.batch = problem.levels > 0 ? default_batch_of(problem) : problem.rows;
  std::unique_ptr<Engine> engine = make_cpu_engine(filled.spec);
  engine->estimate(filled.spec.lambda, 0);
  return engine;
}

std::vector<float> copy_of(const float* from, std::int64_t count) {
  return from == nullptr ? std::vector<float>{} : std::vector<float>(from, from + count);
}

TEST(BenchData, IsTheSameForAnyNumberOfThreads) {
  for (const Family family : {Family::bernoulli, Family::beta, Family::cumulative, Family::negative_binomial}) {
    const BenchProblem problem = problem_of(family, 30'011, 7, family == Family::bernoulli ? 50 : 0);
    const BenchShape shape = shape_of(problem, 3);
    const auto one = make_cpu_bench(1), more = make_cpu_bench(3);
    const auto a = one->generate(shape), b = more->generate(shape);
    EXPECT_EQ(a->location, b->location);
    for (int i = 0; i < a->term.argument_count; ++i) {
      for (int p = 0; p < a->term.arguments[i].part_count; ++p) {
        const Part &x = a->term.arguments[i].parts[p], &y = b->term.arguments[i].parts[p];
        EXPECT_EQ(copy_of(x.x, problem.rows * x.columns), copy_of(y.x, problem.rows * y.columns));
        if (x.index != nullptr) {
          EXPECT_TRUE(std::equal(x.index, x.index + problem.rows, y.index));
        }
      }
    }
    for (int c = 0; c < max_constants; ++c) {
      EXPECT_EQ(copy_of(a->term.constants[c], problem.rows), copy_of(b->term.constants[c], problem.rows));
    }
  }
}

TEST(BenchData, ColumnsAreStandardNormalAndResponsesFollowTheirPredictor) {
  const std::int64_t rows = 50'000;
  const int columns = 5;
  const auto device = make_cpu_bench(2);
  const auto data = device->generate(shape_of(problem_of(Family::bernoulli, rows, columns), 1));
  const float* x = data->term.arguments[0].parts[0].x;
  double sum = 0, squares = 0, score = 0, information = 0;
  for (std::int64_t i = 0; i < rows; ++i) {
    double eta = 0;
    for (int k = 0; k < columns; ++k) {
      const auto v = static_cast<double>(x[i * columns + k]);
      sum += v;
      squares += v * v;
      eta += v * static_cast<double>(data->location[static_cast<std::size_t>(k)]);
    }
    const double probability = 1 / (1 + std::exp(-eta));
    score += (static_cast<double>(data->term.constants[0][i]) - probability) * eta;  // of a common factor of eta
    information += probability * (1 - probability) * eta * eta;
  }
  const double n = static_cast<double>(rows) * columns;
  EXPECT_LT(std::abs(sum) / std::sqrt(n), tolerance::z_one);
  EXPECT_LT(std::abs(squares - n) / std::sqrt(2 * n), tolerance::z_one);
  EXPECT_LT(std::abs(score) / std::sqrt(information), tolerance::z_one);
  EXPECT_GT(information, 0.05 * static_cast<double>(rows));  // the predictor is of size 1
}

TEST(BenchData, EveryBatchHasEveryLevel) {
  const BenchProblem problem = problem_of(Family::bernoulli, 40'007, 2, 100);
  const auto device = make_cpu_bench(2);
  const auto data = device->generate(shape_of(problem, 1));
  const std::int32_t* index = data->term.arguments[0].parts[1].index;
  const std::int64_t batches = batch_count(problem.rows, default_batch_of(problem));
  ASSERT_GT(batches, 2);
  for (std::int64_t b = 0; b < batches; ++b) {
    std::vector<int> seen(100);
    for (std::int64_t i = batch_begin(problem.rows, batches, b); i < batch_begin(problem.rows, batches, b + 1); ++i) {
      ++seen.at(static_cast<std::size_t>(index[i]));
    }
    EXPECT_GT(*std::ranges::min_element(seen), 0) << b;
  }
}

/// What bench() allows: see tolerance_of() there.
constexpr double allowed = 8.5 * tolerance::float_epsilon;

TEST(BenchCheck, EveryFamilyIsRightAtEverySample) {
  const auto device = make_cpu_bench(2);
  for (const FamilyInfo& family : all_families()) {
    SCOPED_TRACE(family.name);
    const BenchProblem problem = problem_of(family.family, 12'345, 6);
    const auto data = device->generate(shape_of(problem, 2));
    ProblemSpec filled;
    const auto engine = engine_of(problem, *data, 5, filled);
    const BenchCheck check = device->check(*engine, *data, 5, 1e9);
    EXPECT_LT(check.error, allowed);
    EXPECT_EQ(check.rows, problem.rows);
    EXPECT_EQ(check.samples, 5);
    EXPECT_EQ(check.spread_rows, 10'007);
    EXPECT_EQ(check.spread_samples, 5);
  }
}

TEST(BenchCheck, LevelsAreRightToo) {
  const auto device = make_cpu_bench(2);
  for (const FamilyInfo& family : all_families()) {
    SCOPED_TRACE(family.name);
    const BenchProblem problem = problem_of(family.family, 30'000, 4, 200);
    const auto data = device->generate(shape_of(problem, 2));
    ProblemSpec filled;
    const auto engine = engine_of(problem, *data, 3, filled);
    // A level's few rows are added up in single precision: nothing cancels there.
    EXPECT_LT(device->check(*engine, *data, 3, 1e9).error, allowed);
  }
}

TEST(BenchCheck, SumsOfOneRowAreRightToo) {
  const auto device = make_cpu_bench(2);
  for (const FamilyInfo& family : all_families()) {
    for (const unsigned seed : {1, 2, 3}) {
      SCOPED_TRACE(std::string(family.name) + ", seed " + std::to_string(seed));
      for (const BenchProblem& problem :
           {problem_of(family.family, 1, 1), problem_of(family.family, 1'000, 1, 1'000)}) {
        const auto data = device->generate(shape_of(problem, seed));
        ProblemSpec filled;
        const auto engine = engine_of(problem, *data, 64, filled);
        EXPECT_LT(device->check(*engine, *data, 64, 1e9).error, allowed) << problem.rows;
      }
    }
  }
}

TEST(BenchCheck, SeesOneRowInPlaceOfAnotherAndOneWrongResponse) {
  const BenchProblem problem = problem_of(Family::bernoulli, 9'000, 6);
  const auto device = make_cpu_bench(2);
  const auto data = device->generate(shape_of(problem, 2));
  ProblemSpec filled;
  const auto engine = engine_of(problem, *data, 4, filled);
  ASSERT_LT(device->check(*engine, *data, 4, 1e9).error, allowed);

  // From here on the oracle reads other numbers than the engine.
  Part& dense = data->term.arguments[0].parts[0];
  const float* x = dense.x;
  std::vector<float> moved = copy_of(x, problem.rows * 6);
  std::copy_n(x + 101 * 6, 6, moved.begin() + 100 * 6);
  dense.x = moved.data();
  EXPECT_GT(device->check(*engine, *data, 4, 1e9).error, 4 * allowed);

  dense.x = x;
  std::vector<float> y = copy_of(data->term.constants[0], problem.rows);
  y[4321] = 1 - y[4321];
  data->term.constants[0] = y.data();
  EXPECT_GT(device->check(*engine, *data, 4, 1e9).error, 4 * allowed);
}

TEST(BenchCheck, SeesOneWrongLevel) {
  const BenchProblem problem = problem_of(Family::bernoulli, 20'000, 4, 200);
  const auto device = make_cpu_bench(2);
  const auto data = device->generate(shape_of(problem, 2));
  ProblemSpec filled;
  const auto engine = engine_of(problem, *data, 3, filled);
  Part& gather = data->term.arguments[0].parts[1];
  std::vector<std::int32_t> index(gather.index, gather.index + problem.rows);
  index[12'345] = (index[12'345] + 1) % 200;
  gather.index = index.data();
  EXPECT_GT(device->check(*engine, *data, 3, 1e9).error, 4 * allowed);
}

TEST(ResidentTerms, StepAsCopiedOnesDo) {
  for (const std::int64_t levels : {0, 60}) {
    const BenchProblem problem = problem_of(Family::poisson, 20'000, 6, levels);
    const auto device = make_cpu_bench(2);
    const auto data = device->generate(shape_of(problem, 2));
    ProblemSpec filled;
    fill_spec(problem, *data, guide_of(problem, GuideKind::automatic), filled);
    filled.spec.samples = 3;
    filled.spec.batch = default_batch_of(problem);
    ASSERT_TRUE(filled.spec.terms[0].resident);
    const auto in_place = make_cpu_engine(filled.spec);
    filled.spec.terms[0].resident = false;
    const auto copied = make_cpu_engine(filled.spec);
    for (std::int64_t t = 0; t < 5; ++t) {
      in_place->step(t, 0.01, -1);
      copied->step(t, 0.01, -1);
    }
    EXPECT_EQ(in_place->lambda(), copied->lambda());
    EXPECT_NE(in_place->lambda(), filled.spec.lambda);
  }
}

TEST(StageTimes, AreOfStagesThatRanAndNoMoreThanAll) {
  const BenchProblem problem = problem_of(Family::gaussian, 3'000, 4);
  const auto device = make_cpu_bench(2);
  const auto data = device->generate(shape_of(problem, 2));
  ProblemSpec filled;
  const auto engine = engine_of(problem, *data, 3, filled);
  engine->step(0, 0.01, -1);
  EXPECT_TRUE(engine->take_stages().empty());  // nobody asked
  engine->time_stages(true);
  const auto begin = std::chrono::steady_clock::now();
  engine->step(1, 0.01, -1);
  engine->step(2, 0.01, -1);
  engine->take_statistics();
  const double all = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  double sum = 0;
  std::int64_t data_calls = 0;
  for (const StageTime& stage : engine->take_stages()) {
    EXPECT_GT(stage.calls, 0) << stage.name;
    EXPECT_GE(stage.seconds, 0) << stage.name;
    sum += stage.seconds;
    if (stage.name == "gaussian") data_calls = stage.calls;
  }
  EXPECT_EQ(data_calls, 2);
  EXPECT_GT(sum, 0);
  EXPECT_LE(sum, all);
  EXPECT_TRUE(engine->take_stages().empty());  // asked for a moment ago
}

TEST(Measure, TakesQuartilesByNearestRank) {
  const BenchTime t = quartiles({5, 1, 4, 2, 3});
  EXPECT_EQ(t.low, 2);
  EXPECT_EQ(t.median, 3);
  EXPECT_EQ(t.high, 4);
  EXPECT_EQ(t.repeats, 5);
  EXPECT_EQ(quartiles({7}).median, 7);
}

TEST(Measure, MakesShortWorkLongEnoughAndStopsWhenTheBudgetIsSpent) {
  int between = 0, calls = 0;
  const BenchTime t = measure(
      [&](int count) {
        calls = count;
        return 0x1p-20 * count;
      },
      {.wanted = 5, .least = 3, .budget = 100}, 1, [&] { ++between; });
  EXPECT_EQ(t.repeats, 5);
  EXPECT_EQ(between, 5);
  EXPECT_EQ(calls, 2098);  // 2 ms of 2^-20 s each, and no less
  EXPECT_EQ(t.median, 0x1p-20);
  EXPECT_EQ(measure([](int) { return 1.0; }, {.wanted = 50, .least = 3, .budget = -1}).repeats, 3);
}

TEST(Memory, FewerRowsWhereItIsShort) {
  BenchProblem problem = problem_of(Family::bernoulli, 11'000'000, 28);
  const double all = bytes_needed(problem, 64);
  EXPECT_GT(all, 4.0 * 11'000'000 * 29);
  EXPECT_EQ(rows_that_fit(problem, 64, all), problem.rows);
  const std::int64_t half = rows_that_fit(problem, 64, all / 2);
  EXPECT_GT(half, 2'000'000);
  EXPECT_LT(half, 6'000'000);
  problem.rows = half;
  EXPECT_LE(bytes_needed(problem, 64), all / 2);
  ++problem.rows;
  EXPECT_GT(bytes_needed(problem, 64), all / 2);
  EXPECT_EQ(rows_that_fit(problem, 64, 1000), 0);
}

TEST(Memory, OfThisMachineIsKnown) {
  EXPECT_GT(available_memory(), 1e6);
  EXPECT_GE(last_cache_bytes(), 1U << 15U);
}

TEST(Bench, SuitesHaveTheSameShapes) {
  const auto quick = bench_problems(BenchSuite::quick), full = bench_problems(BenchSuite::full);
  ASSERT_EQ(quick.size(), full.size());
  for (std::size_t i = 0; i < full.size(); ++i) {
    EXPECT_EQ(quick[i].columns, full[i].columns);
    EXPECT_EQ(quick[i].family, full[i].family);
    EXPECT_LE(quick[i].rows, full[i].rows);
    EXPECT_EQ(quick[i].levels > 0, full[i].levels > 0);
  }
}

TEST(Bench, RefusesWhatItCannotMeasure) {
  const auto refused = [](auto change, const char* part) {
    BenchOptions options;
    options.device = DeviceKind::cpu;
    options.problem = problem_of(Family::bernoulli, 100, 3);
    change(options);
    try {
      bench(options);
      ADD_FAILURE() << part;
    } catch (const InputError& error) {
      EXPECT_THAT(error.what(), HasSubstr(part));
    }
  };
  refused([](BenchOptions& o) { o.problem->rows = 0; }, "0 rows (--rows)");
  refused([](BenchOptions& o) { o.problem->rows = std::int64_t{1} << 40; }, "(--rows)");
  refused([](BenchOptions& o) { o.problem->columns = -1; }, "-1 columns (--cols)");
  refused([](BenchOptions& o) { o.samples = {1, 0}; }, "0 samples (--samples)");
  refused([](BenchOptions& o) { o.samples = {1025}; }, "1025 samples");
  refused([](BenchOptions& o) { o.threads = -1; }, "(--threads)");
  refused([](BenchOptions& o) { o.repeats = -1; }, "(--repeats)");
  refused([](BenchOptions& o) { o.problem->levels = 101; }, "101 levels");
  refused(
      [](BenchOptions& o) {
        o.problem->columns = 3000;
        o.guide = GuideKind::fullrank;
      },
      "use meanfield");
}

struct Told : BenchObserver {
  void measuring(const std::string&, int done, int all) override {
    EXPECT_EQ(done, calls++);
    EXPECT_LT(done, all);
    last = all;
  }
  void limits_measured(const BenchResult& r) override {
    EXPECT_GT(r.limits.read_bandwidth, 0);
    ++limits;
  }
  void case_measured(const BenchCaseResult&) override { ++cases; }
  int calls = 0, last = 0, limits = 0, cases = 0;
};

TEST(Bench, EveryNumberFollowsFromTheTimes) {
  BenchOptions options;
  options.device = DeviceKind::cpu;
  options.problem = problem_of(Family::poisson, 20'000, 12);
  options.samples = {1, 4};
  options.repeats = 3;
  options.threads = 2;
  Told told;
  const BenchResult r = bench(options, &told);
  EXPECT_EQ(told.calls, told.last);
  EXPECT_EQ(told.limits, 1);
  EXPECT_EQ(told.cases, 1);
  EXPECT_EQ(r.suite, "own");
  EXPECT_EQ(r.threads, 2);
  EXPECT_GT(r.limits.copy_bandwidth, 0);
  EXPECT_GT(r.limits.fp32_rate, 0);
  EXPECT_GT(r.limits.matrix_rate, 0);
  ASSERT_EQ(r.cases.size(), 1U);
  const BenchCaseResult& c = r.cases[0];
  EXPECT_EQ(c.refused, "");
  EXPECT_EQ(c.parameters, 12);
  ASSERT_EQ(c.passes.size(), 2U);
  for (const BenchPass& p : c.passes) {
    const double s = p.samples;
    EXPECT_GT(p.time.median, 0);
    EXPECT_LE(p.time.low, p.time.median);
    EXPECT_GE(p.time.high, p.time.median);
    EXPECT_EQ(p.time.repeats, 3);
    EXPECT_EQ(p.bytes, 4.0 * 20'000 * (12 + 2));  // y and log y
    EXPECT_EQ(p.operations, 4.0 * 20'000 * 12 * s);
    EXPECT_DOUBLE_EQ(p.rows_per_second * p.time.median, 20'000);
    EXPECT_DOUBLE_EQ(p.row_samples_per_second * p.time.median, 20'000 * s);
    EXPECT_DOUBLE_EQ(p.bytes_per_second * p.time.median, p.bytes);
    EXPECT_DOUBLE_EQ(p.operations_per_second * p.time.median, p.operations);
    EXPECT_TRUE(p.in_cache);  // a megabyte
    EXPECT_GT(p.bandwidth, 0);
    const double of_memory = p.bytes / p.bandwidth, of_arithmetic = p.operations / p.rate;
    EXPECT_DOUBLE_EQ(p.floor, std::max(of_memory, of_arithmetic));
    EXPECT_EQ(p.limit, of_memory > of_arithmetic ? BenchLimit::memory : BenchLimit::arithmetic);
    EXPECT_DOUBLE_EQ(p.fraction * p.time.median, p.floor);
    EXPECT_LE(p.error, p.tolerance);
  }
  ASSERT_EQ(c.steps.size(), 4U);  // all rows, and minibatches
  for (const BenchSteps& s : c.steps) {
    EXPECT_TRUE(s.batch == 20'000 || s.batch == 8'192);
    EXPECT_DOUBLE_EQ(s.steps_per_second * s.time.median, 1);
    const double rows = s.batch == 20'000 ? 20'000 : 20'000.0 / 3;  // the mean of three minibatches
    EXPECT_DOUBLE_EQ(s.row_samples_per_second * s.time.median, rows * s.samples);
    EXPECT_EQ(s.nonfinite, 0);
    double sum = 0;
    for (const BenchStage& stage : s.stages) sum += stage.seconds;
    EXPECT_GT(sum, 0);
    EXPECT_LE(sum, s.staged_seconds);
  }
}

}  // namespace
}  // namespace jensen
