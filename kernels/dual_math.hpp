#pragma once
/// \file What a density's formula may call, of dual numbers and of plain ones: the functions of math.hpp,
/// math_gamma.hpp and math_normal.hpp, values as there, derivatives in closed form.

#include "dual.hpp"
#include "math.hpp"
#include "math_gamma.hpp"
#include "math_normal.hpp"

namespace jensen::math {

// --- Exponentials, logarithms and powers.

/// x^y for x > 0, as exp(y log x): its relative error grows with |y log x|.
template <class R, class = IfNumber<R>>
JENSEN_HD R pow(R x, R y) {
  return exp(y * log(x));
}

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
JENSEN_HD Dual<R, N> sin(const Dual<R, N>& x) {
  return chain(sin(x.value), cos(x.value), x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> cos(const Dual<R, N>& x) {
  return chain(cos(x.value), -sin(x.value), x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> atan(const Dual<R, N>& x) {
  return chain(atan(x.value), R(1) / (R(1) + x.value * x.value), x);
}
/// 2 exp(-x^2) / sqrt(pi), the derivative of erf.
template <class R, class = IfNumber<R>>
JENSEN_HD R erf_slope(R x) {
  return R(1.1283791670955125739) * exp(-x * x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> erf(const Dual<R, N>& x) {
  return chain(erf(x.value), erf_slope(x.value), x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> erfc(const Dual<R, N>& x) {
  return chain(erfc(x.value), -erf_slope(x.value), x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> normal_cdf(const Dual<R, N>& x) {
  return chain(normal_cdf(x.value), R(0.39894228040143267794) * exp(R(-0.5) * x.value * x.value), x);
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
template <class R, int N>
JENSEN_HD Dual<R, N> lgamma(const Dual<R, N>& x) {
  const Stirling<R> s = stirling(x.value);
  const R l = log(x.value);
  return chain((x.value - R(0.5)) * l - x.value + R(0.91893853320467274178) + s.remainder,
               l + (s.slope - R(0.5)) / x.value, x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> lgamma1p(const Dual<R, N>& x) {
  return chain(lgamma1p(x.value), digamma(R(1) + x.value), x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> digamma(const Dual<R, N>& x) {
  return chain(digamma(x.value), trigamma(x.value), x);
}
template <class R, int N>
JENSEN_HD Dual<R, N> trigamma(const Dual<R, N>& x) {
  return chain(trigamma(x.value), tetragamma(x.value), x);
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
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> max(S a, const Dual<R, N>& b) {
  return max(Dual<R, N>(a), b);
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
template <class R, int N, class S, class = IfNumber<S>>
JENSEN_HD Dual<R, N> min(S a, const Dual<R, N>& b) {
  return min(Dual<R, N>(a), b);
}
/// log(exp(a) + exp(b)).
template <class T>
JENSEN_HD T log_sum_exp(const T& a, const T& b) {
  return max(a, b) + softplus(-abs(a - b));
}
/// log(exp(a) - exp(b)), a > b.
template <class T>
JENSEN_HD T log_diff_exp(const T& a, const T& b) {
  return a + log1mexp(a - b);
}

}  // namespace jensen::math
