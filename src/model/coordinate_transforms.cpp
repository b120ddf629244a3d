#include "model/coordinate_transforms.hpp"

#include <fmt/format.h>

#include <cmath>

#include "jensen/errors.hpp"
#include "show.hpp"

namespace jensen {

std::vector<CoordinateTransform> coordinate_transforms(std::span<const Parameter> parameters) {
  std::vector<CoordinateTransform> out;
  for (const Parameter& parameter : parameters) {
    if (parameter.transform == Transform::correlation || (out.empty() && parameter.transform == Transform::increment)) {
      throw InputError(
          fmt::format("{} cannot have that transform (Parameter::transform); an increment needs a "
                      "parameter before it, and correlations are for group effects alone",
                      show(parameter.name)));
    }
    switch (parameter.transform) {
      case Transform::exponential:
        out.push_back(CoordinateTransform::exponential);
        break;
      case Transform::logistic:
        out.push_back(CoordinateTransform::logistic);
        break;
      case Transform::increment:
        out.push_back(CoordinateTransform::increment);
        break;
      default:
        out.push_back(CoordinateTransform::identity);
    }
  }
  return out;
}

double unconstrained(CoordinateTransform transform, double value, double before) {
  switch (transform) {
    case CoordinateTransform::exponential:
      return std::log(value);
    case CoordinateTransform::logistic:
      return std::log(value) - std::log1p(-value);
    case CoordinateTransform::increment:
      return std::log(value - before);
    default:
      return value;
  }
}

}  // namespace jensen
