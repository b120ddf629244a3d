#pragma once
#include "densities/value.hpp"
#include "math_gamma.hpp"

namespace jensen {

/// log StudentT(y | mu, sigma, nu), a_0 = mu, a_1 = log sigma, a_2 = log nu; constants: y.
/// Left out: -log(2 pi) / 2. With r = (y - mu) / sigma, q = r^2 / nu, h = nu / 2 and s of math_gamma.hpp
///
///     f = h log1p(1 / (2 h)) - 1/2 + s(h + 1/2) - s(h) - log sigma - (nu + 1) / 2 log1p(q)
///
/// in which the gamma functions of a large nu do not cancel.
struct StudentT {
  static constexpr int shared = 2;
  template <class R>
  struct Prepared {
    R log_sigma, inverse_sigma, log_nu, nu, log_peak, slope;  // slope: of log_peak, by log nu
  };
  template <class R>
  static JENSEN_HD Prepared<R> prepare(const R* shared) {
    const R nu = math::bounded_exp(shared[1]);
    const R h = R(0.5) * nu;
    const R curved = h * math::log1p_minus(R(1) / nu);
    const math::Stirling<R> upper = math::stirling(h + R(0.5));
    const math::Stirling<R> lower = math::stirling(h);
    return {shared[0],
            math::exp(-shared[0]),
            shared[1],
            nu,
            curved + (upper.remainder - lower.remainder),
            curved + R(0.5) / (nu + R(1)) + (nu / (nu + R(1)) * upper.slope - lower.slope)};
  }
  template <class R>
  static JENSEN_HD Value<R, 3> evaluate(const R* constants, R mu, const Prepared<R>& p) {
    const R distance = constants[0] - mu;
    const R r = distance * p.inverse_sigma;
    const R q = r * r / p.nu;
    const bool far = q > R(1e30);  // may be infinite
    const R log1p_q = far ? R(2) * (math::log(math::abs(distance)) - p.log_sigma) - p.log_nu : math::log1p(q);
    const R share = q > R(1) ? R(1) / (R(1) + R(1) / q) : q / (R(1) + q);
    const R d_mu =
        q > R(1) ? (p.nu + R(1)) * share / distance : (p.nu + R(1)) / p.nu * r * p.inverse_sigma / (R(1) + q);
    // -nu/2 log1p(q) + (nu + 1)/2 share: where q is small the halves of nu q cancel
    const R d_nu = R(0.5) * (q > R(1) ? (p.nu + R(1)) * share - p.nu * log1p_q
                                      : share - p.nu * (math::log1p_minus(q) + q * share));
    return {p.log_peak - p.log_sigma - R(0.5) * (p.nu + R(1)) * log1p_q,
            {d_mu, (p.nu + R(1)) * share - R(1), p.slope + d_nu}};
  }
};

}  // namespace jensen
