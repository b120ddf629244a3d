#include "bench/memory.hpp"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "bench/problem_spec.hpp"

namespace jensen {
namespace {

/// The first number of a file, or after a word in it; -1 if there is none.
double number_in(const std::string& path, const std::string& after = "") {
  std::ifstream file(path);
  for (std::string word; !after.empty() && file >> word;) {
    if (word == after) break;
  }
  double value = -1;
  return file >> value ? value : -1;
}

}  // namespace

double available_memory() {
  double bytes = 1024 * number_in("/proc/meminfo", "MemAvailable:");
  const double most = number_in("/sys/fs/cgroup/memory.max");
  if (most > 0) {
    const double left = std::max(most - number_in("/sys/fs/cgroup/memory.current"), 1.0);
    bytes = bytes > 0 ? std::min(bytes, left) : left;
  }
  return std::max(bytes, 0.0);
}

std::size_t last_cache_bytes() {
  // The C library multiplies by the number of such caches in some machines: here it is what one core can use.
  double bytes = 0;
  for (int index = 0; index < 8; ++index) {
    const std::string path = "/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(index) + "/size";
    bytes = std::max(bytes, 1024 * number_in(path));  // as "32768K"
  }
  return bytes > 0 ? static_cast<std::size_t>(bytes) : std::size_t{32} << 20U;
}

double bytes_needed(const BenchProblem& problem, int samples) {
  const auto n = static_cast<double>(problem.rows);
  const auto k = static_cast<double>(problem.columns);
  const double most = std::max(samples + 1, 16) + 16;  // with the engine's padding
  const auto head = static_cast<double>(head_dimension(problem));
  const auto levels = static_cast<double>(problem.levels);
  // columns, up to three constants, four of thresholds, levels and their order
  double bytes = 4 * n * (k + 3 + (problem.family == Family::cumulative ? 4 : 0) + (problem.levels > 0 ? 3 : 0));
  bytes += 8 * 2048 * most * (1 + head);                   // blocks' sums: no more than 2,048 blocks
  bytes += 4 * k * k + 2 * head * std::min(head, 2048.0);  // priors' rows, fullrank's factor
  bytes +=
      4 * most * static_cast<double>(std::min(problem.rows, default_batch_of(problem))) * (problem.levels > 0 ? 2 : 0);
  bytes += 4 * most * 16384 * 16;                   // values of rows of terms of general shape
  bytes += levels * (4 * most * 6 + 4 * (k + 20));  // effects, their noise and sums, their guide and coupling
  return bytes + 256e6;                             // the check's sums
}

std::int64_t rows_that_fit(BenchProblem problem, int samples, double bytes) {
  const auto fits = [&](std::int64_t rows) {
    problem.rows = rows;
    return bytes_needed(problem, samples) <= bytes;
  };
  std::int64_t low = 0, high = problem.rows;
  if (fits(high)) return high;
  while (low + 1 < high) {
    const std::int64_t middle = low + (high - low) / 2;
    (fits(middle) ? low : high) = middle;
  }
  return low;
}

}  // namespace jensen
