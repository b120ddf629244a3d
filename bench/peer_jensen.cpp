/// \file Jensen's side of bench/compare; bench/peers/README.md says what is compared and peers/problem.py how a problem
/// file is laid out.
///
///     jensen_bench_peer_jensen steps PROBLEM [--samples S] [--steps N] [--threads T] [--device cpu|cuda]
///     jensen_bench_peer_jensen train PROBLEM [--samples S] [--steps N] [--threads T] [--device cpu|cuda]
///
/// Prints a line of JSON when ready, then one for each line on standard input: of `steps`, seconds a step (draw, value,
/// gradient over all rows, Adam), the mean of N; of `train`, the guide and the seconds from the table on, at the start,
/// after every N steps, and after the stop rule, the final ELBO and the verdict.

#include <fmt/format.h>

#include <array>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iostream>
#include <numbers>
#include <optional>
#include <string>
#include <vector>

#include "engine.hpp"
#include "jensen/jensen.hpp"

namespace {

using namespace jensen;
using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

struct Problem {
  std::int64_t rows = 0, columns = 0;
  double prior_sd = 0;
  std::vector<float> y, x, start;  ///< start: means, then log sds
};

Problem read_problem(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::array<char, 8> magic{};
  Problem p;
  const auto read = [&](void* to, std::size_t bytes) {
    file.read(static_cast<char*>(to), static_cast<std::streamsize>(bytes));
  };
  read(magic.data(), magic.size());
  read(&p.rows, sizeof p.rows);
  read(&p.columns, sizeof p.columns);
  read(&p.prior_sd, sizeof p.prior_sd);
  if (!file || std::memcmp(magic.data(), "JENSENP1", 8) != 0 || p.rows < 1 || p.columns < 1) {
    throw FileError(fmt::format("not a problem file ({}); bench/compare writes them", path));
  }
  const auto n = static_cast<std::size_t>(p.rows), d = static_cast<std::size_t>(p.columns);
  for (auto [values, count] : {std::pair{&p.y, n}, {&p.x, n * d}, {&p.start, 2 * d}}) {
    values->resize(count);
    read(values->data(), count * sizeof(float));
  }
  if (!file) throw FileError(fmt::format("the problem file is cut short ({}); remove it and write it again", path));
  return p;
}

struct Options {
  std::string mode, path;
  bool cuda = false;
  int samples = 0, threads = 0, steps = 10;
};

std::string list(const std::vector<double>& values) {
  std::string text;
  for (const double v : values) text += fmt::format("{}{:.17g}", text.empty() ? "" : ", ", v);
  return "[" + text + "]";
}

void print_line(const std::string& line) {
  fmt::print("{{{}}}\n", line);
  std::fflush(stdout);
}

bool told_to_run() {
  std::string line;
  return static_cast<bool>(std::getline(std::cin, line));
}

std::string build_line(const Options& options) {
  const BuildInfo build = build_info();
  const DeviceInfo device = options.cuda && devices().size() > 1 ? devices()[1] : devices().front();
  return fmt::format(R"("versions": {{"jensen": "{}", "compiler": "{}", "cuda": "{}", "device": "{}, {}"}})",
                     build.version, build.compiler, build.cuda, device.name, device.detail);
}

/// Steps of the bare engine: no whitening, no control variate, all rows.
void steps(const Problem& problem, const Options& options) {
  const int d = static_cast<int>(problem.columns), samples = options.samples > 0 ? options.samples : 1;
  const auto size = static_cast<std::size_t>(d);
  std::vector<float> identity(size * size, 0);
  for (std::size_t i = 0; i < size; ++i) identity[i * size + i] = 1;
  const std::vector<float> inverse_scale(size, static_cast<float>(1 / problem.prior_sd));

  Term data;
  data.density = DensityKind::bernoulli_logit;
  data.subsampled = true;
  data.rows = problem.rows;
  data.constants[0] = problem.y.data();
  data.arguments[0].part_count = 1;
  data.arguments[0].parts[0] = {PartKind::dense, 0, d, 1, problem.x.data()};
  Term prior;
  prior.density = DensityKind::normal_prior;
  prior.rows = d;
  prior.constants[1] = inverse_scale.data();
  prior.constant = -d * (std::log(problem.prior_sd) + 0.5 * std::log(2 * std::numbers::pi));
  prior.arguments[0].part_count = 1;
  prior.arguments[0].parts[0] = {PartKind::dense, 0, d, 1, identity.data()};

  EngineSpec spec;
  spec.terms = {data, prior};
  spec.dimension = d;
  spec.rows = problem.rows;
  spec.batch = problem.rows;
  spec.samples = samples;
  spec.guide = GuideShape::meanfield;
  spec.lambda = problem.start;
  spec.threads = options.threads;
  const auto engine = options.cuda ? make_cuda_engine(spec) : make_cpu_engine(spec);

  const int estimates = std::max(2, 64 / samples);
  double elbo = 0;
  std::vector<double> gradient(2 * size, 0);
  for (int k = 0; k < estimates; ++k) {
    const Engine::Estimate e = engine->estimate(spec.lambda, k);
    elbo += e.elbo / estimates;
    for (std::size_t p = 0; p < 2 * size; ++p) gradient[p] += static_cast<double>(e.gradient[p]) / estimates;
  }
  print_line(fmt::format(R"("elbo": {:.17g}, "gradient": {}, "draws": {}, {})", elbo, list(gradient),
                         samples * estimates, build_line(options)));

  std::int64_t t = 0;
  while (told_to_run()) {
    const auto start = Clock::now();
    for (int i = 0; i < options.steps; ++i) engine->step(t++, 1e-5, -1);
    engine->take_statistics();  // waits
    print_line(fmt::format(R"("seconds": {:.9g})", seconds_since(start) / options.steps));
  }
}

/// What a user calls, with its own stop rule.
void train_whole(const Problem& problem, const Options& options) {
  const auto n = static_cast<std::size_t>(problem.rows), d = static_cast<std::size_t>(problem.columns);
  std::vector<std::vector<float>> columns(d, std::vector<float>(n));
  std::string formula = "y ~ ";
  for (std::size_t j = 0; j < d; ++j) {
    for (std::size_t i = 0; i < n; ++i) columns[j][i] = problem.x[i * d + j];
    formula += fmt::format("x{} + ", j);
  }
  formula.replace(formula.size() - 2, 2, "- 1");
  Table table("problem");
  table.add("y", std::span<const float>(problem.y));
  for (std::size_t j = 0; j < d; ++j) table.add(fmt::format("x{}", j), std::span<const float>(columns[j]));

  TrainOptions train_options;
  train_options.family = Family::bernoulli;
  train_options.priors = {Prior{"b", PriorKind::normal, {0, problem.prior_sd}}};
  train_options.guide = GuideKind::meanfield;
  train_options.device = options.cuda ? DeviceKind::cuda : DeviceKind::cpu;
  train_options.threads = options.threads;
  train_options.samples = options.samples;
  train(formula, table, train_options);  // warms up
  print_line(build_line(options));

  while (told_to_run()) {
    std::vector<double> seconds;
    std::string means, sds;
    double taken = 0, across = 0;  // `taken`: without what looking at the guide on the way costs
    const auto look = [&](const Fit& fit) {
      std::vector<double> sd(d);
      for (std::size_t i = 0; i < d; ++i) {
        for (std::size_t j = 0; j < d; ++j) {
          (i == j ? sd[i] : across) =
              i == j ? fit.factor[i * d + j] : std::max(across, std::abs(fit.factor[i * d + j]));
        }
      }
      seconds.push_back(taken);
      means += (means.empty() ? "" : ", ") + list(fit.mean);
      sds += (sds.empty() ? "" : ", ") + list(sd);
    };
    const auto timed = [&](auto&& work) {
      const auto start = Clock::now();
      work();
      taken += seconds_since(start);
    };
    std::optional<Trainer> trainer;
    std::optional<Fit> fit;
    timed([&] { trainer.emplace(formula, table, train_options); });
    while (!trainer->done()) {
      look(trainer->fit());
      timed([&] {
        for (int i = 0; i < options.steps && !trainer->done(); ++i) trainer->step();
      });
    }
    timed([&] { fit = trainer->fit(); });
    look(*fit);
    print_line(fmt::format(
        R"("seconds": {}, "mean": [{}], "sd": [{}], "off_diagonal": {:.3g}, "loop_s": {:.9g}, "steps": {}, )"
        R"("own_elbo": {:.17g}, "own_elbo_se": {:.3g}, "converged": {}, "samples": {}, "batch": {})",
        list(seconds), means, sds, across, fit->seconds, fit->steps, fit->elbo, fit->elbo_se, fit->verdict.converged,
        fit->options.samples, fit->options.batch));
  }
}

Options parse(int argc, char** argv) {
  Options options;
  if (argc > 2) options.mode = argv[1], options.path = argv[2];
  for (int i = 3; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--samples") options.samples = std::atoi(argv[i + 1]);
    if (name == "--threads") options.threads = std::atoi(argv[i + 1]);
    if (name == "--steps") options.steps = std::atoi(argv[i + 1]);
    if (name == "--device") options.cuda = std::string(argv[i + 1]) == "cuda";
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  if (options.mode != "steps" && options.mode != "train") {
    fmt::print(stderr, "usage: jensen_bench_peer_jensen steps|train PROBLEM [options]; bench/compare calls it\n");
    return 2;
  }
  try {
    const Problem problem = read_problem(options.path);
    options.mode == "steps" ? steps(problem, options) : train_whole(problem, options);
  } catch (const std::exception& e) {
    fmt::print(stderr, "jensen_bench_peer_jensen: {}\n", e.what());
    return 1;
  }
  return 0;
}
