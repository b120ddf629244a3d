#pragma once
#include "density_value.hpp"
#include "math.hpp"

namespace jensen {

/// log Poisson(y | exp(eta)), a_0 = eta; constants: y, log y (0 where y = 0).
/// Written relative to its largest value over eta, which is left out: y log y - y - log y! (0 where y = 0). With
/// u = eta - log y that is y (u - expm1(u)), so large counts do not cancel in single precision.
struct PoissonLog : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R eta, const Prepared<R>&) {
    const R y = constants[0];
    const R u = eta - constants[1];
    const R rate = math::exp(eta);
    const R near = -y * u * u * math::exp_remainder(u);  // where the difference itself would cancel
    const R far = y * u - (rate - y);
    const bool close = math::abs(u) < R(0.25) && y > R(0);
    return {close ? near : far, {y - rate}};
  }
};

}  // namespace jensen
