// The slope of y = 3 - 1.5 x + noise, from memory that this program owns.
#include <cmath>
#include <cstdio>
#include <exception>
#include <jensen/jensen.hpp>
#include <span>
#include <vector>

int main() try {
  std::vector<double> x(500);
  std::vector<double> y(x.size());
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double t = static_cast<double>(i);
    x[i] = std::sin(t);
    y[i] = 3.0 - 1.5 * x[i] + 0.1 * std::sin(12.9898 * t * t);
  }
  jensen::Table table("consumer");
  table.add("x", std::span<const double>(x));
  table.add("y", std::span<const double>(y));
  const jensen::Fit fit = jensen::train("y ~ 1 + x", table);
  for (const jensen::ParameterSummary& p : fit.summarize()) {
    if (p.name == "b_x") {
      std::printf("jensen %s: b_x = %.3f, truth -1.5\n", jensen::build_info().version.c_str(), p.mean);
      return std::abs(p.mean + 1.5) < 0.05 ? 0 : 1;
    }
  }
  std::fprintf(stderr, "no parameter b_x\n");
  return 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
