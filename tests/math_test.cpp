#include "math.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>

#include "math_gamma.hpp"
#include "math_normal.hpp"
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

/// Every 509th float at which `inside` holds.
template <class Inside, class F, class Exact>
Worst over_floats(Inside inside, F f, Exact exact) {
  Worst worst;
  for (std::uint64_t bits = 0; bits <= 0xffffffffU; bits += 509) {
    const auto x = std::bit_cast<float>(static_cast<std::uint32_t>(bits));
    if (inside(x)) worst.see(x, f(x), exact(static_cast<double>(x)));
  }
  return worst;
}

// Down to where its one power of two would be subnormal. What is zero from there on is 2^-126.5 = 8.3e-39 at most.
TEST(ExpNonpositive, IsCorrectToTwoUlpAndThenZero) {
  const Worst worst =
      over_floats([](float x) { return x <= 0 && x > -87.3F; }, [](float x) { return math::exp_nonpositive(x); },
                  [](double x) { return std::exp(x); });
  EXPECT_LE(worst.ulps, tolerance::exp_ulp) << "at " << worst.at;
  for (float x = -87.3F; x > -88.5F; x -= 1.0F / 1024) {
    EXPECT_NEAR(static_cast<double>(math::exp_nonpositive(x)), std::exp(static_cast<double>(x)), 9e-39) << x;
  }
  for (const float x : {-88.0F, -104.0F, -1e30F, -infinity}) EXPECT_EQ(math::exp_nonpositive(x), 0.0F) << x;
  EXPECT_EQ(math::exp_nonpositive(0.0F), 1.0F);
  EXPECT_EQ(math::exp_nonpositive(-0.0F), 1.0F);
  EXPECT_TRUE(std::isnan(math::exp_nonpositive(nan)));
  EXPECT_TRUE(std::isnan(math::exp_nonpositive(-nan)));
  for (const float x : {0.0F, 1e-30F, 0.3F, 17.0F, 87.0F, 87.9F, 88.1F, 1e30F, infinity}) {
    EXPECT_EQ(math::exp_minus_abs(x), math::exp_nonpositive(-x)) << x;
    EXPECT_EQ(math::exp_minus_abs(-x), math::exp_nonpositive(-x)) << x;
  }
  EXPECT_EQ(math::exp_minus_abs(nan), 0.0F);
}

TEST(BoundedExp, IsTheExponentialUpToItsBound) {
  const Worst worst = over_floats([](float x) { return x <= 85 && x > -87.3F; },
                                  [](float x) { return math::bounded_exp(x); }, [](double x) { return std::exp(x); });
  EXPECT_LE(worst.ulps, tolerance::exp_ulp) << "at " << worst.at;
  for (const float x : {86.0F, 1e30F, infinity}) EXPECT_EQ(math::bounded_exp(x), math::bounded_exp(85.0F)) << x;
  for (const float x : {-88.0F, -1e30F, -infinity}) EXPECT_EQ(math::bounded_exp(x), 0.0F) << x;
  EXPECT_TRUE(std::isnan(math::bounded_exp(nan)));
}

TEST(Log, IsCorrectToAFewUlpOverAllPositiveFloats) {
  const auto log = [](double x) { return std::log(x); };
  const Worst worst =
      over_floats([](float x) { return x > 0 && x < infinity; }, [](float x) { return math::log(x); }, log);
  EXPECT_LE(worst.ulps, tolerance::log_ulp) << "at " << worst.at;
  Worst seam;
  for (const float centre : {1.0F, 0.70710678F, 1.41421356F, 2.0F, std::numeric_limits<float>::min()}) {
    float x = centre;
    for (int i = 0; i < 1000; ++i) x = std::nextafter(x, 0.0F);
    for (int i = 0; i < 2000; ++i, x = std::nextafter(x, infinity))
      seam.see(x, math::log(x), log(static_cast<double>(x)));
  }
  EXPECT_LE(seam.ulps, tolerance::log_ulp) << "at " << seam.at;
}

TEST(Log, HasItsLimits) {
  EXPECT_EQ(math::log(0.0F), -infinity);
  EXPECT_EQ(math::log(infinity), infinity);
  EXPECT_EQ(math::log(1.0F), 0.0F);
  EXPECT_TRUE(std::isnan(math::log(-1.0F)));
  EXPECT_TRUE(std::isnan(math::log(nan)));
  EXPECT_EQ(math::log1p(-1.0F), -infinity);
  EXPECT_EQ(math::log1p(infinity), infinity);
  EXPECT_TRUE(std::isnan(math::log1p(nan)));
  EXPECT_EQ(math::expm1(-infinity), -1.0F);
  EXPECT_EQ(math::expm1(infinity), infinity);
  EXPECT_TRUE(std::isnan(math::expm1(nan)));
}

TEST(Log1p, IsCorrectToAFewUlpOverAllFloats) {
  const Worst worst = over_floats([](float x) { return x > -1 && x < infinity; },
                                  [](float x) { return math::log1p(x); }, [](double x) { return std::log1p(x); });
  EXPECT_LE(worst.ulps, tolerance::log1p_ulp) << "at " << worst.at;
}

TEST(Expm1, IsCorrectToAFewUlpOverAllFloats) {
  const Worst worst = over_floats([](float x) { return x < overflow && !std::isnan(x); },
                                  [](float x) { return math::expm1(x); }, [](double x) { return std::expm1(x); });
  EXPECT_LE(worst.ulps, tolerance::expm1_ulp) << "at " << worst.at;
}

/// exp(x) - 1 - x and log(1 + x) - x: the series near 0, since long double's own functions lose as many digits there as
/// the linear term has more than the rest, and are rounded differently by different processors.
double exp_without_linear(long double x) {
  if (std::abs(x) > 0.1L) return static_cast<double>(std::expm1(x) - x);
  long double sum = 0, power = x;
  for (int k = 2; k < 20; ++k) sum += power *= x / k;
  return static_cast<double>(sum);
}
double log_without_linear(long double x) {
  if (std::abs(x) > 0.1L) return static_cast<double>(std::log1p(x) - x);
  long double sum = 0, power = -x;
  for (int k = 2; k < 24; ++k) sum -= (power *= -x) / k;
  return static_cast<double>(sum);
}

TEST(WithoutLinearTerm, DoesNotCancelNearZero) {
  for (double x = 1e-30; x < 30; x *= 1.03) {
    for (const double at : {x, -x}) {
      const auto wide = static_cast<long double>(at);
      const double exp_exact = exp_without_linear(wide);
      EXPECT_NEAR(math::expm1_minus(at), exp_exact, 8 * tolerance::double_epsilon * exp_exact) << at;
      EXPECT_NEAR(static_cast<double>(math::expm1_minus(static_cast<float>(at))),
                  math::expm1_minus(static_cast<double>(static_cast<float>(at))),
                  16 * tolerance::float_epsilon * exp_exact + 1e-37)
          << at;
      if (at <= -1) continue;
      const double log_exact = log_without_linear(wide);
      EXPECT_NEAR(math::log1p_minus(at), log_exact, 8 * tolerance::double_epsilon * std::abs(log_exact)) << at;
      EXPECT_NEAR(static_cast<double>(math::log1p_minus(static_cast<float>(at))),
                  math::log1p_minus(static_cast<double>(static_cast<float>(at))),
                  16 * tolerance::float_epsilon * std::abs(log_exact) + 1e-37)
          << at;
    }
  }
}

TEST(LogisticPieces, AreExactInBothTails) {
  for (const double x : {-80.0, -20.0, -1.0, -1e-3, 0.0, 1e-3, 1.0, 20.0, 80.0}) {
    EXPECT_NEAR(math::softplus(x), x > 30 ? x : std::log1p(std::exp(x)), 1e-15 * (1 + std::abs(x)) * math::softplus(x))
        << x;
    EXPECT_NEAR(math::logistic(x), 1 / (1 + std::exp(-x)), 4e-16 * math::logistic(x)) << x;
    if (x > 0) {
      const double exact = x < 0.7 ? std::log(-std::expm1(-x)) : std::log1p(-std::exp(-x));
      EXPECT_NEAR(static_cast<double>(math::log1mexp(static_cast<float>(x))), exact, 1e-6 * std::abs(exact)) << x;
    }
  }
}

TEST(Stirling, GivesTheGammaFunctionBack) {
  for (double x = 1e-6; x < 1e7; x *= 1.07) {
    const double size = 1 + std::abs(x * std::log(x)) + x;
    EXPECT_NEAR(math::lgamma(x), std::lgamma(x), tolerance::gamma_double * size) << x;
    EXPECT_NEAR(math::lgamma1p(x), std::lgamma(1 + x), tolerance::gamma_double * size) << x;
    // psi(2 x) = (psi(x) + psi(x + 1/2)) / 2 + log 2 (Abramowitz and Stegun 6.3.8)
    const double twice = 0.5 * (math::digamma(x) + math::digamma(x + 0.5)) + std::log(2.0);
    EXPECT_NEAR(math::digamma(2 * x), twice, tolerance::gamma_double * (1 + std::abs(twice))) << x;
  }
  EXPECT_NEAR(math::digamma(1.0), -0.57721566490153286, tolerance::gamma_double);
  EXPECT_NEAR(math::digamma(0.25), -4.2274535333762654, 4 * tolerance::gamma_double);
}

TEST(Stirling, InFloatIsTheOneInDouble) {
  for (float x = 1e-30F; x < 1e30F; x *= 1.0371F) {
    const math::Stirling<float> got = math::stirling(x);
    const math::Stirling<double> want = math::stirling(static_cast<double>(x));
    EXPECT_NEAR(static_cast<double>(got.remainder), want.remainder, tolerance::gamma_float * (1 + want.remainder)) << x;
    EXPECT_NEAR(static_cast<double>(got.slope), want.slope, tolerance::gamma_float) << x;
  }
}

TEST(Stirling, InDoubleRisesToInfinityAtZero) {
  EXPECT_EQ(math::stirling(0.0).remainder, std::numeric_limits<double>::infinity());
  EXPECT_EQ(math::stirling(0.0).slope, -0.5);
  for (const double x : {1e-310, 1e-307, 1e-290}) {
    const double near_zero = -0.5 * (std::log(x) + std::log(2 * std::acos(-1.0)));
    EXPECT_NEAR(math::stirling(x).remainder, near_zero, tolerance::gamma_double * near_zero) << x;
    EXPECT_EQ(math::stirling(x).slope, -0.5) << x;
  }
}

TEST(Stirling, OfLargeArgumentsKeepsItsDigits) {
  for (const double x : {2.0, 30.0, 1e3, 1e6, 1e30}) {
    const double series = (1 - (1 - 2 / (7 * x * x)) / (30 * x * x)) / (12 * x);
    const double got = math::stirling(static_cast<float>(x)).remainder;
    EXPECT_NEAR(got, x > 20 ? series : math::stirling(x).remainder, 1e-6 * got) << x;
  }
}

// Relative, because a Weibull of shape k multiplies it by k = 1 / x.
TEST(Lgamma1p, IsExactNearZero) {
  for (float x = 1e-30F; x < 0.9F; x *= 1.31F) {
    const double exact = math::lgamma1p(static_cast<double>(x));
    if (x < 1e-8F) {
      EXPECT_NEAR(exact, -0.57721566490153286 * static_cast<double>(x), 1e-7 * std::abs(exact));
    }
    EXPECT_NEAR(exact, std::lgamma(1 + static_cast<double>(x)), 1e-15);
    EXPECT_NEAR(static_cast<double>(math::lgamma1p(x)), exact, tolerance::gamma_float * std::abs(exact)) << x;
  }
}

TEST(NormalTails, AreTheErrorFunctions) {
  for (double x = -37; x < 37; x += 0.01) {
    const double below = 0.5 * std::erfc(-x / std::sqrt(2.0));
    const double log_below = x > 0 ? std::log1p(-0.5 * std::erfc(x / std::sqrt(2.0))) : std::log(below);
    // erfc itself takes a rounded argument, which moves it by x^2 ulp.
    const double room = (4 + x * x) * tolerance::double_epsilon;
    EXPECT_NEAR(math::normal_tails(x).below, below, 4 * room * below) << x;
    EXPECT_NEAR(math::log_normal_cdf(x), log_below, 4 * room * std::abs(log_below)) << x;
    const auto single = static_cast<float>(x);
    const double exact = math::log_normal_cdf(static_cast<double>(single));
    const double relative =
        x > 0 ? tolerance::mills_float + x * x * tolerance::float_epsilon : 4 * tolerance::float_epsilon;
    EXPECT_NEAR(static_cast<double>(math::log_normal_cdf(single)), exact, relative * std::abs(exact) + 1e-37) << x;
    EXPECT_NEAR(static_cast<double>(math::inverse_mills(single)), math::inverse_mills(static_cast<double>(single)),
                2 * relative * math::inverse_mills(x) + 1e-37)
        << x;
  }
}

// Far out erfc is 0. The ratio lies between t / (1 + t^2) and 1 / t (Gordon 1941); by the asymptotic series.
TEST(MillsRatio, KeepsItsDigitsFarOut) {
  for (double t = 60; t < 1e18; t *= 1.7) {
    const double u = 1 / (t * t);
    const double series = (1 - u * (1 - 3 * u * (1 - 5 * u * (1 - 7 * u * (1 - 9 * u))))) / t;
    EXPECT_NEAR(math::mills_ratio(t), series, tolerance::mills_double * series) << t;
    EXPECT_NEAR(static_cast<double>(math::mills_ratio(static_cast<float>(t))), series, tolerance::mills_float * series)
        << t;
  }
  EXPECT_NEAR(math::log_normal_cdf(-80.0), -3205.3011213568904, 1e-12);
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
