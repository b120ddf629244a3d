#pragma once
/// \file Forward-mode dual numbers: a value with its derivatives by the N arguments of a density, in registers.
///
///     f(a):     value f(a),       d_k = f'(a) a.d_k
///     f(a, b):  value f(a, b),    d_k = df/da a.d_k + df/db b.d_k
///
/// (Griewank & Walther 2008, "Evaluating derivatives", chapter 3.) N is small and known to the compiler, so that all is
/// written out and a loop over rows or samples around it is vectorised as one over plain numbers would be.

#include <type_traits>
#include <utility>

#include "host_device.hpp"

namespace jensen {

/// R: float or double. A plain number converts to a constant, whose derivatives are 0.
template <class R, int N>
struct Dual {
  // NOLINTBEGIN(google-explicit-constructor, modernize-use-default-member-init): numbers are to convert, and a Dual
  // that is to be written has no zeros written before.
  R value;
  R d[N];  ///< by argument 0, 1 ..

  Dual() = default;
  template <class S, class = std::enable_if_t<std::is_arithmetic_v<S>>>
  JENSEN_HD constexpr Dual(S number) : value(static_cast<R>(number)), d{} {}
  template <class... Slopes>
  requires(sizeof...(Slopes) == N) JENSEN_HD constexpr Dual(R at, Slopes... slopes) : value(at), d{slopes...} {}
  // NOLINTEND(google-explicit-constructor, modernize-use-default-member-init)
};

namespace math {

/// Whether the compiler knows a derivative to be 0: a product with it is then no work, and stays 0 beside an infinity.
template <class R>
JENSEN_HD bool known_zero(R slope) {
#if defined(__CUDACC__)
  return false && slope == R(0);  // nvcc has no such question to ask in device code
#else
  return __builtin_constant_p(slope) && slope == R(0);
#endif
}
template <class R>
JENSEN_HD R slope_times(R factor, R slope) {
  return known_zero(slope) ? R(0) : factor * slope;
}
template <class R>
JENSEN_HD R slope_sum(R a, R b) {
  if (known_zero(a)) return b;
  return known_zero(b) ? a : a + b;
}

template <class R, int N, int... K>
JENSEN_HD Dual<R, N> chain(R value, R by_a, const Dual<R, N>& a, std::integer_sequence<int, K...>) {
  return {value, slope_times(by_a, a.d[K])...};
}
template <class R, int N, int... K>
JENSEN_HD Dual<R, N> chain(R value, R by_a, const Dual<R, N>& a, R by_b, const Dual<R, N>& b,
                           std::integer_sequence<int, K...>) {
  return {value, slope_sum(slope_times(by_a, a.d[K]), slope_times(by_b, b.d[K]))...};
}
/// f(a) from its value and f'(a).
template <class R, int N>
JENSEN_HD Dual<R, N> chain(R value, R by_a, const Dual<R, N>& a) {
  return chain(value, by_a, a, std::make_integer_sequence<int, N>{});
}
/// f(a, b) from its value and partial derivatives.
template <class R, int N>
JENSEN_HD Dual<R, N> chain(R value, R by_a, const Dual<R, N>& a, R by_b, const Dual<R, N>& b) {
  return chain(value, by_a, a, by_b, b, std::make_integer_sequence<int, N>{});
}

}  // namespace math

// --- Arithmetic; the other operand may be any plain number.

template <class S>
using IfNumber = std::enable_if_t<std::is_arithmetic_v<S>>;

template <class R, int N>
JENSEN_HD Dual<R, N> operator-(const Dual<R, N>& a) {
  return math::chain(-a.value, R(-1), a);
}

template <class R, int N>
JENSEN_HD Dual<R, N> operator+(const Dual<R, N>& a, const Dual<R, N>& b) {
  return math::chain(a.value + b.value, R(1), a, R(1), b);
}
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> operator+(const Dual<R, N>& a, S b) {
  return math::chain(a.value + static_cast<R>(b), R(1), a);
}
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> operator+(S a, const Dual<R, N>& b) {
  return math::chain(static_cast<R>(a) + b.value, R(1), b);
}

template <class R, int N>
JENSEN_HD Dual<R, N> operator-(const Dual<R, N>& a, const Dual<R, N>& b) {
  return math::chain(a.value - b.value, R(1), a, R(-1), b);
}
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> operator-(const Dual<R, N>& a, S b) {
  return math::chain(a.value - static_cast<R>(b), R(1), a);
}
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> operator-(S a, const Dual<R, N>& b) {
  return math::chain(static_cast<R>(a) - b.value, R(-1), b);
}

template <class R, int N>
JENSEN_HD Dual<R, N> operator*(const Dual<R, N>& a, const Dual<R, N>& b) {
  return math::chain(a.value * b.value, b.value, a, a.value, b);
}
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> operator*(const Dual<R, N>& a, S b) {
  return math::chain(a.value * static_cast<R>(b), static_cast<R>(b), a);
}
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> operator*(S a, const Dual<R, N>& b) {
  return math::chain(static_cast<R>(a) * b.value, static_cast<R>(a), b);
}

template <class R, int N>
JENSEN_HD Dual<R, N> operator/(const Dual<R, N>& a, const Dual<R, N>& b) {
  const R inverse = R(1) / b.value;
  const R ratio = a.value * inverse;
  return math::chain(ratio, inverse, a, -ratio * inverse, b);
}
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> operator/(const Dual<R, N>& a, S b) {
  const R inverse = R(1) / static_cast<R>(b);
  return math::chain(a.value * inverse, inverse, a);
}
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> operator/(S a, const Dual<R, N>& b) {
  const R inverse = R(1) / b.value;
  const R ratio = static_cast<R>(a) * inverse;
  return math::chain(ratio, -ratio * inverse, b);
}

template <class R, int N, class B>
JENSEN_HD Dual<R, N>& operator+=(Dual<R, N>& a, const B& b) {
  return a = a + b;
}
template <class R, int N, class B>
JENSEN_HD Dual<R, N>& operator-=(Dual<R, N>& a, const B& b) {
  return a = a - b;
}
template <class R, int N, class B>
JENSEN_HD Dual<R, N>& operator*=(Dual<R, N>& a, const B& b) {
  return a = a * b;
}
template <class R, int N, class B>
JENSEN_HD Dual<R, N>& operator/=(Dual<R, N>& a, const B& b) {
  return a = a / b;
}

// --- Comparisons are those of the values.

template <class R, int N>
JENSEN_HD R value_of(const Dual<R, N>& a) {
  return a.value;
}
template <class S, class = IfNumber<S>>
JENSEN_HD S value_of(S a) {
  return a;
}
template <class T>
inline constexpr bool is_dual = false;
template <class R, int N>
inline constexpr bool is_dual<Dual<R, N>> = true;
template <class A, class B>
using IfDual = std::enable_if_t<is_dual<A> || is_dual<B>>;

template <class A, class B, class = IfDual<A, B>>
JENSEN_HD bool operator<(const A& a, const B& b) {
  return value_of(a) < value_of(b);
}
template <class A, class B, class = IfDual<A, B>>
JENSEN_HD bool operator>(const A& a, const B& b) {
  return value_of(a) > value_of(b);
}
template <class A, class B, class = IfDual<A, B>>
JENSEN_HD bool operator<=(const A& a, const B& b) {
  return value_of(a) <= value_of(b);
}
template <class A, class B, class = IfDual<A, B>>
JENSEN_HD bool operator>=(const A& a, const B& b) {
  return value_of(a) >= value_of(b);
}

}  // namespace jensen
