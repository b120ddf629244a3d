#pragma once
#include "densities/binomial.hpp"
#include "math_normal.hpp"

namespace jensen {

/// log Binomial(y | n, Phi(eta)), eta = a_0; constants: see binomial_value().
struct BinomialProbit : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R eta, const Prepared<R>&) {
    const math::NormalTails<R> t = math::normal_tails(eta);
    return binomial_value(constants, t.below, t.above, t.log_below, t.log_above, t.weight);
  }
};

}  // namespace jensen
