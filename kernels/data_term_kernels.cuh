#pragma once
/// \file The data term's kernels for a set of densities, and their launch.

#include <cuda_runtime.h>

#include <utility>

#include "block_cuda.cuh"
#include "cuda_check.cuh"
#include "data_term_block.hpp"
#include "data_term_eight.hpp"
#include "data_term_rows.hpp"

namespace jensen {
namespace {

/// Small accumulators leave registers for two blocks on a multiprocessor, as tile_plan() leaves shared memory.
constexpr int blocks_of(TileBucket bucket) { return bucket.m * bucket.n <= 8 ? 2 : 1; }

template <class Element, int Bucket, class Densities>
__global__ void __launch_bounds__(tile_threads, blocks_of(tile_buckets[Bucket]))
    data_term_kernel(const __grid_constant__ DataTermWork work) {
  extern __shared__ __align__(16) char memory[];
  CudaBlock block(memory);
  DataTermBlock<CudaBlock, Element, tile_buckets[Bucket].m, tile_buckets[Bucket].n, Densities>(block, work, blockIdx.x)
      .run();
}

template <class Element, int Size, class Densities>
__global__ void __launch_bounds__(tile_threads, Size == 0 ? 2 : 1)
    data_term_rows_kernel(const __grid_constant__ DataTermWork work) {
  extern __shared__ __align__(16) char memory[];
  CudaBlock block(memory);
  DataTermRows<CudaBlock, Element, row_sizes[Size], Densities>(block, work, blockIdx.x).run();
}

template <class Element, int Size, class Densities>
__global__ void __launch_bounds__(tile_threads, 2) data_term_eight_kernel(const __grid_constant__ DataTermWork work) {
  extern __shared__ __align__(16) char memory[];
  CudaBlock block(memory);
  DataTermEight<CudaBlock, Element, eight_sizes[Size], Densities>(block, work, blockIdx.x).run();
}

using Kernel = void (*)(DataTermWork);

struct Kernels {
  Kernel tiles[tile_bucket_count];
  Kernel rows[row_size_count];
  Kernel eights[eight_size_count];
};
template <class Element, class Densities, int... Bucket, int... Size, int... Eight>
constexpr Kernels all_kernels(std::integer_sequence<int, Bucket...>, std::integer_sequence<int, Size...>,
                              std::integer_sequence<int, Eight...>) {
  return {{data_term_kernel<Element, Bucket, Densities>...},
          {data_term_rows_kernel<Element, Size, Densities>...},
          {data_term_eight_kernel<Element, Eight, Densities>...}};
}
template <class Element, class Densities>
constexpr Kernels kernels_of = all_kernels<Element, Densities>(std::make_integer_sequence<int, tile_bucket_count>(),
                                                               std::make_integer_sequence<int, row_size_count>(),
                                                               std::make_integer_sequence<int, eight_size_count>());

inline void allow(const Kernels& kernels, int shared_bytes) {
  const auto each = [&](const auto& of) {
    for (const Kernel kernel : of) {
      check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes),
            "cudaFuncSetAttribute");
    }
  };
  each(kernels.tiles);
  each(kernels.rows);
  each(kernels.eights);
}
/// Lets every kernel use `shared_bytes` of shared memory on the current device.
template <class Densities>
void allow_data_term_of(int shared_bytes) {
  allow(kernels_of<float, Densities>, shared_bytes);
  if constexpr (Densities::built_in) allow(kernels_of<std::uint16_t, Densities>, shared_bytes);
}

inline Kernel kernel_of(const Kernels& kernels, const TilePlan& plan) {
  if (plan.row_columns > 0) return kernels.rows[plan.row_columns == row_sizes[0] ? 0 : 1];
  if (plan.eight_columns > 0) return kernels.eights[plan.eight_columns == eight_sizes[0] ? 0 : 1];
  return kernels.tiles[plan.bucket];
}

/// X in 16 bits for built-in densities alone: see takes_halves().
template <class Densities>
void launch_data_term_of(const DataTermWork& work, cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>(work.blocks.blocks * work.plan.groups);
  Kernel kernel = kernel_of(kernels_of<float, Densities>, work.plan);
  if constexpr (Densities::built_in) {
    if (work.plan.element_bytes == 2) kernel = kernel_of(kernels_of<std::uint16_t, Densities>, work.plan);
  }
  kernel<<<blocks, tile_threads, static_cast<std::size_t>(work.plan.bytes), stream>>>(work);
  check(cudaGetLastError(), "data_term_kernel");
}

}  // namespace
}  // namespace jensen
