#pragma once
/// \file The code of a user's own density, compiled outside of Jensen for each instruction set and for CUDA.

#include <cstddef>
#include <cstdint>

#include "general_term.hpp"
#include "term.hpp"
#include "tile_density.hpp"

namespace jensen {

struct DataTermWork;

/// Launches on a stream (a cudaStream_t) of the current device.
struct CudaTermCode {
  void (*allow)(int shared_bytes) = nullptr;  ///< once for each device, before the first launch
  /// Null for a prior, and for more arguments than the kernels by tiles take: row by row.
  void (*data_term)(const DataTermWork& work, void* stream) = nullptr;
  /// f and its derivatives row by row, into `values`; the term is in the device's memory.
  void (*evaluate_rows)(const Term* term, RowList rows, const float* z, int dimension, Effects effects, int samples,
                        RowValues values, void* stream) = nullptr;
};

/// Changes when kernels that a density's code contains change their meaning.
constexpr int density_code_version = 5;

struct DensityCode {
  const char* name = "";
  int arguments = 1;
  int constants = 0;
  TileDensity baseline, avx2, avx512;  ///< of each instruction set of the CPU that it is compiled for, else empty
  const CudaTermCode* cuda = nullptr;  ///< null: not compiled for CUDA
  int version = density_code_version;  ///< of the headers that it was compiled with
};

}  // namespace jensen
