#pragma once
/// \file Parameters theta = T(u) from unconstrained coordinates, and the way back of a log density and its gradient.
///
/// T acts on each coordinate by itself, except that an increment adds exp(u) to the parameter before: so a run of
/// increments after a first parameter is in ascending order.

#include <cmath>
#include <cstdint>

#include "log_joint.hpp"

namespace jensen {

/// theta of each sample. Item: (sample, coordinate).
struct Constrain {
  const CoordinateTransform* transforms;
  const double* u;  ///< S x D
  int dimension;
  double* theta;  ///< S x D
  JENSEN_HD void operator()(std::int64_t item) const {
    auto i = static_cast<int>(item % dimension);
    const double* at = u + (item - i);
    double sum = 0;
    for (; i > 0 && transforms[i] == CoordinateTransform::increment; --i) sum += ::exp(at[i]);
    theta[item] = sum + value(transforms[i], at[i]);
  }
  JENSEN_HD static double value(CoordinateTransform transform, double u) {
    if (transform == CoordinateTransform::identity) return u;
    if (transform == CoordinateTransform::logistic) return 1 / (1 + ::exp(-u));
    return ::exp(u);
  }
};

/// Value and gradient by u from those by theta, the log Jacobian added. Item: (sample, value or coordinate).
struct Unconstrain {
  const CoordinateTransform* transforms;
  const double* u;            ///< S x D
  const double* log_density;  ///< S
  const double* slope;        ///< S x D, by theta; null: the gradient is 0
  int dimension;
  double* joint;  ///< S x (1 + D)
  JENSEN_HD void operator()(std::int64_t item) const {
    const std::int64_t s = item / (1 + dimension);
    const auto c = static_cast<int>(item % (1 + dimension));
    const double* at = u + s * dimension;
    if (c == 0) {
      double sum = log_density[s];
      for (int i = 0; i < dimension; ++i) sum += log_jacobian(transforms[i], at[i]);
      joint[item] = sum;
      return;
    }
    if (slope == nullptr) {
      joint[item] = 0;
      return;
    }
    const int i = c - 1;
    double sum = slope[s * dimension + i];  // and of the increments that stand on this parameter
    for (int k = i + 1; k < dimension && transforms[k] == CoordinateTransform::increment; ++k) {
      sum += slope[s * dimension + k];
    }
    joint[item] = sum * derivative(transforms[i], at[i]) + log_jacobian_slope(transforms[i], at[i]);
  }

  /// log dT/du.
  JENSEN_HD static double log_jacobian(CoordinateTransform transform, double u) {
    if (transform == CoordinateTransform::identity) return 0;
    if (transform != CoordinateTransform::logistic) return u;
    return -::fabs(u) - 2 * ::log1p(::exp(-::fabs(u)));
  }

 private:
  /// dT/du, and the derivative of its logarithm.
  JENSEN_HD static double derivative(CoordinateTransform transform, double u) {
    if (transform == CoordinateTransform::identity) return 1;
    if (transform != CoordinateTransform::logistic) return ::exp(u);
    const double p = 1 / (1 + ::exp(-u));
    return p * (1 - p);
  }
  JENSEN_HD static double log_jacobian_slope(CoordinateTransform transform, double u) {
    if (transform == CoordinateTransform::identity) return 0;
    if (transform != CoordinateTransform::logistic) return 1;
    return 1 - 2 / (1 + ::exp(-u));
  }
};

}  // namespace jensen
