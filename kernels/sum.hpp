#pragma once
/// \file The deterministic sum: the shape of the tree depends on n alone.

#include <cstdint>

#include "host_device.hpp"

namespace jensen {

constexpr std::int64_t sum_chunks = 128;

/// Stage one: chunk c of sum_chunks adds f(i) for its consecutive i in [0, n), in double.
template <class F>
struct SumChunk {
  F f;
  std::int64_t n;
  double* chunks;
  JENSEN_HD void operator()(std::int64_t c) const {
    const std::int64_t each = (n + sum_chunks - 1) / sum_chunks;
    const std::int64_t end = (c + 1) * each < n ? (c + 1) * each : n;
    double total = 0;
    for (std::int64_t i = c * each; i < end; ++i) total += f(i);
    chunks[c] = total;
  }
};

/// Stage two: the chunks in order.
JENSEN_HD double add_chunks(const double* chunks) {
  double total = 0;
  for (std::int64_t c = 0; c < sum_chunks; ++c) total += chunks[c];
  return total;
}

}  // namespace jensen
