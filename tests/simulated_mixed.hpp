#pragma once
/// \file A random intercept and slope by level, simulated: y = 1 + u_g + (0.5 + v_g) x + N(0, 1), with (u, v) of sds
/// 0.5 and 0.3 and correlation 0.3, x standard normal.

#include <cmath>
#include <cstdint>
#include <cstdio>
#include <random>
#include <string>
#include <vector>

#include "jensen/fit.hpp"
#include "jensen/table.hpp"

namespace jensen::testing {

struct SimulatedMixed {
  static constexpr double intercept = 1, slope = 0.5, intercept_sd = 0.5, slope_sd = 0.3, correlation = 0.3, sigma = 1;

  std::vector<float> y, x;          ///< N
  std::vector<std::int32_t> level;  ///< N
  std::vector<float> effects;       ///< J x 2: u, v

  /// Levels are of uneven sizes: a row each, the others in proportion to a lognormal weight, so that with 50 rows a
  /// level most levels have between 10 and 130.
  SimulatedMixed(std::size_t rows, std::size_t levels, std::uint64_t seed) : y(rows), x(rows), level(rows) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    std::vector<double> weights(levels);
    for (double& weight : weights) weight = std::exp(0.8 * normal(random));
    for (std::size_t j = 0; j < levels; ++j) {
      const double first = normal(random);
      const double second = correlation * first + std::sqrt(1 - correlation * correlation) * normal(random);
      effects.push_back(static_cast<float>(intercept_sd * first));
      effects.push_back(static_cast<float>(slope_sd * second));
    }
    std::discrete_distribution<std::int32_t> pick(weights.begin(), weights.end());
    for (std::size_t i = 0; i < rows; ++i) {
      level[i] = i < levels ? static_cast<std::int32_t>(i) : pick(random);
      x[i] = static_cast<float>(normal(random));
      const float* effect = effects.data() + 2 * static_cast<std::size_t>(level[i]);
      const auto covariate = static_cast<double>(x[i]);
      y[i] = static_cast<float>(intercept + static_cast<double>(effect[0]) +
                                (slope + static_cast<double>(effect[1])) * covariate + sigma * normal(random));
    }
  }

  static constexpr const char* formula = "y ~ 1 + x + (1 + x | g)";

  /// A view of these columns.
  Table table() const {
    std::vector<std::string> names;  // of one width, so that they sort as the numbers do
    char name[16];
    for (std::size_t j = 0; 2 * j < effects.size(); ++j) {
      std::snprintf(name, sizeof name, "g%08zu", j);
      names.emplace_back(name);
    }
    Table table("simulated");
    table.add("y", y);
    table.add("x", x);
    table.add("g", level, std::move(names));
    return table;
  }

  /// Shares of levels whose intercept and slope lie within their 90 % intervals.
  struct Coverage {
    double intercept = 0, slope = 0;
  };
  Coverage coverage(const std::vector<ParameterSummary>& levels) const {
    Coverage coverage;
    const double share = 2 / static_cast<double>(effects.size());
    for (std::size_t i = 0; i < effects.size(); ++i) {
      const auto effect = static_cast<double>(effects[i]);
      const bool inside = levels.at(i).q05 <= effect && effect <= levels.at(i).q95;
      (i % 2 == 0 ? coverage.intercept : coverage.slope) += inside ? share : 0;
    }
    return coverage;
  }
};

}  // namespace jensen::testing
