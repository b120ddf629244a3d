#include "block_sum.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "backend_cpu.hpp"
#include "sum.hpp"

namespace jensen {
namespace {

/// The sums of `blocks` blocks of `width` small integers, which are exact in any order, against one plain loop.
void expect_sums(std::int64_t blocks, std::int64_t width, CpuBackend& backend) {
  std::mt19937 random(static_cast<unsigned>(blocks * 31 + width));
  std::vector<double> data(static_cast<std::size_t>(blocks * width));
  std::vector<double> expected(static_cast<std::size_t>(width));
  for (std::size_t i = 0; i < data.size(); ++i) {
    data[i] = static_cast<double>(random() % 1000);
    expected[i % expected.size()] += data[i];
  }
  const BlockSums sums = add_up_blocks(backend, "sums", data.data(), blocks, width);
  EXPECT_LE((blocks + sums.every - 1) / sums.every, blocks_together);
  for (std::int64_t v = 0; v < width; ++v) {
    EXPECT_EQ(sums.total(v), expected[static_cast<std::size_t>(v)]) << blocks << " blocks, value " << v;
  }
}

TEST(BlockSums, AreTheSumsForAnyNumberOfBlocks) {
  CpuBackend backend(2);
  for (const std::int64_t width : {1, 3, 40}) {
    for (const std::int64_t blocks :
         {0, 1, 2, 15, 16, 17, 31, 32, 33, 255, 256, 257, 271, 272, 4095, 4096, 4097, 12500}) {
      expect_sums(blocks, width, backend);
    }
  }
}

// What is beyond the chunks that have summands is not read: it is NaN here.
TEST(Chunks, OfAnyNumberAddUpToTheSum) {
  for (const std::int64_t n : {0, 1, 20, 127, 128, 129, 255, 256, 257, 1000, 12'801}) {
    const auto f = [](std::int64_t begin, std::int64_t count) {
      double total = 0;
      for (std::int64_t i = begin; i < begin + count; ++i) total += static_cast<double>(i * i % 1009);
      return total;
    };
    std::vector<double> chunks(sum_chunks, std::nan(""));
    ASSERT_LE(chunks_of(n), sum_chunks) << n;
    const SumChunk<decltype(f)> add{f, n, chunks.data()};
    for (std::int64_t c = 0; c < chunks_of(n); ++c) add(c);
    EXPECT_EQ(add_chunks(chunks.data(), n), f(0, n)) << n;  // whole numbers: exact in any order
  }
}

}  // namespace
}  // namespace jensen
