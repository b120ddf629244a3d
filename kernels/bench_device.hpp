#pragma once
/// \file What a benchmark does on a device besides stepping: data made in place, and results checked in place.
///
/// No CUDA header is reachable from here.

#include <cstdint>
#include <memory>
#include <vector>

#include "engine.hpp"

namespace jensen {

struct BenchShape {
  DensityKind density = DensityKind::bernoulli_logit;
  std::int64_t rows = 0;    ///< 1 to 2^32 - 1
  int columns = 1;          ///< K, of each dense predictor
  std::int64_t levels = 0;  ///< of one group with an intercept for each level; 0: no group
  std::int64_t batch = 0;   ///< rows a minibatch, which is what groups' rows are ordered for
  std::uint64_t seed = 1;
};

/// Regression data in a device's memory. The head's latents: the coefficients of each dense predictor, what else the
/// density takes (log sigma, thresholds, ..), and the log standard deviation of the group.
class BenchData {
 public:
  virtual ~BenchData() = default;
  Term term;                    ///< resident; valid while this lives
  int dimension = 0;            ///< H
  int first_threshold = -1;     ///< latent of the first of the thresholds, if the density has any
  int thresholds = 0;           ///< how many of them there are
  std::vector<float> location;  ///< H: where the responses were drawn, thresholds as their latents
  std::int64_t bytes = 0;       ///< that one pass reads at least: every column once
  std::int64_t products = 0;    ///< multiply-adds a sample of one of the two products: rows x columns, over predictors
};

/// How far a pass is from the same sums in double precision.
struct BenchCheck {
  double error = 0;  ///< the largest, relative to what roundings of the arguments and the summands could move
  std::int64_t rows = 0, spread_rows = 0;  ///< compared: all, and by row number
  int samples = 0, spread_samples = 0;     ///< at so many of the samples
};

class BenchDevice {
 public:
  virtual ~BenchDevice() = default;
  virtual std::unique_ptr<BenchData> generate(const BenchShape& shape) = 0;
  /// The engine's first term must be the data's; it has estimated before. `work`: multiply-adds that may be spent.
  virtual BenchCheck check(Engine& engine, const BenchData& data, int samples, double work) = 0;
};

/// threads = 0: as many as OpenMP gives.
std::unique_ptr<BenchDevice> make_cpu_bench(int threads);
/// Throws DeviceFailure if there is no usable GPU.
std::unique_ptr<BenchDevice> make_cuda_bench();

}  // namespace jensen
