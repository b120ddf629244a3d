#pragma once
#include "density_value.hpp"
#include "math.hpp"

namespace jensen {

/// log Bernoulli(y | p), logit(p) = eta = a_0; constants: y in {0, 1}. Nothing left out.
/// -softplus(-t) with t = eta where y = 1 and -eta where y = 0: of exp(-|t|) alone, so that neither tail overflows or
/// cancels, and without a choice by y. Of a NaN the value is NaN.
struct BernoulliLogit : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R eta, const Prepared<R>& none) {
    const auto v = evaluate_factored(constants, eta, none);
    return {v.log_density - math::log1p_unit(v.excess), {v.d[0]}};
  }
  template <class R>
  static JENSEN_HD FactoredValue<R, 1> evaluate_factored(const R* constants, R eta, const Prepared<R>&) {
    const R sign = constants[0] + constants[0] - R(1);
    const R t = sign * eta;
    const R e = math::exp_minus_abs(t);
    const R inverse = R(1) / (R(1) + e);
    const R other = t > R(0) ? e * inverse : inverse;  // the probability of what was not seen
    return {t > R(0) ? R(0) : t, e, {sign * other}};
  }
};

}  // namespace jensen
