#pragma once
/// \file The deterministic sum: the shape of the tree depends on n alone.

#include <cstdint>

#include "host_device.hpp"

namespace jensen {

constexpr std::int64_t sum_chunks = 128;
constexpr std::int64_t least_summands = 16;  ///< of a chunk

/// Summands of a chunk, where there are n in all; and the chunks that have any.
JENSEN_HD std::int64_t chunk_size(std::int64_t n) {
  const std::int64_t each = (n + sum_chunks - 1) / sum_chunks;
  return each > least_summands ? each : least_summands;
}
JENSEN_HD std::int64_t chunks_of(std::int64_t n) { return n > 0 ? (n + chunk_size(n) - 1) / chunk_size(n) : 0; }

/// Stage one: chunk c of chunks_of(n) is f(begin, count) for its consecutive summands among [0, n), in double.
template <class F>
struct SumChunk {
  F f;
  std::int64_t n;
  double* chunks;
  JENSEN_HD void operator()(std::int64_t c) const {
    const std::int64_t each = chunk_size(n);
    const std::int64_t end = (c + 1) * each < n ? (c + 1) * each : n;
    chunks[c] = f(c * each, end - c * each);
  }
};

/// Stage two: the chunks of n summands in order.
JENSEN_HD double add_chunks(const double* chunks, std::int64_t n) {
  double total = 0;
  for (std::int64_t c = 0; c < chunks_of(n); ++c) total += chunks[c];
  return total;
}

}  // namespace jensen
