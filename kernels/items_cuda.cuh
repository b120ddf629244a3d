#pragma once
/// \file f(item) for each of n items, a thread each.

#include <cstdint>

#include "cuda_check.cuh"

namespace jensen {

constexpr int items_threads = 256;

/// `f` stays among the kernel's parameters: some hold a Term, of which a copy for each thread would be 10 kB.
template <class F>
__global__ void __launch_bounds__(items_threads) items_kernel(const __grid_constant__ F f, std::int64_t n) {
  const std::int64_t item = static_cast<std::int64_t>(blockIdx.x) * items_threads + threadIdx.x;
  if (item < n) f(item);
}

template <class F>
void launch_items(cudaStream_t stream, const char* name, std::int64_t n, const F& f) {
  if (n == 0) return;
  const auto blocks = static_cast<unsigned>((n + items_threads - 1) / items_threads);
  items_kernel<<<blocks, items_threads, 0, stream>>>(f, n);
  check(cudaGetLastError(), name);
}

}  // namespace jensen
