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

/// Of a finite x: a number whose 10 leading bits are the rounded ones.
JENSEN_HD float half_up(float x) { return number(bits(x) + 0x1000U); }

/// An operand of a product: as it is, or split into x = high + low but for 2^-22 of it, of which high high + high low +
/// low high is the product but for as much. Tensor cores read the 10 leading bits and leave out the rest, which CUTLASS
/// too relies on (its round_half_ulp_truncate), so that nothing is masked here: x serves as its own high part.
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
  explicit JENSEN_DEVICE Operand(R... x) : high{x...}, low{x - truncated(x)...} {}
};

}  // namespace jensen::tf32
