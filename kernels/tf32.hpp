#pragma once
/// \file Numbers as tensor cores take them: TF32 has float's exponent and 10 bits of its mantissa.

#include <cstdint>

#include "host_device.hpp"

namespace jensen::tf32 {

JENSEN_HD std::uint32_t bits(float x) { return __builtin_bit_cast(std::uint32_t, x); }
JENSEN_HD float number(std::uint32_t x) { return __builtin_bit_cast(float, x); }

/// The 10 leading bits.
JENSEN_HD float truncated(float x) { return number(bits(x) & 0xFFFFE000U); }
/// To nearest, halves away from zero; infinities and NaN as they are.
JENSEN_HD float rounded(float x) {
  const bool finite = (bits(x) & 0x7F800000U) != 0x7F800000U;
  return finite ? number((bits(x) + 0x1000U) & 0xFFFFE000U) : x;
}

/// The same of a finite x, in two operations.
JENSEN_HD float rounded_finite(float x) { return number((bits(x) + 0x1000U) & 0xFFFFE000U); }

/// An operand as it is multiplied: as it is, if it is TF32 already, or split into x = high + low but for 2^-22 of it,
/// of which high high + high low + low high is the product but for as much.
template <bool Split, int Count>
struct Operand {
  float high[Count];
  template <class... R>
  explicit JENSEN_DEVICE Operand(R... x) : high{x...} {}
};
template <int Count>
struct Operand<true, Count> {
  float high[Count], low[Count];
  template <class... R>
  explicit JENSEN_DEVICE Operand(R... x) : high{truncated(x)...}, low{truncated(x - truncated(x))...} {}
};

/// Elements of X: floats, or 16 bits that TF32 holds exactly.
JENSEN_HD float to_float(float x, bool) { return x; }
/// float16 by way of a float whose exponent is too small by 112; bfloat16 is float's upper half.
JENSEN_HD float to_float(std::uint16_t x, bool bfloat) {
  if (bfloat) return number(static_cast<std::uint32_t>(x) << 16U);
  const std::uint32_t sign = (x & 0x8000U) << 16U;
  return number(bits(number((x & 0x7FFFU) << 13U) * 5.192296858534828e33F) | sign);  // 2^112
}

}  // namespace jensen::tf32
