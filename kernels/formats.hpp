#pragma once
/// \file Number formats that X may be kept in, and those that products are made in.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include "host_device.hpp"

namespace jensen {

/// Of the dense parts of subsampled terms.
enum class Storage {
  float32,
  float16,   ///< 11 bits, times one power of two for all of a part
  bfloat16,  ///< 8 bits
};

/// Of the matrix products on a GPU.
enum class Precision {
  fp32,  ///< as exact as float arithmetic
  tf32,  ///< factors of 11 bits: three times as fast
};

/// X cannot be kept as asked.
struct StorageFailure : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Elements from row to row of X in 16 bits: even, so that a row can be copied in words.
JENSEN_HD int half_pitch(int columns) { return (columns + 1) / 2 * 2; }

/// The number that 16 bits stand for. float16 by way of a float whose exponent is too small by 112; bfloat16 is float's
/// upper half.
JENSEN_HD float half_value(std::uint16_t half, bool bfloat) {
  if (bfloat) return __builtin_bit_cast(float, static_cast<std::uint32_t>(half) << 16U);
  const float size = __builtin_bit_cast(float, (half & 0x7FFFU) << 13U) * 5.192296858534828e33F;  // 2^112
  return (half & 0x8000U) != 0 ? -size : size;
}

/// The nearest, halves to even. float16: |x| <= 2^15.
inline std::uint16_t nearest_half(float x, bool bfloat) {
  const auto bits = __builtin_bit_cast(std::uint32_t, x);
  if (bfloat) return static_cast<std::uint16_t>((bits + 0x7FFFU + ((bits >> 16U) & 1U)) >> 16U);
  const std::uint32_t sign = (bits >> 16U) & 0x8000U;
  const float size = std::abs(x);
  if (size < 6.103515625e-05F) {  // 2^-14: the smallest that is normal; below, steps of 2^-24
    return static_cast<std::uint16_t>(sign | static_cast<std::uint32_t>(std::nearbyint(size * 16777216.0F)));
  }
  const std::uint32_t magnitude = bits & 0x7FFFFFFFU;
  return static_cast<std::uint16_t>(sign | ((magnitude - (112U << 23U) + 0xFFFU + ((magnitude >> 13U) & 1U)) >> 13U));
}

/// A dense part in 16 bits: x is half_value() times scale, a power of two.
struct Halves {
  std::vector<std::uint16_t> values;  ///< rows x half_pitch(columns)
  float scale = 1;
};

/// `x`: rows x columns. Throws StorageFailure if an element is not finite.
inline Halves to_halves(std::span<const float> x, int columns, Storage storage) {
  Halves halves;
  float most = 0;
  for (const float v : x) {
    if (!(std::abs(v) <= 3e38F)) {
      throw StorageFailure("a number of the table is not finite or too large (storage); use float32");
    }
    most = std::max(most, std::abs(v));
  }
  const bool bfloat = storage == Storage::bfloat16;
  // The largest becomes 2^14 or more, so that small ones keep their 11 bits too.
  if (!bfloat && most > 0) halves.scale = std::ldexp(1.0F, std::max(std::ilogb(most) - 14, -120));
  const auto width = static_cast<std::size_t>(columns);
  const std::size_t rows = width == 0 ? 0 : x.size() / width;
  const auto pitch = static_cast<std::size_t>(half_pitch(columns));
  const float inverse = 1 / halves.scale;
  halves.values.resize(rows * pitch);
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t k = 0; k < width; ++k) {
      halves.values[i * pitch + k] = nearest_half(x[i * width + k] * inverse, bfloat);
    }
  }
  return halves;
}

/// x as halves in `storage` stand for it.
inline std::vector<float> rounded(std::span<const float> x, int columns, Storage storage) {
  const Halves halves = to_halves(x, columns, storage);
  const auto width = static_cast<std::size_t>(columns);
  const auto pitch = static_cast<std::size_t>(half_pitch(columns));
  std::vector<float> values(x.size());
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = half_value(halves.values[i / width * pitch + i % width], storage == Storage::bfloat16) * halves.scale;
  }
  return values;
}

}  // namespace jensen
