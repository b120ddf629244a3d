#pragma once
#include "density_value.hpp"
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
    return {others[0], others[1], math::log1mexp(empty ? R(0) : gap),
            empty ? R(0) : R(1) / math::max(math::expm1(gap), R(1e-30))};
  }
  template <class R>
  static JENSEN_HD Value<R, 3> evaluate(const R* constants, R eta, const Prepared<R>& p) {
    constexpr R out_of_reach = R(1e30);  // where a missing threshold is
    // By arithmetic: as choices by the position these would keep a loop over samples from being vectorised.
    const R position = constants[0];
    const R between = position * (R(2) - position);  // 1 or 0
    const R u = (p.upper - eta) + out_of_reach * math::max(position - R(1), R(0));
    const R l = (p.lower - eta) - out_of_reach * math::max(R(1) - position, R(0));
    const R log_gap =
        math::max(p.log_gap, -between / (R(1) - between));  // p.log_gap, or 0: the bound is -infinity or 0
    const R d_gap = between * p.d_gap;
    const math::SoftplusSlope<R> above = math::softplus_slope(-u);
    const math::SoftplusSlope<R> below = math::softplus_slope(l);
    return {log_gap - above.value - below.value,
            {below.slope - above.slope, -below.slope - d_gap, above.slope + d_gap}};
  }
};

}  // namespace jensen
