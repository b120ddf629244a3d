#pragma once
#include "density_value.hpp"
#include "math_gamma.hpp"

namespace jensen {

/// log StudentT(y | mu, sigma, nu), a_0 = mu, a_1 = log sigma, a_2 = log nu; constants: y.
/// Left out: -log(2 pi) / 2. With t = (y - mu) / (sigma sqrt(nu)), h = nu / 2 and s of math_gamma.hpp
///
///     f = h log(1 + 1 / nu) - 1/2 + s(h + 1/2) - s(h) - log sigma - (nu + 1) / 2 log(1 + t^2)
///
/// in which the gamma functions of a large nu do not cancel.
struct StudentT {
  static constexpr int shared = 2;
  template <class R>
  struct Prepared {
    R nu, inverse, log_peak, slope;  // inverse: 1 / (sigma sqrt(nu)); log_peak: f at t = 0; slope: its, by log nu
  };
  template <class R>
  static JENSEN_HD Prepared<R> prepare(const R* others) {
    const R nu = math::bounded_exp(others[1]);
    const R h = R(0.5) * nu;
    const R curved = h * math::log1p_minus(R(1) / nu);
    const math::Stirling<R> upper = math::stirling(h + R(0.5));
    const math::Stirling<R> lower = math::stirling(h);
    return {nu, math::exp(-others[0] - R(0.5) * others[1]), curved + (upper.remainder - lower.remainder) - others[0],
            curved + R(0.5) / (nu + R(1)) + (nu / (nu + R(1)) * upper.slope - lower.slope)};
  }
  template <class R>
  static JENSEN_HD Value<R, 3> evaluate(const R* constants, R mu, const Prepared<R>& p) {
    const R distance = constants[0] - mu;
    const R t = distance * p.inverse;
    const R q = t * t;
    const R log1p_q = q > R(1e30) ? R(2) * math::log(math::abs(t)) : math::log1p(q);  // q may be infinite
    const bool far = q > R(1);
    const R share = far ? R(1) / (R(1) + R(1) / q) : q / (R(1) + q);
    const R per_distance = far ? share / distance : t * p.inverse / (R(1) + q);
    // (nu + 1) share - nu log1p(q): where q is small the parts of size nu q cancel
    const R d_nu = far ? (p.nu + R(1)) * share - p.nu * log1p_q : share - p.nu * (math::log1p_minus(q) + q * share);
    return {p.log_peak - R(0.5) * (p.nu + R(1)) * log1p_q,
            {(p.nu + R(1)) * per_distance, (p.nu + R(1)) * share - R(1), p.slope + R(0.5) * d_nu}};
  }
};

}  // namespace jensen
