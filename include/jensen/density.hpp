#pragma once
/// \file A density of your own, which runs in the same kernels as Jensen's.
///
/// A density is a struct. With derivatives by dual numbers (docs/linking/density.md):
///
///     struct MyDensity {
///       static constexpr int arguments = 2;  // a[0] differs from row to row; up to 16
///       static constexpr int constants = 1;  // columns of the data that it reads; up to 3
///       template <class T>
///       static JENSEN_HD T log_density(const auto* y, const T* a);
///     };
///
/// T is jensen::Dual<float, arguments>; the functions for it are in namespace jensen::math: exp, expm1, log, log1p,
/// sqrt, pow, softplus, logistic, log1mexp, log_sum_exp, log_diff_exp, lgamma, lgamma1p, digamma, trigamma, erf, erfc,
/// normal_cdf, log_normal_cdf, sin, cos, atan, tanh, abs, min, max, select (docs/linking/density.md says what each is).
/// Every function must be JENSEN_HD, and constants must be single precision (0.5F), or the loop over rows is not
/// vectorised.
///
/// What depends on the arguments after a[0] alone can be prepared once for a sample:
///
///       static constexpr int prepared = 2;
///       template <class T>
///       static JENSEN_HD void prepare(const T* others, T* prepared);  // a[1], a[2] ..
///       template <class T>
///       static JENSEN_HD T log_density(const auto* y, const T& a0, const T* prepared);
///
/// Where its terms are priors, of few rows, the kernels for many need not be compiled for a GPU:
///
///       static constexpr bool prior = true;
///
/// A struct with derivatives of its own has `shared`, Prepared, prepare() and evaluate() of kernels/density_value.hpp
/// instead, and `constants`.
///
/// This header (with what it includes of kernels/) is the one public header that shows more than the standard library.

#include "kernels/density_value.hpp"
#include "kernels/dual_math.hpp"

namespace jensen {

struct DensityCode;

/// The compiled code of density Own. Defined where it is compiled: by jensen_add_density() of the CMake package, or in
/// a file that includes jensen/compile_density.hpp.
template <class Own>
const DensityCode& density();

}  // namespace jensen
