#pragma once
/// \file The GPU's terms of one density of a user's. Compiled by nvcc.

#include "data_term_kernels.cuh"
#include "density_code.hpp"
#include "items_cuda.cuh"
#include "own_density.hpp"

namespace jensen {
namespace {

template <class Densities>
void evaluate_own_rows(const Term* term, RowList rows, const float* z, int dimension, Effects effects, int samples,
                       RowValues values, void* stream) {
  const EvaluateRowsOf<Densities> evaluate{term, rows, z, dimension, effects, samples, values};
  launch_items(static_cast<cudaStream_t>(stream), "evaluate_rows", rows.count * samples, evaluate);
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
    if constexpr (argument_count_of<Own>() <= max_data_arguments && !PriorDensity<Own>) {
      made.allow = &allow_data_term_of<Set>;
      made.data_term = &launch_own_data_term<Set>;
    }
    made.evaluate_rows = &evaluate_own_rows<Set>;
    return made;
  }();
  return code;
}

}  // namespace jensen
