#pragma once
/// \file The code of a density, for the instruction set that this file is compiled for. In one source file:
///
///     #include "my_density.hpp"
///     #include "jensen/compile_density.hpp"
///     template const jensen::DensityCode& jensen::density<MyDensity>();
///
///     g++ -std=c++20 -O3 -march=native -fno-math-errno -fno-trapping-math -fopenmp-simd
///         -IPREFIX/include -IPREFIX/include/jensen -IPREFIX/include/jensen/kernels -c my_density.cpp
///
/// jensen_add_density() of the CMake package compiles it for every instruction set, and for CUDA.

#include "jensen/density.hpp"

#define JENSEN_ISA one_isa
#include "kernels/own_density_cpu.hpp"
#undef JENSEN_ISA

namespace jensen {

template <class Own>
const DensityCode& density() {
  static const DensityCode code = [] {
    DensityCode made;
    made.name = "custom";
    made.arguments = argument_count_of<Own>();
    made.constants = Own::constants;
#if defined(__AVX512F__)
    made.avx512 = one_isa::OwnTileDensity<Own>::table;
#elif defined(__AVX2__)
    made.avx2 = one_isa::OwnTileDensity<Own>::table;
#else
    made.baseline = one_isa::OwnTileDensity<Own>::table;
#endif
    return made;
  }();
  return code;
}

}  // namespace jensen
