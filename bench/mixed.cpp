/// \file A mixed model of many levels, from columns in memory to the posterior of every level.
///
///     jensen_bench_mixed [--rows N] [--levels J] [--seed K] [--threads T] [--device auto|cpu|cuda] [--json FILE]
///
/// Intercept and slope by level (tests/simulated_mixed.hpp), default settings. The answer is checked against what was
/// simulated: standard deviations and the population's coefficients within 2 % or 4.5 posterior sds, and between 85 %
/// and 95 % of the levels' effects within their 90 % intervals. A wrong answer is reported, with exit code 1.

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <map>
#include <string>
#include <string_view>

#include "jensen/jensen.hpp"
#include "json_report.hpp"
#include "simulated_mixed.hpp"

namespace {

using namespace jensen;

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Largest resident size of this process so far, in bytes.
double peak_memory() {
  rusage usage = {};
  getrusage(RUSAGE_SELF, &usage);
  return 1024 * static_cast<double>(usage.ru_maxrss);
}

/// Prints where training stands.
class Printer : public Observer {
 public:
  void started(const RunDescription& run) override {
    fmt::print("training begins after {:.1f} s on {}, batches of {}\n", seconds_since(begin_), run.device,
               run.options.batch);
    device = run.device;
    preparation = seconds_since(begin_);
    std::fflush(stdout);
  }
  std::string device;
  double preparation = 0;  ///< seconds before the first step

 private:
  std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace

int main(int argc, char** argv) {
  std::size_t rows = 5'000'000, levels = 100'000;
  std::uint64_t seed = 1;
  TrainOptions options;
  std::string json;
  try {
    for (int i = 1; i < argc; i += 2) {
      const std::string_view flag = argv[i];
      if (i + 1 == argc) throw InputError("a flag without a value");
      const std::string value = argv[i + 1];
      if (flag == "--rows")
        rows = std::stoul(value);
      else if (flag == "--levels")
        levels = std::stoul(value);
      else if (flag == "--seed")
        seed = std::stoull(value);
      else if (flag == "--threads")
        options.threads = std::stoi(value);
      else if (flag == "--device")
        options.device = parse_device(value);
      else if (flag == "--json")
        json = value;
      else
        throw InputError(fmt::format("unknown flag {}", flag));
    }
    if (levels < 2 || rows < 2 * levels) throw InputError("give two levels or more, and two rows a level or more");
  } catch (const std::exception& error) {
    fmt::print(stderr,
               "jensen_bench_mixed: {}\nusage: jensen_bench_mixed [--rows N] [--levels J] [--seed K] [--threads T] "
               "[--device auto|cpu|cuda] [--json FILE]\n",
               error.what());
    return 2;
  }

  auto begin = std::chrono::steady_clock::now();
  const testing::SimulatedMixed data(rows, levels, seed);
  const Table table = data.table();
  const double memory_before = peak_memory();
  fmt::print("{} rows of {} levels simulated in {:.1f} s\n", rows, levels, seconds_since(begin));
  std::fflush(stdout);

  Printer printer;
  begin = std::chrono::steady_clock::now();
  const Fit fit = train(data.formula, table, options, &printer);
  const double train_seconds = seconds_since(begin);
  const double memory = peak_memory();
  begin = std::chrono::steady_clock::now();
  const auto level_summary = fit.summarize_levels();
  const double summary_seconds = seconds_since(begin);
  const auto coverage = data.coverage(level_summary);
  fmt::print(
      "{}\n{:.1f} s in all ({:.1f} s before the first step, {} steps in {:.1f} s, {:.3g} rows/s); levels "
      "summarised in {:.1f} s; memory {:.2f} GB at most, {:.2f} GB before training\n",
      fit.verdict.message, train_seconds, printer.preparation, fit.steps, fit.seconds, fit.rows_per_second,
      summary_seconds, memory / 1e9, memory_before / 1e9);

  bool right = fit.verdict.converged;
  const std::map<std::string, double> truth{{"b_Intercept", data.intercept},           {"b_x", data.slope},
                                            {"sd_g__Intercept", data.intercept_sd},    {"sd_g__x", data.slope_sd},
                                            {"cor_g__Intercept__x", data.correlation}, {"sigma", data.sigma}};
  bench_report::JsonReport report("mixed", printer.device);
  std::string found;
  for (const ParameterSummary& s : fit.summarize()) {
    const double value = truth.at(s.name);
    const double z = (s.mean - value) / s.sd;
    const bool near = std::abs(s.mean / value - 1) < 0.02 || std::abs(z) < 4.5;
    right = right && near;
    fmt::print("  {:<22}{:>10.5f} ({:.5f})   true {}, {:+.2f} %, {:+.2f} sd{}\n", s.name, s.mean, s.sd, value,
               100 * (s.mean / value - 1), z, near ? "" : "   WRONG");
    found += fmt::format(", \"{}\": {:.6g}, \"{}_sd\": {:.4g}", s.name, s.mean, s.name, s.sd);
  }
  const auto plausible = [](double share) { return share > 0.85 && share < 0.95; };
  right = right && plausible(coverage.intercept) && plausible(coverage.slope);
  fmt::print("  90 % intervals of the levels: {:.2f} % of intercepts, {:.2f} % of slopes inside\n{}",
             100 * coverage.intercept, 100 * coverage.slope, right ? "" : "the answer is wrong\n");
  report.add_case(fmt::format(
      "\"case\": \"intercept and slope by level\", \"rows\": {}, \"levels\": {}, \"batch\": {}, \"steps\": {}, "
      "\"train_s\": {:.4g}, \"preparation_s\": {:.4g}, \"steps_s\": {:.4g}, \"rows_per_s\": {:.4g}, "
      "\"summarize_levels_s\": {:.4g}, \"peak_bytes\": {:.4g}, \"bytes_before\": {:.4g}, \"coverage_intercept\": "
      "{:.4f}, "
      "\"coverage_slope\": {:.4f}, \"converged\": {}, \"khat\": {:.3f}, \"log_ratio_sd\": {:.3f}{}",
      rows, levels, fit.options.batch, fit.steps, train_seconds, printer.preparation, fit.seconds, fit.rows_per_second,
      summary_seconds, memory, memory_before, coverage.intercept, coverage.slope, fit.verdict.converged,
      fit.verdict.khat, fit.verdict.log_ratio_sd, found));
  if (!report.write(json)) return 2;
  return right ? 0 : 1;
}
