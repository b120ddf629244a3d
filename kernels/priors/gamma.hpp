#pragma once
#include "density_value.hpp"
#include "priors/exp_tail.hpp"

namespace jensen {

/// Gamma priors of a positive parameter theta = exp(a_0), as densities of a_0: the log Jacobian a_0 is in. Written
/// relative to the largest value over a_0, which is left out with the normalising constant, so that a large shape does
/// not cancel in single precision: with u the distance of log theta from there, shape (u - expm1(u)).
/// constants: shape, and the a_0 (the log theta) of the largest value.

/// theta^(shape - 1) exp(-rate theta); constants: shape, log(shape / rate).
struct GammaPrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const ExpTail<R> tail = exp_tail(a - constants[1]);
    return {-constants[0] * tail.second, {-constants[0] * tail.first}};
  }
};

/// theta^(-shape - 1) exp(-scale / theta): 1 / theta is gamma; constants: shape, log(scale / shape).
struct InverseGammaPrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const ExpTail<R> tail = exp_tail(constants[1] - a);
    return {-constants[0] * tail.second, {constants[0] * tail.first}};
  }
};

/// theta^2 is inverse gamma; constants: shape, log(scale / shape), the largest value's log theta^2.
struct InverseGammaOfSquarePrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const ExpTail<R> tail = exp_tail(constants[1] - R(2) * a);
    return {-constants[0] * tail.second, {R(2) * constants[0] * tail.first}};
  }
};

}  // namespace jensen
