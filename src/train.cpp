#include "jensen/train.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <cmath>

#include "design/formula.hpp"
#include "design/model_matrix.hpp"
#include "engine.hpp"
#include "jensen/errors.hpp"
#include "jensen/info.hpp"
#include "model/data.hpp"
#include "model/regression.hpp"
#include "trainer.hpp"

namespace jensen {
namespace {

constexpr int default_samples = 14;  // with the anchor and one to spare they fill the 16 lanes of a vector register
constexpr std::int64_t whole_batch = 16384;
constexpr std::int64_t default_batch = 8192;
constexpr double default_learning_rate = 0.05;
constexpr int most_fullrank = 512;

void check_options(const TrainOptions& o) {
  if (o.samples < 0 || o.samples > 1024)
    throw InputError(fmt::format("{} samples (--samples); give 1 to 1024", o.samples));
  if (o.batch < 0) throw InputError(fmt::format("a batch of {} rows (--batch); give a positive number", o.batch));
  if (o.steps < 0) throw InputError(fmt::format("{} steps (--steps); give a positive number", o.steps));
  if (o.threads < 0) throw InputError(fmt::format("{} threads (--threads); give a positive number", o.threads));
  if (!(o.learning_rate >= 0) || !std::isfinite(o.learning_rate)) {
    throw InputError(fmt::format("a learning rate of {} (--lr); give a positive number", o.learning_rate));
  }
}

/// Options with every default and automatic choice made.
TrainOptions resolve(TrainOptions o, std::int64_t rows, int dimension) {
  if (o.samples == 0) o.samples = default_samples;
  if (o.batch == 0) o.batch = rows <= whole_batch ? rows : default_batch;
  if (o.batch > rows) o.batch = rows;
  if (o.learning_rate == 0) o.learning_rate = default_learning_rate;
  if (o.guide == GuideKind::automatic)
    o.guide = dimension <= most_fullrank ? GuideKind::fullrank : GuideKind::meanfield;
  return o;
}

/// The engine on the device asked for, with how it is called.
struct Chosen {
  std::unique_ptr<Engine> engine;
  std::string device;
};
Chosen make_engine_for(DeviceKind device, const EngineSpec& spec, std::vector<std::string>& notes) {
  std::string reason;
  const std::vector<CudaDevice> gpus = device == DeviceKind::cpu ? std::vector<CudaDevice>{} : cuda_devices(reason);
  if (!gpus.empty()) return {make_cuda_engine(spec), gpus.front().name};
  if (device == DeviceKind::cuda)
    throw DeviceError(fmt::format("no CUDA device: {} (--device cuda); use --device cpu", reason));
  if (device == DeviceKind::automatic && cuda_build() != "none")
    notes.push_back(fmt::format("no GPU is used: {}", reason));
  const int threads = spec.threads > 0 ? spec.threads : omp_get_max_threads();
  return {make_cpu_engine(spec), fmt::format("cpu, {} thread{}", threads, threads == 1 ? "" : "s")};
}

/// OpenMP's thread count of this thread, set for a scope.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : before_(omp_get_max_threads()) {
    if (threads > 0) omp_set_num_threads(threads);
  }
  ~ThreadCount() { omp_set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

std::vector<float> starting_lambda(GuideShape guide, int dimension) {
  // w = 0, unit scales: the normal approximation at the mode
  const auto d = static_cast<std::size_t>(dimension);
  return std::vector<float>(guide == GuideShape::meanfield ? 2 * d : d + d * (d + 1) / 2);
}

}  // namespace

Fit train(std::string_view formula_text, const Table& table, const TrainOptions& given, Observer* observer) {
  check_options(given);
  Observer silent;
  if (observer == nullptr) observer = &silent;
  const ThreadCount threads(given.threads);

  constexpr std::size_t most_rows = 0xFFFFFFFE;  // rows are numbered in 32 bits
  if (table.rows() > most_rows) {
    throw InputError(
        fmt::format("{}: {} rows are more than {}; train on a part of them", table.source(), table.rows(), most_rows));
  }
  const Formula formula = parse_formula(formula_text);
  const ModelMatrix design = ModelMatrix::learn(formula, table);
  const RegressionData data = read_regression(design, table, given);
  const Regression regression = build_regression(data, given.priors);

  Fit fit;
  fit.formula = formula.text;
  fit.factors = design.factors();
  fit.parameters = regression.parameters;
  fit.rows = static_cast<std::int64_t>(data.rows());
  fit.rows_dropped = static_cast<std::int64_t>(design.table_rows()) - fit.rows;
  fit.options = resolve(given, fit.rows, regression.dimension());
  fit.options.priors = regression.priors;
  if (fit.rows_dropped > 0) {
    fit.notes.push_back(fmt::format("{} of {} rows dropped for missing values", fit.rows_dropped, design.table_rows()));
  }

  const GuideShape guide = fit.options.guide == GuideKind::meanfield ? GuideShape::meanfield : GuideShape::fullrank;
  EngineSpec spec;
  spec.terms = regression.terms;
  spec.dimension = regression.dimension();
  spec.rows = fit.rows;
  spec.batch = fit.options.batch;
  spec.samples = fit.options.samples;
  spec.seed = fit.options.seed;
  spec.guide = guide;
  spec.threads = given.threads;
  spec.reference = 1;
  spec.lambda = starting_lambda(guide, spec.dimension);
  if (guide == GuideShape::meanfield) spec.basis.assign(regression.basis.values.begin(), regression.basis.values.end());

  try {
    const Chosen chosen = make_engine_for(given.device, spec, fit.notes);
    observer->started({chosen.device, fit.options, fit.notes, fit.rows, fit.rows_dropped, fit.parameters});
    run_training(*chosen.engine, regression, guide, fit, *observer);
  } catch (const DeviceFailure& failure) {
    throw DeviceError(failure.what());
  }
  return fit;
}

}  // namespace jensen
