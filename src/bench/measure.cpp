#include "bench/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace jensen {
namespace {

/// A repeat takes at least so long: a hundred thousand ticks of the clock, and a thousand launches' jitter.
constexpr double least_seconds = 2e-3;
constexpr int most_calls = 10'000;

/// Between the two nearest of the sorted numbers.
double quantile(const std::vector<double>& sorted, double q) {
  const double place = q * static_cast<double>(sorted.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (place - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

}  // namespace

BenchTime quartiles(std::vector<double> seconds) {
  std::ranges::sort(seconds);
  return {quantile(seconds, 0.5), quantile(seconds, 0.25), quantile(seconds, 0.75), static_cast<int>(seconds.size())};
}

double median(std::vector<double> values) { return quartiles(std::move(values)).median; }

BenchTime measure(const std::function<double(int)>& time, const Repeats& repeats, double pieces,
                  const std::function<void()>& between) {
  using Clock = std::chrono::steady_clock;
  const double cold = time(1);  // warms up
  double took = pieces * std::min(cold, time(1));
  int calls = 1;
  while (took < least_seconds && calls < most_calls) {
    const double enough = std::ceil(calls * least_seconds / std::max(took, 1e-9));
    calls = static_cast<int>(std::clamp(enough, calls + 1.0, double{most_calls}));
    took = pieces * time(calls);
  }
  const auto begin = Clock::now();
  std::vector<double> seconds;
  for (int r = 0; r < repeats.wanted; ++r) {
    const bool late = std::chrono::duration<double>(Clock::now() - begin).count() > repeats.budget;
    if (late && r >= repeats.least) break;
    between();
    seconds.push_back(time(calls) / calls);
  }
  return quartiles(std::move(seconds));
}

}  // namespace jensen
