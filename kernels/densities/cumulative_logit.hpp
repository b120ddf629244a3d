#pragma once
#include "densities/value.hpp"
#include "math.hpp"

namespace jensen {

/// log P(a_1 < y* <= a_2) of a logistic y* about a_0 = eta, a_1 and a_2 the category's thresholds; constants: position,
/// 0 of the lowest category (no a_1), 2 of the highest (no a_2), else 1. Nothing left out. -infinity where a_2 <= a_1.
///
///     logistic(u) - logistic(l) = logistic(u) logistic(-l) (1 - exp(l - u)),   u = a_2 - eta, l = a_1 - eta
struct CumulativeLogit {
  static constexpr int shared = 2;
  template <class R>
  struct Prepared {
    R lower, upper, log_gap, d_gap;  // log(1 - exp(lower - upper)) and its derivative by upper
  };
  template <class R>
  static JENSEN_HD Prepared<R> prepare(const R* others) {
    const R gap = others[1] - others[0];
    const bool empty = gap <= R(0);
    return {others[0], others[1], math::log1mexp(empty ? R(0) : gap), empty ? R(0) : R(1) / math::expm1(gap)};
  }
  template <class R>
  static JENSEN_HD Value<R, 3> evaluate(const R* constants, R eta, const Prepared<R>& p) {
    constexpr R out_of_reach = R(1e30);  // where a missing threshold is
    const R u = constants[0] == R(2) ? out_of_reach : p.upper - eta;
    const R l = constants[0] == R(0) ? -out_of_reach : p.lower - eta;
    const bool between = constants[0] == R(1);
    const R d_gap = between ? p.d_gap : R(0);
    const R above = math::logistic(-u);
    const R below = math::logistic(l);
    return {(between ? p.log_gap : R(0)) - math::softplus(-u) - math::softplus(l),
            {below - above, -below - d_gap, above + d_gap}};
  }
};

}  // namespace jensen
