#pragma once
/// \file A log joint that is not a sum of terms: a simulator's, a differential equation's, a network's.

#include <cstdint>

#include "term.hpp"

namespace jensen {

/// How a parameter comes from its unconstrained coordinate u; see Transform in the public headers.
enum class CoordinateTransform : int { identity, exponential, logistic, increment };

/// Written by the library's caller. [equations (2) and (4)]
class LogJoint {
 public:
  virtual ~LogJoint() = default;
  virtual bool has_gradient() const = 0;
  /// Enqueues on `stream` (a cudaStream_t; null on the CPU, where it is done when the call returns): for each of S
  /// samples theta (S x D, row-major, in the device's memory) log_density[s] = log prior + scale * sum of the log
  /// likelihood over `rows`, a density of theta itself, and gradient (S x D), its derivatives by theta; null without.
  virtual void evaluate(const double* theta, int samples, int dimension, const RowList& rows, double scale,
                        void* stream, double* log_density, double* gradient) = 0;
};

}  // namespace jensen
