// An autoregression on the five values before:  ark examples/data/posteriors.
#include <cstdio>
#include <exception>
#include <vector>

#include "jensen/terms.hpp"
#include "reference.hpp"

int main(int argc, char** argv) try {
  constexpr std::size_t lags = 5;
  const std::vector<float> series =
      argc < 2 ? std::vector<float>() : numbers(std::string(argv[1]) + "/arK-arK/data.json", "y");
  if (series.size() <= lags) {
    std::fprintf(stderr, "no data: give the folder of posteriors, examples/data/posteriors\n");
    return 2;
  }
  std::vector<float> x, y;
  for (std::size_t t = lags; t < series.size(); ++t) {
    for (std::size_t k = 1; k <= lags; ++k) x.push_back(series[t - k]);
    y.push_back(series[t]);
  }

  jensen::TermModel model;
  const jensen::Block alpha = model.block("alpha", 1, jensen::Support::real, "normal(0, 10)");
  const jensen::Block beta = model.block("beta", lags, jensen::Support::real, "normal(0, 10)");
  const jensen::Block sigma = model.block("sigma", 1, jensen::Support::positive, "half_cauchy(2.5)");
  jensen::ModelTerm likelihood;
  likelihood.rows = y.size();
  likelihood.y = y;
  likelihood.arguments.resize(2);  // mean, log sigma
  likelihood.arguments[0].dense = {{x, beta}};
  likelihood.arguments[0].scalars = {{alpha}};
  likelihood.arguments[1].scalars = {{sigma}};
  model.add(likelihood);
  const jensen::Fit fit = jensen::train(model);

  constexpr Reference references[] = {{"alpha", -0.0007186503, 0.01070822}, {"beta[1]", 0.6921633, 0.07055092},
                                      {"beta[2]", 0.4390431, 0.08730976},   {"beta[3]", 0.105816, 0.09308256},
                                      {"beta[4]", -0.03543504, 0.08604181}, {"beta[5]", -0.3015121, 0.06988314},
                                      {"sigma", 0.1505667, 0.007774716}};
  bool good = !fit.verdict.failed;
  const auto summary = fit.summarize();
  for (std::size_t i = 0; i < summary.size(); ++i) good = agrees(references[i], summary[i].mean, summary[i].sd) && good;
  std::printf("%s\n", fit.verdict.message.c_str());
  return good ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
