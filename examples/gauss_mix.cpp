// A mixture of two normals as a density of one's own:  gauss_mix examples/data/posteriors
#include "gauss_mix.hpp"

#include <cstdio>
#include <exception>
#include <vector>

#include "jensen/terms.hpp"
#include "reference.hpp"

int main(int argc, char** argv) try {
  const std::vector<float> y =
      argc < 2 ? std::vector<float>()
               : numbers(std::string(argv[1]) + "/low_dim_gauss_mix-low_dim_gauss_mix/data.json", "y");
  if (y.empty()) {
    std::fprintf(stderr, "no data: give the folder of posteriors, examples/data/posteriors\n");
    return 2;
  }
  jensen::TermModel model;
  const jensen::Block mu = model.block("mu", 2, jensen::Support::increasing, "normal(0, 2)");
  const jensen::Block sigma = model.block("sigma", 2, jensen::Support::positive, "half_normal(2)");
  const jensen::Block theta = model.block("theta", 1, jensen::Support::unit, "beta(5, 5)");
  jensen::ModelTerm likelihood;
  likelihood.rows = y.size();
  likelihood.custom = &jensen::density<TwoNormals>();
  likelihood.constants = {y};
  likelihood.arguments.resize(5);
  likelihood.arguments[0].scalars = {{mu, 0}};
  likelihood.arguments[1].scalars = {{mu, 1}};
  likelihood.arguments[2].scalars = {{sigma, 0}};
  likelihood.arguments[3].scalars = {{sigma, 1}};
  likelihood.arguments[4].scalars = {{theta}};
  model.add(likelihood);
  const jensen::Fit fit = jensen::train(model);

  constexpr Reference references[] = {{"mu[1]", -2.733514, 0.042045},
                                      {"mu[2]", 2.869832, 0.05460333},
                                      {"sigma[1]", 1.028074, 0.03143746},
                                      {"sigma[2]", 1.023822, 0.04048397},
                                      {"theta", 0.6215493, 0.01548102}};
  bool good = !fit.verdict.failed;
  const auto summary = fit.summarize();
  for (std::size_t k = 0; k < summary.size(); ++k) good = agrees(references[k], summary[k].mean, summary[k].sd) && good;
  std::printf("%s\n", fit.verdict.message.c_str());
  return good ? 0 : 1;
} catch (const std::exception& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
