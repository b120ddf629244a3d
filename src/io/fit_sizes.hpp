#pragma once
/// \file Whether the parts of a Fit agree with each other.

#include <string>

#include "jensen/fit.hpp"

namespace jensen::io {

/// What disagrees, in one clause; empty if nothing does. Whatever passes can be drawn from without reading beyond an
/// array.
std::string fit_problem(const Fit& fit);

}  // namespace jensen::io
