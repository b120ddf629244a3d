#pragma once
#include "density_value.hpp"
#include "math.hpp"

namespace jensen {

/// log Bernoulli(y | p), logit(p) = eta = a_0; constants: y in {0, 1}. Nothing left out.
/// y eta - softplus(eta), with exp(-|eta|) alone, so that neither tail overflows or cancels.
struct BernoulliLogit : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R eta, const Prepared<R>&) {
    const R y = constants[0];
    const R e = math::exp(-math::abs(eta));
    const R inverse = R(1) / (R(1) + e);
    const R probability = eta >= R(0) ? inverse : e * inverse;
    const R complement = eta >= R(0) ? e * inverse : inverse;
    const R derivative = y > R(0.5) ? complement : -probability;
    return {y * eta - math::max(eta, R(0)) - math::log1p_unit(e), {derivative}};
  }
};

}  // namespace jensen
