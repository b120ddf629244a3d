#pragma once
/// \file A GPU as a backend: one non-blocking stream, Thrust's CUDA policy behind for_each and sum, the data term.

#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system/cuda/execution_policy.h>

#include <cstdint>

#include "cuda_check.cuh"
#include "cuda_graph.cuh"
#include "data_term_tile.hpp"
#include "general_term.hpp"
#include "small_step_cuda.cuh"
#include "stage_clock_cuda.cuh"
#include "term_oracle.hpp"

namespace jensen {

template <class Density>
__global__ void __launch_bounds__(tile_threads) data_term_kernel(const __grid_constant__ DataTermTile<Density> tile) {
  extern __shared__ float memory[];
  const auto shared = tile.cut(memory);
  const auto block = static_cast<std::int64_t>(blockIdx.x);
  const auto thread = static_cast<int>(threadIdx.x);
  tile.clear(block, thread);
  for (std::int64_t t = tile.begin(block); t < tile.end(block); t += tile.shape.rows) {
    const auto left = tile.end(block) - t;
    const int count = left < tile.shape.rows ? static_cast<int>(left) : tile.shape.rows;
    tile.load(shared, t, count, thread);
    for (int first = 0; first < tile.out.samples; first += tile_samples) {
      const int samples = tile.out.samples - first < tile_samples ? tile.out.samples - first : tile_samples;
      __syncthreads();
      tile.evaluate(shared, count, first, samples, thread);
      __syncthreads();
      tile.reduce(shared, block, count, first, samples, thread);
    }
    __syncthreads();
  }
}

class CudaBackend {
 public:
  static constexpr std::int64_t least_rows = 128;
  static constexpr std::int64_t most_blocks = 2048;
  static constexpr std::int64_t level_block = 8;
  /// Priors, and whole steps of small models, are one launch each.
  static constexpr bool small_terms_together = true;

  explicit CudaBackend(int device) {
    check(cudaSetDevice(device), "cudaSetDevice");
    check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
    check(cudaEventCreate(&begin_), "cudaEventCreate");
    check(cudaEventCreate(&end_), "cudaEventCreate");
    int bytes = 0;
    check(cudaDeviceGetAttribute(&bytes, cudaDevAttrMaxSharedMemoryPerBlockOptin, device), "cudaDeviceGetAttribute");
    shared_bytes_ = bytes < most_shared ? bytes : most_shared;
  }
  ~CudaBackend() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
    cudaStreamDestroy(stream_);
  }
  CudaBackend(const CudaBackend&) = delete;
  CudaBackend& operator=(const CudaBackend&) = delete;

  void* allocate(std::size_t bytes) {
    void* memory = nullptr;
    check(cudaMalloc(&memory, bytes), "cudaMalloc");
    return memory;
  }
  void release(void* memory) { cudaFree(memory); }
  void upload(void* to, const void* from, std::size_t bytes) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync");
    check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  }
  void download(void* to, const void* from, std::size_t bytes) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_), "cudaMemcpyAsync");
    check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  }
  void zero(void* to, std::size_t bytes) {
    const auto timed = stage("zero");
    check(cudaMemsetAsync(to, 0, bytes, stream_), "cudaMemsetAsync");
  }

  /// Times what is enqueued while it lives, under this name, if the clock is on.
  CudaStageClock::Scope stage(const char* name) { return {clock, name}; }
  CudaStageClock clock{stream_};
  /// Seconds that the GPU takes for what `work` enqueues. Waits.
  template <class F>
  double seconds(F work) {
    check(cudaEventRecord(begin_, stream_), "cudaEventRecord");
    work();
    check(cudaEventRecord(end_, stream_), "cudaEventRecord");
    check(cudaEventSynchronize(end_), "cudaEventSynchronize");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin_, end_), "cudaEventElapsedTime");
    return 1e-3 * static_cast<double>(milliseconds);
  }

  template <class T>
  void set(T* to, const T& value) {
    const auto timed = stage("set_input");
    set_kernel<<<1, 1, 0, stream_>>>(to, value);
    check(cudaGetLastError(), "set");
  }
  /// Runs what enqueue() enqueues, as a graph where it has been seen before.
  template <class F>
  void replay(const ReplayKey& key, F enqueue) {
    const Range range("step");
    if (clock.on) return enqueue();  // stages are timed one by one, which a graph does not allow
    graphs_.replay(stream_, key, enqueue);
  }
  /// Steps of a small model, one after the other.
  template <class Step>
  void run_steps(const Step& step, std::span<const StepInput> inputs) {
    const Range range("small_steps");
    const auto timed = stage("small_steps");
    StepInputs all;
    std::copy(inputs.begin(), inputs.end(), all.input);
    small_steps_kernel<<<1, small_step_threads, 0, stream_>>>(step, all, static_cast<int>(inputs.size()));
    check(cudaGetLastError(), "small_steps_kernel");
  }

  template <class F>
  void for_each(const char* name, std::int64_t n, F f, std::int64_t /*work*/ = 1) {
    const Range range(name);
    const auto timed = stage(name);
    thrust::for_each_n(thrust::cuda::par_nosync.on(stream_), thrust::counting_iterator<std::int64_t>(0), n, f);
    check(cudaGetLastError(), name);
  }

  void evaluate_term(const Term& term, RowList rows, BlockPlan plan, const float* z, int dimension, Partials out) {
    // Priors have few rows: nothing to gain from tiles.
    const TileShape shape = is_prior(term.density) ? TileShape{} : tile_shape(term, shared_bytes_);
    if (shape.rows == 0) {
      for_each("term_oracle", plan.blocks * out.samples, TermOracle{term, rows, plan, z, dimension, out});
      return;
    }
    if (plan.blocks == 0) return;
    const Range range("data_term");
    with_response_density(term.density, [&](auto density) {
      launch<decltype(density)>({term, rows, plan, z, dimension, out, shape});
    });
  }

  /// The sums of any term; leaves in `values` the derivatives of its arguments.
  void evaluate_general_term(const Term& term, RowList rows, BlockPlan plan, const float* z, int dimension,
                             Effects effects, RowValues values, Partials out) {
    for_each("evaluate_rows", rows.count * out.samples,
             EvaluateRows{term, rows, z, dimension, effects, out.samples, values});
    for_each("sum_row_values", plan.blocks * (1 + out.slots) * out.samples,
             SumRowValues{term, rows, plan, values, out});
  }

 private:
  /// Enough for 64 rows of about 400 columns while two blocks fit on a multiprocessor.
  static constexpr int most_shared = 112 * 1024;

  template <class Density>
  void launch(const DataTermTile<Density>& tile) {
    const auto bytes = static_cast<std::size_t>(tile.shape.shared_floats()) * sizeof(float);
    check(cudaFuncSetAttribute(data_term_kernel<Density>, cudaFuncAttributeMaxDynamicSharedMemorySize,
                               static_cast<int>(bytes)),
          "cudaFuncSetAttribute");
    data_term_kernel<Density><<<static_cast<unsigned>(tile.plan.blocks), tile_threads, bytes, stream_>>>(tile);
    check(cudaGetLastError(), "data_term_kernel");
  }

  cudaStream_t stream_ = nullptr;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
  GraphCache graphs_;
  int shared_bytes_ = 0;
};

}  // namespace jensen
