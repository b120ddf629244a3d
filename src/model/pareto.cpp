#include "jensen/pieces.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace jensen {
namespace {

/// The first quartile of n sorted values.
std::size_t quartile_of(std::size_t n) { return (n + 2) / 4 - 1; }

/// Zhang & Stephens (2009): posterior mean of theta = -k / sigma under their data-dependent prior, then k.
double generalized_pareto_shape(const std::vector<double>& x) {
  const auto n = static_cast<double>(x.size());
  const auto m = static_cast<std::size_t>(30 + std::sqrt(n));
  const double quartile = x[quartile_of(x.size())];
  const auto mean_log = [&](double theta) {  // k as a function of theta
    double sum = 0;
    for (const double v : x) sum += std::log1p(-theta * v);
    return sum / n;
  };
  std::vector<double> theta(m), likelihood(m);
  for (std::size_t j = 0; j < m; ++j) {
    theta[j] = 1 / x.back() + (1 - std::sqrt(static_cast<double>(m) / (static_cast<double>(j) + 0.5))) / (3 * quartile);
    const double k = mean_log(theta[j]);
    likelihood[j] = n * (std::log(-theta[j] / k) - k - 1);
  }
  double mean_theta = 0;
  for (std::size_t j = 0; j < m; ++j) {
    double sum = 0;
    for (std::size_t i = 0; i < m; ++i) sum += std::exp(likelihood[i] - likelihood[j]);
    mean_theta += theta[j] / sum;
  }
  const double k = mean_log(mean_theta);
  return (k * n + 0.5 * 10) / (n + 10);  // prior: ten observations at k = 0.5
}

}  // namespace

double pareto_khat(std::vector<double> log_ratio) {
  const std::size_t draws = log_ratio.size();
  if (draws < 25) return std::numeric_limits<double>::quiet_NaN();
  for (const double value : log_ratio) {
    if (!std::isfinite(value)) return std::numeric_limits<double>::infinity();
  }
  std::sort(log_ratio.begin(), log_ratio.end());
  const auto count = static_cast<double>(draws);
  const auto tail = static_cast<std::size_t>(std::ceil(std::min(0.2 * count, 3 * std::sqrt(count))));
  const double largest = log_ratio.back();
  const double threshold = std::exp(log_ratio[draws - tail - 1] - largest);
  std::vector<double> excess;
  for (std::size_t i = draws - tail; i < draws; ++i) excess.push_back(std::exp(log_ratio[i] - largest) - threshold);
  if (excess.back() <= 1e-10) return 0;  // all ratios alike (q is p up to rounding): no tail at all
  // Most of the tail is zero next to the largest, or tied with the threshold: nothing to fit.
  if (excess[quartile_of(tail)] <= 0) return std::numeric_limits<double>::infinity();
  return generalized_pareto_shape(excess);
}

}  // namespace jensen
