/// \file The loops that find the CPU's limits: compiled once for each instruction set, JENSEN_ISA naming the namespace.

#include "limits_cpu_isa.hpp"

namespace jensen::JENSEN_ISA {
namespace {

// The widest vector that this instruction set's multiply-add takes.
#if defined(__AVX512F__)
constexpr int width = 16;
#elif defined(__AVX__)
constexpr int width = 8;
#else
constexpr int width = 4;
#endif
using Vec = float __attribute__((vector_size(width * sizeof(float))));

/// Independent chains: enough to cover a latency of 4 or 5 cycles on two units, and with the two factors still within
/// the sixteen registers that every x86-64 processor has.
constexpr int chains = 12;

inline __attribute__((always_inline)) float sum_lanes(const Vec& v) {
  float total = 0;
  for (int l = 0; l < width; ++l) total += v[l];
  return total;
}

}  // namespace

/// Reads every float once, with eight loads in flight.
float sum_floats(const float* from, std::int64_t count) {
  constexpr int loads = 8;
  Vec sums[loads] = {};
  std::int64_t i = 0;
  for (; i + loads * width <= count; i += loads * width) {
    for (int k = 0; k < loads; ++k) {
      Vec v;
      __builtin_memcpy(&v, from + i + k * width, sizeof v);
      sums[k] += v;
    }
  }
  float total = 0;
  for (const Vec& sum : sums) total += sum_lanes(sum);
  for (; i < count; ++i) total += from[i];
  return total;
}

/// x <- x a + b in every lane of every chain, `rounds` times.
float multiply_add_chains(std::int64_t rounds, float start) {
  const Vec a = Vec{} + (1 - 1e-3F * start), b = Vec{} + 1e-3F * start;  // to the fixed point `start`: never denormal
  Vec x0 = Vec{} + start, x1 = x0 + 1.0F, x2 = x0 + 2.0F, x3 = x0 + 3.0F, x4 = x0 + 4.0F, x5 = x0 + 5.0F;
  Vec x6 = x0 + 6.0F, x7 = x0 + 7.0F, x8 = x0 + 8.0F, x9 = x0 + 9.0F, x10 = x0 + 10.0F, x11 = x0 + 11.0F;
  for (std::int64_t r = 0; r < rounds; ++r) {
    x0 = x0 * a + b;
    x1 = x1 * a + b;
    x2 = x2 * a + b;
    x3 = x3 * a + b;
    x4 = x4 * a + b;
    x5 = x5 * a + b;
    x6 = x6 * a + b;
    x7 = x7 * a + b;
    x8 = x8 * a + b;
    x9 = x9 * a + b;
    x10 = x10 * a + b;
    x11 = x11 * a + b;
  }
  return sum_lanes(x0 + x1 + x2 + x3 + x4 + x5 + x6 + x7 + x8 + x9 + x10 + x11);
}

std::int64_t multiply_add_operations(std::int64_t rounds) { return rounds * chains * width * 2; }

}  // namespace jensen::JENSEN_ISA
