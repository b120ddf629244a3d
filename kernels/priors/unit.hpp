#pragma once
#include "density_value.hpp"
#include "math.hpp"
#include "priors/exp_tail.hpp"

namespace jensen {

/// Priors of a parameter theta = 1 / (1 + exp(-a_0)) between 0 and 1, as densities of a_0: the log Jacobian
/// log theta + log(1 - theta) is in. Normalising constants are left out (see Value).

/// log theta, log(1 - theta) and both themselves, without overflow or cancellation in either tail.
template <class R>
struct Logistic {
  R log_theta, log_rest, theta, rest;
};
template <class R>
JENSEN_HD Logistic<R> logistic(R a) {
  const R e = math::exp_nonpositive(-math::abs(a));
  const R log1p_e = math::log1p_unit(e);
  const R large = R(1) / (R(1) + e);
  const R small = e * large;
  const R log_large = -log1p_e;
  const R log_small = -math::abs(a) - log1p_e;
  return a >= R(0) ? Logistic<R>{log_large, log_small, large, small} : Logistic<R>{log_small, log_large, small, large};
}

/// theta^(a - 1) (1 - theta)^(b - 1); constants: a, b, log(a / b). beta(1, 1) is uniform.
///
/// Written relative to the largest value over a_0, which is at log(a / b), where theta = m = a / (a + b):
/// a log(theta / m) + b log((1 - theta) / (1 - m)). That is left out with the normalising constant, so that large a and
/// b do not cancel in single precision.
struct BetaPrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a_0, const Prepared<R>&) {
    const R a = constants[0];
    const R b = constants[1];
    const R u = a_0 - constants[2];
    if (math::abs(u) < R(0.25)) {  // 1 / theta = 1 + (1 - m) / m exp(-u), and likewise for 1 - theta
      const R m = a / (a + b);
      const R rest = b / (a + b);
      const R up = exp_tail(u).first;
      const R log_theta = -math::log1p(rest * exp_tail(-u).first);
      const R log_rest = -math::log1p(m * up);
      return {a * log_theta + b * log_rest, {-b * m * up / (R(1) + m * up)}};
    }
    const Logistic<R> at = logistic(a_0);
    const Logistic<R> top = logistic(constants[2]);
    return {a * (at.log_theta - top.log_theta) + b * (at.log_rest - top.log_rest), {a * at.rest - b * at.theta}};
  }
};

/// Flat on a part of (0, 1), -infinity outside; constants: logit of the bounds (may be infinite).
struct UniformUnitPrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const Logistic<R> at = logistic(a);
    const bool outside = a < constants[0] || a > constants[1];
    return {outside ? -math::infinity<R>() : at.log_theta + at.log_rest, {outside ? R(0) : at.rest - at.theta}};
  }
};

}  // namespace jensen
