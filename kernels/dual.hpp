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

#include "math.hpp"
#include "math_gamma.hpp"
#include "math_normal.hpp"

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

namespace math {

/// x^y for x > 0, as exp(y log x): its relative error grows with |y log x|.
template <class R, class = IfNumber<R>>
JENSEN_HD R pow(R x, R y) {
  return exp(y * log(x));
}

// The functions of math.hpp, math_gamma.hpp and math_normal.hpp: values as there, derivatives in closed form.

template <class R, int N>
JENSEN_HD Dual<R, N> exp(const Dual<R, N>& x) {
  const R e = exp(x.value);
  return chain(e, e, x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> log(const Dual<R, N>& x) {
  return chain(log(x.value), R(1) / x.value, x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> log1p(const Dual<R, N>& x) {
  return chain(log1p(x.value), R(1) / (R(1) + x.value), x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> log1p_unit(const Dual<R, N>& x) {
  return chain(log1p_unit(x.value), R(1) / (R(1) + x.value), x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> expm1(const Dual<R, N>& x) {
  const R e = expm1(x.value);
  return chain(e, e + R(1), x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> expm1_minus(const Dual<R, N>& x) {
  return chain(expm1_minus(x.value), expm1(x.value), x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> log1p_minus(const Dual<R, N>& x) {
  return chain(log1p_minus(x.value), -x.value / (R(1) + x.value), x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> log1mexp(const Dual<R, N>& x) {
  return chain(log1mexp(x.value), R(1) / expm1(x.value), x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> sqrt(const Dual<R, N>& x) {
  const R root = sqrt(x.value);
  return chain(root, R(0.5) / root, x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> tanh(const Dual<R, N>& x) {
  const R t = tanh(x.value);
  return chain(t, R(1) - t * t, x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> softplus(const Dual<R, N>& x) {
  const SoftplusSlope<R> s = softplus_slope(x.value);
  return chain(s.value, s.slope, x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> logistic(const Dual<R, N>& x) {
  const R e = exp(-abs(x.value));
  const R inverse = R(1) / (R(1) + e);
  return chain(x.value >= R(0) ? inverse : e * inverse, e * inverse * inverse, x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> log_normal_cdf(const Dual<R, N>& x) {
  const NormalTails<R> tails = normal_tails(x.value);
  return chain(tails.log_below, tails.weight * tails.above, x);
}
/// Its derivative beyond the bound is that at the bound, as if the argument were x itself.
template <class R, int N>
JENSEN_HD Dual<R, N> bounded_exp(const Dual<R, N>& x) {
  const R e = bounded_exp(x.value);
  return chain(e, e, x);
}
/// Not of a derivative: the trigamma function is not here, so neither is digamma of a dual number.
template <class R, int N>
JENSEN_HD Dual<R, N> lgamma(const Dual<R, N>& x) {
  const Stirling<R> s = stirling(x.value);
  const R l = log(x.value);
  return chain((x.value - R(0.5)) * l - x.value + R(0.91893853320467274178) + s.remainder,
               l + (s.slope - R(0.5)) / x.value, x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> pow(const Dual<R, N>& x, const Dual<R, N>& y) {
  const R l = log(x.value);
  const R p = exp(y.value * l);
  return chain(p, p * y.value / x.value, x, p * l, y);
}
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> pow(const Dual<R, N>& x, S y) {
  const R p = pow(x.value, static_cast<R>(y));
  return chain(p, p * static_cast<R>(y) / x.value, x);
}
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> pow(S x, const Dual<R, N>& y) {
  const R l = log(static_cast<R>(x));
  const R p = exp(y.value * l);
  return chain(p, p * l, y);
}
/// At 0 the derivative is that of x > 0.
template <class R, int N>
JENSEN_HD Dual<R, N> abs(const Dual<R, N>& x) {
  return chain(abs(x.value), x.value < R(0) ? R(-1) : R(1), x);
}
/// count * x, and 0 (with no derivative) where the count is.
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> times(S count, const Dual<R, N>& x) {
  const R c = static_cast<R>(count);
  const bool some = c > R(0);
  return chain(some ? c * x.value : R(0), c, x);
}

/// where ? a : b, without a branch.
template <class R, class = IfNumber<R>>
JENSEN_HD R select(bool where, R a, R b) {
  return where ? a : b;
}
template <class R, int N, int... K>
JENSEN_HD Dual<R, N> select(bool where, const Dual<R, N>& a, const Dual<R, N>& b, std::integer_sequence<int, K...>) {
  return {where ? a.value : b.value, (where ? a.d[K] : b.d[K])...};
}
template <class R, int N>
JENSEN_HD Dual<R, N> select(bool where, const Dual<R, N>& a, const Dual<R, N>& b) {
  return select(where, a, b, std::make_integer_sequence<int, N>{});
}
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> select(bool where, const Dual<R, N>& a, S b) {
  return select(where, a, Dual<R, N>(b));
}
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> select(bool where, S a, const Dual<R, N>& b) {
  return select(where, Dual<R, N>(a), b);
}
/// Of two that are equal, b.
template <class R, int N>
JENSEN_HD Dual<R, N> max(const Dual<R, N>& a, const Dual<R, N>& b) {
  return select(a.value > b.value, a, b);
}
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> max(const Dual<R, N>& a, S b) {
  return max(a, Dual<R, N>(b));
}
template <class R, class = IfNumber<R>>
JENSEN_HD R min(R a, R b) {
  return a < b ? a : b;
}
template <class R, int N>
JENSEN_HD Dual<R, N> min(const Dual<R, N>& a, const Dual<R, N>& b) {
  return select(a.value < b.value, a, b);
}
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> min(const Dual<R, N>& a, S b) {
  return min(a, Dual<R, N>(b));
}
/// log(exp(a) + exp(b)).
template <class T>
JENSEN_HD T log_sum_exp(const T& a, const T& b) {
  return max(a, b) + softplus(-abs(a - b));
}

}  // namespace math
}  // namespace jensen
