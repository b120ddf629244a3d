#pragma once
/// \file Effects of levels that stand in the head are tied to one another. Their latents are w, near N(0, I) together;
/// what the levels' maps (group_map.hpp) take is z = M w in the same places.

#include <cstdint>

#include "host_device.hpp"

namespace jensen {

struct HeadMap {
  int first = 0;                  ///< latent coordinate of w_1
  int count = 0;                  ///< E
  const float* matrix = nullptr;  ///< M, E x E, row-major, upper triangular
};

/// z from w. Item: (sample, coordinate of the map).
struct ExpandHead {
  HeadMap map;
  const float* w;  ///< S x H
  int dimension;   ///< H
  float* z;        ///< S x H
  JENSEN_HD void operator()(std::int64_t item) const {
    const std::int64_t at = item / map.count * dimension + map.first;
    const auto i = static_cast<int>(item % map.count);
    const float* row = map.matrix + static_cast<std::int64_t>(i) * map.count;
    float sum = 0;
    for (int j = i; j < map.count; ++j) sum += row[j] * w[at + j];
    z[at + i] = sum;
  }
};

/// The gradient by w from the one by z. Item: as ExpandHead's.
struct PullBackHead {
  HeadMap map;
  const double* joint;  ///< S x (1 + H), by z
  int dimension;
  double* by_w;  ///< S x E
  JENSEN_HD void operator()(std::int64_t item) const {
    const double* bar = joint + item / map.count * (1 + dimension) + 1 + map.first;
    const auto j = static_cast<int>(item % map.count);
    double sum = 0;
    for (int i = 0; i <= j; ++i) {
      sum += static_cast<double>(map.matrix[static_cast<std::int64_t>(i) * map.count + j]) * bar[i];
    }
    by_w[item] = sum;
  }
};

/// Puts it in its place. Item: as ExpandHead's.
struct KeepHead {
  HeadMap map;
  const double* by_w;
  int dimension;
  double* joint;
  JENSEN_HD void operator()(std::int64_t item) const {
    joint[item / map.count * (1 + dimension) + 1 + map.first + item % map.count] = by_w[item];
  }
};

}  // namespace jensen
