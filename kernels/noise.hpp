#pragma once
/// \file Random numbers as a pure function of (seed, purpose, step, sample, coordinate): equation (1).
///
/// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): cuRAND's device function in CUDA
/// files, else the same ten rounds here. QUALIFIERS makes cuRAND's header compile for the host as well; that is
/// undocumented, so it is done in this file only. tests/curand_test.cu compares the two, noise_test.cpp known answers.

#include <cstdint>

#include "host_device.hpp"
#include "math.hpp"

#if defined(__CUDACC__)
#define QUALIFIERS static __host__ __device__ inline
#include <cuda_runtime.h>
#include <curand_philox4x32_x.h>
#undef QUALIFIERS
#endif

namespace jensen {

struct Words {
  std::uint32_t w[4];
};

/// What a stream of noise is for. Each purpose, step and sample has its own counter.
enum class Purpose : std::uint32_t {
  train = 1,
  evaluate = 2,
  draw = 3,
  subsample = 4,
  shuffle = 5,
  bench = 6,
  respond = 7,
};

/// One round: the words that take the place of the counter's.
JENSEN_HD Words philox_round(const Words& c, std::uint32_t k0, std::uint32_t k1) {
  const std::uint64_t p0 = std::uint64_t{0xD2511F53U} * c.w[0];
  const std::uint64_t p1 = std::uint64_t{0xCD9E8D57U} * c.w[2];
  return {{static_cast<std::uint32_t>(p1 >> 32U) ^ c.w[1] ^ k0, static_cast<std::uint32_t>(p1),
           static_cast<std::uint32_t>(p0 >> 32U) ^ c.w[3] ^ k1, static_cast<std::uint32_t>(p0)}};
}
constexpr int philox_rounds = 10;
/// The keys of the next round.
JENSEN_HD void bump(std::uint32_t& k0, std::uint32_t& k1) {
  k0 += 0x9E3779B9U;
  k1 += 0xBB67AE85U;
}

/// Ten rounds written out; the same bits as cuRAND's curand_Philox4x32_10.
JENSEN_HD Words philox_portable(Words counter, std::uint64_t key) {
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32U);
  for (int round = 0; round < philox_rounds; ++round) {
    counter = philox_round(counter, k0, k1);
    bump(k0, k1);
  }
  return counter;
}

JENSEN_HD Words philox(Words counter, std::uint64_t key) {
#if defined(__CUDACC__)
  const uint4 out =
      curand_Philox4x32_10(uint4{counter.w[0], counter.w[1], counter.w[2], counter.w[3]},
                           uint2{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32U)});
  return {{out.x, out.y, out.z, out.w}};
#else
  return philox_portable(counter, key);
#endif
}

/// The sine and cosine of w / 2^32 turns. The nearest quarter turn is taken off w itself, without rounding; what is
/// left, |x| <= pi / 4, goes into the series, cut where the next term is below 2^-25.
struct SineCosine {
  float sine, cosine;
};
JENSEN_HD SineCosine sine_cosine_of_turn(std::uint32_t w) {
  const std::uint32_t quarter = (w + 0x20000000U) >> 30U;
  const float x = static_cast<float>(static_cast<std::int32_t>(w - (quarter << 30U))) * 1.4629180792671596e-9F;
  const float square = x * x;
  const float sine = x * math::polynomial(square, 1.0F, -1.0F / 6, 1.0F / 120, -1.0F / 5040, 1.0F / 362880);
  const float cosine = math::polynomial(square, 1.0F, -1.0F / 2, 1.0F / 24, -1.0F / 720, 1.0F / 40320);
  const bool odd = (quarter & 1U) != 0;
  const float s = odd ? cosine : sine;
  const float c = odd ? sine : cosine;
  return {(quarter & 2U) != 0 ? -s : s, ((quarter + 1U) & 2U) != 0 ? -c : c};
}

/// Two standard normals of two random words (Box-Muller).
struct NormalPair {
  float first, second;
};
JENSEN_HD NormalPair normal_pair(std::uint32_t a, std::uint32_t b) {
  // (0, 1]: the logarithm is finite; 2^-33 centres the cell
  const float u = static_cast<float>(a) * 2.3283064e-10F + 1.1641532e-10F;
  const float radius = math::sqrt(-2.0F * math::log(u));
  const SineCosine direction = sine_cosine_of_turn(b);
  return {radius * direction.cosine, radius * direction.sine};
}

struct Normals {
  float n[4];
};
JENSEN_HD Normals normals_of(const Words& bits) {
  const NormalPair a = normal_pair(bits.w[0], bits.w[1]);
  const NormalPair b = normal_pair(bits.w[2], bits.w[3]);
  return {{a.first, a.second, b.first, b.second}};
}

/// The counter of coordinates 4 * quad to 4 * quad + 3 of one sample. The step takes 32 + 24 bits, the purpose the top
/// 8.
JENSEN_HD Words counter_of(Purpose purpose, std::uint64_t step, std::uint32_t sample, std::uint32_t quad) {
  return {{quad, sample, static_cast<std::uint32_t>(step),
           (static_cast<std::uint32_t>(purpose) << 24U) | static_cast<std::uint32_t>(step >> 32U)}};
}

/// Four standard normals for coordinates 4 * quad to 4 * quad + 3 of one sample.
JENSEN_HD Normals standard_normals(std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint32_t sample,
                                   std::uint32_t quad) {
  return normals_of(philox(counter_of(purpose, step, sample, quad), seed));
}

}  // namespace jensen
