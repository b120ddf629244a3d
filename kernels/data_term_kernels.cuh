#pragma once
/// \file The data term's kernels for a set of densities, and their launch.

#include <cuda_runtime.h>

#include <initializer_list>
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

/// Of floats, then of 16 bits.
struct Kernels {
  Kernel tiles[2][tile_bucket_count];
  Kernel rows[2][row_size_count];
  Kernel eights[2][eight_size_count];
};
template <class Densities, int... Bucket, int... Size, int... Eight>
constexpr Kernels all_kernels(std::integer_sequence<int, Bucket...>, std::integer_sequence<int, Size...>,
                              std::integer_sequence<int, Eight...>) {
  return {
      {{data_term_kernel<float, Bucket, Densities>...}, {data_term_kernel<std::uint16_t, Bucket, Densities>...}},
      {{data_term_rows_kernel<float, Size, Densities>...}, {data_term_rows_kernel<std::uint16_t, Size, Densities>...}},
      {{data_term_eight_kernel<float, Eight, Densities>...},
       {data_term_eight_kernel<std::uint16_t, Eight, Densities>...}}};
}
template <class Densities>
constexpr Kernels kernels_of = all_kernels<Densities>(std::make_integer_sequence<int, tile_bucket_count>(),
                                                      std::make_integer_sequence<int, row_size_count>(),
                                                      std::make_integer_sequence<int, eight_size_count>());

/// Lets every kernel use `shared_bytes` of shared memory on the current device.
template <class Densities>
void allow_data_term_of(int shared_bytes) {
  constexpr Kernels kernels = kernels_of<Densities>;
  const auto allow = [&](Kernel kernel) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes),
          "cudaFuncSetAttribute");
  };
  for (const int half : {0, 1}) {
    for (const Kernel kernel : kernels.tiles[half]) allow(kernel);
    for (const Kernel kernel : kernels.rows[half]) allow(kernel);
    for (const Kernel kernel : kernels.eights[half]) allow(kernel);
  }
}

inline Kernel kernel_of(const Kernels& kernels, const TilePlan& plan) {
  const int half = plan.element_bytes == 2 ? 1 : 0;
  if (plan.row_columns > 0) return kernels.rows[half][plan.row_columns == row_sizes[0] ? 0 : 1];
  if (plan.eight_columns > 0) return kernels.eights[half][plan.eight_columns == eight_sizes[0] ? 0 : 1];
  return kernels.tiles[half][plan.bucket];
}

template <class Densities>
void launch_data_term_of(const DataTermWork& work, cudaStream_t stream) {
  constexpr Kernels kernels = kernels_of<Densities>;
  const auto blocks = static_cast<unsigned>(work.blocks.blocks * work.plan.groups);
  const Kernel kernel = kernel_of(kernels, work.plan);
  kernel<<<blocks, tile_threads, static_cast<std::size_t>(work.plan.bytes), stream>>>(work);
  check(cudaGetLastError(), "data_term_kernel");
}

}  // namespace
}  // namespace jensen
