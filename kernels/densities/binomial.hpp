#pragma once
#include "densities/divergence.hpp"
#include "density_value.hpp"

namespace jensen {

/// log Binomial(y | n, p) of any link; constants: y, n, and the largest value of the next line over p, 0 if n = 0,
/// which is left out together with log choose(n, y):
///
///     y log p + (n - y) log(1 - p), at most y log(y / n) + (n - y) log(1 - y / n)
///
/// Where p is near y / n the difference of the two is taken without cancellation (divergence.hpp), so large n keep
/// their digits. weight: dp/deta / (p (1 - p)); q = 1 - p.
template <class R>
JENSEN_HD Value<R, 1> binomial_value(const R* constants, R p, R q, R log_p, R log_q, R weight) {
  const R y = constants[0];
  const R failures = constants[1] - y;
  const Divergence<R> d = divergence(y / constants[1], failures / constants[1], p, q);
  const R near = y * math::log1p_minus(d.up) + failures * math::log1p_minus(d.down);
  const R far = math::times(y, log_p) + math::times(failures, log_q) - constants[2];
  // y - n p, from the smaller of p and q
  const R excess = p < R(0.5) ? y - constants[1] * p : constants[1] * q - failures;
  return {d.near() ? near : far, {excess * weight}};
}

}  // namespace jensen
