// A density of one's own: regression for counts that are less spread than Poisson's, on simulated data.
#include "double_poisson.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <exception>
#include <random>
#include <vector>

#include "jensen/terms.hpp"

int main() try {
  // Rounded normals of mean mu and variance mu / phi: what the double Poisson is close to at such means.
  constexpr std::size_t rows = 4000;
  constexpr double intercept = 3, slope = 0.4, phi = 2.5;
  std::vector<float> x, y, log_y;
  std::mt19937 bits(7);
  std::normal_distribution<double> normal;
  for (std::size_t i = 0; i < rows; ++i) {
    const double value = normal(bits);
    const double mu = std::exp(intercept + slope * value);
    const double count = std::max(0.0, std::round(mu + std::sqrt(mu / phi) * normal(bits)));
    x.insert(x.end(), {1.0F, static_cast<float>(value)});
    y.push_back(static_cast<float>(count));
    log_y.push_back(count > 0 ? static_cast<float>(std::log(count)) : 0.0F);
  }

  jensen::TermModel model;
  const jensen::Block beta = model.block("beta", 2, jensen::Support::real, "normal(0, 5)");
  const jensen::Block dispersion = model.block("phi", 1, jensen::Support::positive);
  model.prior(dispersion, jensen::density<jensen::OnPositive<BetaPrime>>());
  jensen::ModelTerm likelihood;
  likelihood.rows = rows;
  likelihood.custom = &jensen::density<DoublePoisson>();
  likelihood.constants = {y, log_y};
  likelihood.arguments.resize(2);
  likelihood.arguments[0].dense = {{x, beta}};
  likelihood.arguments[1].scalars = {{dispersion}};
  model.add(likelihood);
  const jensen::Fit fit = jensen::train(model);

  const double truth[] = {intercept, slope, phi};
  bool good = !fit.verdict.failed;
  const auto summary = fit.summarize();
  for (std::size_t i = 0; i < summary.size(); ++i) {
    std::printf("%-10s mean %8.4f  sd %7.4f  truth %7.4f\n", summary[i].name.c_str(), summary[i].mean, summary[i].sd,
                truth[i]);
    good = good && std::abs(summary[i].mean - truth[i]) < 4 * summary[i].sd;
  }
  std::printf("%s\n", fit.verdict.message.c_str());
  return good ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
