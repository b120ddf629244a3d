#pragma once
#include "density_value.hpp"
#include "math.hpp"

namespace jensen {

/// The regularised horseshoe of one coefficient given its scales (Piironen & Vehtari 2017, "Sparsity information and
/// regularization in the horseshoe and other shrinkage priors", Electronic Journal of Statistics 11, section 2.3):
///
///     beta ~ Normal(0, tau lambda~),   lambda~^2 = c^2 lambda^2 / (c^2 + tau^2 lambda^2)
///
/// a_0 = beta, a_1 = log lambda (the coefficient's own), a_2 = log tau (of all), a_3 = log c (the slab). No constants.
/// Left out: -log(2 pi) / 2. The priors of the scales are terms of their own: lambda ~ half_student_t(df, 0, 1),
/// tau ~ half_cauchy(0, scale_global), c^2 ~ inverse_gamma(df_slab / 2, df_slab / 2 scale_slab^2)
/// (InverseGammaOfSquarePrior).
///
/// The precision is 1 / (tau lambda)^2 + 1 / c^2. It and its two summands are kept as logarithms: no scale is too
/// extreme, and a coefficient that is as small as its scale does not meet an overflow.
struct Horseshoe {
  static constexpr int shared = 3;
  template <class R>
  struct Prepared {
    R log_precision;
    R log_shrinkage, log_slab;  ///< of 1 / (tau lambda)^2 and 1 / c^2
    R shrinkage, slab;          ///< their shares of the precision, which sum to 1
  };
  template <class R>
  static JENSEN_HD Prepared<R> prepare(const R* others) {
    const R log_shrinkage = R(-2) * (others[0] + others[1]);
    const R log_slab = R(-2) * others[2];
    const R e = math::exp_nonpositive(-math::abs(log_shrinkage - log_slab));
    const R large = R(1) / (R(1) + e);
    const R small = e * large;
    const bool shrunk = log_shrinkage >= log_slab;
    return {math::max(log_shrinkage, log_slab) + math::log1p_unit(e), log_shrinkage, log_slab, shrunk ? large : small,
            shrunk ? small : large};
  }
  template <class R>
  static JENSEN_HD Value<R, 4> evaluate(const R*, R beta, const Prepared<R>& p) {
    const R log_size = math::log(math::abs(beta));  // -infinity for 0
    const R square = math::exp(p.log_precision + R(2) * log_size);
    const R slope = math::exp(p.log_precision + log_size);
    const R of_shrinkage = math::exp(p.log_shrinkage + R(2) * log_size) - p.shrinkage;
    const R of_slab = math::exp(p.log_slab + R(2) * log_size) - p.slab;
    return {R(0.5) * (p.log_precision - square), {beta < R(0) ? slope : -slope, of_shrinkage, of_shrinkage, of_slab}};
  }
};

}  // namespace jensen
