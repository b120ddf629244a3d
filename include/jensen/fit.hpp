#pragma once
/// \file The result of training: a posterior over named parameters, its trace and its verdict.

#include <cstdint>
#include <string>
#include <vector>

#include "jensen/design_state.hpp"
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
                      ///< most 0.7) with khat at most 0.7
  std::int64_t nonfinite = 0;  ///< draws that were not finite, over the whole run
  bool failed = false;         ///< too many were not finite: training ended, the last good state is what is here
  std::string message;         ///< one sentence
};

struct ParameterSummary {
  std::string name;
  double mean = 0, sd = 0, q05 = 0, q50 = 0, q95 = 0;
};

/// A fitted posterior: u = mean + factor * eps, eps ~ N(0, I), value_d = transform_d(u_d).
struct Fit {
  std::string formula;
  std::vector<FactorLevels> factors;  ///< what predict needs, besides the formula, to rebuild the columns
  TrainOptions options;               ///< with every default and automatic choice resolved, priors included
  std::vector<std::string> notes;     ///< what the user should know: rows dropped, device chosen, ...

  std::vector<Parameter> parameters;  ///< D of them: b_Intercept and coefficients (design order), then sigma
  std::vector<double> mean;           ///< D
  std::vector<double> factor;         ///< D x D, row-major
  double elbo = 0;                    ///< over all rows, on the data's own scale: a lower bound of log p(y)
  double elbo_se = 0;                 ///< its Monte Carlo standard error
  std::int64_t rows = 0;              ///< used
  std::int64_t rows_dropped = 0;      ///< left out for missing values
  std::int64_t steps = 0;             ///< taken
  double seconds = 0;                 ///< wall time of the optimisation loop
  double rows_per_second = 0;         ///< rows x steps over that time
  std::vector<TraceRow> trace;
  Verdict verdict;

  /// Mean, sd and quantiles of every parameter on its natural scale, in closed form.
  std::vector<ParameterSummary> summarize() const;
  /// `count` draws of every parameter on its natural scale: count x D, row-major; the same for the same seed.
  std::vector<double> draw(std::size_t count, std::uint64_t seed) const;
};

}  // namespace jensen
