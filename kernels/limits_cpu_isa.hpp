#pragma once
/// \file The loops that find the CPU's limits, for each instruction set, before one is chosen (see limits_cpu.cpp).

#include <cstdint>

namespace jensen {

// One definition each in limits_cpu_isa.cpp, which is compiled once for each instruction set.
#define JENSEN_DECLARE(isa)                                    \
  namespace isa {                                              \
  float sum_floats(const float* from, std::int64_t count);     \
  float multiply_add_chains(std::int64_t rounds, float start); \
  std::int64_t multiply_add_operations(std::int64_t rounds);   \
  }
JENSEN_DECLARE(baseline)
#if defined(__x86_64__)
JENSEN_DECLARE(avx2)
JENSEN_DECLARE(avx512)
#endif
#undef JENSEN_DECLARE

}  // namespace jensen
