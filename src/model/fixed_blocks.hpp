#pragma once
/// \file Loops and sums over fixed blocks of an index range: parallel, with the same bits for any number of threads.

#include <cstddef>
#include <cstdint>
#include <vector>

namespace jensen {

inline std::size_t size_of(std::int64_t n) { return static_cast<std::size_t>(n); }

constexpr std::int64_t least_parallel = 2048;  ///< fewer elements are done sooner than threads wake up

/// Calls f(block, begin, end) for `blocks` contiguous parts of [0, count), in parallel.
template <class F>
void for_fixed_blocks(std::int64_t count, int blocks, F&& f) {
#pragma omp parallel for schedule(dynamic, 1) if (count > least_parallel)
  for (int b = 0; b < blocks; ++b) f(b, count * b / blocks, count * (b + 1) / blocks);
}

constexpr int usual_blocks = 64;
constexpr std::int64_t matrix_rows = 2048;  ///< of a model matrix that is filled block by block

/// Sum over i of f(i), each block's share added in order.
template <class F>
double sum_fixed_blocks(std::int64_t count, F&& f) {
  std::vector<double> partial(usual_blocks);
  for_fixed_blocks(count, usual_blocks, [&](int b, std::int64_t begin, std::int64_t end) {
    double sum = 0;
    for (std::int64_t i = begin; i < end; ++i) sum += f(i);
    partial[size_of(b)] = sum;
  });
  double total = 0;
  for (const double p : partial) total += p;
  return total;
}

}  // namespace jensen
