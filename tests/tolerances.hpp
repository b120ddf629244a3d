#pragma once
/// \file Every tolerance of the tests of the arithmetic, with its reason: multiples of epsilon for rounding, z-scores
/// for Monte Carlo.

#include <cmath>
#include <limits>

namespace jensen::tolerance {

constexpr double float_epsilon = std::numeric_limits<float>::epsilon();    // 2^-23
constexpr double double_epsilon = std::numeric_limits<double>::epsilon();  // 2^-52

// --- Monte Carlo. Seeds are fixed, so a bound is passed or not once and for all; these make a false alarm on the next
// --- change of seed or generator improbable.

/// One statistic that is normal under the hypothesis: P(|Z| > 4.5) = 7e-6.
constexpr double z_one = 4.5;
/// The largest of up to ten thousand such statistics: 1e4 P(|Z| > 6) = 2e-5.
constexpr double z_many = 6;
/// sqrt(n) times the Kolmogorov-Smirnov distance: P(K > 2.5) = 2 exp(-2 * 2.5^2) = 7e-6.
constexpr double kolmogorov = 2.5;

// --- Elementary functions, in units in the last place (ulp) of the exact result.

/// math::exp(float): seen 1.15 at most, with and without fused multiply-add: half an ulp each from the polynomial's
/// last two additions. 2 leaves room for other compilers.
constexpr double exp_ulp = 2;
/// math::log1p_unit(float): seen 2.7, with fused multiply-add or without: two polynomials, their sum and a product.
constexpr double log1p_unit_ulp = 3;

/// math::log(float) and math::log1p(float): seen 1.93 and 2.45 at most. math::expm1(float): 1 subtracted from an
/// exponential of 0.7 costs most, seen 3.6.
constexpr double log_ulp = 3;
constexpr double log1p_ulp = 4;
constexpr double expm1_ulp = 5;
/// math::stirling(float) and math::lgamma1p(float), relative to themselves and 1 (kernels/math_gamma.hpp).
constexpr double gamma_float = 3e-7;
constexpr double gamma_double = 1e-14;
/// math::trigamma(float) and math::tetragamma(float), relative: 1 / x^2 and 1 / x^3 of a rounded 1 / x, and three sums.
constexpr double trigamma_float = 5e-7;
/// math::erf(float), and math::erfc(float) where its argument's square, whose rounding is exp's, is left aside.
constexpr double erf_ulp = 6;
/// math::mills_ratio (kernels/math_normal.hpp), relative.
constexpr double mills_float = 4e-7;
constexpr double mills_double = 2e-15;

/// A function of dual numbers in float and its derivatives, relative to 1 and their absolute values: a few roundings of
/// arguments of order one.
constexpr double dual_float = 8 * float_epsilon;

// --- Densities.

/// One evaluation in float, relative to the absolute values of what it adds up: an exponential (2 ulp) squared (twice
/// that) and a handful of roundings.
constexpr double density_float = 8 * float_epsilon;
/// One evaluation in double against the textbook's formula, relative likewise. lgamma and the cancellation between the
/// textbook's terms cost the most.
constexpr double density_double = 32 * double_epsilon;
/// The response densities against 50-digit values, relative to the value: in float the functions behind it (gamma,
/// normal tails) are correct to 3e-7 and partly cancel.
constexpr double reference_float = 1e-5;
constexpr double reference_double = 1e-12;
/// And relative to what rounding the arguments and the constants once moves: a handful of roundings on the way.
constexpr double reference_roundings = 4;
/// Five-point differences with step 1e-3 in double: truncation h^4 / 30 f^(5), rounding epsilon f / h; relative to the
/// absolute values of what f and f' add up. f^(5) is at most 2^5 times as much for exp(2 a).
constexpr double finite_difference_step = 1e-3;
constexpr double finite_difference = 1e-11;

/// Priors, normalised, against 60 digits, relative to 1 + |value|: in float, a coordinate of 80 minus a constant is off
/// by 32 ulp of 1, and its exponential likewise; in double, lgamma of a thousand is what costs.
constexpr double prior_float = 1e-5;
constexpr double prior_double = 1e-12;

// --- Sums over rows.

/// Rounding of a float sum of n terms, relative to the sum of absolute values. Roundings are independent and
/// unbiased, so they add up as sqrt(n) halves of epsilon; 4 is a z-score.
inline double float_sum(double n) { return (2 + 4 * 0.5 * std::sqrt(n)) * float_epsilon; }
/// Most rows that any data term sums in float before it goes on in double (data_term_cpu_isa.cpp's tile).
constexpr double rows_in_float = 128;

// --- Small dense matrices.

/// Backward error of Cholesky, inversion and solving, for n x n matrices of condition number kappa (Higham 2002,
/// "Accuracy and stability of numerical algorithms", theorems 10.3 and 10.4, with n for the constants).
constexpr double linear_algebra(double n, double kappa) { return 8 * n * kappa * double_epsilon; }

}  // namespace jensen::tolerance
