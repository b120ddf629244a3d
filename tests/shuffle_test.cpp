#include "shuffle.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "data_term_cpu_isa.hpp"
#include "tolerances.hpp"

namespace jensen {
namespace {

std::vector<std::uint32_t> order(std::uint32_t n, std::uint64_t seed, std::uint64_t epoch) {
  const Shuffle shuffle(n, seed, epoch);
  std::vector<std::uint32_t> result;
  for (std::uint32_t i = 0; i < n; ++i) result.push_back(shuffle(i));
  return result;
}

bool is_permutation_of_indices(const std::vector<std::uint32_t>& values) {
  std::vector<bool> seen(values.size());
  for (const std::uint32_t value : values) {
    if (value >= values.size() || seen[value]) return false;
    seen[value] = true;
  }
  return true;
}

TEST(Shuffle, IsABijectionOfEverySize) {
  for (std::uint32_t n = 1; n <= 300; ++n) {
    for (std::uint64_t epoch = 0; epoch < 4; ++epoch) {
      ASSERT_TRUE(is_permutation_of_indices(order(n, 3 * n + epoch, epoch))) << "n " << n << ", epoch " << epoch;
    }
  }
  // Around powers of two and of four, where the number of bits changes, and odd sizes between.
  for (const std::uint32_t n : {511U, 512U, 513U, 1023U, 1024U, 1025U, 4095U, 4096U, 4097U, 10'007U, 16'385U, 65'535U,
                                65'536U, 65'537U, 99'991U, 100'003U}) {
    for (std::uint64_t epoch = 0; epoch < 2; ++epoch) {
      ASSERT_TRUE(is_permutation_of_indices(order(n, 12345, epoch))) << "n " << n << ", epoch " << epoch;
    }
  }
}

/// The vectors' walk is the scalar one, for every instruction set that this processor has.
TEST(Shuffle, RangesAreTheSameImages) {
  std::vector<decltype(&baseline::shuffle_range)> ranges{&baseline::shuffle_range};
#if defined(__x86_64__)
  if (processor_runs_avx2()) ranges.push_back(&avx2::shuffle_range);
  if (processor_runs_avx512()) ranges.push_back(&avx512::shuffle_range);
#endif
  for (const auto range : ranges) {
    for (const std::uint32_t n : {1U, 7U, 64U, 65U, 1023U, 1025U, 40'000U, 65'537U, 0x80000001U, 0xfffffffeU}) {
      const Shuffle shuffle(n, 5, 1);
      for (const std::uint32_t count : {0U, 1U, 17U, 1024U, 2500U}) {
        const std::uint32_t used = std::min(count, n);
        for (const std::uint32_t first : {0U, n - used}) {
          std::vector<std::uint32_t> images(used), want;
          for (std::uint32_t i = 0; i < used; ++i) want.push_back(shuffle(first + i));
          range(shuffle, first, used, images.data());
          ASSERT_EQ(images, want) << "n " << n << ", from " << first;
        }
      }
    }
  }
}

// The table of all images would not fit in a test; below n is what the walk must ensure.
TEST(Shuffle, StaysInsideTheLargestSizes) {
  for (const std::uint32_t n : {0x7fffffffU, 0x80000001U, 0xffffffffU}) {
    const Shuffle shuffle(n, 1, 2);
    std::set<std::uint32_t> images;
    for (std::uint32_t i = 0; i < 1000; ++i) {
      images.insert(shuffle(i));
      images.insert(shuffle(n - 1 - i));
    }
    EXPECT_EQ(images.size(), 2000U);
    EXPECT_LT(*images.rbegin(), n);
  }
}

TEST(Shuffle, IsAFunctionOfItsArguments) { EXPECT_EQ(order(1000, 5, 6), order(1000, 5, 6)); }

TEST(Shuffle, DiffersBetweenSeedsAndEpochs) {
  std::set<std::vector<std::uint32_t>> orders;
  for (const std::uint64_t seed : {0ULL, 1ULL, 2ULL, 1ULL << 63U}) {
    for (std::uint64_t epoch = 0; epoch < 20; ++epoch) orders.insert(order(1000, seed, epoch));
  }
  EXPECT_EQ(orders.size(), 80U);
}

// Number of fixed points between two orders: 1 in the mean, nearly Poisson, if they are independent.
TEST(Shuffle, OrdersOfSuccessiveEpochsAgreeAtFewPositions) {
  constexpr std::uint32_t n = 1001;
  int agreements = 0;
  constexpr int pairs = 400;
  for (std::uint64_t epoch = 0; epoch < pairs; ++epoch) {
    const auto one = order(n, 9, epoch);
    const auto next = order(n, 9, epoch + 1);
    for (std::uint32_t i = 0; i < n; ++i) agreements += one[i] == next[i] ? 1 : 0;
  }
  EXPECT_NEAR(agreements, pairs, tolerance::z_one * std::sqrt(pairs));
}

// Every row is equally likely at every position, so that a minibatch is a fair sample of the rows.
TEST(Shuffle, PutsEveryRowAtEveryPositionEquallyOften) {
  constexpr int trials = 20'000;
  for (const std::uint32_t n : {2U, 3U, 5U, 7U, 10U, 17U, 33U}) {
    for (const bool by_epoch : {false, true}) {
      std::vector<int> count(static_cast<std::size_t>(n) * n);
      for (std::uint64_t t = 0; t < trials; ++t) {
        const Shuffle shuffle = by_epoch ? Shuffle(n, 1, t) : Shuffle(n, t, 0);
        for (std::uint32_t i = 0; i < n; ++i) ++count[static_cast<std::size_t>(i) * n + shuffle(i)];
      }
      const double probability = 1.0 / n;
      const double deviation = std::sqrt(trials * probability * (1 - probability));
      double worst = 0;
      for (const int c : count) worst = std::max(worst, std::abs(c - trials * probability) / deviation);
      EXPECT_LT(worst, tolerance::z_many) << "n " << n << (by_epoch ? ", epochs" : ", seeds");
    }
  }
}

// Two rows share a minibatch as often as chance has it.
TEST(Shuffle, PutsTwoRowsIntoOneBatchAsOftenAsChance) {
  constexpr std::uint32_t n = 1000;
  constexpr std::uint32_t batch = 100;
  constexpr int trials = 2000;
  const std::vector<std::uint32_t> others{1, 2, 16, 31, 32, 500, 999};
  std::vector<int> together(others.size());
  for (std::uint64_t epoch = 0; epoch < trials; ++epoch) {
    const auto rows = order(n, 42, epoch);
    std::vector<std::uint32_t> position(n);
    for (std::uint32_t i = 0; i < n; ++i) position[rows[i]] = i;
    for (std::size_t k = 0; k < others.size(); ++k) {
      together[k] += position[0] / batch == position[others[k]] / batch ? 1 : 0;
    }
  }
  const double probability = (batch - 1.0) / (n - 1.0);
  const double deviation = std::sqrt(trials * probability * (1 - probability));
  for (std::size_t k = 0; k < others.size(); ++k) {
    EXPECT_NEAR(together[k], trials * probability, tolerance::z_one * deviation) << "rows 0 and " << others[k];
  }
}

// If an epoch's keys were the last epoch's moved on by one, its network would be the last one's moved on by one round:
// of the row numbers at positions (l, r), l any, the low halves would next be the high halves at positions (r, any).
TEST(Shuffle, EpochsAreNotOneNetworkMovedOnByARound) {
  constexpr std::uint32_t half = 5;
  constexpr std::uint32_t side = 1U << half;
  for (std::uint64_t seed = 0; seed < 8; ++seed) {
    for (std::uint64_t epoch = 0; epoch < 8; ++epoch) {
      for (std::uint64_t later = epoch + 1; later < epoch + 4; ++later) {
        const auto one = order(side * side, seed, epoch);
        const auto next = order(side * side, seed, later);
        std::uint32_t alike = 0;
        for (std::uint32_t r = 0; r < side; ++r) {
          std::vector<std::uint32_t> low, high;
          for (std::uint32_t i = 0; i < side; ++i) {
            low.push_back(one[(i << half) | r] & (side - 1));
            high.push_back(next[(r << half) | i] >> half);
          }
          std::sort(low.begin(), low.end());
          std::sort(high.begin(), high.end());
          alike += low == high ? 1U : 0U;
        }
        EXPECT_EQ(alike, 0U) << "seed " << seed << ", epochs " << epoch << " and " << later;
      }
    }
  }
}

}  // namespace
}  // namespace jensen
