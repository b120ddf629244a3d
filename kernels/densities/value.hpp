#pragma once
/// \file What a density gives back: its value and its partial derivatives.

#include "host_device.hpp"

namespace jensen {

/// A density f(a_0; a_1 .. | constants) splits its arguments in two. a_0 differs from row to row; the others may be
/// the same for all rows of one sample, so what depends on them alone is prepared once:
///
///     struct Density {
///       static constexpr int shared = 1;                     // how many arguments follow a_0 (0 or 1)
///       template <class R> struct Prepared { ... };
///       template <class R> static Prepared<R> prepare(R a_1);
///       template <class R> static Value<R> evaluate(const R* constants, R a_0, const Prepared<R>& prepared);
///     };
///
/// Terms free of every argument are left out of f; the model adds their sum over the rows once (Term::constant).
template <class R>
struct Value {
  R log_density;
  R d_first;   ///< df / da_0
  R d_shared;  ///< df / da_1; 0 if there is none
};

/// Base of a density whose only argument is a_0.
struct NothingShared {
  static constexpr int shared = 0;
  template <class R>
  struct Prepared {};
  template <class R>
  static JENSEN_HD Prepared<R> prepare(R) {
    return {};
  }
};

}  // namespace jensen
