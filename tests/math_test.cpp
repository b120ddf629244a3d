#include "math.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "tolerances.hpp"

namespace jensen {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr float nan = std::numeric_limits<float>::quiet_NaN();
constexpr float overflow = 88.7228394F;    // the first float whose exponential rounds to infinity
constexpr float underflow = -103.972084F;  // the first float below log(2^-150), whose exponential rounds to zero

/// The largest error of a function over the arguments it was shown, against the C library's in double (correct to
/// 1e-16: exact, for a float). In ulp of the exact result; below the normal range an ulp is 2^-149.
class Worst {
 public:
  void see(float x, float got, double exact) {
    int exponent = 0;
    std::frexp(exact, &exponent);
    const double ulp = std::ldexp(1.0, std::max(exponent - 24, -149));
    const double error = std::abs(static_cast<double>(got) - exact) / ulp;
    if (error <= ulps) return;  // false for NaN, which must not pass
    ulps = error;
    at = x;
  }
  double ulps = 0;
  float at = 0;
};

void see_exp(Worst& worst, float x) { worst.see(x, math::exp(x), std::exp(static_cast<double>(x))); }

// Every 509th of all floats (509 is odd and prime, so all low mantissa bits occur) between under- and overflow.
TEST(Exp, IsCorrectToTwoUlpOverAllFloats) {
  Worst normal, gradual;
  for (std::uint64_t bits = 0; bits <= 0xffffffffU; bits += 509) {
    const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (std::isnan(x) || x >= overflow || x <= underflow) continue;
    see_exp(x < -87.3F ? gradual : normal, x);
  }
  EXPECT_LE(normal.ulps, tolerance::exp_ulp) << "at " << normal.at;
  EXPECT_LE(gradual.ulps, tolerance::exp_ulp) << "at " << gradual.at;
}

// All consecutive floats where something changes: the power of two that is split off, the ends of the range.
TEST(Exp, IsCorrectToTwoUlpAtEverySeam) {
  Worst worst;
  const auto around = [&](double centre) {
    auto x = static_cast<float>(centre);
    for (int i = 0; i < 1000; ++i) x = std::nextafter(x, -infinity);
    for (int i = 0; i < 2000; ++i, x = std::nextafter(x, infinity)) {
      if (x < overflow && x > underflow) see_exp(worst, x);
    }
  };
  for (int n = -150; n <= 128; ++n) {
    around(n * std::log(2.0));
    around((n + 0.5) * std::log(2.0));
  }
  around(0);
  around(static_cast<double>(overflow));
  around(static_cast<double>(underflow));
  EXPECT_LE(worst.ulps, tolerance::exp_ulp) << "at " << worst.at;
}

TEST(Exp, OverflowsToInfinity) {
  for (const float x : {88.73F, 89.0F, 89.5F, 100.0F, 1e4F, 1e30F, std::numeric_limits<float>::max(), infinity}) {
    EXPECT_EQ(math::exp(x), infinity) << x;
  }
  EXPECT_TRUE(std::isfinite(math::exp(88.72F)));
}

TEST(Exp, UnderflowsGraduallyToZero) {
  EXPECT_EQ(math::exp(-103.9F), std::numeric_limits<float>::denorm_min());
  EXPECT_GT(math::exp(-88.0F), 0.0F);
  EXPECT_LT(math::exp(-88.0F), std::numeric_limits<float>::min());
  for (const float x : {-104.0F, -105.0F, -1e4F, -1e30F, std::numeric_limits<float>::lowest(), -infinity}) {
    EXPECT_EQ(math::exp(x), 0.0F) << x;
    EXPECT_FALSE(std::signbit(math::exp(x))) << x;
  }
}

TEST(Exp, OfNaNIsNaNAndOfZeroIsOne) {
  EXPECT_TRUE(std::isnan(math::exp(nan)));
  EXPECT_TRUE(std::isnan(math::exp(-nan)));
  EXPECT_TRUE(std::isnan(math::exp(std::bit_cast<float>(0x7f800001U))));
  EXPECT_EQ(math::exp(0.0F), 1.0F);
  EXPECT_EQ(math::exp(-0.0F), 1.0F);
  EXPECT_EQ(math::exp(std::numeric_limits<float>::denorm_min()), 1.0F);
}

// An optimiser follows its slope, so it should not fall where the exponential rises.
TEST(Exp, NeverFallsByMoreThanItsError) {
  float last = 0;
  for (float x = -104.0F; x < 88.7F; x += 1.0F / 1024) {
    const float now = math::exp(x);
    ASSERT_GE(now, last) << x;
    last = now;
  }
}

// Every 127th float of [0, 1], and all the last 2000.
TEST(Log1pUnit, IsCorrectToAFewUlpFromZeroToOne) {
  Worst worst;
  const auto see = [&](std::uint32_t bits) {
    const auto x = std::bit_cast<float>(bits);
    worst.see(x, math::log1p_unit(x), std::log1p(static_cast<double>(x)));
  };
  constexpr auto one = std::bit_cast<std::uint32_t>(1.0F);
  for (std::uint32_t bits = 0; bits <= one; bits += 127) see(bits);
  for (std::uint32_t bits = one - 2000; bits <= one; ++bits) see(bits);
  EXPECT_LE(worst.ulps, tolerance::log1p_unit_ulp) << "at " << worst.at;
}

TEST(Log1pUnit, KeepsZeroSubnormalsAndNaN) {
  EXPECT_EQ(math::log1p_unit(0.0F), 0.0F);
  const float tiny = std::numeric_limits<float>::denorm_min();
  EXPECT_GE(math::log1p_unit(tiny), 0.0F);
  EXPECT_LE(math::log1p_unit(tiny), tiny);
  EXPECT_TRUE(std::isnan(math::log1p_unit(nan)));
}

TEST(Double, IsTheCLibrarys) {
  for (const double x : {-800.0, -1.0, -1e-20, 0.0, 0.3, 1.0, 700.0, 800.0}) EXPECT_EQ(math::exp(x), std::exp(x));
  for (const double x : {0.0, 1e-20, 0.3, 1.0}) {
    EXPECT_EQ(math::log1p_unit(x), std::log1p(x));
    EXPECT_EQ(math::log1p(x), std::log1p(x));
  }
}

TEST(AbsAndMax, PassNaNThroughAbs) {
  EXPECT_EQ(math::abs(-2.0F), 2.0F);
  EXPECT_EQ(math::abs(3.0), 3.0);
  EXPECT_TRUE(std::isnan(math::abs(nan)));
  EXPECT_EQ(math::max(1.0F, 2.0F), 2.0F);
  EXPECT_EQ(math::max(2.0, -1.0), 2.0);
}

}  // namespace
}  // namespace jensen
