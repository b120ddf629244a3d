#pragma once
/// \file The response of one row: whether it is one of its family, and what the kernel density reads of it.

#include <array>

#include "densities/list.hpp"
#include "jensen/model.hpp"

namespace jensen {

struct ResponseRow {
  double y;
  double trials = 1;      ///< binomial
  bool censored = false;  ///< exponential, weibull: the response is at least y
};

/// Null if y is a value of the family, else what it must be ("0 or 1"), to follow "is not". Categories are numbered
/// 0, 1, 2, ...
const char* response_problem(Family family, const ResponseRow& row);

/// The constants of the kernel density; zero beyond those that it reads. y is on the density's own scale: the logarithm
/// for a lognormal family; for cumulative_logit the category's position, 0 if it is the lowest, 2 if the highest,
/// else 1.
std::array<double, 3> response_constants(DensityKind density, const ResponseRow& row);
/// What the kernel density leaves out of the log density.
double left_out(DensityKind density, const ResponseRow& row);

/// The same of a response as its family has it (but for cumulative, whose y is the position all the same).
std::array<double, 3> response_constants(Family family, Link link, const ResponseRow& row);
double left_out(Family family, Link link, const ResponseRow& row);

}  // namespace jensen
