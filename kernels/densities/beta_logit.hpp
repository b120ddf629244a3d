#pragma once
#include "densities/divergence.hpp"
#include "density_value.hpp"
#include "math_gamma.hpp"

namespace jensen {

/// log Beta(y | mu phi, (1 - mu) phi), a_0 = logit mu, a_1 = log phi; constants: log y, log(1 - y), and y where it is
/// below 1/2, else y - 1 (so that neither end of (0, 1) loses digits).
/// Left out: -log y - log(1 - y) - log(2 pi) / 2. With a = mu phi, b = (1 - mu) phi and s of math_gamma.hpp
///
///     f = phi (mu log(y / mu) + (1 - mu) log((1 - y) / (1 - mu))) + log(mu (1 - mu) phi) / 2 + s(phi) - s(a) - s(b)
struct BetaLogit {
  static constexpr int shared = 1;
  template <class R>
  struct Prepared {
    R log_phi, phi;
    math::Stirling<R> stirling;
  };
  template <class R>
  static JENSEN_HD Prepared<R> prepare(const R* others) {
    const R phi = math::bounded_exp(others[0]);
    return {others[0], phi, math::stirling(phi)};
  }
  template <class R>
  static JENSEN_HD Value<R, 2> evaluate(const R* constants, R eta, const Prepared<R>& p) {
    const R e = math::exp_nonpositive(-math::abs(eta));
    const bool high = eta > R(0);
    const R large = math::reciprocal(R(1) + e);
    const R mu = high ? large : e * large;
    const R rest = high ? e * large : large;
    const R log_large = -math::log1p_unit(e);
    const R log_mu = high ? log_large : log_large + eta;
    const R log_rest = high ? log_large - eta : log_large;

    const R y = constants[2] > R(0) ? constants[2] : R(1) + constants[2];
    const R above = constants[2] > R(0) ? R(1) - constants[2] : -constants[2];
    const Divergence<R> d = divergence(mu, rest, y, above);
    const R near = mu * math::log1p_minus(d.up) + rest * math::log1p_minus(d.down);
    const R far = mu * (constants[0] - log_mu) + rest * (constants[1] - log_rest);
    const R fit = p.phi * (d.near() ? near : far);

    const math::Stirling<R> a = math::stirling(mu * p.phi);
    const math::Stirling<R> b = math::stirling(rest * p.phi);
    const R pull = p.phi * mu * rest * (constants[0] - constants[1] - eta);
    return {fit + R(0.5) * (p.log_phi + log_mu + log_rest) + (p.stirling.remainder - a.remainder - b.remainder),
            {pull + R(0.5) * (rest - mu) - rest * a.slope + mu * b.slope,
             fit + R(0.5) + (p.stirling.slope - a.slope - b.slope)}};
  }
};

}  // namespace jensen
