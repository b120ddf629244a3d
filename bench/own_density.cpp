/// \file A user's density by dual numbers against Jensen's own of the same model: a pass of value and gradient over the
/// rows.
///
///     jensen_bench_own_density [--rows N] [--columns K] [--threads T] [--repeats R] [--json FILE]
///
/// Value and gradient of both are checked against double precision first. Each repeat times both once, in processor
/// time, so that the ratios hold while the machine's speed drifts and other programs take their share; medians and
/// quartiles of the ratios are printed.

#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "bench/measure.hpp"
#include "bench/problem_spec.hpp"
#include "bench_device.hpp"
#include "data_term_cpu.hpp"
#include "flags.hpp"
#include "json_report.hpp"
#include "own_densities.hpp"

namespace {

struct Options {
  int rows = 200'000;
  int columns = 28;
  int threads = 1;
  int repeats = 41;
  std::string json;
};

Options parse(int argc, char** argv) {
  Options o;
  jensen::bench_report::read_flags(
      "jensen_bench_own_density", argc, argv,
      {{"--rows", &o.rows}, {"--columns", &o.columns}, {"--threads", &o.threads}, {"--repeats", &o.repeats}}, o.json);
  return o;
}

/// Seconds of processor time that a pass takes.
double pass_seconds(jensen::Engine& engine) {
  const std::clock_t begin = std::clock();
  engine.pass({});
  return static_cast<double>(std::clock() - begin) / CLOCKS_PER_SEC;
}

struct Pair {
  const char* name;
  jensen::Family family;
  const jensen::DensityCode& own;
};

}  // namespace

int main(int argc, char** argv) {
  using namespace jensen;
  const Options o = parse(argc, argv);
  const auto device = make_cpu_bench(o.threads);
  bench_report::JsonReport report("own_density", "cpu");
  report.set("isa", data_term_cpu_isa());
  report.set("threads", o.threads);
  report.set("rows", o.rows);
  report.set("columns", o.columns);
  report.set("repeats", o.repeats);
  fmt::print("{} x {}, {} threads, {}\n\n{:<20}{:>4}{:>12}{:>12}  {}\n", o.rows, o.columns, o.threads,
             data_term_cpu_isa(), "density", "S", "own ms", "built in ms", "own over built in (quartiles)");
  const Pair pairs[] = {
      {"poisson", Family::poisson, density<own::PoissonByDuals>()},
      {"gaussian", Family::gaussian, density<own::GaussianByDuals>()},
      {"negative_binomial", Family::negative_binomial, density<own::NegativeBinomialByDuals>()},
      {"student_t", Family::student_t, density<own::StudentTByDuals>()},
  };
  for (const Pair& pair : pairs) {
    const BenchProblem problem{pair.name, pair.family, o.rows, o.columns, 0};
    const auto data = device->generate(shape_of(problem, 1));
    for (const int samples : {1, 8, 14}) {
      ProblemSpec filled;
      fill_spec(problem, *data, GuideKind::meanfield, filled);
      filled.spec.samples = samples;
      filled.spec.batch = problem.rows;
      filled.spec.threads = o.threads;
      const auto built_in = make_cpu_engine(filled.spec);
      filled.spec.terms.front().density = DensityKind::custom;
      filled.spec.terms.front().custom = &pair.own;
      const auto own = make_cpu_engine(filled.spec);
      built_in->estimate(filled.spec.lambda, 0);
      own->estimate(filled.spec.lambda, 0);
      constexpr double work = 1e9;          // multiply-adds of the oracle
      constexpr double tolerance = 1.5e-6;  // a few roundings of 2^-24; see src/bench/bench.cpp
      for (Engine* engine : {own.get(), built_in.get()}) {
        const double error = device->check(*engine, *data, samples, work).error;
        if (!(error < tolerance)) {
          fmt::print(stderr, "jensen_bench_own_density: {} with {} samples is wrong by {:.2g} ({}); nothing timed\n",
                     pair.name, samples, error, engine == own.get() ? "own" : "built in");
          return 1;
        }
      }
      std::vector<double> a, b, ratio;
      for (int r = 0; r < o.repeats + 2; ++r) {
        const double mine = pass_seconds(*own);
        const double theirs = pass_seconds(*built_in);
        if (r < 2) continue;  // warms up
        a.push_back(mine);
        b.push_back(theirs);
        ratio.push_back(mine / theirs);
      }
      const BenchTime m = quartiles(a), t = quartiles(b), q = quartiles(ratio);
      fmt::print("{:<20}{:>4}{:>12.3f}{:>12.3f}  {:.2f} ({:.2f} to {:.2f})\n", pair.name, samples, 1e3 * m.median,
                 1e3 * t.median, q.median, q.low, q.high);
      report.add_case(
          fmt::format("\"density\": \"{}\", \"samples\": {}, \"own_s\": {:.6g}, \"built_in_s\": {:.6g}, "
                      "\"ratio\": {:.4g}, \"ratio_q25\": {:.4g}, \"ratio_q75\": {:.4g}",
                      pair.name, samples, m.median, t.median, q.median, q.low, q.high));
    }
  }
  return report.write(o.json) ? 0 : 2;
}
