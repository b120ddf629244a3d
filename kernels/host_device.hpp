#pragma once
/// \file The one macro of the arithmetic: a function of one element, callable from host and device code.
///
/// On the host it is always inlined, because data_term_cpu.cpp is compiled once per instruction set: an out-of-line
/// copy could be merged by the linker with one that this processor cannot run.

#if defined(__CUDACC__)
#define JENSEN_HD __host__ __device__ __forceinline__
#else
#define JENSEN_HD inline __attribute__((always_inline))
#endif
