/// \file The data term's kernels of Jensen's own densities.

#include "data_term_cuda.cuh"

#include "data_term_kernels.cuh"

namespace jensen {

void allow_data_term(int shared_bytes) { allow_data_term_of<BuiltInDensities>(shared_bytes); }

void launch_data_term(const DataTermWork& work, cudaStream_t stream) {
  launch_data_term_of<BuiltInDensities>(work, stream);
}

}  // namespace jensen
