#pragma once
/// \file What a density gives back: its value and its partial derivatives.

#include "host_device.hpp"

namespace jensen {

/// A density f(a_0, a_1 .. | constants) splits its arguments in two. a_0 differs from row to row; the others may be
/// the same for all rows of one sample, so what depends on them alone is prepared once:
///
///     struct Density {
///       static constexpr int shared = 1;                          // arguments after a_0, 0 or more
///       template <class R> struct Prepared { ... };
///       template <class R> static Prepared<R> prepare(const R* shared);          // a_1 ..
///       template <class R> static Value<R, 1 + shared> evaluate(const R* constants, R a_0, const Prepared<R>&
///       prepared);
///     };
///
/// Terms free of every argument are left out of f; the model adds their sum over the rows once (Term::constant).
template <class R, int Arguments>
struct Value {
  R log_density;
  R d[Arguments];  ///< d[k] = df / da_k
};

/// A density of a_0 alone that is also to be had in two steps, with a logarithm left to take:
///
///     e = excess(constants, a_0), 0 <= e <= 1
///     evaluate_factored(constants, a_0, e): Value of f + log(1 + e)
///
/// Sums over rows need one logarithm for all of them, since sum_i log(1 + e_i) = log prod_i (1 + e_i). And two short
/// loops are faster than one whose instructions wait for one another longer than a processor looks ahead.
template <class Density>
concept FactoredDensity = requires(const float* constants) {
  Density::evaluate_factored(constants, 0.0F, Density::excess(constants, 0.0F));
};

constexpr int most_shared = 3;  ///< the most arguments after a_0 of any density
constexpr int max_shared = 2;   ///< of those that fast data terms take

/// Base of a density whose only argument is a_0.
struct NothingShared {
  static constexpr int shared = 0;
  template <class R>
  struct Prepared {};
  template <class R>
  static JENSEN_HD Prepared<R> prepare(const R*) {
    return {};
  }
};

}  // namespace jensen
