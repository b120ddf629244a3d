#pragma once
#include <cmath>
#include <cstdint>

#include "host_device.hpp"

namespace jensen {

/// Adam's ascent step, element by element (Kingma & Ba 2015, algorithm 1). [equation (6)]
struct Adam {
  float* first;  ///< moments
  float* second;

  static constexpr double beta1 = 0.9;
  static constexpr double beta2 = 0.999;

  /// The learning rate with both bias corrections; t counts from 1. Also scales epsilon, which belongs to the corrected
  /// second moment.
  static double corrected_step_size(double learning_rate, std::int64_t t) {
    return learning_rate * std::sqrt(1 - std::pow(beta2, static_cast<double>(t))) /
           (1 - std::pow(beta1, static_cast<double>(t)));
  }
  static double corrected_epsilon(std::int64_t t) {
    return 1e-8 * std::sqrt(1 - std::pow(beta2, static_cast<double>(t)));
  }

  /// What element p moves by, given its gradient g; the moments move on.
  JENSEN_HD float step(std::int64_t p, float g, float step_size, float epsilon) const {
    const float m = first[p] + static_cast<float>(1 - beta1) * (g - first[p]);
    const float v = second[p] + static_cast<float>(1 - beta2) * (g * g - second[p]);
    first[p] = m;
    second[p] = v;
    return step_size * m / (::sqrtf(v) + epsilon);
  }
};

}  // namespace jensen
