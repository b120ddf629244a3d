#pragma once
/// \file exp, log1p and friends that the compiler can vectorise on the host; CUDA's own on the device.
///
/// float: a few ulp (tests/math_test.cpp). double: the C library, for the host-side code that shares the densities.

#include <cmath>
#include <cstdint>

#include "host_device.hpp"

namespace jensen::math {

JENSEN_HD double exp(double x) { return ::exp(x); }
JENSEN_HD double log1p(double x) { return ::log1p(x); }
JENSEN_HD double log1p_unit(double x) { return ::log1p(x); }

#if defined(__CUDA_ARCH__)

JENSEN_HD float exp(float x) { return expf(x); }
JENSEN_HD float log1p_unit(float x) { return log1pf(x); }

#else

JENSEN_HD float bits_to_float(std::uint32_t bits) { return __builtin_bit_cast(float, bits); }

/// exp(x) = 2^n exp(r), |r| <= log(2) / 2, exp(r) by its Taylor polynomial. Overflows to infinity and underflows
/// (gradually) to zero as the C library's does; NaN stays NaN. Branch-free.
JENSEN_HD float exp(float x) {
  constexpr float shift = 12582912.0F;  // 1.5 * 2^23: adding it rounds to an integer, kept in the low mantissa bits
  const float clamped = x > 89.0F ? 89.0F : (x < -104.0F ? -104.0F : x);
  const float shifted = clamped * 1.44269504088896341F + shift;
  const float n = shifted - shift;
  const float r = (clamped - n * 0.693359375F) - n * -2.12194440054690583e-4F;  // log(2) in two parts
  float p = 1.9841270e-4F;
  p = p * r + 1.3888889e-3F;
  p = p * r + 8.3333333e-3F;
  p = p * r + 4.1666667e-2F;
  p = p * r + 1.6666667e-1F;
  p = p * r + 0.5F;
  p = (p * r) * r + r + 1.0F;
  // 2^n as a product of two powers, because n may be 128 or below -126
  const auto exponent = static_cast<std::int32_t>(__builtin_bit_cast(std::uint32_t, shifted) - 0x4B400000U);
  const std::int32_t half = exponent >> 1;
  const float first = bits_to_float(static_cast<std::uint32_t>(half + 127) << 23U);
  const float second = bits_to_float(static_cast<std::uint32_t>(exponent - half + 127) << 23U);
  return (p * first) * second;
}

/// log(1 + x) for 0 <= x <= 1, as 2 atanh(s), s = x / (2 + x) <= 1/3.
JENSEN_HD float log1p_unit(float x) {
  const float s = x / (2.0F + x);
  const float t = s * s;
  float p = 1.0F / 15.0F;
  p = p * t + 1.0F / 13.0F;
  p = p * t + 1.0F / 11.0F;
  p = p * t + 1.0F / 9.0F;
  p = p * t + 1.0F / 7.0F;
  p = p * t + 1.0F / 5.0F;
  p = p * t + 1.0F / 3.0F;
  return 2.0F * (s + s * t * p);
}

#endif

// Not vectorised on the host: for the few elements of a prior.
JENSEN_HD double log(double x) { return ::log(x); }
JENSEN_HD float log(float x) { return ::logf(x); }
/// log(1 + x), x > -1.
JENSEN_HD float log1p(float x) { return ::log1pf(x); }

JENSEN_HD double sqrt(double x) { return ::sqrt(x); }
JENSEN_HD float sqrt(float x) { return ::sqrtf(x); }
JENSEN_HD double tanh(double x) { return ::tanh(x); }
JENSEN_HD float tanh(float x) { return ::tanhf(x); }

template <class R>
JENSEN_HD R infinity() {
  return static_cast<R>(__builtin_huge_val());
}
template <class R>
JENSEN_HD R abs(R x) {
  return x < R(0) ? -x : x;
}
template <class R>
JENSEN_HD R max(R a, R b) {
  return a > b ? a : b;
}

}  // namespace jensen::math
