#pragma once
#include "density_value.hpp"
#include "math_gamma.hpp"

namespace jensen {

/// log Gamma(y | shape alpha, rate alpha / mu), a_0 = log mu, a_1 = log alpha; constants: log y.
/// Left out: -log y - log(2 pi) / 2. With u = log y - log mu and s of math_gamma.hpp
///
///     f = -alpha (exp(u) - 1 - u) + log(alpha) / 2 - s(alpha)
struct GammaLog {
  static constexpr int shared = 1;
  template <class R>
  struct Prepared {
    R shape, log_peak, slope;  // log_peak: f at u = 0; slope: its, by log alpha
  };
  template <class R>
  static JENSEN_HD Prepared<R> prepare(const R* others) {
    const R shape = math::bounded_exp(others[0]);
    const math::Stirling<R> s = math::stirling(shape);
    return {shape, R(0.5) * others[0] - s.remainder, R(0.5) - s.slope};
  }
  template <class R>
  static JENSEN_HD Value<R, 2> evaluate(const R* constants, R log_mu, const Prepared<R>& p) {
    const R u = constants[0] - log_mu;
    const R curved = p.shape * math::expm1_minus(u);
    return {p.log_peak - curved, {p.shape * math::expm1(u), p.slope - curved}};
  }
};

}  // namespace jensen
