#pragma once
#include "density_value.hpp"
#include "math.hpp"

namespace jensen {

/// log N(y | eta, sigma), a_0 = eta, a_1 = log sigma; constants: y. Left out: -log(2 pi) / 2.
struct Gaussian {
  static constexpr int shared = 1;
  template <class R>
  struct Prepared {
    R log_sigma, inverse_sigma;
  };
  template <class R>
  static JENSEN_HD Prepared<R> prepare(const R* others) {
    return {others[0], math::exp(-others[0])};
  }
  template <class R>
  static JENSEN_HD Value<R, 2> evaluate(const R* constants, R eta, const Prepared<R>& p) {
    const R residual = (constants[0] - eta) * p.inverse_sigma;
    const R square = residual * residual;
    return {R(-0.5) * square - p.log_sigma, {residual * p.inverse_sigma, square - R(1)}};
  }
};

}  // namespace jensen
