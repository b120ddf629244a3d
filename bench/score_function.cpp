/// \file What the score function costs: a normal posterior of D independent parameters, fitted with gradients and
/// without.
///
///     jensen_bench_score_function [JSON FILE]
///
/// Sds are 0.5, 1, 1.5 by turns; the fit starts from 0 with scale 1 and runs by its own rules. Counted are evaluations
/// of the log density; errors are the largest of a mean, in sds, and of an sd, relative.

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "jensen/jensen.hpp"
#include "json_report.hpp"

namespace {

double sd_of(std::size_t i) { return 0.5 + 0.5 * static_cast<double>(i % 3); }

struct Independent : jensen::Target {
  bool gradient;
  std::size_t evaluations = 0;
  explicit Independent(bool with_gradient) : gradient(with_gradient) {}
  bool has_gradient() const override { return gradient; }
  void evaluate(const double* theta, std::size_t samples, std::size_t dimension, const jensen::Batch&,
                double* log_density, double* g) override {
    evaluations += samples;
    for (std::size_t s = 0; s < samples; ++s) {
      log_density[s] = 0;
      for (std::size_t i = 0; i < dimension; ++i) {
        const double z = (theta[s * dimension + i] - 0.5) / sd_of(i);
        log_density[s] -= 0.5 * z * z + std::log(sd_of(i)) + 0.9189385332046727;
        if (gradient) g[s * dimension + i] = -z / sd_of(i);
      }
    }
  }
};

/// The inside of a JSON object.
std::string fit(std::size_t dimension, int samples, bool gradient) {
  Independent target(gradient);
  jensen::TargetModel model;
  for (std::size_t i = 0; i < dimension; ++i) model.parameters.push_back({fmt::format("p{}", i + 1)});
  jensen::TrainOptions options;
  options.samples = samples;
  const jensen::Fit fit = jensen::train(target, model, options);
  double mean_error = 0, sd_error = 0;
  const auto summary = fit.summarize();
  for (std::size_t i = 0; i < dimension; ++i) {
    mean_error = std::max(mean_error, std::abs(summary[i].mean - 0.5) / sd_of(i));
    sd_error = std::max(sd_error, std::abs(summary[i].sd / sd_of(i) - 1));
  }
  fmt::print(
      "{:>3} parameters, {:>3} samples, {} gradients: {:>9} evaluations, error of a mean {:.3f}, of an sd {:.3f}\n",
      dimension, samples, gradient ? "with   " : "without", target.evaluations, mean_error, sd_error);
  return fmt::format(
      "\"parameters\": {}, \"samples\": {}, \"gradient\": {}, \"steps\": {}, \"evaluations\": {}, "
      "\"mean_error\": {:.4g}, \"sd_error\": {:.4g}, \"elbo\": {:.6g}, \"elbo_se\": {:.3g}, \"close\": {}",
      dimension, samples, gradient, fit.steps, target.evaluations, mean_error, sd_error, fit.elbo, fit.elbo_se,
      fit.verdict.close);
}

}  // namespace

int main(int argc, char** argv) {
  jensen::bench_report::JsonReport report("score_function", "cpu");
  for (const std::size_t dimension : {1U, 5U, 20U, 50U}) {
    report.add_case(fit(dimension, 14, true));
    report.add_case(fit(dimension, 64, false));
    if (dimension < 50) report.add_case(fit(dimension, 256, false));
  }
  return report.write(argc > 1 ? argv[1] : "") ? 0 : 2;
}
