#pragma once
/// \file The covariance of a group's effects: steps towards the maximum of the marginal likelihood, and how well the
/// data determine it.

#include <vector>

#include "model/mixed_system.hpp"

namespace jensen {

/// How far a step moved: the largest change of a log sd, or half the largest of a whitened covariance.
///
/// In the coordinates t = B^-1 u where the prior is N(0, I), EM (Dempster, Laird & Rubin 1977) would make the
/// covariance I + E, E = sum_j (t_j t_j^T + M_j^-1 - I) / (J + 2) + the pull of 2 pseudo-levels of sd 0.3 sd_scale,
/// where M_j^-1 is t_j's posterior covariance; E is also the gradient of the marginal log likelihood. EM crawls where
/// the levels say little (M_j near I), so each element is divided by the share of the information that is not missing,
/// sum_j s_jk s_jl / J with s_j = 1 - diag(M_j^-1): Fisher's scoring, with EM's fixed point. `damping` (starts at 1)
/// halves whenever a step turns back on the one before, kept in `last`.
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
