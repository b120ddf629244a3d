#include "posterior/draw_summary.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace jensen {
namespace {

/// `draws` from `sorted_before` on are not smaller than those before it.
double quantile(std::span<double> draws, double p, std::size_t& sorted_before) {
  const double position = p * static_cast<double>(draws.size() - 1);
  const auto below = static_cast<std::size_t>(position);
  const auto begin = draws.begin() + static_cast<std::ptrdiff_t>(std::min(sorted_before, below));
  const auto at = draws.begin() + static_cast<std::ptrdiff_t>(below);
  std::nth_element(begin, at, draws.end());
  sorted_before = below;
  const double share = position - static_cast<double>(below);
  if (share == 0) return *at;
  const double next = *std::min_element(at + 1, draws.end());
  return next == *at ? next : *at + share * (next - *at);
}

}  // namespace

DrawSummary summarize_draws(std::span<double> draws) {
  const auto n = static_cast<double>(draws.size());
  double sum = 0;
  for (const double value : draws) sum += value;
  if (draws.empty() || std::ranges::any_of(draws, [](double value) { return std::isnan(value); })) {
    const double none = std::numeric_limits<double>::quiet_NaN();
    return {none, none, none, none, none};
  }
  DrawSummary out{sum / n, 0, 0, 0, 0};
  double squares = 0;
  for (const double value : draws) squares += (value - out.mean) * (value - out.mean);
  out.sd = draws.size() > 1 ? std::sqrt(squares / (n - 1)) : 0;
  std::size_t sorted_before = 0;
  out.q05 = quantile(draws, 0.05, sorted_before);
  out.q50 = quantile(draws, 0.5, sorted_before);
  out.q95 = quantile(draws, 0.95, sorted_before);
  return out;
}

}  // namespace jensen
