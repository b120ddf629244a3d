#pragma once
/// \file The S draws of one step as a guide's pull-back sees them.

#include <cstdint>

#include "host_device.hpp"

namespace jensen {

struct Draws {
  int samples;
  int dimension;
  const float* eps;          ///< S x D
  const double* joint;       ///< S x (1 + D): log joint l_s, then its gradient g_s
  const std::int32_t* good;  ///< S: 1 if l_s and g_s are finite
  const std::int32_t* good_count;
  const float* level_eps = nullptr;  ///< coordinates of the groups' levels x stride
  const float* level_bar = nullptr;  ///< likewise: d l_s / d v
  std::int64_t stride = 0;

  JENSEN_HD const float* noise(int s) const { return eps + static_cast<std::int64_t>(s) * dimension; }
  JENSEN_HD double log_joint(int s) const { return joint[static_cast<std::int64_t>(s) * (1 + dimension)]; }
  JENSEN_HD const double* gradient(int s) const { return joint + static_cast<std::int64_t>(s) * (1 + dimension) + 1; }
  /// Mean of f(s) over the finite samples; 0 if there is none. Added up in four chains, which do not wait for one
  /// another, by s % 4.
  template <class F>
  JENSEN_HD double mean(F f) const {
    double chains[4] = {};
    for (int s = 0; s < samples; s += 4) {
      for (int i = 0; i < 4; ++i) {
        if (s + i < samples && good[s + i] != 0) chains[i] += f(s + i);
      }
    }
    const double total = (chains[0] + chains[1]) + (chains[2] + chains[3]);
    return *good_count > 0 ? total / *good_count : 0.0;
  }
};

}  // namespace jensen
