/// \file cuRAND's generator, which CUDA files use, compiled for the host: no GPU is needed.

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

#include "noise.hpp"

namespace jensen {
namespace {

// Host and device must draw the same numbers.
TEST(Philox, OfCurandIsThatOfTheHost) {
  std::mt19937 generator(20240601);
  const auto word = [&] { return static_cast<std::uint32_t>(generator()); };
  for (int i = 0; i < 100'000; ++i) {
    const Words counter{{word(), word(), word(), word()}};
    const std::uint64_t key = (std::uint64_t{word()} << 32U) | word();
    const Words one = philox(counter, key);
    const Words other = philox_portable(counter, key);
    ASSERT_TRUE(std::equal(one.w, one.w + 4, other.w)) << "input " << i;
  }
}

}  // namespace
}  // namespace jensen
