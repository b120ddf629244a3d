#pragma once
#include "jensen/density.hpp"

/// A mixture of two normals, labels summed out. Arguments: the lower mean, the upper, both log standard deviations,
/// logit of the lower one's share.
struct TwoNormals {
  static constexpr int arguments = 5;
  static constexpr int constants = 1;
  template <class T>
  static JENSEN_HD T log_density(const auto* y, const T* a) {
    const T r = (y[0] - a[0]) * jensen::math::exp(-a[2]);
    const T s = (y[0] - a[1]) * jensen::math::exp(-a[3]);
    return jensen::math::log_sum_exp(-jensen::math::softplus(-a[4]) - 0.5F * r * r - a[2],
                                     -jensen::math::softplus(a[4]) - 0.5F * s * s - a[3]);
  }
};
