#pragma once
/// \file A log joint of the caller's own: a simulator's, a differential equation's, a neural network's.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "jensen/fit.hpp"
#include "jensen/model.hpp"
#include "jensen/options.hpp"
#include "jensen/train.hpp"

namespace jensen {

/// Rows of the data that one evaluation is over.
struct Batch {
  const std::uint32_t* rows = nullptr;  ///< `count` row numbers, in the device's memory; null: first, first + 1, ...
  std::int64_t first = 0;
  std::int64_t count = 0;  ///< 0 if TargetModel::rows is 0
  double scale = 1;        ///< rows in all / count: what the rows' log likelihood is to be multiplied by
  void* stream = nullptr;  ///< a cudaStream_t to enqueue on; null on the CPU, where the work is done on return

  /// Number of row i < count of the batch. On the CPU; a kernel reads `rows` itself.
  std::int64_t operator[](std::int64_t i) const { return rows == nullptr ? first + i : rows[i]; }
};

/// Implemented by the caller, and called on the thread that uses the Trainer, never by two threads at once.
class Target {
 public:
  virtual ~Target() = default;
  /// False: `gradient` is null, and the score-function estimator is used, which takes far more samples.
  virtual bool has_gradient() const { return true; }
  /// Where theta and the results are: cpu or cuda.
  virtual DeviceKind device() const { return DeviceKind::cpu; }
  /// For each of `samples` parameter vectors theta (samples x dimension, row-major, on their natural scales) writes
  ///
  ///     log_density[s] = log prior(theta_s) + scale * sum over the batch of log likelihood(row | theta_s)
  ///
  /// as a density of theta itself (the library adds the Jacobian of its transform), and gradient (samples x dimension)
  /// = its derivatives by theta. Constants count: with them the ELBO bounds log p(data). What is not finite is left
  /// out of the estimate and counted. An exception goes through to the caller of the Trainer.
  virtual void evaluate(const double* theta, std::size_t samples, std::size_t dimension, const Batch& batch,
                        double* log_density, double* gradient) = 0;
};

/// What the library needs to know about a Target.
struct TargetModel {
  /// Names and where each lives: Transform::identity any number, exponential above 0, logistic between 0 and 1,
  /// increment above the parameter before.
  std::vector<Parameter> parameters;
  std::vector<double> start;  ///< of each, on its natural scale, where the search for the mode begins; empty: at u = 0
  /// Plausible sizes of a change of each on its unconstrained scale (value, log, logit, log of the increment); empty:
  /// 1. Without a gradient the fit starts as a normal with these sds.
  std::vector<double> scale;
  std::int64_t rows = 0;  ///< of data, for minibatches; 0: there are none
};

/// Fits the guide to the target's posterior. `target` must outlive the call. Of the options family, link, formulas,
/// priors and storage are not used, and must be as they are by default; samples are 14, and 64 without a gradient (an
/// even number, 4 at least). Throws InputError (model, options), DeviceError, and what the target throws.
Fit train(Target& target, const TargetModel& model, const TrainOptions& options = {}, Observer* observer = nullptr);

}  // namespace jensen
