#pragma once
#include <cmath>
#include <cstdint>

#include "host_device.hpp"

namespace jensen {

/// One element of Adam's ascent step (Kingma & Ba 2015, algorithm 1). [equation (6)]
/// An element is left as it is when no draw of the step was finite.
struct Adam {
  float* lambda;
  float* first;  ///< moments
  float* second;
  const float* gradient;
  const std::int32_t* good_count;
  float step_size;  ///< learning rate with both bias corrections: see corrected_step_size
  float epsilon;

  static constexpr double beta1 = 0.9;
  static constexpr double beta2 = 0.999;

  /// t counts from 1. Also scales epsilon, which belongs to the corrected second moment.
  static double corrected_step_size(double learning_rate, std::int64_t t) {
    return learning_rate * std::sqrt(1 - std::pow(beta2, static_cast<double>(t))) /
           (1 - std::pow(beta1, static_cast<double>(t)));
  }
  static double corrected_epsilon(std::int64_t t) {
    return 1e-8 * std::sqrt(1 - std::pow(beta2, static_cast<double>(t)));
  }

  JENSEN_HD void operator()(std::int64_t p) const {
    if (*good_count == 0) return;
    const float g = gradient[p];
    const float m = first[p] + static_cast<float>(1 - beta1) * (g - first[p]);
    const float v = second[p] + static_cast<float>(1 - beta2) * (g * g - second[p]);
    first[p] = m;
    second[p] = v;
    lambda[p] += step_size * m / (::sqrtf(v) + epsilon);
  }
};

/// sum += lambda, for the average of the last iterates (Polyak & Juditsky 1992).
struct AddToAverage {
  const float* lambda;
  double* total;
  JENSEN_HD void operator()(std::int64_t p) const { total[p] += static_cast<double>(lambda[p]); }
};

}  // namespace jensen
