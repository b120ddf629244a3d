#pragma once
/// \file Every CUDA call is checked; every stage has a name a profiler shows.

#include <cuda_runtime.h>
#include <nvtx3/nvToolsExt.h>

#include <string>

#include "engine.hpp"

namespace jensen {

inline void check(cudaError_t status, const char* what) {
  if (status == cudaSuccess) return;
  cudaGetLastError();  // or the next check, of whoever goes on after this failure, would find it
  throw DeviceFailure(std::string("CUDA failed: ") + cudaGetErrorString(status) + " (" + what +
                      "); check the GPU with nvidia-smi, or use --device cpu");
}

/// While it lives, this GPU is the thread's current one; afterwards the caller's is again.
class CurrentDevice {
 public:
  explicit CurrentDevice(int device) : device_(device) {
    check(cudaGetDevice(&before_), "cudaGetDevice");
    if (device != before_) check(cudaSetDevice(device), "cudaSetDevice");
  }
  ~CurrentDevice() {
    // Setting a device makes a context on it: not where nothing is to be restored.
    if (device_ != before_ && cudaSetDevice(before_) != cudaSuccess) cudaGetLastError();
  }
  CurrentDevice(const CurrentDevice&) = delete;
  CurrentDevice& operator=(const CurrentDevice&) = delete;

 private:
  int device_, before_ = 0;
};

/// Names the work enqueued in its scope.
class Range {
 public:
  explicit Range(const char* name) { nvtxRangePushA(name); }
  ~Range() { nvtxRangePop(); }
  Range(const Range&) = delete;
  Range& operator=(const Range&) = delete;
};

}  // namespace jensen
