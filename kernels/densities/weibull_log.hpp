#pragma once
#include "density_value.hpp"
#include "math_gamma.hpp"

namespace jensen {

/// log Weibull(y | mean m, shape k), a_0 = log m, a_1 = log k, scale m / Gamma(1 + 1/k); constants: log y, censored. If
/// censored is 1 the response is at least y: the log survival function -H. Left out: -log y, unless censored.
///
///     f = log k + v - H,  H = exp(v),  v = k log(y / scale) = k (log y - log m) + k log Gamma(1 + 1/k)
struct WeibullLog {
  static constexpr int shared = 1;
  template <class R>
  struct Prepared {
    R log_shape, shape, shift, digamma;  // shift: k log Gamma(1 + 1/k); digamma: of 1 + 1/k
  };
  template <class R>
  static JENSEN_HD Prepared<R> prepare(const R* others) {
    const R shape = math::bounded_exp(others[0]);
    const R inverse = R(1) / shape;
    return {others[0], shape, shape * math::lgamma1p(inverse), math::digamma(R(1) + inverse)};
  }
  template <class R>
  static JENSEN_HD Value<R, 2> evaluate(const R* constants, R log_mean, const Prepared<R>& p) {
    const R v = p.shape * (constants[0] - log_mean) + p.shift;
    const R hazard = math::exp(v);
    const R seen = R(1) - constants[1];
    return {seen * (p.log_shape + v) - hazard, {p.shape * (hazard - seen), seen + (seen - hazard) * (v - p.digamma)}};
  }
};

}  // namespace jensen
