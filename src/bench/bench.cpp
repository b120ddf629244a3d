#include "jensen/bench.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "batches.hpp"
#include "bench/measure.hpp"
#include "bench/memory.hpp"
#include "bench/problem_spec.hpp"
#include "bench_device.hpp"
#include "data_term_cpu.hpp"
#include "jensen/errors.hpp"
#include "limits.hpp"

namespace jensen {
namespace {

constexpr std::int64_t most_rows = std::numeric_limits<std::uint32_t>::max();
constexpr int most_columns = 16384;
constexpr int most_samples = 1024;
constexpr double share_of_memory = 0.7;  // what is free now is not all ours

void check_options(const BenchOptions& o) {
  for (const int s : o.samples) {
    if (s < 1 || s > most_samples) {
      throw InputError(fmt::format("{} samples (--samples); give 1 to {}", s, most_samples));
    }
  }
  if (o.threads < 0) throw InputError(fmt::format("{} threads (--threads); give a positive number", o.threads));
  if (o.repeats < 0) throw InputError(fmt::format("{} repeats (--repeats); give a positive number", o.repeats));
  if (!o.problem) return;
  if (o.problem->rows < 1 || o.problem->rows > most_rows) {
    throw InputError(fmt::format("{} rows (--rows); give 1 to {}", o.problem->rows, most_rows));
  }
  if (o.problem->columns < 1 || o.problem->columns > most_columns) {
    throw InputError(fmt::format("{} columns (--cols); give 1 to {}", o.problem->columns, most_columns));
  }
  if (o.guide == GuideKind::fullrank && o.problem->levels > 0) {
    throw InputError("levels are too many for a fullrank guide (--guide, --levels); use structured or meanfield");
  }
  if (o.guide == GuideKind::structured && o.problem->levels == 0) {
    throw InputError("a structured guide is one of a group's levels (--guide); give --levels, or use fullrank");
  }
  if (o.problem->levels < 0 || o.problem->levels > o.problem->rows) {
    throw InputError(fmt::format("{} levels of {} rows (--levels); give at most as many as rows", o.problem->levels,
                                 o.problem->rows));
  }
}

/// Relative error of a sum that counts as right. In single precision an argument of K summands is off by about
/// sqrt(K) / 2 roundings of 2^-24 of what it adds up, and a derivative, its product with x and the sums within a tile
/// of rows by a handful more; over many rows they mostly cancel (seen: 7e-8 at most, over all families). On a GPU
/// products of single precision may be made of three of 11-bit factors, which keep 22 bits, and its exponentials are
/// coarser. One row of 10,007 that is missing makes 1e-4 or more.
double tolerance_of(const BenchProblem& problem, bool cuda) {
  const double single = (8 + 0.5 * std::sqrt(static_cast<double>(problem.columns))) * 0x1p-24;
  return cuda ? 8 * single : single;
}

/// Operations a second that products of single precision can reach: the multiply-add units', or three products of
/// TF32 factors in place of one.
double product_rate(LimitProbe& probe) {
  const double fp32 = probe.fp32_rate();
  return probe.matrix_kind() == "tf32" ? std::max(fp32, probe.matrix_rate() / 3) : fp32;
}

class Bench {
 public:
  Bench(BenchOptions options, BenchObserver& observer) : options_(std::move(options)), observer_(observer) {
    if (options_.samples.empty()) options_.samples = {1, 8, 64};
    const bool quick = !options_.problem && options_.suite == BenchSuite::quick;
    repeats_ = {options_.repeats > 0 ? options_.repeats : (quick ? 9 : 15), 3, quick ? 0.5 : 10.0};
    if (options_.repeats > 0) repeats_.budget = std::numeric_limits<double>::infinity();
    check_work_ = quick ? 2e8 : 3e9;
  }

  BenchResult run() {
    choose_device();
    problems_ = options_.problem ? std::vector<BenchProblem>{*options_.problem} : bench_problems(options_.suite);
    for (BenchProblem& problem : problems_) {
      guide_of(problem, options_.guide);  // refuses before anything is measured
      if (problem.name.empty()) problem.name = to_string(problem.family);
    }
    all_ = 1 + static_cast<int>(problems_.size() * options_.samples.size()) * 2;
    std::vector<BenchCaseResult> cases;
    for (const BenchProblem& problem : problems_) cases.push_back(fit_memory(problem));
    measure_limits();
    observer_.limits_measured(result_);
    for (BenchCaseResult& one : cases) {
      measure_case(one);
      result_.cases.push_back(std::move(one));
      observer_.case_measured(result_.cases.back());
    }
    return std::move(result_);
  }

 private:
  void choose_device() {
    result_.build = build_info();
    result_.isa = data_term_cpu_isa();
    result_.processors = omp_get_num_procs();
    result_.threads = options_.threads > 0 ? options_.threads : omp_get_max_threads();
    result_.seed = options_.seed;
    result_.suite = options_.problem ? "own" : to_string(options_.suite);
    std::string reason;
    const std::vector<CudaDevice> gpus =
        options_.device == DeviceKind::cpu ? std::vector<CudaDevice>{} : cuda_devices(reason);
    if (gpus.empty() && options_.device == DeviceKind::cuda) {
      throw DeviceError(fmt::format("no CUDA device: {} (--device cuda); use --device cpu", reason));
    }
    result_.device = gpus.empty() ? DeviceKind::cpu : DeviceKind::cuda;
    if (cuda()) {
      result_.device_name = gpus.front().name;
      const CudaVersions versions = cuda_versions();
      result_.cuda_driver = versions.driver;
      result_.cuda_runtime = versions.runtime;
      device_ = make_cuda_bench();
      probe_ = make_cuda_probe();
    } else {
      result_.device_name = "cpu";
      device_ = make_cpu_bench(options_.threads);
      probe_ = make_cpu_probe(options_.threads, last_cache_bytes());
    }
  }
  bool cuda() const { return result_.device == DeviceKind::cuda; }

  void measure_limits() {
    observer_.measuring("the device's limits", done_++, all_);
    BenchLimits& limits = result_.limits;
    limits.matrix_kind = probe_->matrix_kind();
    limits.cache_bytes = probe_->cache_bytes();
    for (int r = 0; r < std::max(repeats_.wanted, 5); ++r) {
      limits.read_bandwidth = std::max(limits.read_bandwidth, probe_->read_bandwidth());
      limits.copy_bandwidth = std::max(limits.copy_bandwidth, probe_->copy_bandwidth());
      limits.fp32_rate = std::max(limits.fp32_rate, probe_->fp32_rate());
      limits.matrix_rate = std::max(limits.matrix_rate, probe_->matrix_rate());
    }
  }

  /// The problem with as many rows as the memory holds. Throws InputError if it holds none.
  BenchCaseResult fit_memory(BenchProblem problem) {
    BenchCaseResult out;
    out.rows_wanted = problem.rows;
    const double memory = cuda() ? static_cast<double>(probe_->free_memory()) : available_memory();
    if (memory > 0) {
      const int most = *std::ranges::max_element(options_.samples);
      problem.rows = rows_that_fit(problem, most, share_of_memory * memory);
      if (problem.rows == 0) {
        throw InputError(
            fmt::format("{} columns with {} samples take more memory than the {:.1f} GB that are free "
                        "(--cols, --samples); give fewer",
                        problem.columns, most, memory * 1e-9));
      }
      problem.levels = std::min(problem.levels, problem.rows);
    }
    const GuideKind guide = guide_of(problem, options_.guide);
    out.problem = problem;
    out.guide = to_string(guide);
    out.parameters = head_dimension(problem) + problem.levels;
    return out;
  }

  void measure_case(BenchCaseResult& out) {
    try {
      const std::unique_ptr<BenchData> data = device_->generate(shape_of(out.problem, options_.seed));
      ProblemSpec filled;
      fill_spec(out.problem, *data, guide_of(out.problem, options_.guide), filled);
      filled.spec.seed = options_.seed;
      filled.spec.threads = options_.threads;
      for (const int samples : options_.samples) {
        filled.spec.samples = samples;
        if (!measure_samples(*data, filled, out)) break;
      }
    } catch (const std::bad_alloc&) {
      out.refused = "out of memory";
    } catch (const DeviceFailure& failure) {  // the cases before keep their numbers
      out.refused = failure.what();
    }
  }

  /// False if the result is wrong.
  bool measure_samples(const BenchData& data, ProblemSpec& filled, BenchCaseResult& out) {
    const std::string what = fmt::format("{}, S = {}", out.problem.name, filled.spec.samples);
    observer_.measuring(what + ", one pass", done_++, all_);
    const std::int64_t batch = default_batch_of(out.problem);
    // With groups a pass goes over the same windows of rows as the steps.
    filled.spec.batch = out.problem.levels > 0 ? batch : out.problem.rows;
    std::unique_ptr<Engine> engine = make_engine(filled.spec);
    if (!measure_pass(*engine, data, filled.spec, out)) return false;
    observer_.measuring(what + ", steps", done_++, all_);
    if (filled.spec.batch != batch) {
      out.steps.push_back(measure_steps(*engine, filled.spec));
      engine.reset();
      filled.spec.batch = batch;
      engine = make_engine(filled.spec);
    }
    out.steps.push_back(measure_steps(*engine, filled.spec));
    return true;
  }

  std::unique_ptr<Engine> make_engine(const EngineSpec& spec) const {
    return cuda() ? make_cuda_engine(spec) : make_cpu_engine(spec);
  }

  bool measure_pass(Engine& engine, const BenchData& data, const EngineSpec& spec, BenchCaseResult& out) {
    BenchPass pass;
    pass.samples = spec.samples;
    engine.estimate(spec.lambda, 0);
    const BenchCheck check = device_->check(engine, data, spec.samples, check_work_);
    pass.error = check.error;
    pass.tolerance = tolerance_of(out.problem, cuda());
    pass.checked_rows = check.rows;
    pass.checked_spread_rows = check.spread_rows;
    pass.checked_samples = check.samples;
    pass.checked_spread_samples = check.spread_samples;
    if (!(pass.error <= pass.tolerance)) {
      out.refused =
          fmt::format("wrong result with {} samples: a sum is off by {:.2g} of what it adds up, more than {:.2g}",
                      spec.samples, pass.error, pass.tolerance);
      return false;
    }
    pass.bytes = static_cast<double>(data.bytes);
    pass.in_cache = data.bytes <= static_cast<std::int64_t>(result_.limits.cache_bytes);
    std::vector<double> bandwidth, rate;
    pass.time = measure([&](int count) { return engine.time_passes(count); }, repeats_, 1,
                        [&] {
                          bandwidth.push_back(pass.in_cache
                                                  ? probe_->cached_read_bandwidth(static_cast<std::size_t>(data.bytes))
                                                  : probe_->read_bandwidth());
                          rate.push_back(product_rate(*probe_));
                          if (pass.in_cache) engine.time_passes(cache_warm_ups);
                        });
    pass.operations = 4 * static_cast<double>(data.products) * spec.samples;
    pass.bandwidth = median(bandwidth);
    pass.rate = median(rate);
    const double of_memory = pass.bandwidth > 0 ? pass.bytes / pass.bandwidth : 0;
    const double of_arithmetic = pass.operations / pass.rate;
    pass.floor = std::max(of_memory, of_arithmetic);
    pass.limit = of_memory > of_arithmetic ? BenchLimit::memory : BenchLimit::arithmetic;
    pass.rows_per_second = static_cast<double>(out.problem.rows) / pass.time.median;
    pass.row_samples_per_second = pass.rows_per_second * spec.samples;
    pass.bytes_per_second = pass.bytes / pass.time.median;
    pass.operations_per_second = pass.operations / pass.time.median;
    pass.fraction = pass.floor / pass.time.median;
    out.passes.push_back(pass);
    return true;
  }

  /// By whole passes over the rows, since each begins with a sum over all of them where there are minibatches.
  BenchSteps measure_steps(Engine& engine, const EngineSpec& spec) const {
    BenchSteps steps;
    steps.samples = spec.samples;
    steps.batch = spec.batch;
    const std::int64_t epoch = batch_count(spec.rows, spec.batch);
    std::int64_t t = 0;
    // So small that the guide stays where the data was drawn, however many steps there are.
    constexpr double learning_rate = 1e-6;
    const auto run = [&](int epochs) {
      const auto begin = std::chrono::steady_clock::now();
      for (std::int64_t i = 0; i < epochs * epoch; ++i) engine.step(t++, learning_rate, -1);
      steps.nonfinite += engine.take_statistics().nonfinite;  // waits
      return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count() /
             static_cast<double>(epoch);
    };
    steps.time = measure(run, repeats_, static_cast<double>(epoch));
    steps.steps_per_second = 1 / steps.time.median;
    steps.row_samples_per_second =
        static_cast<double>(spec.rows) / static_cast<double>(epoch) * spec.samples / steps.time.median;
    time_stages(engine, epoch, run, steps);
    return steps;
  }

  /// Of a few runs the shortest: what else this machine does may fall into any one stage.
  template <class Run>
  static void time_stages(Engine& engine, std::int64_t epoch, const Run& run, BenchSteps& steps) {
    const double one_epoch = steps.time.median * static_cast<double>(epoch);
    const int epochs = static_cast<int>(std::clamp(0.05 / one_epoch, 1.0, 2000.0));
    const int runs = static_cast<int>(std::clamp(1 / (one_epoch * epochs), 1.0, 5.0));
    const double count = static_cast<double>(epoch) * epochs;
    steps.staged_seconds = std::numeric_limits<double>::infinity();
    engine.time_stages(true);
    for (int r = 0; r < runs; ++r) {
      const double seconds = run(epochs) / epochs;
      const std::vector<StageTime> stages = engine.take_stages();
      if (seconds >= steps.staged_seconds) continue;
      steps.staged_seconds = seconds;
      steps.stages.clear();
      for (const StageTime& stage : stages) {
        steps.stages.push_back({stage.name, stage.seconds / count, static_cast<double>(stage.calls) / count});
      }
    }
    engine.time_stages(false);
    std::ranges::stable_sort(steps.stages, std::ranges::greater{}, &BenchStage::seconds);
  }

  BenchOptions options_;
  BenchObserver& observer_;
  Repeats repeats_;
  double check_work_ = 0;  ///< multiply-adds that one check may take
  std::vector<BenchProblem> problems_;
  std::unique_ptr<BenchDevice> device_;
  std::unique_ptr<LimitProbe> probe_;
  BenchResult result_;
  int done_ = 0, all_ = 0;
};

}  // namespace

BenchResult bench(const BenchOptions& options, BenchObserver* observer) {
  check_options(options);
  BenchObserver nobody;
  try {
    return Bench(options, observer == nullptr ? nobody : *observer).run();
  } catch (const DeviceFailure& failure) {
    throw DeviceError(failure.what());
  }
}

}  // namespace jensen
