#pragma once
/// \file The result of training: a posterior over named parameters, its trace and its verdict.

#include <cstdint>
#include <string>
#include <vector>

#include "jensen/design_state.hpp"
#include "jensen/export.h"
#include "jensen/model.hpp"
#include "jensen/options.hpp"

namespace jensen {

/// One line of trace.csv.
struct TraceRow {
  std::int64_t step = 0;
  double elbo = 0;     ///< mean of the minibatch ELBO estimates since the row before
  double elbo_se = 0;  ///< its Monte Carlo standard error
  double learning_rate = 0;
  std::int64_t nonfinite = 0;  ///< draws so far whose log joint or gradient was not finite
};

/// May the answer be believed?
struct Verdict {
  bool converged = false;
  double drift = 0;         ///< largest change of a posterior mean or log sd between the two halves of the averaging
                            ///< window, in posterior standard deviations
  double log_ratio_sd = 0;  ///< sd over draws of log p/q; half its square estimates KL(q || p) where that is small
  double khat = 0;          ///< Pareto k-hat of the importance ratios p/q (Vehtari et al. 2024)
  bool close = true;  ///< q is close to the posterior: log p/q hardly varies (sd at most 0.3), or varies moderately (at
                      ///< most 0.7) with khat at most 0.7; J > 4 effects of levels: (J / 4)^(1/4) times these sds;
                      ///< and sd_ratio is at most 1.25
  double sd_ratio = 1;    ///< by importance weights: the posterior's sd over q's, of the parameter where it is largest;
                          ///< 1 if it is not clearly 1.1 or more, or if khat is above 0.7
  std::string narrowest;  ///< that parameter's name, if sd_ratio is above 1
  std::int64_t nonfinite = 0;  ///< draws that were not finite, over the whole run
  bool failed = false;         ///< too many were not finite: training ended, the last good state is what is here
  std::string message;         ///< one sentence
};

struct ParameterSummary {
  std::string name;
  double mean = 0, sd = 0, q05 = 0, q50 = 0, q95 = 0;
};

/// Posterior of the effects of one group term's levels.
///
/// Effects u_j of level j (q of them) come from coordinates v_j by the map of kernels/group_map.hpp, with B the
/// Cholesky factor of their covariance (from the group's sd and cor parameters) and r_j = location_j - coupling_j (b -
/// origin) of the coefficients b, less what other groups' effects give (coupled, followed). A priori u_j ~ N(0, B B^T).
/// The coordinate of a parameter is its value on the scale where it is unconstrained.
struct GroupPosterior {
  std::string group;                 ///< g or g:h; its levels are in Fit::design
  std::string parameter;             ///< whose predictor it is in: mu, sigma, ...; of categories muLEVEL
  std::vector<std::string> effects;  ///< q names
  std::size_t levels = 0;            ///< J

  std::size_t first_sd = 0;           ///< place of its q sd parameters
  std::size_t first_correlation = 0;  ///< place of its q (q - 1) / 2 cor parameters; 0: independent effects
  std::size_t first_coefficient = 0;  ///< place of the coefficients b that the levels depend on ...
  std::size_t coefficients = 0;       ///< ... and how many: C
  std::vector<double> origin;         ///< C
  std::vector<std::size_t> coupled;  ///< places in Fit::groups of those others, which have no `scale`; E effects in all
  std::vector<float> information;    ///< J x q (q + 1) / 2, W packed by rows; empty: none
  std::vector<float> location;       ///< J x q; empty: 0
  std::vector<float> skew;           ///< J x q, gamma of the map, none 0; empty: none
  /// J x 2, if q = 1: what log W_j and r_j rise by for each unit that the coordinate of the sd is above answer_origin;
  /// empty: nothing.
  std::vector<float> answer;
  double answer_origin = 0;
  std::vector<float> coupling;  ///< J x q x (C + E), those of `coupled` level by level; empty: 0
  /// Effects of groups before this one that levels depend on, each on few: effect i of this group, level by level, on
  /// those of places followed[k] with slopes followed_slope[k], followed_begin[i] <= k < followed_begin[i + 1]. Places
  /// count the effects of all groups in order, level by level. Empty: none.
  std::vector<std::int64_t> followed_begin;  ///< J q + 1
  std::vector<std::int32_t> followed;
  std::vector<float> followed_slope;
  /// W and r of all levels are multiplied by c = exp(sum_k information_slope[k] (a_k - information_origin[k])), a_k the
  /// coordinate of parameter information_by[k], such as log sigma. Empty: c = 1.
  std::vector<std::size_t> information_by;
  std::vector<double> information_slope, information_origin;
  bool centered = false;          ///< the map takes `reference` in place of B
  std::vector<double> reference;  ///< q (q + 1) / 2, packed by rows

  std::size_t first = 0;     ///< place of its first v in Fit::mean, level by level
  std::vector<float> scale;  ///< J x q (q + 1) / 2: factor of v_j about its mean, packed by rows; empty: in Fit::factor
};

/// A fitted posterior. Coordinates u = mean + factor * eps, eps ~ N(0, I), of the parameters (H of them), and v of the
/// groups' levels: D in all. `factor` is over the parameters and the levels of groups without factors of their own
/// (GroupPosterior::scale), which are the first of the groups' levels in `mean`.
struct Fit {
  std::string formula;
  DesignState design;                        ///< what predict needs, besides the formulas, to rebuild the columns
  std::vector<std::string> response_levels;  ///< categories of the response, in order (cumulative, categorical)
  TrainOptions options;                      ///< with every default and automatic choice resolved, priors included
  std::vector<std::string> notes;            ///< what the user should know: rows dropped, device chosen, ...

  std::vector<Parameter> parameters;   ///< H: coefficients, then sds and correlations of groups, then sigma, nu, ...
  std::vector<GroupPosterior> groups;  ///< those that others depend on first
  std::vector<double> mean;            ///< D
  std::vector<double> factor;          ///< F x F, row-major; H <= F <= D
  double elbo = 0;                     ///< over all rows, on the data's own scale: a lower bound of log p(y)
  double elbo_se = 0;                  ///< its Monte Carlo standard error
  std::int64_t rows = 0;               ///< used
  std::int64_t rows_dropped = 0;       ///< left out for missing values
  std::int64_t steps = 0;              ///< taken
  double seconds = 0;                  ///< wall time of the optimisation loop
  double rows_per_second = 0;          ///< rows x steps over that time
  std::vector<TraceRow> trace;
  Verdict verdict;

  /// Mean, sd and quantiles of every parameter on its natural scale.
  JENSEN_API std::vector<ParameterSummary> summarize() const;
  /// Places in `groups` in the order of the formulas.
  JENSEN_API std::vector<std::size_t> groups_in_order() const;
  /// The same as summarize() of every level's effects, r_g[level,Intercept], group after group in that order.
  JENSEN_API std::vector<ParameterSummary> summarize_levels() const;
  /// `count` draws of every parameter on its natural scale: count x H, row-major; the same for the same seed.
  JENSEN_API std::vector<double> draw(std::size_t count, std::uint64_t seed) const;
};

}  // namespace jensen
