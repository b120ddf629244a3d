/// \file Fit::summarize(): in closed form where there is one, else by quadrature or draws.

#include <cmath>

#include "jensen/fit.hpp"
#include "posterior/draw_summary.hpp"
#include "posterior/fit_shape.hpp"
#include "posterior/normal_expectation.hpp"
#include "posterior/parameter_draws.hpp"

namespace jensen {
namespace {

double variance_of(const Fit& fit, std::size_t place) {
  const std::size_t columns = factor_columns(fit);
  double variance = 0;
  for (std::size_t j = 0; j < columns; ++j) {
    const double value = fit.factor[place * columns + j];
    variance += value * value;
  }
  return variance;
}

/// Of f(u), u ~ N(m, s), f increasing.
template <class F>
ParameterSummary of_increasing(double m, double s, F f) {
  ParameterSummary row;
  row.mean = normal_expectation(m, s, f);
  const double variance = normal_expectation(m, s, [&](double u) { return (f(u) - row.mean) * (f(u) - row.mean); });
  row.sd = std::sqrt(variance);
  row.q05 = f(m - normal_95 * s);
  row.q50 = f(m);
  row.q95 = f(m + normal_95 * s);
  return row;
}

ParameterSummary of_lognormal(double m, double variance) {
  const double s = std::sqrt(variance);
  const double mean = std::exp(m + variance / 2);
  return {"",
          mean,
          mean * std::sqrt(std::expm1(variance)),
          std::exp(m - normal_95 * s),
          std::exp(m),
          std::exp(m + normal_95 * s)};
}

/// Correlations that are not the tanh of one coordinate: all of a group of more than two effects.
std::vector<bool> mixed_correlations(const Fit& fit) {
  std::vector<bool> mixed(fit.parameters.size(), false);
  for (const GroupPosterior& group : fit.groups) {
    const std::size_t q = group.effects.size();
    if (group.first_correlation == 0 || q < 3) continue;
    for (std::size_t k = 0; k < q * (q - 1) / 2; ++k) mixed[group.first_correlation + k] = true;
  }
  return mixed;
}

}  // namespace

std::vector<ParameterSummary> Fit::summarize() const {
  std::vector<ParameterSummary> out;
  std::vector<std::size_t> by_draws;
  const std::vector<bool> mixed = mixed_correlations(*this);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const double m = mean[i];
    const double variance = variance_of(*this, i);
    const double s = std::sqrt(variance);
    ParameterSummary row;
    switch (parameters[i].transform) {
      case Transform::identity:
        row = {"", m, s, m - normal_95 * s, m, m + normal_95 * s};
        break;
      case Transform::exponential:
        row = of_lognormal(m, variance);
        break;
      case Transform::logistic:
        row = of_increasing(m, s, [](double u) { return 1 / (1 + std::exp(-u)); });
        break;
      case Transform::correlation:
        if (mixed[i]) {
          by_draws.push_back(i);
        } else {
          row = of_increasing(m, s, [](double u) { return std::tanh(u); });
        }
        break;
      case Transform::increment:
        by_draws.push_back(i);
        break;
    }
    row.name = parameters[i].name;
    out.push_back(std::move(row));
  }
  if (by_draws.empty()) return out;
  const ParameterDraws draws(*this, {summary_seed, 0, summary_draws, true});
  for (const std::size_t i : by_draws) {
    const std::span<const double> value = draws.value(i);
    std::vector<double> copy(value.begin(), value.end());
    const DrawSummary s = summarize_draws(copy);
    out[i] = {std::move(out[i].name), s.mean, s.sd, s.q05, s.q50, s.q95};
  }
  return out;
}

}  // namespace jensen
