/// \file One pass of value and gradient over the rows, against the two matrix products that it contains, by OpenBLAS.
///
///     jensen_bench_data_term [--rows N] [--columns K] [--samples S] [--threads T] [--repeats R] [--json FILE]
///
/// Without --samples: 8, 16 and 64. Everything else about a pass is what `jensen bench` measures.
///
/// The result is checked against double precision first. Each repeat times pass and products once, so that the ratios
/// hold while the machine's speed drifts; medians and quartiles of the ratios are printed.

#include <cblas.h>
#include <fmt/format.h>
#include <omp.h>

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "bench/measure.hpp"
#include "bench/problem_spec.hpp"
#include "bench_device.hpp"
#include "data_term_cpu.hpp"
#include "flags.hpp"
#include "json_report.hpp"

namespace {

struct Options {
  int rows = 1'000'000;
  int columns = 28;
  int threads = omp_get_max_threads();
  int repeats = 15;
  std::vector<int> samples{8, 16, 64};
  std::string json;
};

Options parse(int argc, char** argv) {
  Options o;
  int samples = 0;
  jensen::bench_report::read_flags("jensen_bench_data_term", argc, argv,
                                   {{"--rows", &o.rows},
                                    {"--columns", &o.columns},
                                    {"--samples", &samples, 1024},
                                    {"--threads", &o.threads},
                                    {"--repeats", &o.repeats}},
                                   o.json);
  if (samples > 0) o.samples = {samples};
  return o;
}

/// Seconds of eta = X theta' and G = eta' X: N x K by K x S, and S x N by N x K.
double two_products(const Options& o, const float* x, const float* theta, int dimension, int samples,
                    std::vector<float>& eta, std::vector<float>& gradient) {
  const auto begin = std::chrono::steady_clock::now();
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, o.rows, samples, o.columns, 1, x, o.columns, theta, dimension, 0,
              eta.data(), samples);
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, o.columns, samples, o.rows, 1, x, o.columns, eta.data(), samples,
              0, gradient.data(), samples);
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main(int argc, char** argv) {
  using namespace jensen;
  const Options o = parse(argc, argv);
  const BenchProblem problem{"logistic", Family::bernoulli, o.rows, o.columns, 0};
  const auto device = make_cpu_bench(o.threads);
  const auto data = device->generate(shape_of(problem, 1));
  const float* x = data->term.arguments[0].parts[0].x;
  openblas_set_num_threads(o.threads);

  bench_report::JsonReport report("data_term", "cpu");
  report.set("isa", data_term_cpu_isa());
  report.set("threads", o.threads);
  report.set("rows", o.rows);
  report.set("columns", o.columns);
  report.set("repeats", o.repeats);
  report.set("openblas_core", openblas_get_corename());
  fmt::print("OpenBLAS uses its {} kernels; OPENBLAS_CORETYPE chooses others\n", openblas_get_corename());
  fmt::print("logistic, {} x {}, {} threads, {}\n\n{:>4}{:>12}{:>16}  {}\n", o.rows, o.columns, o.threads,
             data_term_cpu_isa(), "S", "pass ms", "two sgemm ms", "pass over products (quartiles)");
  for (const int samples : o.samples) {
    ProblemSpec filled;
    fill_spec(problem, *data, GuideKind::meanfield, filled);
    filled.spec.samples = samples;
    filled.spec.batch = problem.rows;
    filled.spec.threads = o.threads;
    const auto engine = make_cpu_engine(filled.spec);
    engine->estimate(filled.spec.lambda, 0);
    constexpr double work = 1e9;          // multiply-adds of the oracle
    constexpr double tolerance = 1.5e-6;  // a few roundings of 2^-24; see src/bench/bench.cpp
    if (!(device->check(*engine, *data, samples, work).error < tolerance)) {
      fmt::print(stderr, "jensen_bench_data_term: wrong result with {} samples; nothing timed\n", samples);
      return 1;
    }
    const float* theta = engine->pass({}).z;
    std::vector<float> eta(static_cast<std::size_t>(o.rows) * static_cast<std::size_t>(samples));
    std::vector<float> gradient(static_cast<std::size_t>(o.columns) * static_cast<std::size_t>(samples));
    std::vector<double> pass, products, ratio;
    for (int r = 0; r < o.repeats + 2; ++r) {
      const double a = engine->time_passes(1);
      const double b = two_products(o, x, theta, data->dimension, samples, eta, gradient);
      if (r < 2) continue;  // warms up
      pass.push_back(a);
      products.push_back(b);
      ratio.push_back(a / b);
    }
    const BenchTime p = quartiles(pass), g = quartiles(products), q = quartiles(ratio);
    fmt::print("{:>4}{:>12.3f}{:>16.3f}  {:.2f} ({:.2f} to {:.2f})\n", samples, 1e3 * p.median, 1e3 * g.median,
               q.median, q.low, q.high);
    report.add_case(
        fmt::format("\"samples\": {}, \"pass_s\": {:.6g}, \"pass_q25_s\": {:.6g}, \"pass_q75_s\": {:.6g}, "
                    "\"products_s\": {:.6g}, \"products_q25_s\": {:.6g}, \"products_q75_s\": {:.6g}, "
                    "\"ratio\": {:.4g}, \"ratio_q25\": {:.4g}, \"ratio_q75\": {:.4g}",
                    samples, p.median, p.low, p.high, g.median, g.low, g.high, q.median, q.low, q.high));
  }
  return report.write(o.json) ? 0 : 2;
}
