#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "data_term_cases.hpp"
#include "data_term_play.hpp"
#include "general_term.hpp"
#include "term_oracle.hpp"

namespace jensen {
namespace {

using testing::ampere;
using testing::hopper;
using testing::play;

/// Priors stand at the end: the kernel does not take them.
const std::vector<DensityKind> response_densities(all_densities.begin(),
                                                  std::find_if(all_densities.begin(), all_densities.end(), is_prior));

struct How {
  bool split = true;
  int shared_bytes = hopper;
  std::uint32_t order = 1;
};

std::vector<double> block_sums(const TermCase& c, BlockPlan plan, const How& how = {}) {
  PoisonedPartials out(c, plan);
  DataTermWork work = data_term_work(c.term, c.rows, plan, c.z.data(), c.dimension, out.view,
                                     tile_plan(c.term, c.shape.samples, plan.rows_per_block, how.shared_bytes));
  work.split = how.split;
  play(work, how.order);
  return out.values;
}

std::vector<double> oracle_sums(const TermCase& c, BlockPlan plan) {
  PoisonedPartials out(c, plan);
  const TermOracle oracle{&c.term, c.rows, plan, c.z.data(), c.dimension, out.view};
  for (std::int64_t item = 0; item < plan.blocks * c.shape.samples; ++item) oracle(item);
  return out.values;
}

void expect_right(const std::vector<double>& got, const Reference& reference, const TermCase& c) {
  ASSERT_EQ(got.size(), reference.sums.size());
  const WorstShare worst = worst_share(got, reference);
  ASSERT_LE(worst.share, 1) << got[worst.at] << " for " << reference.sums[worst.at] << " as number " << worst.at
                            << " of " << c.shape;
}

TEST(DataTermBlock, IsTheSumInDouble) {
  std::mt19937 generator(2024);
  const auto pick = [&](const std::vector<int>& from) { return from[generator() % from.size()]; };
  for (std::uint32_t seed = 0; seed < 150; ++seed) {
    const DensityKind density = response_densities[seed % response_densities.size()];
    const TermCase c({density, pick({1, 2, 7, 31, 63, 64, 65, 127, 129, 211, 300}),
                      pick({0, 1, 2, 3, 4, 5, 7, 8, 9, 16, 17, 28, 33, 34, 55, 100}),
                      pick({1, 1, 2, 3, 8, 9, 15, 16, 17, 33}), seed});
    const BlockPlan plan = plan_blocks(c.rows.count, pick({1, 64, 100, 128, 1000}), 8);
    expect_right(block_sums(c, plan, {true, seed % 2 == 0 ? hopper : ampere, seed}), reference_sums(c, plan), c);
    if (HasFatalFailure()) return;
  }
}

TEST(DataTermBlock, AgreesWithTheOracle) {
  for (const DensityKind density : response_densities) {
    const TermCase c({density, 333, 11, 18, 4});
    const BlockPlan plan = plan_blocks(c.rows.count, 128, 2048);
    const std::vector<double> tiles = block_sums(c, plan);
    const std::vector<double> plain = oracle_sums(c, plan);
    const Reference reference = reference_sums(c, plan);
    for (std::size_t i = 0; i < tiles.size(); ++i) {
      ASSERT_NEAR(tiles[i], plain[i], 2 * reference.room[i]) << "number " << i << " of " << c.shape;
    }
  }
}

/// Sizes that fill each bucket, with as few rows as they allow.
struct WideShape {
  int columns, samples;
};
TEST(DataTermBlock, TakesEveryBucket) {
  std::vector<bool> seen(tile_bucket_count);
  for (const WideShape& s : {WideShape{128, 7}, WideShape{120, 16}, WideShape{100, 27}, WideShape{90, 64},
                             WideShape{129, 8}, WideShape{129, 15}, WideShape{512, 9}, WideShape{512, 64},
                             WideShape{500, 40}, WideShape{1000, 17}, WideShape{1000, 3}, WideShape{700, 16},
                             WideShape{520, 30}, WideShape{3, 256}, WideShape{0, 130}, WideShape{255, 70}}) {
    for (const int shared_bytes : {hopper, ampere}) {
      if (s.columns == 1000 && shared_bytes == ampere) continue;  // does not fit
      const TermCase c({DensityKind::bernoulli_logit, 37, s.columns, s.samples, 9});
      const BlockPlan plan = plan_blocks(c.rows.count, 30, 2048);
      seen[static_cast<std::size_t>(tile_plan(c.term, s.samples, plan.rows_per_block, shared_bytes).bucket)] = true;
      expect_right(block_sums(c, plan, {true, shared_bytes, 1}), reference_sums(c, plan), c);
      if (HasFatalFailure()) return;
    }
  }
  EXPECT_THAT(seen, ::testing::Each(true));
}

/// With X in either 16-bit format, against the sums of the rounded X.
void expect_right_in_16_bits(TermCase& c, const BlockPlan& plan, const How& how) {
  Part& part = c.term.arguments[0].parts[dense_part_of(c.term)];
  for (const Storage storage : {Storage::float16, Storage::bfloat16}) {
    const Halves halves = to_halves(c.x, part.columns, storage);
    const std::vector<float> near = rounded(c.x, part.columns, storage);
    part.x = near.data();
    const Reference reference = reference_sums(c, plan);
    part.halves = halves.values.data();
    part.storage = storage;
    part.scale = halves.scale;
    expect_right(block_sums(c, plan, how), reference, c);
    part.halves = nullptr;
    part.x = c.x.data();
    part.scale = 1;
    if (::testing::Test::HasFatalFailure()) return;
  }
}

// One sample: a thread has a row.
TEST(DataTermRows, IsTheSumInDouble) {
  std::uint32_t seed = 500;
  for (const int columns : {1, 2, 3, 4, 5, 8, 12, 27, 28, 31, 32, 33, 40, 55, 56, 61, 64}) {
    for (const int rows : {1, 100, 300, 777}) {
      const DensityKind density = response_densities[seed % response_densities.size()];
      TermCase c({density, rows, columns, 1, seed++});
      const BlockPlan plan = plan_blocks(rows, seed % 2 == 0 ? 64 : 500, 8);
      ASSERT_GT(tile_plan(c.term, 1, plan.rows_per_block, ampere).row_columns, 0) << columns;
      expect_right(block_sums(c, plan, {true, seed % 3 == 0 ? hopper : ampere, seed}), reference_sums(c, plan), c);
      if (HasFatalFailure()) return;
      expect_right_in_16_bits(c, plan, {true, hopper, seed});
      if (HasFatalFailure()) return;
    }
  }
}

TEST(DataTermRows, TakesLongBlocks) {
  const TermCase c({DensityKind::gaussian, 128 * tile_threads + 1001, 3, 1, 12});
  const BlockPlan plan{c.rows.count, 1};
  expect_right(block_sums(c, plan), reference_sums(c, plan), c);
}

// Two to eight samples and few columns: a warp has eight rows.
TEST(DataTermEight, IsTheSumInDouble) {
  std::uint32_t seed = 900;
  for (const int columns : {1, 2, 3, 5, 8, 13, 16, 17, 24, 28, 31, 32, 33, 40, 47, 55, 56, 63, 64}) {
    for (const int rows : {1, 63, 333, 777}) {
      const DensityKind density = response_densities[seed % response_densities.size()];
      const int samples = 2 + static_cast<int>(seed % 7);
      TermCase c({density, rows, columns, samples, seed++});
      const BlockPlan plan = plan_blocks(rows, seed % 3 == 0 ? 64 : seed % 3 == 1 ? 301 : 900, 8);
      const int shared_bytes = seed % 2 == 0 ? hopper : ampere;
      ASSERT_GT(tile_plan(c.term, samples, plan.rows_per_block, shared_bytes).eight_columns, 0) << columns;
      const Reference floats = reference_sums(c, plan);
      expect_right(block_sums(c, plan, {true, shared_bytes, seed}), floats, c);
      if (HasFatalFailure()) return;
      // Both factors of a product are rounded by 2^-11, where the room is for float's 2^-24.
      EXPECT_LT(worst_share(block_sums(c, plan, {false, shared_bytes, seed}), floats).share, 0x1p13) << c.shape;
      expect_right_in_16_bits(c, plan, {true, shared_bytes, seed});
      if (HasFatalFailure()) return;
    }
  }
}

TEST(DataTermEight, TakesEveryDensity) {
  for (const DensityKind density : response_densities) {
    const TermCase c({density, 333, 11, 7, 4});
    const BlockPlan plan = plan_blocks(c.rows.count, 200, 2048);
    expect_right(block_sums(c, plan), reference_sums(c, plan), c);
    if (HasFatalFailure()) return;
  }
}

TEST(DataTermEight, TakesLongBlocks) {
  const TermCase c({DensityKind::gaussian, tile_warps * flush_rows + 1001, 3, 2, 12});
  const BlockPlan plan{c.rows.count, 1};
  expect_right(block_sums(c, plan), reference_sums(c, plan), c);
}

/// More rows than are summed in float: the registers are emptied on the way.
TEST(DataTermBlock, TakesLongBlocks) {
  for (const int samples : {1, 9}) {
    const TermCase c({DensityKind::poisson_log, 3 * flush_rows + 77, 5, samples, 12});
    const BlockPlan plan{c.rows.count, 1};
    expect_right(block_sums(c, plan), reference_sums(c, plan), c);
    if (HasFatalFailure()) return;
  }
}

// One owner for each sum, and every read after a barrier or a wait: else the bits would depend on the order in which
// threads run.
TEST(DataTermBlock, GivesTheSameBitsInAnyOrderOfThreads) {
  for (const auto& [columns, samples] :
       {WideShape{37, 35}, WideShape{28, 1}, WideShape{28, 8}, WideShape{55, 3}, WideShape{300, 5}, WideShape{0, 3}}) {
    const TermCase c({DensityKind::gaussian, 405, columns, samples, 6});
    const BlockPlan plan = plan_blocks(c.rows.count, 350, 2048);
    const std::vector<double> first = block_sums(c, plan);
    for (const std::uint32_t order : {2U, 3U, 4U}) {
      EXPECT_EQ(block_sums(c, plan, {true, hopper, order}), first) << c.shape;
    }
  }
}

TEST(DataTermBlock, WithoutRowsIsZero) {
  for (const int samples : {1, 8, 17}) {
    const TermCase c({DensityKind::poisson_log, 0, 5, samples, 3});
    for (const double value : block_sums(c, {128, 1})) EXPECT_EQ(value, 0.0);
  }
}

TEST(DataTermBlock, KeepsANonFiniteSampleToItself) {
  for (const bool split : {true, false}) {
    for (const int samples : {8, 18}) {
      TermCase c({DensityKind::gaussian, 100, 9, samples, 5});
      const BlockPlan plan = plan_blocks(c.rows.count, 128, 2048);
      const How how{split, hopper, 1};
      const std::vector<double> before = block_sums(c, plan, how);
      constexpr std::size_t bad = 7;
      const auto dimension = static_cast<std::size_t>(c.dimension);
      for (const float value : {std::nanf(""), tf32::number(0x7FFFFFFFU), std::numeric_limits<float>::infinity()}) {
        std::fill_n(c.z.begin() + static_cast<std::ptrdiff_t>(bad * dimension), dimension, value);
        const std::vector<double> after = block_sums(c, plan, how);
        const auto width = static_cast<std::size_t>(1 + c.slots());
        for (std::size_t i = 0; i < after.size(); ++i) {
          if (i / width == bad) continue;
          ASSERT_EQ(after[i], before[i]) << "number " << i << " of " << c.shape;
        }
        EXPECT_FALSE(std::isfinite(after[bad * width]));
      }
    }
  }
}

// 0 times a density that is no number is none either: a broken row is not hidden by its weight.
TEST(DataTermBlock, AWeightOfZeroHidesNoNan) {
  for (const int samples : {1, 8, 18}) {
    TermCase c({DensityKind::gaussian, 100, 9, samples, 5});
    std::vector<float> weights(static_cast<std::size_t>(c.term.rows), 1.0F);
    c.term.weights = weights.data();
    const BlockPlan plan = plan_blocks(c.rows.count, 128, 2048);
    const std::int64_t row = c.rows[c.rows.count - 1];
    weights[static_cast<std::size_t>(row)] = 0;
    for (const double value : block_sums(c, plan)) ASSERT_TRUE(std::isfinite(value));
    c.constants[0][static_cast<std::size_t>(row)] = std::nanf("");
    const std::vector<double> sums = block_sums(c, plan);
    for (int s = 0; s < samples; ++s) EXPECT_TRUE(std::isnan(sums[static_cast<std::size_t>(s) * (1 + c.slots())])) << s;
  }
}

/// A hierarchical model's term: weights, and effects of two groups' levels beside the dense part.
TEST(DataTermBlock, GathersEffectsAndLeavesDerivatives) {
  std::mt19937 generator(8);
  std::normal_distribution<float> normal;
  struct Shape {
    DensityKind density;
    int samples;
    bool listed;
  };
  for (const auto& [density, samples, listed] :
       {Shape{DensityKind::negative_binomial_log, 11, false}, Shape{DensityKind::negative_binomial_log, 11, true},
        Shape{DensityKind::bernoulli_logit, 5, false}, Shape{DensityKind::negative_binomial_log, 8, true}}) {
    TermCase c({density, 230, 6, samples, 13});
    const auto table = static_cast<std::size_t>(c.term.rows);
    constexpr std::int32_t levels = 9;
    constexpr std::int64_t stride = 13;  // samples from effect to effect, and from row to row of the derivatives
    std::vector<std::int32_t> index(table);
    for (auto& i : index) i = static_cast<std::int32_t>(generator() % levels);
    std::vector<float> covariates(table * 2), weights(table), effects(4 * levels * stride);
    for (auto* values : {&covariates, &weights, &effects}) {
      for (float& v : *values) v = 0.4F * normal(generator);
    }
    for (float& w : weights) w = std::abs(w);
    Predictor& first = c.term.arguments[0];
    first.parts[first.part_count++] = {PartKind::gather, 0, 1, 1, nullptr, index.data(), 0, 0};
    first.parts[first.part_count++] = {PartKind::gather, 0, 2, 1, covariates.data(), index.data(), levels, 1};
    c.term.weights = weights.data();
    if (!listed) c.rows = {nullptr, c.rows.count, 3};
    ASSERT_GE(c.term.rows, c.rows.count + 3);
    ASSERT_TRUE(has_tile_shape(c.term));

    const auto count = static_cast<std::size_t>(c.rows.count);
    const BlockPlan plan = plan_blocks(c.rows.count, 100, 2048);
    PoisonedPartials got(c, plan), want(c, plan);
    std::vector<float> got_values(3 * count * stride, -7.0F), want_values(got_values);
    const RowValues got_rows{got_values.data(), c.rows.count, stride},
        want_rows{want_values.data(), c.rows.count, stride};
    DataTermWork work = data_term_work(c.term, c.rows, plan, c.z.data(), c.dimension, got.view,
                                       tile_plan(c.term, c.shape.samples, plan.rows_per_block, hopper));
    work.effects = {effects.data(), stride};
    work.derivative = got_rows.derivative(0);
    work.derivative_stride = stride;
    play(work, 1);

    const EvaluateRows evaluate{&c.term, c.rows, c.z.data(), c.dimension, work.effects, c.shape.samples, want_rows};
    for (std::int64_t i = 0; i < c.rows.count * c.shape.samples; ++i) evaluate(i);
    const SumRowValues sum{&c.term, c.rows, plan, want_rows, want.view};
    for (std::int64_t i = 0; i < plan.blocks * (1 + c.slots()) * c.shape.samples; ++i) sum(i);
    // Each row's numbers are of order ten, rounded a handful of times on both sides.
    const double room = 2 * 10 * tolerance::density_float;
    for (std::size_t i = 0; i < count * stride; ++i) {
      ASSERT_NEAR(got_rows.derivative(0)[i], want_rows.derivative(0)[i], room) << i;
    }
    for (std::size_t i = 0; i < got.values.size(); ++i) ASSERT_NEAR(got.values[i], want.values[i], 100 * room) << i;
  }
}

// X in 16 bits: the sums are those of the floats that the bits stand for.
TEST(DataTermBlock, TakesHalves) {
  std::uint32_t seed = 70;
  for (const Storage storage : {Storage::float16, Storage::bfloat16}) {
    for (const int columns : {1, 3, 4, 8, 16, 27, 28, 55, 64, 130, 520}) {
      for (const bool split : {true, false}) {
        TermCase c({split ? DensityKind::bernoulli_logit : DensityKind::gaussian, columns > 100 ? 40 : 150, columns,
                    columns % 3 == 0 ? 20 : 5, ++seed});
        const Halves halves = to_halves(c.x, columns, storage);
        c.x = rounded(c.x, columns, storage);
        Part& part = c.term.arguments[0].parts[dense_part_of(c.term)];
        part.x = c.x.data();  // for the reference
        const BlockPlan plan = plan_blocks(c.rows.count, 100, 2048);
        const Reference reference = reference_sums(c, plan);
        part.halves = halves.values.data();
        part.storage = storage;
        part.scale = halves.scale;
        const std::vector<double> got = block_sums(c, plan, {split, hopper, seed});
        if (split) {
          expect_right(got, reference, c);
        } else {  // both factors of a product have 2^-11 of rounding or less, where the room is for float's 2^-24
          EXPECT_LT(worst_share(got, reference).share, 0x1p13) << c.shape;
        }
        if (HasFatalFailure()) return;
      }
    }
  }
}

// A table too wide for shared memory, in passes over some columns at a time.
TEST(DataTermBlock, TakesWideTablesInPasses) {
  struct Wide {
    int columns, at_once, samples;
  };
  std::uint32_t seed = 300;
  for (const Wide& w : {Wide{37, 16, 5}, Wide{96, 32, 1}, Wide{100, 48, 70}, Wide{30, 64, 3}, Wide{1501, 512, 9}}) {
    for (const Storage storage : {Storage::float32, Storage::float16}) {
      const DensityKind density = response_densities[seed % response_densities.size()];
      TermCase c({density, 150, w.columns, w.samples, ++seed});
      Part& part = c.term.arguments[0].parts[dense_part_of(c.term)];
      Halves halves;
      if (storage != Storage::float32) {
        halves = to_halves(c.x, w.columns, storage);
        c.x = rounded(c.x, w.columns, storage);
        part.x = c.x.data();
      }
      const BlockPlan plan = plan_blocks(c.rows.count, 90, 2048);
      const Reference reference = reference_sums(c, plan);
      if (storage != Storage::float32) {
        part.halves = halves.values.data();
        part.scale = halves.scale;
        part.storage = storage;
      }
      PoisonedPartials out(c, plan);
      const std::int64_t stride = w.samples + 2;
      std::vector<float> kept(static_cast<std::size_t>(2 * c.rows.count * stride), std::nanf(""));
      DataTermWork work = data_term_work(c.term, c.rows, plan, c.z.data(), c.dimension, out.view,
                                         tile_plan(c.term, w.samples, plan.rows_per_block, hopper, w.at_once));
      work.partial = kept.data();
      work.derivative = kept.data() + c.rows.count * stride;
      work.derivative_stride = stride;
      int launches = 0;
      in_passes(work, w.columns, w.at_once, [&](DataTermWork& pass, int columns) {
        pass.plan = tile_plan(c.term, w.samples, plan.rows_per_block, hopper, columns);
        play(pass, seed);
        ++launches;
      });
      EXPECT_EQ(launches, 2 * ((w.columns + w.at_once - 1) / w.at_once));
      expect_right(out.values, reference, c);
      if (HasFatalFailure()) return;
    }
  }
}

}  // namespace
}  // namespace jensen
