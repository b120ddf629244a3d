#include <fmt/format.h>

#include "jensen/bench.hpp"
#include "jensen/errors.hpp"

namespace jensen {

std::string_view to_string(BenchSuite suite) { return suite == BenchSuite::quick ? "quick" : "full"; }

BenchSuite parse_bench_suite(std::string_view name) {
  if (name == "quick") return BenchSuite::quick;
  if (name == "full") return BenchSuite::full;
  throw InputError(fmt::format("unknown suite '{}' (--suite); use quick or full", name));
}

std::string_view to_string(BenchLimit limit) { return limit == BenchLimit::memory ? "memory" : "arithmetic"; }

std::vector<BenchProblem> bench_problems(BenchSuite suite) {
  const bool full = suite == BenchSuite::full;
  // Quick: about 64 MB of columns, twice a common last-level cache, where a pass is bound by memory; fewer rows where
  // its arithmetic alone would take seconds. Named after the data sets whose shapes they have.
  return {
      {"logistic, covertype's shape", Family::bernoulli, full ? 581'012 : 290'000, 55, 0},
      {"logistic, HIGGS's shape", Family::bernoulli, full ? 11'000'000 : 580'000, 28, 0},
      {"Poisson, insurance claims' shape", Family::poisson, full ? 678'013 : 400'000, 40, 0},
      {"gaussian, wide", Family::gaussian, full ? 1'000'000 : 32'000, 512, 0},
      {"categorical, MNIST's shape", Family::categorical, full ? 60'000 : 2'000, 784, 0},
      {"hierarchical logistic", Family::bernoulli, full ? 10'000'000 : 500'000, 20, full ? 100'000 : 5'000},
      {"tiny, for latency", Family::bernoulli, 8, 10, 0},
  };
}

}  // namespace jensen
