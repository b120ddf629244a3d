// Trains on columns that the program owns: y = 1 + 2 x + noise.
#include <cstdio>
#include <exception>
#include <random>
#include <span>
#include <vector>

#include "jensen/jensen.hpp"

int main() try {
  std::vector<double> x(2000);
  std::vector<double> y(x.size());
  std::mt19937 bits(7);
  std::normal_distribution<double> normal;
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = normal(bits);
    y[i] = 1.0 + 2.0 * x[i] + 0.5 * normal(bits);
  }

  jensen::Table table("own memory");
  table.add("x", std::span<const double>(x));  // a view: x must outlive the table
  table.add("y", std::span<const double>(y));

  jensen::TrainOptions options;
  options.family = jensen::Family::gaussian;
  const jensen::Fit fit = jensen::train("y ~ 1 + x", table, options);

  for (const jensen::ParameterSummary& p : fit.summarize()) {
    std::printf("%-12s mean %8.4f  sd %7.4f  90%% [%8.4f, %8.4f]\n", p.name.c_str(), p.mean, p.sd, p.q05, p.q95);
  }
  std::printf("%s\n", fit.verdict.message.c_str());
  return fit.verdict.failed ? 1 : 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
