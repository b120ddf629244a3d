#pragma once
/// \file Ordered thresholds above a first one that is zero: c_k = exp(y_1) + .. + exp(y_k), with y = shift + matrix w
/// for latents w. (Where all thresholds lie is the linear predictor's intercept.)

#include <cmath>
#include <cstdint>

#include "host_device.hpp"
#include "math.hpp"

namespace jensen {

constexpr int max_thresholds = 32;

struct OrderedBlock {
  int first = 0;  ///< latent coordinate of w_1; the thresholds stand in the same places of z
  int count = 0;
  float shift[max_thresholds] = {};
  const float* matrix = nullptr;  ///< count x count, row-major

  JENSEN_HD float raw(int k, const float* w) const {
    float y = shift[k];
    for (int l = 0; l < count; ++l) y += matrix[k * count + l] * w[first + l];
    return y;
  }
};

/// z's thresholds from w's. Item: sample.
struct ExpandOrdered {
  OrderedBlock block;
  const float* w;
  int dimension;
  float* z;
  JENSEN_HD void operator()(std::int64_t s) const {
    const float* from = w + s * dimension;
    float* to = z + s * dimension + block.first;
    for (int k = 0; k < block.count; ++k) {
      const float y = block.raw(k, from);
      to[k] = (k == 0 ? 0.0F : to[k - 1]) + math::exp(y);
    }
  }
};

/// Turns the gradient by z into the one by w, in place, and adds the log Jacobian y_1 + .. + y_K. Item: sample.
struct PullBackOrdered {
  OrderedBlock block;
  const float* w;
  int dimension;
  double* joint;
  JENSEN_HD void operator()(std::int64_t s) const {
    const float* at = w + s * dimension;
    double* row = joint + s * (1 + dimension);
    double* bar = row + 1 + block.first;
    double y_bar[max_thresholds];
    double above = 0;  // sum of the derivatives by c_k, c_(k+1), ..
    for (int k = block.count - 1; k >= 0; --k) {
      above += bar[k];
      const float y = block.raw(k, at);
      y_bar[k] = above * static_cast<double>(math::exp(y)) + 1;
      row[0] += static_cast<double>(y);
    }
    for (int l = 0; l < block.count; ++l) {
      bar[l] = 0;
      for (int k = 0; k < block.count; ++k) bar[l] += y_bar[k] * static_cast<double>(block.matrix[k * block.count + l]);
    }
  }
};

}  // namespace jensen
