// A logistic regression without a formula, on columns that the program owns.
#include <cmath>
#include <cstdio>
#include <exception>
#include <random>
#include <vector>

#include "jensen/terms.hpp"

int main() try {
  constexpr std::size_t rows = 3000, columns = 3;
  const double truth[columns] = {-0.5, 1.0, 0.25};
  std::vector<float> x, y;
  std::mt19937 bits(7);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  for (std::size_t i = 0; i < rows; ++i) {
    const double row[columns] = {1, normal(bits), normal(bits)};
    double eta = 0;
    for (std::size_t k = 0; k < columns; ++k) {
      eta += truth[k] * row[k];
      x.push_back(static_cast<float>(row[k]));
    }
    y.push_back(uniform(bits) < 1 / (1 + std::exp(-eta)) ? 1.0F : 0.0F);
  }

  jensen::TermModel model;
  const jensen::Block beta = model.block("beta", columns, jensen::Support::real, "normal(0, 2.5)");
  jensen::ModelTerm likelihood;
  likelihood.rows = rows;
  likelihood.family = jensen::Family::bernoulli;
  likelihood.link = jensen::Link::logit;
  likelihood.y = y;
  likelihood.arguments.resize(1);
  likelihood.arguments[0].dense = {{x, beta}};  // x is read where it lies
  model.add(likelihood);
  const jensen::Fit fit = jensen::train(model);

  bool good = !fit.verdict.failed;
  const auto summary = fit.summarize();
  for (std::size_t k = 0; k < columns; ++k) {
    std::printf("%-8s mean %8.4f  sd %7.4f  truth %7.4f\n", summary[k].name.c_str(), summary[k].mean, summary[k].sd,
                truth[k]);
    good = good && std::abs(summary[k].mean - truth[k]) < 4 * summary[k].sd;
  }
  std::printf("%s\n", fit.verdict.message.c_str());
  return good ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
