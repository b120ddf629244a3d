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
  JENSEN_HD std::int32_t count_good() const {
    std::int32_t count = 0;
    for (int s = 0; s < samples; ++s) count += good[s];
    return count;
  }
  /// f(s) for the finite samples.
  template <class F>
  JENSEN_HD void for_each(F f) const {
    for (int s = 0; s < samples; ++s) {
      if (good[s] != 0) f(s);
    }
  }
  /// What a sum over the finite samples is to be multiplied by to be their mean; 0 if there is none.
  JENSEN_HD double share() const { return *good_count > 0 ? 1.0 / *good_count : 0.0; }
  /// Sum of f(s) over the finite samples, in eight chains, which do not wait for one another, by s % 8.
  template <class F>
  JENSEN_HD double sum(F f) const {
    constexpr int chains = 8;
    double of[chains] = {};
    if (*good_count == samples) {
      int s = 0;
      for (; s + chains <= samples; s += chains) {
        for (int i = 0; i < chains; ++i) of[i] += f(s + i);
      }
      for (int i = 0; s + i < samples; ++i) of[i] += f(s + i);
    } else {
      for_each([&](int s) { of[s % chains] += f(s); });
    }
    return ((of[0] + of[1]) + (of[2] + of[3])) + ((of[4] + of[5]) + (of[6] + of[7]));
  }
};

}  // namespace jensen
