#include "data_term_tile.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <vector>

#include "data_term_cases.hpp"
#include "term_oracle.hpp"

namespace jensen {
namespace {

/// Runs a piece of work between two barriers as the threads of a thread block might: each thread once, in any order.
class Threads {
 public:
  explicit Threads(std::uint32_t seed) : generator_(seed), order_(tile_threads) {
    std::iota(order_.begin(), order_.end(), 0);
  }
  template <class F>
  void until_barrier(F work) {
    std::shuffle(order_.begin(), order_.end(), generator_);
    for (const int thread : order_) work(thread);
  }

 private:
  std::mt19937 generator_;
  std::vector<int> order_;
};

/// The phases as kernels/backend_cuda.cuh's data_term_kernel orders them; what it does between two barriers is one
/// until_barrier here. `memory` is the block's shared memory.
template <class Density>
void play_block(const DataTermTile<Density>& tile, std::int64_t block, Threads& threads, std::vector<float>& memory) {
  const auto shared = tile.cut(memory.data());
  bool cleared = false;
  for (std::int64_t t = tile.begin(block); t < tile.end(block); t += tile.shape.rows) {
    const auto left = tile.end(block) - t;
    const int count = left < tile.shape.rows ? static_cast<int>(left) : tile.shape.rows;
    threads.until_barrier([&](int thread) {
      if (!cleared) tile.clear(block, thread);
      tile.load(shared, t, count, thread);
    });
    cleared = true;
    for (int first = 0; first < tile.out.samples; first += tile_samples) {
      const int samples = tile.out.samples - first < tile_samples ? tile.out.samples - first : tile_samples;
      threads.until_barrier([&](int thread) { tile.evaluate(shared, count, first, samples, thread); });
      threads.until_barrier([&](int thread) { tile.reduce(shared, block, count, first, samples, thread); });
    }
  }
  if (!cleared) threads.until_barrier([&](int thread) { tile.clear(block, thread); });
}

/// The term's Partials as the kernel would leave them. Shared memory is as large as asked for and starts as NaN in
/// every block, so that nothing is read that was not written, or beyond the end under a sanitizer.
std::vector<double> tile_sums(const TermCase& c, BlockPlan plan, std::int64_t shared_bytes, std::uint32_t order) {
  PoisonedPartials out(c, plan);
  const TileShape shape = tile_shape(c.term, shared_bytes);
  EXPECT_GT(shape.rows, 0);
  if (shape.rows == 0) return out.values;
  with_data_density(c.term.density, [&](auto density) {
    const DataTermTile<decltype(density)> tile{c.term, c.rows, plan, c.z.data(), c.dimension, out.view, shape};
    Threads threads(order);
    for (std::int64_t b = 0; b < plan.blocks; ++b) {
      std::vector<float> memory(static_cast<std::size_t>(shape.shared_floats()), std::nanf(""));
      play_block(tile, b, threads, memory);
    }
  });
  return out.values;
}

void expect_right(const std::vector<double>& got, const Reference& reference, const TermCase& c, std::int64_t bytes) {
  ASSERT_EQ(got.size(), reference.sums.size());
  const WorstShare worst = worst_share(got, reference);
  ASSERT_LE(worst.share, 1) << got[worst.at] << " for " << reference.sums[worst.at] << " as number " << worst.at
                            << " of " << c.shape << ", shared bytes " << bytes;
}

/// The bytes that tiles of `rows` rows need.
std::int64_t bytes_for(const Term& term, int rows) {
  TileShape shape = tile_shape(term, std::numeric_limits<std::int64_t>::max());
  shape.rows = rows;
  return shape.shared_floats() * static_cast<std::int64_t>(sizeof(float));
}

constexpr std::int64_t ample = 112 * 1024;

TEST(DataTermTile, IsTheSumInDouble) {
  std::mt19937 generator(2024);
  const auto pick = [&](const std::vector<int>& from) { return from[generator() % from.size()]; };
  for (std::uint32_t seed = 0; seed < 250; ++seed) {
    const DensityKind density = all_densities[seed % all_densities.size()];
    const TermCase c({density, pick({1, 2, 7, 31, 63, 64, 65, 127, 129, 211, 300}),
                      pick({0, 1, 2, 3, 7, 8, 9, 28, 33, 100}), pick({1, 2, 3, 15, 16, 17, 31, 33}), seed});
    const BlockPlan plan = plan_blocks(c.rows.count, pick({1, 64, 100, 128, 1000}), 64);
    const std::int64_t bytes = bytes_for(c.term, pick({1, 2, 4, 8, 32, 64}));
    const Reference reference = reference_sums(c, plan);
    expect_right(tile_sums(c, plan, bytes, seed), reference, c, bytes);
    if (HasFatalFailure()) return;
  }
}

TEST(DataTermTile, AgreesWithTheOracle) {
  for (const DensityKind density : all_densities) {
    const TermCase c({density, 333, 11, 18, 4});
    const BlockPlan plan = plan_blocks(c.rows.count, 128, 2048);
    const std::vector<double> tile = tile_sums(c, plan, ample, 1);
    const Reference reference = reference_sums(c, plan);
    PoisonedPartials out(c, plan);
    const TermOracle oracle{c.term, c.rows, plan, c.z.data(), c.dimension, out.view};
    for (std::int64_t item = 0; item < plan.blocks * c.shape.samples; ++item) oracle(item);
    for (std::size_t i = 0; i < tile.size(); ++i) {
      ASSERT_NEAR(tile[i], out.values[i], 2 * reference.room[i]) << "number " << i << " of " << c.shape;
    }
  }
}

// One owner for each sum: a race between two barriers would show as a dependence on the order of the threads.
TEST(DataTermTile, GivesTheSameBitsInAnyOrderOfThreads) {
  for (const int rows : {1, 4, 64}) {
    const TermCase c({DensityKind::gaussian, 205, 37, 35, 6});
    const BlockPlan plan = plan_blocks(c.rows.count, 150, 2048);
    const std::int64_t bytes = bytes_for(c.term, rows);
    const std::vector<double> first = tile_sums(c, plan, bytes, 1);
    for (const std::uint32_t order : {2U, 3U, 4U}) EXPECT_EQ(tile_sums(c, plan, bytes, order), first) << rows;
  }
}

TEST(DataTermTile, TakesWideRows) {
  for (const int columns : {255, 256, 300, 517}) {
    const TermCase c({DensityKind::bernoulli_logit, 70, columns, 5, 9});
    const BlockPlan plan = plan_blocks(c.rows.count, 128, 2048);
    expect_right(tile_sums(c, plan, ample, 1), reference_sums(c, plan), c, ample);
    if (HasFatalFailure()) return;
  }
}

// A block past the last row does not occur in a plan; the kernel would leave zeros there, not what memory held.
TEST(DataTermTile, WithoutRowsIsZero) {
  const TermCase c({DensityKind::poisson_log, 0, 5, 17, 3});
  for (const double value : tile_sums(c, {128, 1}, ample, 1)) EXPECT_EQ(value, 0.0);
}

TEST(DataTermTile, WithoutBlocksTouchesNothing) {
  const TermCase c({DensityKind::poisson_log, 0, 5, 17, 3});
  EXPECT_TRUE(tile_sums(c, plan_blocks(0, 128, 2048), ample, 1).empty());
}

TEST(DataTermTile, KeepsANonFiniteSampleToItself) {
  TermCase c({DensityKind::gaussian, 100, 9, 18, 5});
  const BlockPlan plan = plan_blocks(c.rows.count, 128, 2048);
  const std::vector<double> before = tile_sums(c, plan, ample, 1);
  constexpr std::size_t bad = 7;
  const auto dimension = static_cast<std::size_t>(c.dimension);
  std::fill_n(c.z.begin() + static_cast<std::ptrdiff_t>(bad * dimension), dimension, std::nanf(""));
  const std::vector<double> after = tile_sums(c, plan, ample, 1);
  const auto width = static_cast<std::size_t>(1 + c.slots());
  for (std::size_t i = 0; i < after.size(); ++i) {
    if (i / width == bad) continue;
    ASSERT_EQ(after[i], before[i]) << "number " << i;
  }
  EXPECT_TRUE(std::isnan(after[bad * width]));
}

TEST(TileShapeOf, HasTheMostRowsThatFit) {
  for (const int columns : {0, 1, 2, 31, 32, 33, 100, 400, 1000, 5000}) {
    const TermCase c({DensityKind::gaussian, 1, columns, 1, 1});
    for (int rows = 1; rows <= 64; rows *= 2) {
      const std::int64_t bytes = bytes_for(c.term, rows);
      EXPECT_EQ(tile_shape(c.term, bytes).rows, rows) << columns;
      EXPECT_EQ(tile_shape(c.term, bytes - 1).rows, rows / 2) << columns;
    }
    const TileShape shape = tile_shape(c.term, std::numeric_limits<std::int64_t>::max());
    EXPECT_EQ(shape.rows, 64);
    EXPECT_EQ(shape.columns, columns);
    EXPECT_GE(shape.stride, columns);
    EXPECT_EQ(shape.stride % 2, 1) << "rows of a warp must fall into different banks";
  }
}

TEST(TileShapeOf, IsWithoutRowsWhereNotOneFits) {
  const TermCase c({DensityKind::gaussian, 1, 100'000, 1, 1});
  EXPECT_EQ(tile_shape(c.term, ample).rows, 0);
  EXPECT_EQ(tile_shape(c.term, 0).rows, 0);
}

TEST(DensePart, IsFoundInEitherPlace) {
  Term term;
  EXPECT_EQ(dense_part_of(term), -1);
  const Part dense{PartKind::dense, 0, 2, 1, nullptr};
  term.arguments[0] = {1, {dense}, nullptr, 0};
  EXPECT_EQ(dense_part_of(term), 0);
  term.arguments[0] = {2, {Part{}, dense}, nullptr, 0};
  EXPECT_EQ(dense_part_of(term), 1);
}

}  // namespace
}  // namespace jensen
