#pragma once
#include "densities/poisson_log.hpp"

namespace jensen {

/// log of zi [y = 0] + (1 - zi) Poisson(y | lambda), a_0 = log lambda, a_1 = logit zi; constants: y, log y (0 where
/// y = 0). Left out: what PoissonLog leaves out, 0 where y = 0.
struct ZeroInflatedPoisson {
  static constexpr int shared = 1;
  template <class R>
  struct Prepared {
    R logit, zero, rest, log_rest;  // zero: zi, rest: 1 - zi
  };
  template <class R>
  static JENSEN_HD Prepared<R> prepare(const R* others) {
    const R a = others[0];
    return {a, math::logistic(a), math::logistic(-a), -math::softplus(a)};
  }
  template <class R>
  static JENSEN_HD Value<R, 2> evaluate(const R* constants, R log_rate, const Prepared<R>& p) {
    const Value<R, 1> poisson = PoissonLog::evaluate(constants, log_rate, {});
    const R rate = math::bounded_exp(log_rate);
    const R minus_any = math::expm1(-rate);  // minus the probability that a Poisson count is not 0
    // log(zi + (1 - zi) exp(-lambda)), from 1 down while it is near 1, else from its two summands
    const R near = math::log1p(p.rest * minus_any);
    const R sum = p.logit + rate;
    const R far = p.log_rest + (math::max(p.logit, -rate) + math::log1p_unit(math::exp_nonpositive(-math::abs(sum))));
    const R odds = math::logistic(-sum);  // that a zero is Poisson's
    const bool zero = constants[0] == R(0);
    const R of_zero = p.rest * minus_any > R(-0.5) ? near : far;
    return {zero ? of_zero : poisson.log_density + p.log_rest,
            {zero ? -odds * rate : poisson.d[0], zero ? -math::logistic(sum) * p.rest * minus_any : -p.zero}};
  }
};

}  // namespace jensen
