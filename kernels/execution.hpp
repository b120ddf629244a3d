#pragma once
/// \file What an engine uses of its caller's: stream, device, memory.

#include <cstddef>

namespace jensen {

struct EngineExecution {
  void* stream = nullptr;  ///< a cudaStream_t that was created; null: the engine makes its own
  int device = -1;         ///< number of the GPU; -1: the one that is current when the engine is made
  /// Both or neither. On a GPU the memory's, ordered by `stream`; on a CPU, where `stream` is null, aligned to 64
  /// bytes.
  void* (*allocate)(void* context, std::size_t bytes, void* stream) = nullptr;
  void (*release)(void* context, void* memory, std::size_t bytes, void* stream) = nullptr;
  void* context = nullptr;
};

}  // namespace jensen
