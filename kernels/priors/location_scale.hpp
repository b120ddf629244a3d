#pragma once
#include "densities/value.hpp"
#include "math.hpp"

namespace jensen {

/// Priors of a real parameter a_0; constants: location, 1 / scale, degrees of freedom. Normalising constants are left
/// out (see Value).

struct NormalPrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const R r = (a - constants[0]) * constants[1];
    return {R(-0.5) * r * r, {-r * constants[1]}};
  }
};

struct StudentTPrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const R df = constants[2];
    const R r = (a - constants[0]) * constants[1];
    return {R(-0.5) * (df + R(1)) * math::log1p(r * r / df), {-(df + R(1)) * r * constants[1] / (df + r * r)}};
  }
};

}  // namespace jensen
