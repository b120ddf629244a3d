#pragma once
/// \file Random numbers as a pure function of (seed, purpose, step, sample, coordinate): equation (1).
///
/// Philox4x32-10 (Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"): cuRAND's device function where
/// the CUDA toolkit is, else the same ten rounds here. QUALIFIERS makes cuRAND's header compile for the host as well;
/// that is undocumented, so it is done in this file only, and tests/noise_test.cpp pins known answers.

#include <cmath>
#include <cstdint>

#include "host_device.hpp"

#if JENSEN_HAS_CUDA
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

/// Ten Philox rounds written out; the same bits as cuRAND's curand_Philox4x32_10.
JENSEN_HD Words philox_portable(Words counter, std::uint64_t key) {
  auto k0 = static_cast<std::uint32_t>(key);
  auto k1 = static_cast<std::uint32_t>(key >> 32U);
  Words c = counter;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53U} * c.w[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57U} * c.w[2];
    c = {{static_cast<std::uint32_t>(p1 >> 32U) ^ c.w[1] ^ k0, static_cast<std::uint32_t>(p1),
          static_cast<std::uint32_t>(p0 >> 32U) ^ c.w[3] ^ k1, static_cast<std::uint32_t>(p0)}};
    k0 += 0x9E3779B9U;
    k1 += 0xBB67AE85U;
  }
  return c;
}

JENSEN_HD Words philox(Words counter, std::uint64_t key) {
#if JENSEN_HAS_CUDA
  const uint4 out =
      curand_Philox4x32_10(uint4{counter.w[0], counter.w[1], counter.w[2], counter.w[3]},
                           uint2{static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32U)});
  return {{out.x, out.y, out.z, out.w}};
#else
  return philox_portable(counter, key);
#endif
}

struct Normals {
  float n[4];
};

/// Four standard normals (Box-Muller) for coordinates 4 * quad to 4 * quad + 3 of one sample.
JENSEN_HD Normals standard_normals(std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint32_t sample,
                                   std::uint32_t quad) {
  // The step takes 32 + 24 bits, the purpose the top 8.
  const Words bits = philox({{quad, sample, static_cast<std::uint32_t>(step),
                              (static_cast<std::uint32_t>(purpose) << 24U) | static_cast<std::uint32_t>(step >> 32U)}},
                            seed);
  Normals out{};
  for (int i = 0; i < 4; i += 2) {
    // (0, 1]: the logarithm is finite; 2^-33 centres the cell
    const float u = static_cast<float>(bits.w[i]) * 2.3283064e-10F + 1.1641532e-10F;
    const float angle = static_cast<float>(bits.w[i + 1]) * (2.3283064e-10F * 6.2831853F);
    const float radius = ::sqrtf(-2.0F * ::logf(u));
    out.n[i] = radius * ::cosf(angle);
    out.n[i + 1] = radius * ::sinf(angle);
  }
  return out;
}

}  // namespace jensen
