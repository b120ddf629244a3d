#pragma once
/// \file Parameters in ascending order for terms: where transforms[i] is increment, z_i = z_{i-1} + exp(u_i); all other
/// z are u, whose transforms the terms' densities know. (A target's parameters are transformed by constrain.hpp.)

#include <cmath>
#include <cstdint>

#include "log_joint.hpp"
#include "math.hpp"

namespace jensen {

/// z of each sample. Item: (sample, coordinate).
struct ExpandAscending {
  const CoordinateTransform* transforms;
  const float* u;  ///< S x D
  int dimension;
  float* z;  ///< S x D
  JENSEN_HD void operator()(std::int64_t item) const {
    auto i = static_cast<int>(item % dimension);
    const float* at = u + (item - i);
    float sum = 0;
    for (; transforms[i] == CoordinateTransform::increment; --i) sum += math::exp(at[i]);
    z[item] = at[i] + sum;
  }
};

/// Turns value and gradient by z into those by u, in place, the log Jacobian added: that of z_i by u_i is u_i, and z_k
/// of every k from i to the end of the run moves with u_i. Item: sample.
struct PullBackAscending {
  const CoordinateTransform* transforms;
  const float* u;  ///< S x D
  int dimension;
  double* joint;  ///< S x (1 + D)
  JENSEN_HD void operator()(std::int64_t s) const {
    const float* at = u + s * dimension;
    double* row = joint + s * (1 + dimension);
    double above = 0;  // sum of the derivatives by z_{i+1}, .. of the run
    for (int i = dimension - 1; i >= 0; --i) {
      double& bar = row[1 + i];
      if (transforms[i] == CoordinateTransform::increment) {
        above += bar;
        bar = above * static_cast<double>(math::exp(at[i])) + 1;
        row[0] += static_cast<double>(at[i]);
      } else {
        bar += above;
        above = 0;
      }
    }
  }
};

}  // namespace jensen
