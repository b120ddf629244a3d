#pragma once
/// \file The CPU's terms of each instruction set, before one is chosen (see data_term_cpu.hpp).

#include <cstddef>
#include <cstdint>

#include "general_term.hpp"
#include "shuffle.hpp"
#include "term.hpp"
#include "tile_density.hpp"

namespace jensen {

// One definition each in densities_cpu_isa.cpp, data_term_cpu_isa.cpp, general_term_cpu_isa.cpp and
// shuffle_cpu_isa.cpp, which are compiled once for each instruction set.
#define JENSEN_DECLARE(isa)                                                                                            \
  namespace isa {                                                                                                      \
  TileDensity tile_density(const Term& term);                                                                          \
  std::size_t scratch_bytes(std::size_t columns, int samples);                                                         \
  void data_term_block(const Term& term, const RowList& rows, std::int64_t begin, std::int64_t end, const float* z,    \
                       int dimension, double* sums, int samples, int stride, void* memory);                            \
  std::size_t general_scratch_bytes(const Term& term, int samples);                                                    \
  void general_term_block(const Term& term, const RowList& rows, std::int64_t begin, std::int64_t end, const float* z, \
                          int dimension, const Effects& effects, const RowValues& values, double* sums, int samples,   \
                          int stride, void* memory);                                                                   \
  void shuffle_range(const Shuffle& shuffle, std::uint32_t first, std::int64_t count, std::uint32_t* images);          \
  }
JENSEN_DECLARE(baseline)
#if defined(__x86_64__)
JENSEN_DECLARE(avx2)
JENSEN_DECLARE(avx512)
#endif
#undef JENSEN_DECLARE

/// Whether this processor has what -march=x86-64-v3 and -v4 assume (System V psABI), of the instructions a compiler is
/// likely to use.
bool processor_runs_avx2();
bool processor_runs_avx512();

}  // namespace jensen
