/// \file One pass of value and gradient over the rows, against what this machine can do: its read bandwidth, and the
/// two matrix products that the pass contains, by OpenBLAS.
///
///     jensen_bench_data_term [--rows N] [--columns K] [--samples S] [--threads T] [--repeats R] [--json FILE]
///
/// Without --samples: 1, 8, 16 and 64.
///
/// The result is checked against a double-precision evaluation of some rows first. Each repeat times every case once,
/// so that the ratios hold while the machine's speed drifts; medians and quartiles of the ratios are printed.

#include <fmt/format.h>
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "backend_cpu.hpp"
#include "buffer.hpp"
#include "data_term_cpu.hpp"
#include "json_report.hpp"

#if JENSEN_HAS_OPENBLAS
#include <cblas.h>
#endif

namespace {

using jensen::CpuBackend;
using jensen::DensityKind;
using jensen::Partials;
using jensen::Term;

struct Options {
  std::int64_t rows = 1'000'000;
  int columns = 28;
  int threads = omp_get_max_threads();
  int repeats = 15;
  std::vector<int> samples{1, 8, 16, 64};
  std::string json;
};

/// The table is in the backend's own memory, as that of a training run is.
struct Data {
  jensen::Buffer<CpuBackend, float> x, y;
  std::vector<float> z;  ///< most samples x columns
};

constexpr int most_samples = 64;

Data make_data(const Options& o, CpuBackend& backend) {
  Data data{{backend, static_cast<std::size_t>(o.rows) * static_cast<std::size_t>(o.columns)},
            {backend, static_cast<std::size_t>(o.rows)},
            {}};
  // First touched by the threads that will read it, in the blocks they will read.
#pragma omp parallel for num_threads(o.threads) schedule(static)
  for (std::int64_t i = 0; i < o.rows; ++i) {
    std::minstd_rand random(static_cast<unsigned>(i) + 1);
    for (int k = 0; k < o.columns; ++k) {
      data.x.data()[i * o.columns + k] = static_cast<float>(random() % 2000) / 1000.0F - 1.0F;
    }
    data.y.data()[i] = static_cast<float>(random() % 2);
  }
  std::mt19937 random(7);
  std::normal_distribution<float> normal(0, 0.3F);
  data.z.resize(static_cast<std::size_t>(most_samples) * o.columns);
  for (float& v : data.z) v = normal(random);
  return data;
}

Term logistic(const Options& o, const Data& data) {
  Term term;
  term.density = DensityKind::bernoulli_logit;
  term.subsampled = true;
  term.rows = o.rows;
  term.constants[0] = data.y.data();
  term.arguments[0].part_count = 1;
  term.arguments[0].parts[0] = {jensen::PartKind::dense, 0, o.columns, 1, data.x.data()};
  return term;
}

/// One pass: sums of value and gradient for each sample, in blocks.
struct Pass {
  CpuBackend backend;
  Term term;
  int columns;
  const float* z;
  jensen::BlockPlan plan;
  std::vector<double> sums;

  Pass(const Options& o, const Data& data)
      : backend(o.threads),
        term(logistic(o, data)),
        columns(o.columns),
        z(data.z.data()),
        plan(jensen::plan_blocks(o.rows, CpuBackend::least_rows, CpuBackend::most_blocks)),
        sums(static_cast<std::size_t>(plan.blocks) * most_samples * static_cast<std::size_t>(1 + o.columns)) {}
  Partials partials(int samples) { return {sums.data(), samples, columns}; }
  void operator()(int samples) {
    backend.evaluate_term(term, {nullptr, term.rows}, plan, z, columns, partials(samples));
  }
  double total(int samples, int sample, int slot) {
    double sum = 0;
    for (std::int64_t b = 0; b < plan.blocks; ++b) sum += partials(samples).at(b, sample)[slot];
    return sum;
  }
};

/// Value and first two slots of the last sample, in double over all rows.
bool check(Pass& pass, const Options& o, const Data& data, int samples) {
  pass(samples);
  const float* theta = data.z.data() + static_cast<std::ptrdiff_t>(samples - 1) * o.columns;
  double value = 0, slope = 0, size = 0;
#pragma omp parallel for num_threads(o.threads) reduction(+ : value, slope, size)
  for (std::int64_t i = 0; i < o.rows; ++i) {
    const float* x = data.x.data() + i * o.columns;
    double eta = 0;
    for (int k = 0; k < o.columns; ++k) eta += static_cast<double>(x[k]) * static_cast<double>(theta[k]);
    const double y = static_cast<double>(data.y.data()[i]);
    value += y * eta - std::max(eta, 0.0) - std::log1p(std::exp(-std::abs(eta)));
    slope += (y - 1 / (1 + std::exp(-eta))) * static_cast<double>(x[0]);
    size += std::abs(eta) + 1;
  }
  const double tolerance = 1e-6 * size;  // single precision per row and tile: a few 2^-24 of the sum of absolute values
  return std::abs(pass.total(samples, samples - 1, 0) - value) < tolerance &&
         std::abs(pass.total(samples, samples - 1, 1) - slope) < tolerance;
}

/// With this processor's widest registers: with narrower ones a core would not keep up with its memory.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
__attribute__((target_clones("avx512f", "avx2", "default")))
#endif
float sum_of(const float* x, std::int64_t count) {
  constexpr int lanes = 128;
  float sums[lanes] = {};
  std::int64_t i = 0;
  for (; i + lanes <= count; i += lanes) {
#pragma omp simd
    for (int l = 0; l < lanes; ++l) sums[l] += x[i + l];
  }
  float total = 0;
  for (const float s : sums) total += s;
  return total;
}

/// Sums an array of the size of X with all threads: what reading it costs.
float read_all(const jensen::Buffer<CpuBackend, float>& x, int threads) {
  const auto n = static_cast<std::int64_t>(x.size());
  float total = 0;
#pragma omp parallel for num_threads(threads) schedule(static) reduction(+ : total)
  for (std::int64_t block = 0; block < 256; ++block) {
    const std::int64_t begin = n * block / 256;
    total += sum_of(x.data() + begin, n * (block + 1) / 256 - begin);
  }
  return total;
}

#if JENSEN_HAS_OPENBLAS
/// eta = X theta and G = X^T d for `samples` columns.
void two_products(const Options& o, const Data& data, int samples, std::vector<float>& eta,
                  std::vector<float>& gradient) {
  const auto n = static_cast<int>(o.rows);
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, n, samples, o.columns, 1, data.x.data(), o.columns,
              data.z.data(), o.columns, 0, eta.data(), samples);
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, o.columns, samples, n, 1, data.x.data(), o.columns, eta.data(),
              samples, 0, gradient.data(), samples);
}
#endif

double seconds(const std::function<void()>& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

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
      else if (name == "--samples" && number <= most_samples)
        o.samples = {number};
      else
        throw std::invalid_argument(name);
    } catch (const std::exception&) {
      fmt::print(stderr,
                 "jensen_bench_data_term: cannot use '{} {}'; give --rows, --columns, --samples (to 64), "
                 "--threads, --repeats with a positive number, --json with a file\n",
                 name, value);
      std::exit(2);
    }
  }
  return o;
}

}  // namespace

int main(int argc, char** argv) {
  const Options o = parse(argc, argv);
  CpuBackend backend(o.threads);
  const Data data = make_data(o, backend);
  Pass pass(o, data);
  for (const int s : o.samples) {
    if (!check(pass, o, data, s)) {
      fmt::print(stderr, "jensen_bench_data_term: wrong result with {} samples; nothing timed\n", s);
      return 1;
    }
  }

  std::map<std::string, std::vector<double>> times;
  volatile float sink = 0;
#if JENSEN_HAS_OPENBLAS
  openblas_set_num_threads(o.threads);
  std::vector<float> eta(static_cast<std::size_t>(o.rows) * most_samples);
  std::vector<float> gradient(static_cast<std::size_t>(o.columns) * most_samples);
#endif
  for (int r = 0; r < o.repeats + 2; ++r) {  // two rounds to warm up
    const auto record = [&](const std::string& name, const std::function<void()>& work) {
      const double t = seconds(work);
      if (r >= 2) times[name].push_back(t);
    };
    record("read", [&] { sink = read_all(data.x, o.threads); });
    for (const int s : o.samples) {
      record(fmt::format("pass {}", s), [&] { pass(s); });
#if JENSEN_HAS_OPENBLAS
      if (s > 1) record(fmt::format("sgemm {}", s), [&] { two_products(o, data, s, eta, gradient); });
#endif
    }
  }
  (void)sink;

  const double bytes = 4.0 * static_cast<double>(o.rows) * o.columns;
  jensen::bench::JsonReport report("data_term", "cpu");
  report.set("isa", jensen::data_term_cpu_isa());
  report.set("threads", o.threads);
  report.set("rows", o.rows);
  report.set("columns", o.columns);
  report.set("repeats", o.repeats);
#if JENSEN_HAS_OPENBLAS
  report.set("openblas_core", openblas_get_corename());
  fmt::print("OpenBLAS uses its {} kernels; OPENBLAS_CORETYPE chooses others\n", openblas_get_corename());
#endif
  fmt::print("logistic, {} x {}, {} threads, {}\n\n{:<12}{:>12}{:>12}{:>14}  {}\n", o.rows, o.columns, o.threads,
             jensen::data_term_cpu_isa(), "case", "median ms", "GB/s", "GFLOP/s", "against the limit (quartiles)");
  for (const auto& [name, t] : times) {
    const jensen::bench::Quartiles q = jensen::bench::quartiles(t);
    const bool is_pass = name.starts_with("pass");
    const int s = name == "read" ? 1 : std::stoi(name.substr(name.find(' ')));
    const double flops = name == "read" ? 0 : 4.0 * static_cast<double>(o.rows) * o.columns * s;
    const double read = is_pass ? bytes + 4.0 * static_cast<double>(o.rows) : bytes;
    const std::string rival = fmt::format("sgemm {}", s);
    std::string against, limit = "null";
    std::vector<double> ratio;
    if (name == "pass 1") {
      for (std::size_t i = 0; i < t.size(); ++i) ratio.push_back((read / t[i]) / (bytes / times["read"][i]));
      against = "of read bandwidth";
      limit = "\"fraction of read bandwidth\"";
    } else if (is_pass && times.contains(rival)) {
      for (std::size_t i = 0; i < t.size(); ++i) ratio.push_back(t[i] / times[rival][i]);
      against = "times the two sgemm calls";
      limit = "\"time over that of two sgemm calls\"";
    }
    std::string spread, median_ratio = "null";
    if (!ratio.empty()) {
      const jensen::bench::Quartiles r = jensen::bench::quartiles(ratio);
      spread = fmt::format("{:.2f} ({:.2f} to {:.2f}) {}", r.median, r.low, r.high, against);
      median_ratio = fmt::format("{:.4g}", r.median);
    }
    fmt::print("{:<12}{:>12.3f}{:>12.1f}{:>14.1f}  {}\n", name, q.median * 1e3, read / q.median * 1e-9,
               flops / q.median * 1e-9, spread);
    report.add_case(
        fmt::format("\"case\": \"{}\", \"samples\": {}, \"median_s\": {:.6g}, \"q25_s\": {:.6g}, \"q75_s\": {:.6g}, "
                    "\"bytes\": {:.0f}, \"flops\": {:.0f}, \"ratio\": {}, \"ratio_is\": {}",
                    name, s, q.median, q.low, q.high, read, flops, median_ratio, limit));
  }
  return report.write(o.json) ? 0 : 2;
}
