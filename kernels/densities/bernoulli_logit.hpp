#pragma once
#include "density_value.hpp"
#include "math.hpp"

namespace jensen {

/// log Bernoulli(y | p), logit(p) = eta = a_0; constants: y in {0, 1}. Nothing left out.
/// -softplus(-t) with t = eta where y = 1 and -eta where y = 0: of exp(-|t|) alone, so that neither tail overflows or
/// cancels, and without a choice by y. Of a NaN the value is NaN.
struct BernoulliLogit : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R eta, const Prepared<R>&) {
    const R e = excess(constants, eta);
    const auto v = evaluate_factored(constants, eta, e);
    return {v.log_density - math::log1p_unit(e), {v.d[0]}};
  }
  template <class R>
  static JENSEN_HD R excess(const R* constants, R eta) {
    return math::exp_minus_abs(sign(constants) * eta);
  }
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate_factored(const R* constants, R eta, R e) {
    const R t = sign(constants) * eta;
    const R inverse = math::reciprocal(R(1) + e);
    const R other = t > R(0) ? e * inverse : inverse;  // the probability of what was not seen
    return {t > R(0) ? R(0) : t, {sign(constants) * other}};
  }

 private:
  template <class R>
  static JENSEN_HD R sign(const R* constants) {
    return constants[0] + constants[0] - R(1);
  }
};

}  // namespace jensen
