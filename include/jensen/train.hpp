#pragma once
/// \file Training and prediction: the library's front door.

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "jensen/export.h"
#include "jensen/fit.hpp"
#include "jensen/options.hpp"
#include "jensen/table.hpp"

namespace jensen {

/// Estimates of the ELBO averaged over some steps.
struct Elbo {
  double mean = std::numeric_limits<double>::quiet_NaN();
  double se = std::numeric_limits<double>::quiet_NaN();  ///< Monte Carlo standard error of the mean
  std::int64_t steps = 0;  ///< over how many; 0: none was finite or none taken, and the others are NaN
};

struct Progress {
  std::int64_t step = 0;
  std::int64_t steps = 0;  ///< at which the run will end or decide whether to go on
  /// Mean of the latest estimates, and its Monte Carlo standard error; NaN before the first, and of none that is
  /// finite.
  double elbo = std::numeric_limits<double>::quiet_NaN();
  double elbo_se = std::numeric_limits<double>::quiet_NaN();
  double rows_per_second = 0;
  double seconds_left = std::numeric_limits<double>::quiet_NaN();  ///< until `steps`
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
class JENSEN_API Observer {
 public:
  virtual ~Observer() = default;
  virtual void started(const RunDescription&) {}
  /// Called a few times a second at most. Return false to stop; the fit so far is returned.
  virtual bool progress(const Progress&) { return true; }
};

/// Columns that `formula` and the formulas of other parameters need, each once: the response, then the rest. Throws
/// InputError (formula).
JENSEN_API std::vector<std::string> formula_columns(std::string_view formula,
                                                    const std::vector<ParameterFormula>& others = {});

/// Columns of new rows for predict().
struct PredictionColumns {
  std::vector<std::string> needed;    ///< by the predictors and groups; text ones are in DesignState
  std::vector<std::string> optional;  ///< to be read if they are there: of trials(), without which predictions are of
                                      ///< one trial, and of se(), which PredictionKind::draws needs
};
JENSEN_API PredictionColumns prediction_columns(const Fit& fit);

/// Fits `formula` ("y ~ 1 + x + f + a:b") to the table.
///
/// Throws InputError (formula, columns, values, options) or DeviceError. A run whose draws are too often not
/// finite does not throw: see Verdict::failed.
JENSEN_API Fit train(std::string_view formula, const Table& table, const TrainOptions& options = {},
                     Observer* observer = nullptr);

enum class PredictionKind {
  response,  ///< E[y | x, theta]: probabilities of the categories if the response has categories
  link,      ///< the linear predictor of the mean
  draws,     ///< new responses
};
JENSEN_API std::string_view to_string(PredictionKind kind);
JENSEN_API PredictionKind parse_prediction_kind(std::string_view name);  ///< Throws InputError listing the names.

/// What becomes of a row whose group level training had not.
enum class NewLevels {
  error,   ///< an InputError naming row and level
  sample,  ///< its effects are drawn from the group's distribution; rows of one new level share them
};
JENSEN_API std::string_view to_string(NewLevels what);
JENSEN_API NewLevels parse_new_levels(std::string_view name);  ///< Throws InputError listing the names.

struct PredictOptions {
  PredictionKind kind = PredictionKind::response;
  NewLevels new_levels = NewLevels::error;
  std::size_t draws = 0;   ///< of the posterior; 0: 1,000 where draws are needed, and 1 for PredictionKind::draws
  std::uint64_t seed = 1;  ///< the same seed gives the same predictions, for any number of threads
};

/// A line for each row of the table; a row with a missing predictor has NaN throughout.
struct Prediction {
  std::vector<std::string> columns;  ///< mean, q05, q95 (quantiles over the posterior); with categories mean_LEVEL,
                                     ///< ...; of PredictionKind::draws draw_1, ..
  std::vector<double> values;        ///< rows x columns, row-major; a category is its number, from 1

  std::size_t rows() const { return columns.empty() ? 0 : values.size() / columns.size(); }
  /// Values of one column, a row each. Throws InputError if there is none of that name.
  JENSEN_API std::vector<double> column(std::string_view name) const;
};
/// Throws InputError: a column is missing, or a factor has a level (named, with its row) that training had not, or a
/// group has one under NewLevels::error.
JENSEN_API Prediction predict(const Fit& fit, const Table& table, const PredictOptions& options = {});

}  // namespace jensen
