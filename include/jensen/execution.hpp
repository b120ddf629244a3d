#pragma once
/// \file What the library uses of its caller's: a GPU, a stream, a source of memory.

#include <cstddef>

namespace jensen {

/// Where the large arrays of a Trainer come from: columns, parameters, sums. (The start of a model from a formula is
/// found in the process's own memory before.) Called on the thread that uses the Trainer. It must outlive it.
class MemoryResource {
 public:
  virtual ~MemoryResource() = default;
  /// `bytes` (above 0) of the device's memory, for work on `stream`; on the CPU `stream` is null, and the memory is
  /// aligned to 64 bytes, else an InputError. What it throws goes through to the Trainer's caller; null means that
  /// there is none: a DeviceError that says how many bytes.
  virtual void* allocate(std::size_t bytes, void* stream) = 0;
  /// May not throw.
  virtual void release(void* memory, std::size_t bytes, void* stream) noexcept = 0;
};

struct Execution {
  /// A cudaStream_t: all work of the Trainer is enqueued there, in the order of its calls. Null: one of its own, non-
  /// blocking. Not one of CUDA's default streams, since the steps are captured as a graph; and no other thread may use
  /// it during a call. The CPU does not read it.
  void* stream = nullptr;
  int device = -1;                   ///< number of the GPU; -1: the calling thread's current one
  MemoryResource* memory = nullptr;  ///< null: cudaMalloc, or the process's own
};

}  // namespace jensen
