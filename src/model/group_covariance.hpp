#pragma once
/// \file The covariance of a group's effects: steps towards the maximum of the marginal likelihood, and how well the
/// data determine it.

#include <vector>

#include "model/mixed_system.hpp"

namespace jensen {

/// One step of B towards the maximum over B of
///
///     log of the marginal likelihood + log |B| - 1/2 tr(B^T diag(sd_scale)^-2 B)
///
/// The last two terms are a half-normal prior on each sd with the Jacobian of its logarithm, the parameter that is
/// trained: they keep the sds of few levels off zero (Chung, Rabe-Hesketh, Dorie, Gelman & Liu 2013, "A nondegenerate
/// penalized likelihood estimator for variance parameters in multilevel models") and those of none off infinity.
///
/// In the coordinates t = B^-1 u, where the prior is N(0, I), the gradient is G = sum_j (t_j t_j^T + M_j^-1 - I),
/// M_j^-1 being t_j's posterior covariance. EM (Dempster, Laird & Rubin 1977) would make the covariance I + G / J and
/// crawl where the levels say little (M_j near I). Here each element of G is divided by the information that is not
/// missing, sum_j s_jk s_jl with s_j = 1 - diag(M_j^-1): Fisher's scoring, with EM's fixed point.
///
/// Returns how far the step would go undamped: half the largest element, which for an sd is the change of its log.
/// `damping` halves whenever a step turns back on the one before, kept in `last`.
struct CovarianceStep {
  std::vector<double> last;
  double damping = 1;
};
double covariance_step(const SystemGroup& group, const std::vector<double>& effects, std::vector<double>& factor,
                       CovarianceStep& history);

/// Adds z_i^T (W_j + P)^-1 z_i of every row to `variance`.
void add_conditional_variance(const SystemGroup& group, std::vector<double>& variance);

/// Guesses of the posterior sds of the log sds (q) and of atanh of the partial correlations (q (q - 1) / 2).
struct CovarianceScales {
  std::vector<double> log_sd, cor;
};
CovarianceScales covariance_scales(const SystemGroup& group, const std::vector<double>& factor);

}  // namespace jensen
