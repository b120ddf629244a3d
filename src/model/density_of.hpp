#pragma once
/// \file Which kernel density stands for a family. Those of priors are in prior_density.hpp.

#include "densities/list.hpp"
#include "jensen/model.hpp"

namespace jensen {

inline DensityKind density_of(Family family) {
  switch (family) {
    case Family::gaussian:
      return DensityKind::gaussian;
    case Family::bernoulli:
      return DensityKind::bernoulli_logit;
    case Family::poisson:
      break;
  }
  return DensityKind::poisson_log;
}

}  // namespace jensen
