#pragma once
/// \file Coordinates u = A w + b of which the log joint is a function, where the guide's are w: A upper triangular,
/// D x D, row-major. So that a posterior is near N(0, I) in w without the log joint's knowing.

#include <cstdint>

#include "combine_terms.hpp"
#include "host_device.hpp"

namespace jensen {

struct AffineMap {
  const double* matrix;
  const double* shift;
  int dimension;
  /// Coordinate i of u.
  JENSEN_HD double operator()(const float* w, int i) const {
    double sum = shift[i];
    for (int j = i; j < dimension; ++j) sum += matrix[static_cast<std::int64_t>(i) * dimension + j] * w[j];
    return sum;
  }
};

/// u of each sample. Item: (sample, coordinate). T: float for terms, double for a target.
template <class T>
struct ExpandAffine {
  AffineMap map;
  const float* w;
  T* u;
  JENSEN_HD void operator()(std::int64_t item) const {
    const std::int64_t s = item / map.dimension;
    u[item] = static_cast<T>(map(w + s * map.dimension, static_cast<int>(item % map.dimension)));
  }
};

/// The log joint and its gradient by w, g_w = A^T g_u, from those by u, less the reference -rho/2 |w|^2. Item: (sample,
/// value or coordinate).
struct PullBackAffine {
  AffineMap map;
  const float* w;
  double reference;    ///< rho
  const double* by_u;  ///< S x (1 + D)
  double* joint;       ///< S x (1 + D)
  JENSEN_HD void operator()(std::int64_t item) const {
    const int d = map.dimension;
    const std::int64_t s = item / (1 + d);
    const auto c = static_cast<int>(item % (1 + d));
    const double* row = by_u + s * (1 + d);
    double sum = c == 0 ? row[0] : 0;
    for (int i = 0; i < c; ++i) sum += map.matrix[static_cast<std::int64_t>(i) * d + (c - 1)] * row[1 + i];
    joint[item] = sum + reference * CombineTerms::away(w + s * d, c, d);
  }
};

}  // namespace jensen
