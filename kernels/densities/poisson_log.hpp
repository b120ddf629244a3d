#pragma once
#include "densities/value.hpp"
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
    // u - expm1(u) = -u^2 (1/2 + u/6 + u^2/24 + ...): below |u| = 1/4 the difference itself would cancel
    R series = R(1.0 / 40320);
    series = series * u + R(1.0 / 5040);
    series = series * u + R(1.0 / 720);
    series = series * u + R(1.0 / 120);
    series = series * u + R(1.0 / 24);
    series = series * u + R(1.0 / 6);
    series = series * u + R(0.5);
    const R near = -y * u * u * series;
    const R far = y * u - (rate - y);
    const bool close = math::abs(u) < R(0.25) && y > R(0);
    return {close ? near : far, {y - rate}};
  }
};

}  // namespace jensen
