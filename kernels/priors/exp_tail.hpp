#pragma once
#include "math.hpp"

namespace jensen {

/// expm1(u), and expm1(u) - u, to full precision also near u = 0.
template <class R>
struct ExpTail {
  R first;   ///< u + u^2 / 2 + ...
  R second;  ///< u^2 / 2 + u^3 / 6 + ... >= 0
};
template <class R>
JENSEN_HD ExpTail<R> exp_tail(R u) {
  if (math::abs(u) < R(0.25)) {
    R series = R(1);  // 1 + u/3 (1 + u/4 (1 + ...)): the next term is u^12 / 14!
    for (int k = 13; k >= 3; --k) series = R(1) + series * u / static_cast<R>(k);
    const R second = R(0.5) * u * u * series;
    return {u + second, second};
  }
  const R e = math::exp(u);
  return {e - R(1), e - R(1) - u};
}

}  // namespace jensen
