#include "formats.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

namespace jensen {
namespace {

bool finite_half(std::uint32_t h, bool bfloat) {
  const std::uint32_t exponent = bfloat ? 0x7F80U : 0x7C00U;
  return (h & exponent) != exponent;
}

TEST(Halves, KnownValues) {
  EXPECT_EQ(half_value(0x3C00, false), 1.0F);
  EXPECT_EQ(half_value(0xC000, false), -2.0F);
  EXPECT_EQ(half_value(0x3555, false), 0.333251953125F);
  EXPECT_EQ(half_value(0x0001, false), 0x1p-24F);
  EXPECT_EQ(half_value(0x03FF, false), 0x3FFp-24F);
  EXPECT_EQ(half_value(0x7BFF, false), 65504.0F);
  EXPECT_EQ(half_value(0x3F80, true), 1.0F);
  EXPECT_EQ(half_value(0xC049, true), -3.140625F);
}

TEST(Halves, EachIsNearestToItself) {
  for (const bool bfloat : {false, true}) {
    for (std::uint32_t h = 0; h < 0x10000U; ++h) {
      // float16 beyond 2^15 is never asked for: to_halves() scales.
      if (!finite_half(h, bfloat) ||
          (!bfloat && std::abs(half_value(static_cast<std::uint16_t>(h), false)) > 0x1p15F)) {
        continue;
      }
      ASSERT_EQ(nearest_half(half_value(static_cast<std::uint16_t>(h), bfloat), bfloat), h) << h;
    }
  }
}

TEST(Halves, AreNearestAndTiesGoToEven) {
  for (const bool bfloat : {false, true}) {
    for (std::uint32_t h = 0; h < (bfloat ? 0x7F7FU : 0x7800U); ++h) {
      const float below = half_value(static_cast<std::uint16_t>(h), bfloat);
      const float above = half_value(static_cast<std::uint16_t>(h + 1), bfloat);
      const float middle = below + (above - below) / 2;
      ASSERT_EQ(nearest_half(middle, bfloat), h % 2 == 0 ? h : h + 1) << h;
      ASSERT_EQ(nearest_half(std::nextafter(middle, 0.0F), bfloat), h);
      ASSERT_EQ(nearest_half(std::nextafter(middle, above), bfloat), h + 1);
      ASSERT_EQ(nearest_half(-std::nextafter(middle, above), bfloat), (h + 1) | 0x8000U);
    }
  }
}

TEST(Halves, KeepTheirBitsWhateverTheColumnsUnit) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  for (const float unit : {1e-30F, 1e-5F, 1.0F, 7e4F, 1e30F}) {
    std::vector<float> x(300);
    for (float& v : x) v = unit * normal(random);
    for (const Storage storage : {Storage::float16, Storage::bfloat16}) {
      const std::vector<float> near = rounded(x, 3, storage);
      const float part = storage == Storage::float16 ? 0x1p-11F : 0x1p-8F;
      for (std::size_t i = 0; i < x.size(); ++i) {
        ASSERT_LE(std::abs(near[i] - x[i]), part * std::abs(x[i])) << x[i];
      }
    }
  }
}

TEST(Halves, PadRowsToWords) {
  const std::vector<float> x{1, 2, 3, 4, 5, 6};
  const Halves halves = to_halves(x, 3, Storage::bfloat16);
  ASSERT_EQ(halves.values.size(), 8U);
  EXPECT_EQ(half_value(halves.values[4], true), 4.0F);
  EXPECT_EQ(half_value(halves.values[3], true), 0.0F);
  EXPECT_EQ(to_halves({}, 0, Storage::float16).scale, 1.0F);
  EXPECT_EQ(rounded(std::vector<float>(4), 2, Storage::float16), std::vector<float>(4));
}

TEST(Halves, RefuseWhatIsNotFinite) {
  for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf(""), 3.3e38F}) {
    EXPECT_THROW(to_halves(std::vector<float>{1, bad}, 1, Storage::float16), StorageFailure);
    EXPECT_THROW(to_halves(std::vector<float>{1, bad}, 1, Storage::bfloat16), StorageFailure);
  }
}

}  // namespace
}  // namespace jensen
