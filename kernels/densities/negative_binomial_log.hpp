#pragma once
#include "density_value.hpp"
#include "math_gamma.hpp"

namespace jensen {

/// log NegativeBinomial(y | mu, phi), a_0 = log mu, a_1 = log phi, variance mu + mu^2 / phi; constants: y, log y (0
/// where y = 0). Left out: y log y - y - log y! (0 where y = 0), as of PoissonLog, the limit of large phi.
///
///     f = -D - log(1 + y / phi) / 2 + s(y + phi) - s(phi)                                  s of math_gamma.hpp
///     D = (y + phi) log((phi + mu) / (phi + y)) - y log(mu / y) = phi log(1 + e) + y log(1 + g)
///     e = (mu - y) / (y + phi), g = -phi e / mu
///
/// Neither large counts nor a large phi cancel: where e and g are small
/// D = phi log1p_minus(e) + y log1p_minus(g) - g (mu - y), whose last term is positive and outweighs the others twice.
struct NegativeBinomialLog {
  static constexpr int shared = 1;
  template <class R>
  struct Prepared {
    R log_shape, shape;
    math::Stirling<R> stirling;
  };
  template <class R>
  static JENSEN_HD Prepared<R> prepare(const R* others) {
    const R shape = math::bounded_exp(others[0]);
    return {others[0], shape, math::stirling(shape)};
  }
  template <class R>
  static JENSEN_HD Value<R, 2> evaluate(const R* constants, R log_mu, const Prepared<R>& p) {
    const R y = constants[0];
    const R log_y = constants[1];
    const R mu = math::bounded_exp(log_mu);
    const R total = y + p.shape;
    const R e = (mu - y) / total;
    const R g = -p.shape * (e / mu);
    const bool small_e = math::abs(e) < R(0.5);
    const bool small_g = math::abs(g) < R(0.5);
    const R log1p_count = y > R(0) ? math::softplus(log_y - p.log_shape) : R(0);  // log(1 + y / phi)
    const R log_ratio = small_e ? math::log1p(e) : math::softplus(log_mu - p.log_shape) - log1p_count;
    const R curved = p.shape * math::log1p_minus(e);
    const R near = curved + y * math::log1p_minus(g) - g * (mu - y);
    const R far = p.shape * log_ratio + math::times(y, small_g ? math::log1p(g) : log_y - log_mu + log_ratio);
    const R deviance = small_e && small_g ? near : far;
    const R share = math::logistic(p.log_shape - log_mu);  // phi / (phi + mu)
    const R d_mean = (y - mu) * share;
    const R d_deviance = small_e ? curved - e * d_mean : p.shape * log_ratio + d_mean;
    const math::Stirling<R> of_total = math::stirling(total);
    return {R(-0.5) * log1p_count + (of_total.remainder - p.stirling.remainder) - deviance,
            {d_mean, R(0.5) * y / total + (p.shape / total * of_total.slope - p.stirling.slope) - d_deviance}};
  }
};

}  // namespace jensen
