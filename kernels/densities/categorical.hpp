#pragma once
#include "math.hpp"

namespace jensen {

/// log P(y) of categories 0, 1 .. m with logits 0, a_0 .. a_{m-1}; constants: y. Nothing left out. All arguments differ
/// from row to row, so it is evaluated by itself: d[k] = df/da_k, for m up to 15.
struct Categorical {
  template <class R>
  static JENSEN_HD R evaluate_all(const R* constants, const R* a, int m, R* d) {
    const int y = static_cast<int>(constants[0]);
    int top = 0;  // the likeliest category
    R largest = R(0);
    for (int k = 1; k <= m; ++k) {
      if (!(a[k - 1] > largest)) continue;
      top = k;
      largest = a[k - 1];
    }
    R others = top == 0 ? R(0) : math::exp(-largest);  // sum of exp(logit - largest) but for the likeliest
    for (int k = 1; k <= m; ++k) {
      d[k - 1] = math::exp(a[k - 1] - largest);
      if (k != top) others += d[k - 1];
    }
    const R inverse = R(1) / (R(1) + others);
    for (int k = 1; k <= m; ++k) {
      const R probability = d[k - 1] * inverse;
      const R complement = k == top ? others * inverse : R(1) - probability;
      d[k - 1] = k == y ? complement : -probability;
    }
    return (y == 0 ? R(0) : a[y - 1]) - largest - math::log1p(others);
  }
};

}  // namespace jensen
