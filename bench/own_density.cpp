/// \file A user's density by dual numbers against Jensen's own of the same model: a pass of value and gradient over the
/// rows.
///
///     jensen_bench_own_density [--rows N] [--columns K] [--threads T] [--repeats R] [--json FILE]
///
/// Each repeat times both once, in processor time, so that the ratios hold while the machine's speed drifts and other
/// programs take their share; medians and quartiles of the ratios are printed. tests/own_density_test.cpp checks that
/// both give the same.

#include <fmt/format.h>

#include <cstdio>
#include <ctime>
#include <string>
#include <vector>

#include "bench/measure.hpp"
#include "bench/problem_spec.hpp"
#include "bench_device.hpp"
#include "data_term_cpu.hpp"
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
  for (int i = 1; i < argc; i += 2) {
    const std::string name = argv[i];
    const std::string value = i + 1 < argc ? argv[i + 1] : "";
    try {
      if (name == "--json" && !value.empty()) {
        o.json = value;
        continue;
      }
      const int number = std::stoi(value);
      if (number < 1) throw std::invalid_argument(value);
      if (name == "--rows")
        o.rows = number;
      else if (name == "--columns")
        o.columns = number;
      else if (name == "--threads")
        o.threads = number;
      else if (name == "--repeats")
        o.repeats = number;
      else
        throw std::invalid_argument(name);
    } catch (const std::exception&) {
      fmt::print(stderr,
                 "jensen_bench_own_density: cannot use '{} {}'; give --rows, --columns, --threads, --repeats with a "
                 "positive number, --json with a file\n",
                 name, value);
      std::exit(2);
    }
  }
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
