#pragma once
/// \file The public transforms as the kernels name them, and the way back to u.

#include <span>
#include <vector>

#include "jensen/model.hpp"
#include "log_joint.hpp"

namespace jensen {

/// Throws InputError: an increment first, or correlations.
std::vector<CoordinateTransform> coordinate_transforms(std::span<const Parameter> parameters);

/// u of a parameter's value, `before` that of the parameter before it; not finite if its transform does not reach it.
double unconstrained(CoordinateTransform transform, double value, double before);

}  // namespace jensen
