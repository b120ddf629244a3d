#pragma once
#include "densities/binomial.hpp"

namespace jensen {

/// log Binomial(y | n, p), logit(p) = eta = a_0; constants: see binomial_value().
struct BinomialLogit : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R eta, const Prepared<R>&) {
    const R e = math::exp_nonpositive(-math::abs(eta));
    const R large = math::reciprocal(R(1) + e);
    const R small = e * large;
    const R log_large = -math::log1p_unit(e);
    const R log_small = log_large - math::abs(eta);
    const bool high = eta > R(0);
    return binomial_value(constants, high ? large : small, high ? small : large, high ? log_large : log_small,
                          high ? log_small : log_large, R(1));
  }
};

}  // namespace jensen
