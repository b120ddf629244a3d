#pragma once
/// \file Expectations over a normal variable.

#include <algorithm>
#include <cmath>
#include <numbers>

namespace jensen {

constexpr double normal_95 = 1.6448536269514722;  ///< standard normal quantile

/// E f(m + s Z), Z ~ N(0, 1), for an f that is analytic within pi / 2 of the real axis and grows slowly, such as the
/// logistic function: by the trapezoidal rule on [-8, 8], whose error falls exponentially with the number of nodes
/// (Trefethen & Weideman 2014), as exp(-2 pi d / step) where f(m + s z) is analytic within d of the real axis.
template <class F>
double normal_expectation(double m, double s, F f) {
  constexpr double range = 8;
  const double step = std::max(std::min(0.2, 0.35 / s), 1e-4);
  const int half_nodes = static_cast<int>(std::ceil(range / step));
  const double width = range / half_nodes;
  double sum = 0;
  double total = 0;
  for (int i = -half_nodes; i <= half_nodes; ++i) {
    const double t = i * width;
    const double weight = std::exp(-t * t / 2);
    sum += weight * f(m + s * t);
    total += weight;
  }
  return sum / total;
}

}  // namespace jensen
