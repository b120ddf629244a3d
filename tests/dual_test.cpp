#include <gtest/gtest.h>

#include <cmath>

#include "dual_math.hpp"
#include "tolerances.hpp"

namespace jensen {
namespace {

/// Central differences of every partial derivative of f at `at`, in double.
template <class F, int N>
void expect_slopes(F f, const double (&at)[N], const Dual<double, N>& got) {
  for (int k = 0; k < N; ++k) {
    const double h = 1e-5 * (1 + std::abs(at[k]));
    double above[N], below[N];
    for (int i = 0; i < N; ++i) {
      above[i] = at[i] + (i == k ? h : 0);
      below[i] = at[i] - (i == k ? h : 0);
    }
    const double slope = (f(above) - f(below)) / (2 * h);
    // truncation h^2 f''' and rounding 1e-16 f / h
    EXPECT_NEAR(got.d[k], slope, 1e-7 * (1 + std::abs(slope) + std::abs(got.value))) << "derivative " << k;
  }
}

/// f of two numbers, with its derivatives by them.
template <class R, class F>
Dual<R, 2> at_duals(F f, double x, double y) {
  const Dual<R, 2> a[2] = {{static_cast<R>(x), R(1), R(0)}, {static_cast<R>(y), R(0), R(1)}};
  return f(a);
}

/// f, a generic lambda of an array of two, at dual numbers against differences at plain ones.
template <class F>
void check(const char* name, F f, double x, double y) {
  SCOPED_TRACE(name);
  const double at[2] = {x, y};
  const Dual<double, 2> got = at_duals<double>(f, x, y);
  EXPECT_NEAR(got.value, f(at), 1e-13 * (1 + std::abs(got.value)));
  expect_slopes(f, at, got);

  // In single precision, at the same numbers: a few roundings of what is in the formula.
  const Dual<double, 2> want = at_duals<double>(f, static_cast<float>(x), static_cast<float>(y));
  const Dual<float, 2> single = at_duals<float>(f, static_cast<float>(x), static_cast<float>(y));
  const double size = 1 + std::abs(want.value) + std::abs(want.d[0]) + std::abs(want.d[1]);
  EXPECT_NEAR(single.value, want.value, tolerance::dual_float * size);
  for (int k = 0; k < 2; ++k) EXPECT_NEAR(single.d[k], want.d[k], tolerance::dual_float * size) << "derivative " << k;
}

TEST(Dual, HasTheDerivativesOfArithmetic) {
  for (const double x : {-1.7, 0.3, 2.9}) {
    for (const double y : {-0.8, 1.1}) {
      check(
          "a + b", [](const auto* a) { return a[0] + a[1] + 2; }, x, y);
      check(
          "a - b", [](const auto* a) { return 3.0 - a[0] - a[1] - 1.5F; }, x, y);
      check(
          "a * b", [](const auto* a) { return 0.5 * a[0] * a[1] * 3; }, x, y);
      check(
          "a / b", [](const auto* a) { return a[0] / a[1] / 2 + 1.0 / a[1]; }, x, y);
      check(
          "-a", [](const auto* a) { return -a[0] * a[0]; }, x, y);
      check(
          "a += b",
          [](const auto* a) {
            auto sum = a[0];
            sum += a[1];
            sum *= a[1];
            sum -= 2.0;
            sum /= 3.0;
            return sum;
          },
          x, y);
    }
  }
}

TEST(Dual, HasTheDerivativesOfFunctions) {
  for (const double x : {0.2, 0.9, 3.7}) {
    for (const double y : {0.4, 1.6}) {
      check(
          "exp", [](const auto* a) { return math::exp(a[0] * a[1]); }, x, y);
      check(
          "log", [](const auto* a) { return math::log(a[0] + a[1]); }, x, y);
      check(
          "log1p", [](const auto* a) { return math::log1p(a[0] * a[1]); }, x, y);
      check(
          "expm1", [](const auto* a) { return math::expm1(a[0] - a[1]); }, x, y);
      check(
          "sqrt", [](const auto* a) { return math::sqrt(a[0] * a[1]); }, x, y);
      check(
          "tanh", [](const auto* a) { return math::tanh(a[0] - a[1]); }, x, y);
      check(
          "lgamma", [](const auto* a) { return math::lgamma(a[0] * a[1]); }, x, y);
      check(
          "digamma", [](const auto* a) { return math::digamma(a[0] * a[1]); }, x, y);
      check(
          "trigamma", [](const auto* a) { return math::trigamma(a[0] + a[1]); }, x, y);
      check(
          "lgamma1p", [](const auto* a) { return math::lgamma1p(a[0] * a[1]); }, x, y);
      check(
          "erf", [](const auto* a) { return math::erf(a[0] - a[1]); }, x, y);
      check(
          "erfc", [](const auto* a) { return math::erfc(a[0] - 2 * a[1]); }, x, y);
      check(
          "normal_cdf", [](const auto* a) { return math::normal_cdf(a[0] - 2 * a[1]); }, x, y);
      check(
          "sin", [](const auto* a) { return math::sin(a[0] * a[1]); }, x, y);
      check(
          "cos", [](const auto* a) { return math::cos(a[0] - a[1]); }, x, y);
      check(
          "atan", [](const auto* a) { return math::atan(a[0] - 2 * a[1]); }, x, y);
      check(
          "log_diff_exp", [](const auto* a) { return math::log_diff_exp(a[0] + a[1], 0.5 * a[0]); }, x, y);
      check(
          "pow of numbers", [](const auto* a) { return math::pow(1.5, a[0]) + math::pow(a[0] * a[1], 3.0); }, x, y);
      check(
          "max, min of numbers",
          [](const auto* a) {
            return math::max(1.0, a[0]) * a[1] + math::min(1.0, a[0] * a[1]) + math::min(a[1], 1.0);
          },
          x, y);
      check(
          "select of numbers",
          [](const auto* a) { return math::select(a[0] > a[1], a[0], 2.0) * math::select(a[0] > a[1], 3.0, a[1]); }, x,
          y);
      check(
          "others",
          [](const auto* a) { return math::log1p_unit(0.2 * a[0]) + math::bounded_exp(a[1]) + math::times(2.0, a[0]); },
          x, y);
      check(
          "softplus", [](const auto* a) { return math::softplus(a[0] - 3 * a[1]); }, x, y);
      check(
          "logistic", [](const auto* a) { return math::logistic(a[0] - 3 * a[1]); }, x, y);
      check(
          "log_normal_cdf", [](const auto* a) { return math::log_normal_cdf(a[0] - 2 * a[1]); }, x, y);
      check(
          "log1mexp", [](const auto* a) { return math::log1mexp(a[0] + a[1]); }, x, y);
      check(
          "expm1_minus", [](const auto* a) { return math::expm1_minus(a[0] - a[1]); }, x, y);
      check(
          "log1p_minus", [](const auto* a) { return math::log1p_minus(a[0] * a[1]); }, x, y);
      check(
          "pow", [](const auto* a) { return math::pow(a[0], a[1]) + math::pow(a[1], 2.5); }, x, y);
      check(
          "log_sum_exp", [](const auto* a) { return math::log_sum_exp(a[0], 4 * a[1]); }, x, y);
      check(
          "abs, max, min",
          [](const auto* a) {
            return math::abs(a[0] - a[1]) + math::max(a[0], a[1]) * 2 + math::min(a[0], 1.0 * a[1]) * a[0];
          },
          x, y);
      check(
          "select", [](const auto* a) { return math::select(a[0] > a[1], a[0] * a[0], a[1]); }, x, y);
    }
  }
}

/// By mpmath with 30 digits.
TEST(Digamma, AndItsDerivativesAreThoseOfTables) {
  constexpr double table[][4] = {{1e-5, -100000.57719921568, 10000000001.64491, -2000000000000002.4},
                                 {0.03, -33.862254420618764, 1112.6867360264795, -74076.29404267034},
                                 {0.4, -2.5613845445851161, 7.2753565905295974, -32.239128623578357},
                                 {1, -0.57721566490153286, 1.6449340668482264, -2.4041138063191886},
                                 {1.7, 0.20854787487349396, 0.79323283016399838, -0.60408908410345899},
                                 {5.5, 1.6110931485817511, 0.19934238698962766, -0.039608947521302043},
                                 {13, 2.5259950133091454, 0.079957428427323946, -0.0063897979615915045},
                                 {900, 6.8018391048881095, 0.0011117286236853574, -1.2359404054256885e-6}};
  for (const auto& [x, psi, psi_1, psi_2] : table) {
    const Dual<double, 1> value = math::digamma(Dual<double, 1>(x, 1.0));
    EXPECT_NEAR(value.value, psi, tolerance::gamma_double * (1 + std::abs(psi))) << x;
    EXPECT_NEAR(value.d[0], psi_1, tolerance::gamma_double * psi_1) << x;
    const Dual<double, 1> slope = math::trigamma(Dual<double, 1>(x, 1.0));
    EXPECT_NEAR(slope.value, psi_1, tolerance::gamma_double * psi_1) << x;
    EXPECT_NEAR(slope.d[0], psi_2, tolerance::gamma_double * -psi_2) << x;
  }
}

TEST(Trigamma, InFloatIsTheOneInDouble) {
  for (float x = 1e-12F; x < 1e15F; x *= 1.0371F) {  // its derivative has a range of 1e36 there
    const double one = math::trigamma(static_cast<double>(x)), two = math::tetragamma(static_cast<double>(x));
    EXPECT_NEAR(static_cast<double>(math::trigamma(x)), one, tolerance::trigamma_float * one) << x;
    EXPECT_NEAR(static_cast<double>(math::tetragamma(x)), two, tolerance::trigamma_float * -two + 1e-37) << x;
  }
}

/// psi'(x) = psi'(x + 1) + 1 / x^2 and the same of psi'', across what is computed in different ways.
TEST(Trigamma, HasItsRecurrence) {
  for (double x = 1e-4; x < 1e6; x *= 1.07) {
    const double one = math::trigamma(x + 1) + 1 / (x * x), two = math::tetragamma(x + 1) - 2 / (x * x * x);
    EXPECT_NEAR(math::trigamma(x), one, tolerance::gamma_double * one) << x;
    EXPECT_NEAR(math::tetragamma(x), two, tolerance::gamma_double * -two) << x;
  }
}

TEST(ErrorFunction, InFloatIsTheOneInDouble) {
  for (double wide = -12; wide < 12; wide += 0.0037) {
    const auto x = static_cast<float>(wide);
    const double erf = std::erf(static_cast<double>(x)), erfc = std::erfc(static_cast<double>(x));
    EXPECT_NEAR(static_cast<double>(math::erf(x)), erf, tolerance::erf_ulp * tolerance::float_epsilon * std::abs(erf))
        << x;
    const double room = (tolerance::erf_ulp + (x > 0 ? wide * wide : 0)) * tolerance::float_epsilon;
    EXPECT_NEAR(static_cast<double>(math::erfc(x)), erfc, room * erfc + 1e-37) << x;
  }
  for (float x = 1e-30F; x < 1e-3F; x *= 3.1F) {
    EXPECT_NEAR(static_cast<double>(math::erf(x)), std::erf(static_cast<double>(x)), 3e-7 * static_cast<double>(x));
  }
  EXPECT_EQ(math::erf(1e30F), 1);
  EXPECT_EQ(math::erf(-1e30F), -1);
  EXPECT_EQ(math::erfc(1e30F), 0);
  EXPECT_EQ(math::erfc(-1e30F), 2);
  EXPECT_TRUE(std::isnan(math::erf(std::nanf(""))));
  EXPECT_TRUE(std::isnan(math::erfc(std::nanf(""))));
}

}  // namespace
}  // namespace jensen
