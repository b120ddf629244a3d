#pragma once
/// \file The code of a user's own density, compiled outside of Jensen for each instruction set and for CUDA.

#include <cstddef>
#include <cstdint>

#include "general_term.hpp"
#include "term.hpp"

namespace jensen {

struct DataTermWork;

/// The CPU's terms of one instruction set; null if there is no code for it. Arguments: data_term_cpu_isa.hpp.
struct CpuTermCode {
  void (*data_term)(const Term& term, const RowList& rows, std::int64_t begin, std::int64_t end, const float* z,
                    int dimension, double* sums, int samples, int stride, void* memory) = nullptr;
  void (*general_term)(const Term& term, const RowList& rows, std::int64_t begin, std::int64_t end, const float* z,
                       int dimension, const Effects& effects, const RowValues& values, double* sums, int samples,
                       int stride, void* memory) = nullptr;
};

/// Launches on a stream (a cudaStream_t) of the current device.
struct CudaTermCode {
  void (*allow)(int shared_bytes) = nullptr;  ///< once for each device, before the first launch
  void (*data_term)(const DataTermWork& work, void* stream) = nullptr;
  /// f and its derivatives row by row, into `values`.
  void (*evaluate_rows)(const Term& term, RowList rows, const float* z, int dimension, Effects effects, int samples,
                        RowValues values, void* stream) = nullptr;
};

/// Changes when kernels that a density's code contains change their meaning.
constexpr int density_code_version = 4;

struct DensityCode {
  const char* name = "";
  int arguments = 1;
  int constants = 0;
  CpuTermCode baseline, avx2, avx512;
  const CudaTermCode* cuda = nullptr;  ///< null: not compiled for CUDA
  int version = density_code_version;  ///< of the headers that it was compiled with
};

}  // namespace jensen
