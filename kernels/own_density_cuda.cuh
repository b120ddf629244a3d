#pragma once
/// \file The GPU's terms of one density of a user's. Compiled by nvcc.

#include "data_term_kernels.cuh"
#include "density_code.hpp"
#include "own_density.hpp"

namespace jensen {
namespace {

constexpr int own_rows_threads = 256;

template <class Densities>
__global__ void __launch_bounds__(own_rows_threads)
    own_rows_kernel(const __grid_constant__ EvaluateRowsOf<Densities> evaluate, std::int64_t items) {
  const std::int64_t item = static_cast<std::int64_t>(blockIdx.x) * own_rows_threads + threadIdx.x;
  if (item < items) evaluate(item);
}

template <class Densities>
void evaluate_own_rows(const Term& term, RowList rows, const float* z, int dimension, Effects effects, int samples,
                       RowValues values, void* stream) {
  const std::int64_t items = rows.count * samples;
  if (items == 0) return;
  const auto blocks = static_cast<unsigned>((items + own_rows_threads - 1) / own_rows_threads);
  own_rows_kernel<Densities><<<blocks, own_rows_threads, 0, static_cast<cudaStream_t>(stream)>>>(
      {term, rows, z, dimension, effects, samples, values}, items);
  check(cudaGetLastError(), "own_rows_kernel");
}

template <class Densities>
void launch_own_data_term(const DataTermWork& work, void* stream) {
  launch_data_term_of<Densities>(work, static_cast<cudaStream_t>(stream));
}

}  // namespace

/// Instantiated once.
template <class Own>
const CudaTermCode& own_cuda_code() {
  using Set = OnlyDensity<Own, prepared_floats>;
  static const CudaTermCode code = [] {
    CudaTermCode made;
    if constexpr (argument_count_of<Own>() <= max_data_arguments) {
      made.allow = &allow_data_term_of<Set>;
      made.data_term = &launch_own_data_term<Set>;
    }
    made.evaluate_rows = &evaluate_own_rows<Set>;
    return made;
  }();
  return code;
}

}  // namespace jensen
