#pragma once
#include "math.hpp"

namespace jensen {

/// A Bernoulli distribution (p, q = 1 - p) seen from another (r, t = 1 - r). Near it
///
///     p log(r / p) + q log(t / q) = p log1p_minus(up) + q log1p_minus(down)     up = (r - p) / p, down = (p - r) / q
///
/// because the linear terms cancel: a sum of two negative numbers, exact where the logarithms are nearly equal. (As the
/// deviance in Loader 2000, "Fast and accurate computation of binomial probabilities".)
template <class R>
struct Divergence {
  R up, down;
  R size;  ///< |up| + |down|; NaN if p or q is 0
  JENSEN_HD bool near() const { return size <= R(0.75); }
};
template <class R>
JENSEN_HD Divergence<R> divergence(R p, R q, R r, R t) {
  const R difference = p < R(0.5) ? r - p : q - t;  // of the two that are exact
  const R up = difference / p;
  const R down = -difference / q;
  return {up, down, math::abs(up) + math::abs(down)};
}

}  // namespace jensen
