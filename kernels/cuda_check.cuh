#pragma once
/// \file Every CUDA call is checked; every stage has a name a profiler shows.

#include <cuda_runtime.h>
#include <nvtx3/nvToolsExt.h>

#include <string>

#include "engine.hpp"

namespace jensen {

inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  throw DeviceFailure(std::string("CUDA failed: ") + cudaGetErrorString(status) + " (" + what +
                      "); check the GPU with nvidia-smi, or use --device cpu");
}

/// Names the work enqueued in its scope.
class Range {
 public:
  explicit Range(const char* name) { nvtxRangePushA(name); }
  ~Range() { nvtxRangePop(); }
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;
};

}  // namespace jensen
