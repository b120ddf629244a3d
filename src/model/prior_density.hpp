#pragma once
/// \file Which kernel density stands for a prior, with which constants, and what it leaves out.

#include <array>
#include <cstddef>

#include "densities/list.hpp"
#include "jensen/prior.hpp"

namespace jensen {

/// Each of a prior that on_support() let pass for that support. Not for flat on a real parameter, which is no term.
/// The kernel density is of the unconstrained coordinate (log of a positive parameter, logit of one between 0 and 1),
/// Jacobian included. lognormal is the normal of the logarithm.
DensityKind density_of(PriorKind kind, Support support);

/// The kernel density's constants. A density of a real parameter reads location and 1 / scale first (lower bound and
/// 1 / width for uniform), so that subtracting the location from its argument and from its constants changes nothing.
/// lkj: as for a 2 x 2 matrix, see lkj_exponent(). horseshoe: none.
std::array<double, 3> constants_of(const Prior& prior, Support support);

/// The unconstrained coordinate of a parameter between 0 and 1.
double logit(double p);

/// Log of the normalising constant, which the kernel densities leave out; 0 for an improper prior. Of horseshoe: that
/// of one coefficient given the scales. lkj: as for a 2 x 2 matrix, see lkj_log_normalizer().
double log_normalizer(const Prior& prior);

/// Exponent of LkjPartial for the partial correlations in column `column` (from 0; it has size - 1 - column of them) of
/// the canonical vine of a size x size matrix (Lewandowski, Kurowicka & Joe 2009, section 2.4).
double lkj_exponent(double eta, std::size_t size, std::size_t column);
/// Log of the normalising constant of lkj(eta) over size x size correlation matrices, over all partial correlations.
double lkj_log_normalizer(double eta, std::size_t size);

/// A kernel density with its constants and what it leaves out.
struct PriorDensity {
  DensityKind kind{};
  std::array<double, 3> constants{};
  double log_normalizer = 0;
};
inline PriorDensity prior_density(const Prior& prior, Support support) {
  return {density_of(prior.kind, support), constants_of(prior, support), log_normalizer(prior)};
}

/// The priors of a horseshoe's scales, each of the log scale (see kernels/priors/horseshoe.hpp).
struct HorseshoeScales {
  PriorDensity local;   ///< lambda_j ~ half_student_t(df, 0, 1), one a coefficient
  PriorDensity global;  ///< tau ~ half_cauchy(0, scale_global)
  PriorDensity slab;    ///< c^2 ~ inverse_gamma(df_slab / 2, df_slab / 2 scale_slab^2), of log c
};
HorseshoeScales horseshoe_scales(const Prior& prior);

}  // namespace jensen
