/// \file Whole training steps on a device: draw, terms, pull-back, optimiser.
///
///     jensen_bench_step [--device cpu|cuda] [--threads T] [--json FILE]
///
/// Each case's gradient is compared with the other device's, or on the CPU with that of one thread, before it is timed.
/// Medians and quartiles over repeats of time per step, and rows times samples evaluated per second.

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "engine.hpp"
#include "jensen/info.hpp"
#include "json_report.hpp"

namespace {

using namespace jensen;

struct Case {
  const char* name;
  DensityKind density;
  std::int64_t rows, batch;
  int columns, samples, steps;
};

/// A regression on data drawn from a seed, with a normal prior on each coefficient.
struct Model {
  std::vector<float> x, y, identity, inverse_scale;
  EngineSpec spec;

  Model(const Case& c, int threads) {
    std::minstd_rand random(1);
    const auto uniform = [&] { return static_cast<float>(random() % 2000) / 1000.0F - 1.0F; };
    const auto k = static_cast<std::size_t>(c.columns);
    x.resize(static_cast<std::size_t>(c.rows) * k);
    for (float& v : x) v = uniform() / std::sqrt(static_cast<float>(c.columns));
    y.resize(static_cast<std::size_t>(c.rows));
    for (float& v : y) v = c.density == DensityKind::gaussian ? uniform() : static_cast<float>(random() % 2);
    identity.assign(k * k, 0);
    for (std::size_t i = 0; i < k; ++i) identity[i * k + i] = 1;
    inverse_scale.assign(k, 1);

    Term data;
    data.density = c.density;
    data.subsampled = true;
    data.rows = c.rows;
    data.constants[0] = y.data();
    data.arguments[0].part_count = 1;
    data.arguments[0].parts[0] = {PartKind::dense, 0, c.columns, 1, x.data()};
    if (c.density == DensityKind::gaussian) {
      data.argument_count = 2;
      data.arguments[1].part_count = 1;
      data.arguments[1].parts[0] = {PartKind::scalar, c.columns, 1, 1, nullptr};
    }
    Term prior;
    prior.density = DensityKind::normal_prior;
    prior.rows = c.columns;
    prior.constants[1] = inverse_scale.data();
    prior.arguments[0].part_count = 1;
    prior.arguments[0].parts[0] = {PartKind::dense, 0, c.columns, 1, identity.data()};
    spec.terms = {data, prior};
    spec.dimension = c.columns + (c.density == DensityKind::gaussian ? 1 : 0);
    spec.rows = c.rows;
    spec.batch = c.batch;
    spec.samples = c.samples;
    spec.guide = GuideShape::meanfield;
    spec.lambda.assign(2 * static_cast<std::size_t>(spec.dimension), 0);
    spec.threads = threads;
  }
};

bool agree(Engine& a, Engine& b, const EngineSpec& spec) {
  const Engine::Estimate ea = a.estimate(spec.lambda, 0);
  const Engine::Estimate eb = b.estimate(spec.lambda, 0);
  const double size = static_cast<double>(spec.rows) * spec.dimension;
  for (std::size_t p = 0; p < ea.gradient.size(); ++p) {
    if (!(std::abs(ea.gradient[p] - eb.gradient[p]) <= 1e-6 * size)) return false;
  }
  return std::abs(ea.elbo - eb.elbo) <= 1e-6 * size;
}

}  // namespace

int main(int argc, char** argv) {
  std::string device = "cpu", json;
  int threads = 0;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string name = argv[i];
    if (name == "--device") device = argv[i + 1];
    if (name == "--threads") threads = std::atoi(argv[i + 1]);
    if (name == "--json") json = argv[i + 1];
  }
  std::string reason;
  const std::vector<CudaDevice> gpus = cuda_devices(reason);
  if (device == "cuda" && gpus.empty()) {
    fmt::print(stderr, "jensen_bench_step: {} (--device cuda); use --device cpu\n", reason);
    return 2;
  }
  const std::string device_name = device == "cuda" ? gpus.front().name : devices().front().detail;

  const std::vector<Case> cases{
      {"tiny", DensityKind::bernoulli_logit, 8, 8, 10, 14, 500},
      {"logistic, minibatch", DensityKind::bernoulli_logit, 290'000, 8192, 30, 14, 100},
      {"logistic, all rows", DensityKind::bernoulli_logit, 581'012, 581'012, 55, 14, 5},
      {"gaussian, all rows", DensityKind::gaussian, 1'000'000, 1'000'000, 28, 1, 5},
  };
  fmt::print("{}\n\n{:<22}{:>12}{:>6}{:>4}{:>14}{:>24}{:>18}\n", device_name, "case", "rows", "K", "S", "us a step",
             "(quartiles)", "row-samples/s");
  bench::JsonReport report("step", device == "cuda" ? device_name : "cpu");
  report.set("detail", device_name);
  for (const Case& c : cases) {
    Model model(c, threads);
    const auto make = [&](bool cuda, int with_threads) {
      EngineSpec spec = model.spec;
      spec.threads = with_threads;
      return cuda ? make_cuda_engine(spec) : make_cpu_engine(spec);
    };
    const auto oracle = make(false, 1);
    const auto engine = make(device == "cuda", threads);
    if (!agree(*engine, *oracle, model.spec)) {
      fmt::print(stderr, "jensen_bench_step: wrong gradient in case '{}'; nothing timed\n", c.name);
      return 1;
    }
    std::vector<double> times;
    std::int64_t t = 0;
    for (int repeat = 0; repeat < 12; ++repeat) {
      const auto start = std::chrono::steady_clock::now();
      for (int i = 0; i < c.steps; ++i) engine->step(t++, 0.001, -1);
      engine->take_statistics();  // waits
      const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
      if (repeat >= 2) times.push_back(seconds / c.steps);  // the first two warm up
    }
    const bench::Quartiles q = bench::quartiles(times);
    const double rate = static_cast<double>(c.batch) * c.samples / q.median;
    fmt::print("{:<22}{:>12}{:>6}{:>4}{:>14.1f}{:>24}{:>18.3g}\n", c.name, c.batch, c.columns, c.samples,
               1e6 * q.median, fmt::format("({:.1f} to {:.1f})", 1e6 * q.low, 1e6 * q.high), rate);
    report.add_case(fmt::format(
        "\"case\": \"{}\", \"rows\": {}, \"batch\": {}, \"columns\": {}, \"samples\": {}, \"median_s\": {:.6g}, "
        "\"q25_s\": {:.6g}, \"q75_s\": {:.6g}, \"row_samples_per_s\": {:.6g}",
        c.name, c.rows, c.batch, c.columns, c.samples, q.median, q.low, q.high, rate));
  }
  return report.write(json) ? 0 : 2;
}
