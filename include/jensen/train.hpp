#pragma once
/// \file Training and prediction: the library's front door.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "jensen/fit.hpp"
#include "jensen/options.hpp"
#include "jensen/table.hpp"

namespace jensen {

struct Progress {
  std::int64_t step = 0;
  std::int64_t steps = 0;  ///< at which the run will end or decide whether to go on
  double elbo = 0;         ///< mean of the latest estimates
  double elbo_se = 0;
  double rows_per_second = 0;
  double seconds_left = 0;  ///< until `steps`
};

/// What the run looks like before its first step.
struct RunDescription {
  std::string device;    ///< "cpu, 2 threads" or the GPU's name
  TrainOptions options;  ///< every default resolved, priors included
  std::vector<std::string> notes;
  std::int64_t rows = 0;
  std::int64_t rows_dropped = 0;
  std::vector<Parameter> parameters;
};

/// Is told how training goes. Called on the thread that called train().
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void started(const RunDescription&) {}
  /// Called a few times a second at most. Return false to stop; the fit so far is returned.
  virtual bool progress(const Progress&) { return true; }
};

/// Right side of the formula of another parameter: {"sigma", "1 + x + (1 | g)"}.
using ParameterFormula = std::pair<std::string, std::string>;

/// Columns that `formula` and the formulas of `others` need, each once: those of the response and its additions first
/// (unless `with_response` is false), then those of terms, offsets and groups. Throws InputError (formula).
std::vector<std::string> formula_columns(std::string_view formula, const std::vector<ParameterFormula>& others = {},
                                         bool with_response = true);

/// Fits `formula` ("y ~ 1 + x + f + a:b") to the table.
///
/// Throws InputError (formula, columns, values, options) or DeviceError. A run whose draws are too often not
/// finite does not throw: see Verdict::failed.
Fit train(std::string_view formula, const Table& table, const TrainOptions& options = {}, Observer* observer = nullptr);

/// Posterior of the expected response E[y | x, theta] of each row: its mean, 5 % and 95 % quantiles.
/// A row with a missing predictor has NaN in all three.
struct Prediction {
  std::vector<double> mean, q05, q95;
};
/// Throws InputError: a column is missing, or a factor has a level (named, with its row) that training had not.
Prediction predict(const Fit& fit, const Table& table);

}  // namespace jensen
