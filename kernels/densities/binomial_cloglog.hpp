#pragma once
#include "densities/binomial.hpp"

namespace jensen {

/// log Binomial(y | n, p), log(-log(1 - p)) = eta = a_0; constants: see binomial_value(). With h = exp(eta)
/// 1 - p = exp(-h); far below 0, log p = eta - h / 2 + ..
struct BinomialCloglog : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R eta, const Prepared<R>&) {
    const R h = math::bounded_exp(eta);
    const R p = -math::expm1(-h);
    const R q = math::exp(-h);
    const R log_p = eta < R(-20) ? eta : math::log1mexp(h);
    return binomial_value(constants, p, q, log_p, -h, h > R(0) ? h / p : R(1));
  }
};

}  // namespace jensen
