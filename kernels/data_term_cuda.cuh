#pragma once
/// \file Launches of the data term's kernels.

#include <cuda_runtime.h>

#include "data_term_block.hpp"
#include "data_term_rows.hpp"

namespace jensen {

/// Lets every kernel use `shared_bytes` of shared memory on the current device. Once, before any launch.
void allow_data_term(int shared_bytes);

/// Enqueues a block of 256 threads for each (block of rows, group of samples).
void launch_data_term(const DataTermWork& work, cudaStream_t stream);

}  // namespace jensen
