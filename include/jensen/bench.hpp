#pragma once
/// \file How fast a device evaluates and trains, and how far that is from what the device can do.
///
/// Data is made on the device, results are checked before they are timed. The library never prints: progress goes to an
/// observer, every number into the result.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jensen/export.h"
#include "jensen/info.hpp"
#include "jensen/model.hpp"
#include "jensen/options.hpp"

namespace jensen {

enum class BenchSuite {
  quick,  ///< the same shapes with fewer rows: about a minute on two cores
  full,   ///< as large as the data sets they are named after
};
JENSEN_API std::string_view to_string(BenchSuite suite);
JENSEN_API BenchSuite parse_bench_suite(std::string_view name);  ///< Throws InputError listing the names.

/// A regression on standard normal columns, with coefficients of size 1 / sqrt(columns).
struct BenchProblem {
  std::string name;  ///< empty: made of the family and the shape
  Family family = Family::bernoulli;
  std::int64_t rows = 1'000'000;
  int columns = 28;
  std::int64_t levels = 0;  ///< of a group with an intercept each; 0: no group
};
/// What a suite measures.
JENSEN_API std::vector<BenchProblem> bench_problems(BenchSuite suite);

struct BenchOptions {
  DeviceKind device = DeviceKind::automatic;
  BenchSuite suite = BenchSuite::quick;
  std::optional<BenchProblem> problem;  ///< in place of the suite
  std::vector<int> samples;             ///< S of each measurement; empty: 1, 8 and 64
  GuideKind guide = GuideKind::automatic;
  int threads = 0;  ///< CPU threads; 0: as many as OpenMP gives
  std::uint64_t seed = 1;
  int repeats = 0;  ///< of each measurement; 0: 15, of the quick suite 9, fewer (at least 3) of what takes long
};

/// Seconds, over repeats.
struct BenchTime {
  double median = 0, low = 0, high = 0;  ///< low, high: the quartiles
  int repeats = 0;
};

/// Measured before anything else; bytes and operations a second, the best of the repeats.
struct BenchLimits {
  double read_bandwidth = 0;
  double copy_bandwidth = 0;  ///< bytes read and bytes written both counted
  double fp32_rate = 0;       ///< single-precision operations, a multiply-add being two
  double matrix_rate = 0;     ///< of the fastest matrix products that there are
  std::string matrix_kind;    ///< "tf32" or "fp32", which is what matrix_rate is of
  std::size_t cache_bytes = 0;
};

enum class BenchLimit { memory, arithmetic };
JENSEN_API std::string_view to_string(BenchLimit limit);

/// One pass of value and gradient over all rows at S samples.
struct BenchPass {
  int samples = 0;
  BenchTime time;
  double bytes = 0;       ///< every column once: 4 N (D + 1) of D features and a response of one column
  double operations = 0;  ///< 4 N D S: of the two matrix products; the density's are not counted
  /// The limits as they were between the repeats, medians; the floor is the larger of bytes / bandwidth and operations
  /// / rate. The bandwidth is that of memory, or for data that fits in the last cache (in_cache) of reading as many
  /// bytes from there; 0: not known (of a GPU's cache), and then no limit. The rate is that of products which keep
  /// single precision: fp32_rate, or a third of matrix_rate if that is more, since three TF32 products can stand for
  /// one.
  double bandwidth = 0, rate = 0;
  bool in_cache = false;
  double floor = 0;  ///< seconds
  BenchLimit limit = BenchLimit::memory;
  /// The largest error of a sum against double precision, relative to what it adds up, and what was allowed.
  double error = 0, tolerance = 0;
  std::int64_t checked_rows = 0, checked_spread_rows = 0;
  int checked_samples = 0, checked_spread_samples = 0;
  double rows_per_second = 0, row_samples_per_second = 0, bytes_per_second = 0, operations_per_second = 0;
  double fraction = 0;  ///< floor / time.median
};

struct BenchStage {
  std::string name;
  double seconds = 0;  ///< a step
  double calls = 0;    ///< a step
};

/// Whole training steps, the mean over passes through the rows: each pass of minibatches begins with the sums over all
/// rows that its control variate needs.
struct BenchSteps {
  int samples = 0;
  std::int64_t batch = 0;      ///< rows a step
  BenchTime time;              ///< a step
  std::int64_t nonfinite = 0;  ///< draws that were not finite, of all
  double steps_per_second = 0, row_samples_per_second = 0;
  double staged_seconds = 0;       ///< a step while its stages were timed, which slows it down
  std::vector<BenchStage> stages;  ///< the longest first; what is left of staged_seconds is between them
};

struct BenchCaseResult {
  BenchProblem problem;          ///< with the rows that were taken
  std::int64_t rows_wanted = 0;  ///< more than problem.rows if the memory was short
  std::int64_t parameters = 0;   ///< of the guide's normal: coefficients, the family's others, levels
  std::string guide;
  std::string refused;  ///< why nothing was timed, or empty
  std::vector<BenchPass> passes;
  std::vector<BenchSteps> steps;
};

struct BenchResult {
  BuildInfo build;
  DeviceKind device = DeviceKind::cpu;
  std::string device_name;
  int threads = 0;                        ///< of the CPU
  int processors = 0;                     ///< that they may run on
  std::string isa;                        ///< of the CPU: "avx512", "avx2" or "baseline"
  int cuda_driver = 0, cuda_runtime = 0;  ///< as CUDA numbers them: 13000 is 13.0; 0: not used
  std::uint64_t seed = 0;
  std::string suite;  ///< "quick", "full" or "own"
  BenchLimits limits;
  std::vector<BenchCaseResult> cases;
};

/// Is told how a benchmark goes, on the thread that called bench().
class JENSEN_API BenchObserver {
 public:
  virtual ~BenchObserver() = default;
  /// Before each measurement; `done` of `all` are over.
  virtual void measuring(const std::string& /*what*/, int /*done*/, int /*all*/) {}
  virtual void limits_measured(const BenchResult&) {}
  virtual void case_measured(const BenchCaseResult&) {}
};

/// Throws InputError (options) or DeviceError. A case whose result is wrong is not timed: see BenchCaseResult::refused.
JENSEN_API BenchResult bench(const BenchOptions& options = {}, BenchObserver* observer = nullptr);

}  // namespace jensen
