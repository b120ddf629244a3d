#pragma once
#include "densities/poisson_log.hpp"

namespace jensen {

/// log of hu where y = 0, else of (1 - hu) Poisson(y | lambda) / (1 - exp(-lambda)); a_0 = log lambda, a_1 = logit hu;
/// constants: y, log(y - 1) (0 where y < 2). Left out, with c = y - 1: c log c - c - log y! (-log y! where y < 2).
///
///     log Poisson(y) - log(1 - exp(-lambda)) = (c log lambda - lambda - log y!) + t,
///     t = log lambda - log(1 - exp(-lambda)) = lambda / 2 - ..
///
/// so that of a small lambda nothing large is left.
struct HurdlePoisson {
  static constexpr int shared = 1;
  template <class R>
  struct Prepared {
    R zero, rest, log_zero, log_rest;  // zero: hu, rest: 1 - hu
  };
  template <class R>
  static JENSEN_HD Prepared<R> prepare(const R* others) {
    const R a = others[0];
    return {math::logistic(a), math::logistic(-a), -math::softplus(-a), -math::softplus(a)};
  }
  template <class R>
  static JENSEN_HD Value<R, 2> evaluate(const R* constants, R log_rate, const Prepared<R>& p) {
    const R less_one[2] = {constants[0] - R(1), constants[1]};
    const Value<R, 1> poisson = PoissonLog::evaluate(less_one, log_rate, {});
    const R rate = math::bounded_exp(log_rate);
    const bool small = rate < R(0.25);
    const R bounded = small ? rate : R(0.25);
    const R t = small ? -math::log1p(-bounded * math::exp_remainder(-bounded)) : log_rate - math::log1mexp(rate);
    const R any = -math::expm1(-rate);
    const R slope = small ? bounded * math::exp_remainder(bounded) / (R(1) + bounded * math::exp_remainder(bounded))
                          : R(1) - rate * math::exp(-rate) / any;
    const bool zero = constants[0] == R(0);
    return {zero ? p.log_zero : poisson.log_density + t + p.log_rest,
            {zero ? R(0) : poisson.d[0] + slope, zero ? p.rest : -p.zero}};
  }
};

}  // namespace jensen
