#pragma once
/// \file Where training starts and how its latent space is whitened: a deterministic search on the host, in double,
/// for generalised linear mixed models with several distributional parameters.
///
/// The log joint is
///
///     sum_i weight_i f(a_0(i), a_1(i), ..; constants_i) + sum of the priors + sum over groups of log N(u | 0, B B^T)
///
/// with each argument a_k(i) = offset_k(i) + sum over the blocks that feed it of x_i . theta + sum over those blocks'
/// groups of z_i . u_level(i). The coefficients theta and the effects u are found at the joint mode given the groups'
/// covariances, those by (accelerated) EM; with fewer than four rows for each coefficient theta's uncertainty is part
/// of it too. Precision beyond a few percent of a posterior sd is of no use here.

#include <array>
#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <vector>

#include "densities/list.hpp"
#include "model/cross_block.hpp"
#include "model/linear_algebra.hpp"

namespace jensen {

/// A prior on a linear functional of a block's coefficients: density(row . theta + shift).
struct FunctionalPrior {
  DensityKind density;
  std::array<double, 3> constants;
  std::vector<double> row;  ///< C
  double shift = 0;
  /// Where the density ends, if it is uniform: the search keeps off, or it would stop at an end that is in its way.
  double low = -std::numeric_limits<double>::infinity(), high = std::numeric_limits<double>::infinity();
};

/// Effects that vary by level, q of them: u_j ~ N(0, B B^T).
struct ModeGroup {
  int effects = 1;                      ///< q, at most max_effects
  std::int64_t levels = 0;              ///< J
  const std::int32_t* level = nullptr;  ///< N, each in [0, J)
  const float* covariates = nullptr;    ///< z, N x q row-major; null: all 1 (q = 1)
  bool correlated = false;              ///< otherwise B is diagonal
  std::vector<double> sd_scale;         ///< q: the size that an sd of this effect would plausibly have at most
  bool in_head = false;                 ///< see GroupMode; no difference if all groups of the block are

  double z(std::int64_t row, int k) const {
    return covariates == nullptr ? 1.0 : static_cast<double>(covariates[row * effects + k]);
  }
};

/// The coefficients theta (C) of one predictor (mu, sigma, ..), or the thresholds of the cumulative family.
///
/// Blocks are searched in turn and whitened apart: what is strongly tied belongs in one block. Thresholds and mu's
/// columns, above all where mu has groups (a shift of all effects is one of the thresholds), are one block of three
/// feeds, each zero in the columns that are not its own.
struct ModeBlock {
  struct Feed {
    int argument = 0;
    /// Rows begin .. begin + count of the design to `out`, count x C, row-major. Called from several threads.
    std::function<void(std::int64_t begin, std::int64_t count, double* out)> fill;
  };
  std::string name;                  ///< for messages
  std::vector<std::string> columns;  ///< C names
  std::vector<Feed> feeds;           ///< usually one; thresholds feed two arguments; at most 3
  std::vector<FunctionalPrior> priors;
  std::vector<double> start;      ///< C
  std::vector<ModeGroup> groups;  ///< they feed the argument of feeds[0]
};

/// E: how many effects of the block's groups are in the head; 0 where all groups are.
std::int64_t head_effects(const ModeBlock& block);

struct ModeProblem {
  std::int64_t rows = 0;  ///< N
  DensityKind density{};
  std::array<const double*, 3> constants{};  ///< N each; null: 0
  const double* weights = nullptr;           ///< N; null: 1
  int arguments = 1;
  std::vector<const double*> offsets;  ///< for each argument N, or null for 0; may be empty
  std::vector<ModeBlock> blocks;
};

/// What is not normal of the conditional posteriors of a group's levels.
struct LevelShape {
  /// J x q: gamma of T(v); empty where no level is visibly skew. With effects u = D v + .., v standard normal up to
  /// second order, and k the third derivative of minus the log density along coordinate e of v, T matches it with
  /// gamma_e = -k / 3, k = sum over the level's rows of third (z . d_e)^3.
  std::vector<float> skew;
  /// J x 2, of groups of one effect: d log W_j and d r_j as the log sd rises; empty where that is not visible. At the
  /// nearest normal N(m, V) P m = E f' and 1/V = P + W, W = -E f''; with W3 = -E f''', W4 = -E f'''' (sums over rows)
  ///
  ///     dm = V (2 P m - W3 dV / 2),    dV = V^2 (2 P - dW),    dW = W3 dm + W4 dV / 2,    dr = m dW - W3 dV / 2
  std::vector<float> answer;
};

/// What is known of a group's effects at the estimate: near it the data say exp(-1/2 u^T W u + r^T u) of level j, and
/// r_j falls by T_j dtheta when the coefficients move by dtheta.
///
/// A small group crossed with large ones can be put in the head, with the coefficients. The levels of the other groups
/// then follow both, r_j falling by T_j (dtheta, du): du is how far the E effects in the head, group by group in the
/// block's order, are off their `effects`. Of a level in the head W_j is the information of the data with the effects
/// of the other groups integrated out (and the rest of the head held), r_j = (W_j + (B B^T)^-1) u_j, and T_j as the
/// level moves when all effects follow theta.
///
/// Of the others each follows those with fewer levels (group_chain.hpp): r_j falls by X_jl du of every level l of a
/// followed group that j meets, and W_j is the information of the data with the effects of the groups that follow this
/// one integrated out.
struct GroupMode {
  std::vector<double> factor;      ///< B, packed by rows
  std::vector<double> effects;     ///< J x q: u
  std::vector<float> information;  ///< J x packed_size(q): W_j = sum_i z_i w_i z_i^T, w_i = -d2 f / da2, at least 0
  std::vector<float> location;     ///< J x q: r_j = W_j u_j + sum_i z_i df / da; E[u_j] = (W_j + (B B^T)^-1)^-1 r_j
  std::vector<float> coupling;     ///< J x q x (C + E): T_j; of a group in the head J x q x C; E = 0 if there is none
  LevelShape shape;                ///< of likelihoods that are not normal
  std::vector<FollowedGroup> followed;  ///< X, by place in the block
  std::vector<double> log_sd_scale;     ///< q: a guess of the posterior sd of each log sd
  std::vector<double> cor_scale;        ///< q (q - 1) / 2: of atanh of each canonical partial correlation
  /// Derivatives of log W_j, on average over levels (information_slopes.hpp): as an argument of the density rises in
  /// every row (0 of the block's own), and by each log sd of each group of the block.
  std::vector<double> by_argument;
  std::vector<std::vector<double>> by_log_sd;
  std::vector<double> share_of_sd;  ///< q: see shares_of_sd() (chain_share.hpp)
};

/// A block's posterior as N(mean, (R^T R)^-1).
struct BlockNormal {
  std::vector<double> mean;  ///< C: the mode, where find_normals() finds no nearer normal
  Matrix upper;              ///< R, C x C: R^T R = minus the log joint's Hessian, this block's effects integrated out
  Matrix inverse;            ///< R^-1
  std::vector<GroupMode> groups;
  /// E x E: minus the Hessian over the effects in the head given theta, other effects integrated out; empty where no
  /// group or every group is in the head, and where the groups' coupling leaves some of it out.
  Matrix head_precision;
};

/// Without groups about 65,536 rows are used (fewer if some C is above 170), those that matter: see ThinProblem. With
/// groups all rows are, from what is found on a few, if these are far fewer. Above 1,024 coefficients only the
/// Hessian's diagonal is used. With several groups and many coefficients only the largest is integrated out and follows
/// them; where C + E are too many but C are not, this holds for the information of groups in the head and the coupling
/// of the others, not for R. The result does not depend on the number of threads. Throws InputError if the data and the
/// priors leave a coefficient undetermined (column named), or if the log density is not finite at the start.
std::vector<BlockNormal> find_mode(const ModeProblem& problem);

/// Where training starts: the normal that is nearest to the posterior where what the mode tells of it misleads. Without
/// groups that of the coefficients (nearest_normal.hpp); with groups that of the levels, coefficients and effects at
/// the mode of the rows' expectations over what is not known of the effects (ModeRows::over_own).
std::vector<BlockNormal> find_normals(const ModeProblem& problem);

}  // namespace jensen
