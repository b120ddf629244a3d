#include "bench/measure.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>

namespace jensen {
namespace {

/// A repeat takes at least so long: a hundred thousand ticks of the clock, and a thousand launches' jitter.
constexpr double least_seconds = 2e-3;
constexpr int most_calls = 10'000;

double quantile(const std::vector<double>& sorted, double q) {
  return sorted[static_cast<std::size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5)];
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
  time(1);  // warms up
  const double once = std::max(pieces * time(1), 1e-9);
  const int calls = static_cast<int>(std::clamp(std::ceil(least_seconds / once), 1.0, double{most_calls}));
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
