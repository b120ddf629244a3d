#pragma once
/// \file The gamma function by what it differs from Stirling's formula, so that differences of its logarithms do not
/// cancel where the arguments are large.
///
///     log Gamma(x) = (x - 1/2) log x - x + log(2 pi) / 2 + s(x)                          x > 0
///
/// s falls from infinity to 0 as 1 / (12 x). With s apart, the logarithms that large arguments share can be cancelled
/// with pen and paper (Loader 2000, "Fast and accurate computation of binomial probabilities").
///
/// float: s and x s' to 3e-7 (absolute where they are below 1, else relative); double: 1e-14. tests/math_test.cpp.

#include "math.hpp"

namespace jensen::math {

template <class R>
struct Stirling {
  R remainder;  ///< s(x)
  R slope;      ///< x s'(x): -1/2 at 0, 0 at infinity
};

/// From s(x + 1) to s(x): l = log(1 + 1 / x).
template <class R>
JENSEN_HD Stirling<R> one_below(R x, R l, const Stirling<R>& above) {
  const R w = R(1) / (x + R(1));
  return {above.remainder + ((x + R(0.5)) * l - R(1)), x * w * above.slope + (x * l - (x + R(0.5)) * w)};
}

/// For x >= 1 polynomials in 1 / x (interpolated at the Chebyshev nodes of [0, 1]), below one step up.
JENSEN_HD Stirling<float> stirling(float x) {
  const float inverse = 1.0F / x;
  const bool small = x < 1.0F;
  const float w = small ? 1.0F / (x + 1.0F) : inverse;
  const float v = 2.0F * w - 1.0F;
  const Stirling<float> large{
      w * polynomial(v, 0.08268139191F, -0.001230015176F, -0.0004851027567F, 0.0001008363734F, -1.284211043e-6F,
                     -6.648176023e-6F, 2.629486881e-6F, -1.068389756e-7F, -2.342276481e-7F),
      w * polynomial(v, -0.08145138185F, 0.00343026485F, 0.001152991662F, -0.0003985000527F, 3.855358214e-5F,
                     2.481366451e-5F, -1.565095226e-5F, 2.25991332e-6F, 9.868546437e-7F)};
  const Stirling<float> below = one_below(x, log1p(inverse), large);
  return {small ? below.remainder : large.remainder, small ? below.slope : large.slope};
}

/// The asymptotic series, from x >= 12 on (Abramowitz and Stegun 6.1.41). Below n steps up, t = x + n, with the
/// logarithms of all of them in one:
///
///     s(x)    = s(t) - (x + 1/2) log(x / t) - n - log prod_k (x + k) / t                   0 < k < n
///     x s'(x) = x (s'(t) - log(x / t) - 1 / (2 t) - sum_k 1 / (x + k)) - 1/2
JENSEN_HD Stirling<double> stirling(double x) {
  const int steps = x < 12 ? 12 - static_cast<int>(x) : 0;
  const double t = x + steps;
  const double w = 1 / t;
  const double u = w * w;
  const Stirling<double> s{w * polynomial(u, 1.0 / 12, -1.0 / 360, 1.0 / 1260, -1.0 / 1680, 1.0 / 1188, -691.0 / 360360,
                                          1.0 / 156, -3617.0 / 122400),
                           -w * polynomial(u, 1.0 / 12, -1.0 / 120, 1.0 / 252, -1.0 / 240, 5.0 / 660, -691.0 / 32760,
                                           1.0 / 12, -3617.0 / 8160)};
  if (steps == 0) return s;
  double product = 1, sum = 0;  // of (x + k) / t, and product times the sum of their inverses
  for (int k = 1; k < steps; ++k) {
    const double factor = (x + k) * w;
    sum = sum * factor + product;
    product *= factor;
  }
  const double l = log(x * w);
  const double finite = l < -708 ? -708 : l;  // at zero x l is zero
  return {s.remainder - (x + 0.5) * l - steps - log(product),
          x * (s.slope * w - finite - 0.5 * w - w * sum / product) - 0.5};
}

/// log Gamma(x), x > 0, to the accuracy of its largest summand.
template <class R>
JENSEN_HD R lgamma(R x) {
  return (x - R(0.5)) * log(x) - x + R(0.91893853320467274178) + stirling(x).remainder;
}

/// The derivative of log Gamma(x), x > 0, likewise.
template <class R>
JENSEN_HD R digamma(R x) {
  return log(x) + (stirling(x).slope - R(0.5)) / x;
}

/// The second derivative of log Gamma(x), x > 0: w (1 + w q(w)), w = 1 / x, q a polynomial (interpolated at the
/// Chebyshev nodes of [0, 1]) for x >= 1, below one step up. float: 4e-7 of itself; double: 1e-14.
JENSEN_HD float trigamma(float x) {
  const float inverse = 1.0F / x;
  const bool small = x < 1.0F;
  const float w = small ? 1.0F / (x + 1.0F) : inverse;
  const float v = 2.0F * w - 1.0F;
  const float q = polynomial(v, 0.5797362674F, 0.07343783246F, -0.00800737609F, -0.000789419433F, 0.0007461256856F,
                             -0.0002139737389F, 5.851156053e-6F, 3.259099651e-5F, -1.384238889e-5F);
  return w * (1.0F + w * q) + (small ? inverse * inverse : 0.0F);
}
/// The asymptotic series, from x >= 12 on (Abramowitz and Stegun 6.4.12), below by steps up.
JENSEN_HD double trigamma(double x) {
  const int steps = x < 12 ? 12 - static_cast<int>(x) : 0;
  const double w = 1 / (x + steps);
  const double u = w * w;
  double sum =
      w + 0.5 * u +
      w * u * polynomial(u, 1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510);
  for (int k = steps - 1; k >= 0; --k) sum += 1 / ((x + k) * (x + k));
  return sum;
}

/// The third derivative of log Gamma(x), x > 0, in the same way: -w^2 (1 + w r(w)).
JENSEN_HD float tetragamma(float x) {
  const float inverse = 1.0F / x;
  const bool small = x < 1.0F;
  const float w = small ? 1.0F / (x + 1.0F) : inverse;
  const float v = 2.0F * w - 1.0F;
  const float r = polynomial(v, 1.232910458F, 0.2042990628F, -0.03440144593F, -0.0009695922018F, 0.003429153833F,
                             -0.001427766528F, 0.0002331313549F, 0.000123141922F, -0.0001144175261F, 3.208396391e-5F);
  return -w * w * (1.0F + w * r) - (small ? 2.0F * inverse * inverse * inverse : 0.0F);
}
/// Abramowitz and Stegun 6.4.13.
JENSEN_HD double tetragamma(double x) {
  const int steps = x < 12 ? 12 - static_cast<int>(x) : 0;
  const double w = 1 / (x + steps);
  const double u = w * w;
  double sum =
      u * (1 + w) +
      u * u * polynomial(u, 1.0 / 2, -1.0 / 6, 1.0 / 6, -3.0 / 10, 5.0 / 6, -691.0 / 210, 35.0 / 2, -3617.0 / 30);
  for (int k = steps - 1; k >= 0; --k) sum += 2 / ((x + k) * (x + k) * (x + k));
  return -sum;
}

/// log Gamma(1 + x) / (x (x - 1)) at x = (1 + v) / 2 in [0, 1], interpolated at the Chebyshev nodes.
JENSEN_HD float lgamma_between_zeros(float v) {
  return polynomial(v, 0.4831289523F, -0.07297994849F, 0.01572776347F, -0.003913534146F, 0.001050506109F,
                    -0.0002947628587F, 8.321862487e-5F, -2.451356572e-5F, 9.557596313e-6F, -2.905242853e-6F);
}
JENSEN_HD double lgamma_between_zeros(double v) {
  return polynomial(
      v, 0.4831289505409808894, -0.07297994795715304326, 0.01572785026864123536, -0.003913560937626186691,
      0.001049818664449119706, -0.000294550701519559534, 0.00008510090382266539083, -0.00002509432866981834381,
      7.511391154327928543e-6, -2.274247405482667404e-6, 6.948460789947272504e-7, -2.138632494418462997e-7,
      6.622926112005164625e-8, -2.062099536462856815e-8, 6.448043752521901108e-9, -2.016989565826890738e-9,
      6.353017600845751224e-10, -2.08713110054528231e-10, 6.615691316451457966e-11, -1.541047906956022257e-11,
      4.89218582612528544e-12, -3.800808582064062749e-12, 1.217035821938559067e-12);
}

/// log Gamma(1 + x), x >= 0, to a few ulp of itself up to x = 1.
template <class R>
JENSEN_HD R lgamma1p(R x) {
  const R y = x > R(1) ? R(1) : x;
  const R near = x * (x - R(1)) * lgamma_between_zeros(R(2) * y - R(1));
  const R far = (x + R(0.5)) * log1p(x) - (x + R(1)) + R(0.91893853320467274178) + stirling(x + R(1)).remainder;
  return x > R(1) ? far : near;
}

}  // namespace jensen::math
