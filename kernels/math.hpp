#pragma once
/// \file exp, log and friends that the compiler can vectorise on the host; CUDA's own on the device.
///
/// float: a few ulp, branch-free (tests/math_test.cpp). double: the C library, for the host-side code that shares the
/// densities.

#include <cmath>
#include <cstdint>
#include <limits>

#include "host_device.hpp"

namespace jensen::math {

/// The bit of the sign cleared: as a comparison it would cost two instructions.
JENSEN_HD float abs(float x) { return __builtin_fabsf(x); }
JENSEN_HD double abs(double x) { return __builtin_fabs(x); }
template <class R>
JENSEN_HD R max(R a, R b) {
  return a > b ? a : b;
}
/// c_0 + c_1 x + c_2 x^2 + ..
template <class R>
JENSEN_HD R polynomial(R, R c) {
  return c;
}
template <class R, class... Rest>
JENSEN_HD R polynomial(R x, R c, Rest... rest) {
  return c + x * polynomial(x, rest...);
}

/// 1 / x where neither it nor x is subnormal. On a GPU to an ulp in one instruction, where a division also asks for the
/// other cases.
template <class R>
JENSEN_HD R reciprocal(R x) {
  return R(1) / x;
}
JENSEN_HD float reciprocal(float x) {
#if defined(__CUDA_ARCH__)
  float inverse;
  asm("rcp.approx.ftz.f32 %0, %1;" : "=f"(inverse) : "f"(x));
  return inverse;
#else
  return 1.0F / x;
#endif
}

JENSEN_HD double exp(double x) { return ::exp(x); }
JENSEN_HD double exp_nonpositive(double x) { return ::exp(x); }
JENSEN_HD double exp_minus_abs(double x) { return ::exp(-abs(x)); }
JENSEN_HD double log(double x) { return ::log(x); }
JENSEN_HD double expm1(double x) { return ::expm1(x); }
JENSEN_HD double log1p(double x) { return ::log1p(x); }
JENSEN_HD double log1p_unit(double x) { return ::log1p(x); }

/// log(1 + x) for 0 <= x <= 1: x times a polynomial in x - 1/2, fitted such that its largest relative error is least
/// (2^-25). No division, which would cost as much as the rest. Even and odd powers apart, which do not wait for one
/// another; about the middle, where they do not cancel.
JENSEN_HD float log1p_unit(float x) {
  const float t = x - 0.5F;
  const float square = t * t;
  const float even = polynomial(square, 0.8109302F, 0.13260908F, 0.03663386F, 0.011586481F, 0.0052326843F);
  const float odd = polynomial(square, -0.28852665F, -0.06771145F, -0.020228246F, -0.008574462F);
  return x * (even + t * odd);
}

#if defined(__CUDA_ARCH__)

JENSEN_HD float exp(float x) { return expf(x); }
JENSEN_HD float exp_nonpositive(float x) { return expf(x); }
JENSEN_HD float exp_minus_abs(float x) { return expf(-abs(x)); }
JENSEN_HD float log(float x) { return logf(x); }
JENSEN_HD float log1p(float x) { return log1pf(x); }

#else

JENSEN_HD float bits_to_float(std::uint32_t bits) { return __builtin_bit_cast(float, bits); }

/// exp(r) for |r| <= log(2) / 2: 1 + r + r^2 q(r), q fitted such that the largest relative error is least (2^-28).
JENSEN_HD float exp_of_rest(float r) {
  return polynomial(r, 1.0F, 1.0F, 0.49999994F, 0.16666521F, 0.041668389F, 0.0083687454F, 0.0013814539F);
}
/// x - n log(2), log(2) in two parts.
JENSEN_HD float without_powers(float x, float n) { return (x - n * 0.693359375F) - n * -2.12194440054690583e-4F; }

/// exp(x) for -88 <= x <= 88, by a single power of two: zero from -87.68 on, where that would be 2^-127.
JENSEN_HD float exp_in_range(float x) {
  constexpr float shift = 12582912.0F + 127.0F;  // 1.5 * 2^23 + the exponent's bias; see exp()
  const float shifted = x * 1.44269504088896341F + shift;
  const float power = bits_to_float(__builtin_bit_cast(std::uint32_t, shifted) << 23U);
  return exp_of_rest(without_powers(x, shifted - shift)) * power;
}
/// exp(x) for x <= 0; zero from -87.68 on.
JENSEN_HD float exp_nonpositive(float x) { return exp_in_range(x < -88.0F ? -88.0F : x); }
/// exp(-|x|); zero from 87.68 on, and for NaN. |x| is bounded as an integer, which grows with it: one instruction,
/// where a comparison of floats takes three.
JENSEN_HD float exp_minus_abs(float x) {
  constexpr std::uint32_t most = 0x42B00000U;  // 88
  const auto size = __builtin_bit_cast(std::uint32_t, abs(x));
  return exp_in_range(-bits_to_float(size < most ? size : most));
}

/// exp(x) = 2^n exp(r), |r| <= log(2) / 2. Overflows to infinity and underflows (gradually) to zero as the C library's
/// does; NaN stays NaN. Branch-free.
JENSEN_HD float exp(float x) {
  constexpr float shift = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low mantissa bits
  const float above = x < -104.0F ? -104.0F : x;
  const float clamped = above > 89.0F ? 89.0F : above;
  const float shifted = clamped * 1.44269504088896341F + shift;
  const float p = exp_of_rest(without_powers(clamped, shifted - shift));
  // 2^n as a product of two powers, because n may be 128 or below -126
  const auto exponent = static_cast<std::int32_t>(__builtin_bit_cast(std::uint32_t, shifted) - 0x4B400000U);
  const std::int32_t half = exponent >> 1;
  const float first = bits_to_float(static_cast<std::uint32_t>(half + 127) << 23U);
  const float second = bits_to_float(static_cast<std::uint32_t>(exponent - half + 127) << 23U);
  return (p * first) * second;
}

/// log(x) = n log(2) + log(m), m within a factor sqrt(2) of 1, log(m) as 2 atanh(s), s = (m - 1) / (m + 1). -infinity
/// at 0, NaN below.
JENSEN_HD float log(float x) {
  const bool subnormal = x < 1.17549435e-38F;
  const float normal = subnormal ? x * 8388608.0F : x;
  const std::uint32_t shifted = __builtin_bit_cast(std::uint32_t, normal) - 0x3F3504F3U;  // sqrt(1/2)
  const float m = bits_to_float((shifted & 0x007FFFFFU) + 0x3F3504F3U);
  const float n = static_cast<float>(static_cast<std::int32_t>(shifted) >> 23) - (subnormal ? 23.0F : 0.0F);
  const float s = (m - 1.0F) / (m + 1.0F);
  const float t = s * s;
  const float p = polynomial(t, 2.0F / 3.0F, 2.0F / 5.0F, 2.0F / 7.0F, 2.0F / 9.0F, 2.0F / 11.0F);
  const float value = n * 0.693359375F + (2.0F * s + (s * t * p + n * -2.12194440054690583e-4F));
  const float at_end = x == 0.0F ? -std::numeric_limits<float>::infinity() : std::numeric_limits<float>::quiet_NaN();
  const float positive = x > std::numeric_limits<float>::max() ? x : value;
  return x > 0.0F ? positive : at_end;
}

/// log(1 + x), x >= -1: the logarithm of the rounded sum, and what rounding took from it.
JENSEN_HD float log1p(float x) {
  const float sum = 1.0F + x;
  const float lost = x - (sum - 1.0F);
  return log(sum) + (sum > 0.0F && sum < 1e10F ? lost / sum : 0.0F);
}

#endif

JENSEN_HD double sqrt(double x) { return ::sqrt(x); }
JENSEN_HD float sqrt(float x) { return ::sqrtf(x); }
JENSEN_HD double tanh(double x) { return ::tanh(x); }
JENSEN_HD float tanh(float x) { return ::tanhf(x); }
JENSEN_HD double sin(double x) { return ::sin(x); }
JENSEN_HD float sin(float x) { return ::sinf(x); }
JENSEN_HD double cos(double x) { return ::cos(x); }
JENSEN_HD float cos(float x) { return ::cosf(x); }
JENSEN_HD double atan(double x) { return ::atan(x); }
JENSEN_HD float atan(float x) { return ::atanf(x); }

template <class R>
JENSEN_HD R infinity() {
  return static_cast<R>(__builtin_huge_val());
}

/// (exp(x) - 1 - x) / x^2 for |x| <= 0.35, by its series.
JENSEN_HD float exp_remainder(float x) {
  return polynomial(x, 0.5F, 1.0F / 6, 1.0F / 24, 1.0F / 120, 1.0F / 720, 1.0F / 5040, 1.0F / 40320);
}
JENSEN_HD double exp_remainder(double x) {
  return polynomial(x, 0.5, 1.0 / 6, 1.0 / 24, 1.0 / 120, 1.0 / 720, 1.0 / 5040, 1.0 / 40320, 1.0 / 362880,
                    1.0 / 3628800, 1.0 / 39916800, 1.0 / 479001600, 1.0 / 6227020800, 1.0 / 87178291200,
                    1.0 / 1307674368000);
}

/// exp(x) - 1.
JENSEN_HD float expm1(float x) { return abs(x) < 0.35F ? x + x * x * exp_remainder(x) : exp(x) - 1.0F; }

/// exp(x) - 1 - x, without cancellation near 0.
template <class R>
JENSEN_HD R expm1_minus(R x) {
  return abs(x) < R(0.25) ? x * x * exp_remainder(x) : expm1(x) - x;
}

/// (atanh(s) / s - 1) / s^2 of t = s^2 <= 1/9, by its series.
JENSEN_HD float atanh_remainder(float t) {
  return polynomial(t, 1.0F / 3, 1.0F / 5, 1.0F / 7, 1.0F / 9, 1.0F / 11, 1.0F / 13, 1.0F / 15);
}
JENSEN_HD double atanh_remainder(double t) {
  return polynomial(t, 1.0 / 3, 1.0 / 5, 1.0 / 7, 1.0 / 9, 1.0 / 11, 1.0 / 13, 1.0 / 15, 1.0 / 17, 1.0 / 19, 1.0 / 21,
                    1.0 / 23, 1.0 / 25, 1.0 / 27, 1.0 / 29, 1.0 / 31, 1.0 / 33, 1.0 / 35);
}

/// log(1 + x) - x, without cancellation near 0: with s = x / (2 + x), log(1 + x) = 2 atanh(s) and 2 s - x = -x s.
template <class R>
JENSEN_HD R log1p_minus(R x) {
  const R s = x / (R(2) + x);
  const R near = s * (R(2) * s * s * atanh_remainder(s * s) - x);
  return x >= R(-0.5) && x <= R(1) ? near : log1p(x) - x;
}

/// log(1 - exp(-x)), x >= 0.
template <class R>
JENSEN_HD R log1mexp(R x) {
  return x < R(0.693) ? log(-expm1(-x)) : log1p(-exp(-x));
}

/// log(1 + exp(x)).
template <class R>
JENSEN_HD R softplus(R x) {
  return max(x, R(0)) + log1p_unit(exp_nonpositive(-abs(x)));
}

/// 1 / (1 + exp(-x)).
template <class R>
JENSEN_HD R logistic(R x) {
  const R e = exp_nonpositive(-abs(x));
  const R inverse = reciprocal(R(1) + e);
  return x >= R(0) ? inverse : e * inverse;
}

/// log(1 + exp(x)) and its derivative 1 / (1 + exp(-x)), from one exponential.
template <class R>
struct SoftplusSlope {
  R value, slope;
};
template <class R>
JENSEN_HD SoftplusSlope<R> softplus_slope(R x) {
  const R e = exp_nonpositive(-abs(x));
  const R inverse = reciprocal(R(1) + e);
  return {max(x, R(0)) + log1p_unit(e), x >= R(0) ? inverse : e * inverse};
}

/// exp(x), but no more than exp(85) = 8e36, so that a step too long does not turn the rest of a formula into 0 times
/// infinity.
template <class R>
JENSEN_HD R bounded_exp(R x) {
  return exp(x > R(85) ? R(85) : x);
}
#if !defined(__CUDA_ARCH__)
JENSEN_HD float bounded_exp(float x) {
  const float above = x < -88.0F ? -88.0F : x;
  return exp_in_range(above > 85.0F ? 85.0F : above);
}
#endif

/// count * x, and 0 where the count is, whatever x.
template <class R>
JENSEN_HD R times(R count, R x) {
  return count > R(0) ? count * x : R(0);
}

}  // namespace jensen::math
