#include "guide_width.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

namespace jensen {
namespace {

constexpr std::size_t least_draws = 400;
constexpr double most_work = 1e9;     // multiply-adds: about a second
constexpr double worth_saying = 1.1;  // a ratio of sds
constexpr double standard_errors = 3;

/// In proportion to p/q, cut at sqrt(n) times their mean, and summing to 1.
std::vector<double> truncated_weights(std::span<const double> log_ratio) {
  double largest = -std::numeric_limits<double>::infinity();
  for (const double value : log_ratio) {
    if (std::isfinite(value)) largest = std::max(largest, value);
  }
  std::vector<double> weights(log_ratio.size());
  double sum = 0;
  for (std::size_t s = 0; s < weights.size(); ++s) {
    if (std::isfinite(log_ratio[s])) weights[s] = std::exp(log_ratio[s] - largest);
    sum += weights[s];
  }
  const double most = sum / std::sqrt(static_cast<double>(weights.size()));
  sum = 0;
  for (double& w : weights) sum += w = std::min(w, most);
  for (double& w : weights) w /= sum;
  return weights;
}

/// ratio^2 and its standard error.
struct Variance {
  double ratio, error;
};
Variance variance_of(const std::vector<double>& t, const std::vector<double>& weights) {
  const double each = 1 / static_cast<double>(t.size());
  double shift = 0, excess = 0, weighted = 0;
  for (std::size_t s = 0; s < t.size(); ++s) {
    const double square = t[s] * t[s] - 1;
    shift += (weights[s] - each) * t[s];
    excess += (weights[s] - each) * square;
    weighted += weights[s] * square;
  }
  double error = 0;
  for (std::size_t s = 0; s < t.size(); ++s) {
    const double square = t[s] * t[s] - 1;
    const double influence = weights[s] * (square - weighted) - each * square;
    error += influence * influence;
  }
  return {1 + excess - shift * shift, std::sqrt(error)};
}

}  // namespace

GuideWidth guide_width(std::span<const Parameter> parameters, std::span<const double> factor,
                       std::span<const float> noise, std::span<const double> log_ratio) {
  if (log_ratio.empty() || parameters.empty()) return {};
  const std::size_t columns = noise.size() / log_ratio.size();
  const double affordable = most_work / (static_cast<double>(parameters.size()) * static_cast<double>(columns));
  const std::size_t draws =
      affordable < static_cast<double>(log_ratio.size()) ? static_cast<std::size_t>(affordable) : log_ratio.size();
  if (draws < least_draws) return {};
  const std::vector<double> weights = truncated_weights(log_ratio.first(draws));
  std::vector<Variance> all(parameters.size());
#pragma omp parallel
  {
    std::vector<double> t(draws);
#pragma omp for schedule(static)
    for (std::int64_t i = 0; i < static_cast<std::int64_t>(parameters.size()); ++i) {
      const double* row = factor.data() + static_cast<std::size_t>(i) * columns;
      const Transform transform = parameters[static_cast<std::size_t>(i)].transform;
      const bool positive = transform == Transform::exponential || transform == Transform::increment;
      double square = 0;
      for (std::size_t j = 0; j < columns; ++j) square += row[j] * row[j];
      for (std::size_t s = 0; s < draws; ++s) {
        double u = 0;
        for (std::size_t j = 0; j < columns; ++j) u += row[j] * static_cast<double>(noise[s * columns + j]);
        t[s] = positive ? std::expm1(u - 0.5 * square) / std::sqrt(std::expm1(square)) : u / std::sqrt(square);
      }
      all[static_cast<std::size_t>(i)] = variance_of(t, weights);
    }
  }
  GuideWidth widest;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto& [ratio, error] = all[i];
    if (!(ratio - standard_errors * error > 1) || ratio < worth_saying * worth_saying) continue;
    if (std::sqrt(ratio) > widest.sd_ratio) widest = {std::sqrt(ratio), i};
  }
  return widest;
}

}  // namespace jensen
