#pragma once
/// \file The deterministic sum: the shape of the tree depends on n alone.

#include <cstdint>

#include "host_device.hpp"

namespace jensen {

constexpr std::int64_t sum_chunks = 128;

/// Stage one: chunk c adds f(i) for its consecutive i, in double.
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

/// Stage two: adds the chunks in order.
struct SumOfChunks {
  const double* chunks;
  double* out;
  JENSEN_HD void operator()(std::int64_t) const {
    double total = 0;
    for (std::int64_t c = 0; c < sum_chunks; ++c) total += chunks[c];
    *out = total;
  }
};

/// *out = sum of f(i), i in [0, n). `chunks`: room for sum_chunks doubles; both in the backend's memory.
template <class Backend, class F>
void sum(Backend& backend, const char* name, std::int64_t n, F f, double* chunks, double* out) {
  backend.for_each(name, sum_chunks, SumChunk<F>{f, n, chunks}, (n + sum_chunks - 1) / sum_chunks);
  backend.for_each(name, 1, SumOfChunks{chunks, out});
}

}  // namespace jensen
