#pragma once
/// \file The macros of the arithmetic. JENSEN_HD: a function of one element, callable from host and device code.
/// JENSEN_DEVICE: part of what a thread block does, which tests play on the host. JENSEN_UNROLL: before a loop over
/// registers, which have no addresses. JENSEN_UNROLL_BY_2, JENSEN_ROLLED: before a loop whose length is known only at
/// run time.
///
/// On the host it is always inlined, because data_term_cpu.cpp is compiled once per instruction set: an out-of-line
/// copy could be merged by the linker with one that this processor cannot run.

#if defined(__CUDACC__)
#define JENSEN_HD __host__ __device__ __forceinline__
#define JENSEN_DEVICE __device__ __forceinline__
#define JENSEN_UNROLL _Pragma("unroll")
#define JENSEN_UNROLL_BY_2 _Pragma("unroll 2")
#define JENSEN_ROLLED _Pragma("unroll 1")
#else
#define JENSEN_HD inline __attribute__((always_inline))
#define JENSEN_DEVICE inline
#define JENSEN_UNROLL
#define JENSEN_UNROLL_BY_2
#define JENSEN_ROLLED
#endif

namespace jensen {

/// x, as what the compiler knows nothing of. What follows from it is found where it is needed, and not kept in
/// registers from before a loop or for branches that might need it.
JENSEN_DEVICE int opaque(int x) {
#if defined(__CUDA_ARCH__)
  asm volatile("" : "+r"(x));
#endif
  return x;
}
JENSEN_DEVICE float opaque(float x) {
#if defined(__CUDA_ARCH__)
  asm volatile("" : "+f"(x));
#endif
  return x;
}

}  // namespace jensen
