#pragma once
/// \file The standard normal distribution function far into its tails, by Mills' ratio, and the error function.

#include "math.hpp"

namespace jensen::math {

/// (t + 4) (1 - Phi(t)) / phi(t) of v = (t - 4) / (t + 4), interpolated at the Chebyshev nodes of [-1, 1] (the variable
/// is that of Shepherd and Laframboise 1981, "Chebyshev approximation of (1 + 2x) exp(x^2) erfc x").
JENSEN_HD float scaled_mills(float v) {
  return polynomial(v, 1.893219064F, -1.523770906F, 0.970409539F, -0.4675412813F, 0.1513919355F, -0.01889669045F,
                    -0.008722923583F, 0.004071385053F, 0.000334986871F, -0.0005458711106F, -4.326421082e-6F,
                    5.509329167e-5F);
}
JENSEN_HD double scaled_mills(double v) {
  return polynomial(v, 1.893219063308485365, -1.523770910819983475, 0.9704095548675874375, -0.4675409629983292395,
                    0.1513917623124890912, -0.01890045086179461005, -0.008722295275113486082, 0.004087855682194039879,
                    0.0003342446244758292422, -0.0005792693112383797585, -4.783311218411097676e-6,
                    0.00008809575792458321694, 1.796566654076627345e-6, -0.00001484334725319214522,
                    -1.579169362250829852e-6, 2.568874136537752481e-6, 6.836016680202922244e-7,
                    -4.006262909600914905e-7, -2.184099066336063212e-7, 4.482320698500524005e-8,
                    5.415426718115992212e-8, -1.509241818614183144e-9, -9.520279114401457197e-9,
                    -2.943309876163453524e-10, 8.812534041624494973e-10);
}

/// (1 - Phi(t)) / phi(t), t >= 0. float: 4e-7 of itself; double: 2e-15.
template <class R>
JENSEN_HD R mills_ratio(R t) {
  return scaled_mills((t - R(4)) / (t + R(4))) / (t + R(4));
}

/// Both tails at x. log Phi(x) is to a few ulp of its largest summand: x^2 / 2 below 0, and above 0 phi(x) has the
/// error of exp(-x^2 / 2), x^2 / 2 ulp.
template <class R>
struct NormalTails {
  R below, above;          ///< Phi(x), 1 - Phi(x)
  R log_below, log_above;  ///< their logarithms
  R weight;                ///< phi / (Phi (1 - Phi))
};
template <class R>
JENSEN_HD NormalTails<R> normal_tails(R x) {
  const R t = abs(x);
  const R mills = mills_ratio(t);
  const R half_square = R(0.5) * t * t;
  const R tail = exp(-half_square) * R(0.39894228040143267794) * mills;
  const R rest = R(1) - tail;
  const R log_tail = log(mills) - half_square - R(0.91893853320467274178);
  const R log_rest = log1p(-tail);
  const R weight = R(1) / (mills * rest);
  return x > R(0) ? NormalTails<R>{rest, tail, log_rest, log_tail, weight}
                  : NormalTails<R>{tail, rest, log_tail, log_rest, weight};
}

template <class R>
JENSEN_HD R log_normal_cdf(R x) {
  return normal_tails(x).log_below;
}

/// phi(x) / Phi(x), the derivative of log Phi(x).
template <class R>
JENSEN_HD R inverse_mills(R x) {
  const NormalTails<R> tails = normal_tails(x);
  return tails.weight * tails.above;
}

template <class R>
JENSEN_HD R normal_cdf(R x) {
  return normal_tails(x).below;
}

JENSEN_HD double erf(double x) { return ::erf(x); }
JENSEN_HD double erfc(double x) { return ::erfc(x); }

/// erf(x) for |x| <= 1: x times a polynomial in x^2, erf(x) / x interpolated at the Chebyshev nodes.
JENSEN_HD float erf_near_zero(float x) {
  return x * polynomial(2.0F * x * x - 1.0F, 0.9654687387F, -0.1405360973F, 0.01985249714F, -0.002285419545F,
                        0.0002175135417F, -1.766906803e-5F, 1.230605479e-6F);
}
/// erfc(t) for t >= 0, by Mills' ratio at sqrt(2) t. Its relative error grows with t^2 ulp, as exp(-t^2)'s does.
JENSEN_HD float erfc_tail(float t) { return exp(-t * t) * 0.797884561F * mills_ratio(1.41421356F * t); }
/// 3 ulp.
JENSEN_HD float erf(float x) {
  const float tail = 1.0F - erfc_tail(abs(x));
  return abs(x) < 1.0F ? erf_near_zero(x) : (x < 0.0F ? -tail : tail);
}
/// (4 + x^2) ulp.
JENSEN_HD float erfc(float x) {
  const float tail = erfc_tail(abs(x));
  return abs(x) < 0.5F ? 1.0F - erf_near_zero(x) : (x < 0.0F ? 2.0F - tail : tail);
}

}  // namespace jensen::math
