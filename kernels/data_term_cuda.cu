#include "data_term_cuda.cuh"

#include <utility>

#include "block_cuda.cuh"
#include "cuda_check.cuh"

namespace jensen {
namespace {

/// Small accumulators leave registers for two blocks on a multiprocessor, as tile_plan() leaves shared memory.
constexpr int blocks_of(TileBucket bucket) { return bucket.m * bucket.n <= 8 ? 2 : 1; }

template <class Element, int Bucket>
__global__ void __launch_bounds__(tile_threads, blocks_of(tile_buckets[Bucket]))
    data_term_kernel(const __grid_constant__ DataTermWork work) {
  extern __shared__ __align__(16) char memory[];
  CudaBlock block(memory);
  DataTermBlock<CudaBlock, Element, tile_buckets[Bucket].m, tile_buckets[Bucket].n>(block, work, blockIdx.x).run();
}

/// f(kernel) for each bucket's kernel of an element type, with the bucket's number.
template <class Element, class F, int... Bucket>
void for_each_kernel(F f, std::integer_sequence<int, Bucket...>) {
  (f(Bucket, data_term_kernel<Element, Bucket>), ...);
}
template <class Element, class F>
void for_each_kernel(F f) {
  for_each_kernel<Element>(f, std::make_integer_sequence<int, tile_bucket_count>());
}

}  // namespace

void allow_data_term(int shared_bytes) {
  const auto allow = [&](int, auto kernel) {
    check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, shared_bytes),
          "cudaFuncSetAttribute");
  };
  for_each_kernel<float>(allow);
  for_each_kernel<std::uint16_t>(allow);
}

void launch_data_term(const DataTermWork& work, bool half, cudaStream_t stream) {
  const auto blocks = static_cast<unsigned>(work.blocks.blocks * work.plan.groups);
  const auto launch = [&](int bucket, auto kernel) {
    if (bucket != work.plan.bucket) return;
    kernel<<<blocks, tile_threads, static_cast<std::size_t>(work.plan.bytes), stream>>>(work);
    check(cudaGetLastError(), "data_term_kernel");
  };
  if (half) {
    for_each_kernel<std::uint16_t>(launch);
  } else {
    for_each_kernel<float>(launch);
  }
}

}  // namespace jensen
