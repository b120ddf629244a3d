// Training in a loop of the program's own: a stop rule, a checkpoint, and the run that goes on from it.
#include <cmath>
#include <cstdio>
#include <exception>
#include <random>
#include <span>
#include <vector>

#include "jensen/jensen.hpp"

namespace {

/// Steps in hundreds until the ELBO has risen by less than its standard error, or the library's own rule ends training.
void train_until_flat(jensen::Trainer& trainer) {
  double before = -INFINITY;
  while (!trainer.done()) {
    for (int i = 0; i < 100 && !trainer.done(); ++i) trainer.step();
    const jensen::Elbo now = trainer.elbo();
    std::printf("step %5lld  ELBO %9.2f +- %.2f\n", static_cast<long long>(trainer.steps()), now.mean, now.se);
    if (now.mean - before < now.se) return;
    before = now.mean;
  }
}

}  // namespace

int main() try {
  std::vector<double> x(1000);
  std::vector<double> y(x.size());
  std::mt19937 bits(11);
  std::normal_distribution<double> normal;
  for (std::size_t i = 0; i < x.size(); ++i) {
    x[i] = normal(bits);
    y[i] = std::poisson_distribution<int>(std::exp(0.5 + 0.4 * x[i]))(bits);
  }
  jensen::Table table("counts");
  table.add("x", std::span<const double>(x));
  table.add("y", std::span<const double>(y));
  jensen::TrainOptions options;
  options.family = jensen::Family::poisson;

  jensen::Trainer trainer("y ~ 1 + x", table, options);
  train_until_flat(trainer);
  const std::vector<std::byte> checkpoint = trainer.state();  // to a file, or wherever the program keeps its own
  const jensen::Fit fit = trainer.run();                      // on, until the library's rule ends it

  // Another process does the same: it makes the trainer from the same data and options, and restores the state.
  jensen::Trainer resumed("y ~ 1 + x", table, options);
  resumed.restore(checkpoint);
  const jensen::Fit again = resumed.run();

  std::printf("%s\n", fit.verdict.message.c_str());
  const bool same_bits = fit.mean == again.mean && fit.factor == again.factor;
  std::printf("resumed: %s\n", same_bits ? "the same bits" : "other bits");
  return same_bits ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
