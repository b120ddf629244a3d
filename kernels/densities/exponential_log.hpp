#pragma once
#include "density_value.hpp"
#include "math.hpp"

namespace jensen {

/// log Exponential(y | mean m), a_0 = log m; constants: y, censored. If censored is 1 the response is at least y: the
/// log survival function -y / m. Nothing left out.
struct ExponentialLog : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R log_mean, const Prepared<R>&) {
    const R hazard = constants[0] * math::exp(-log_mean);
    const R seen = R(1) - constants[1];
    return {-seen * log_mean - hazard, {hazard - seen}};
  }
};

}  // namespace jensen
