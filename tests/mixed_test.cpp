/// \file Random intercepts and slopes of 2,000 levels, simulated: what training recovers.

#include <gtest/gtest.h>

#include <iostream>
#include <map>

#include "jensen/jensen.hpp"
#include "simulated_mixed.hpp"
#include "tolerances.hpp"

namespace jensen {
namespace {

TEST(Mixed, RecoversWhatWasSimulated) {
  constexpr std::size_t rows = 50'000, levels = 2'000;
  const testing::SimulatedMixed data(rows, levels, 1);
  const Fit fit = train(data.formula, data.table());
  EXPECT_TRUE(fit.verdict.converged) << fit.verdict.message;
  EXPECT_EQ(fit.verdict.nonfinite, 0);
  std::map<std::string, ParameterSummary> found;
  for (const ParameterSummary& s : fit.summarize()) found[s.name] = s;
  const std::map<std::string, double> truth{{"b_Intercept", data.intercept},           {"b_x", data.slope},
                                            {"sd_g__Intercept", data.intercept_sd},    {"sd_g__x", data.slope_sd},
                                            {"cor_g__Intercept__x", data.correlation}, {"sigma", data.sigma}};
  // Standard errors of each: a level's mean effect is known to (sd^2 + sigma^2 / n)^(1/2) at best, so posterior sds
  // must be about as large as the effects' own share, sd / sqrt(J), and no estimate off by more than its z-score.
  ASSERT_EQ(found.size(), truth.size());
  for (const auto& [name, value] : truth) {
    const ParameterSummary& s = found.at(name);
    EXPECT_LT(std::abs(s.mean - value) / s.sd, tolerance::z_one) << name;
    std::cout << name << ": " << s.mean << " (" << s.sd << "), true " << value << '\n';
  }
  const double root = std::sqrt(static_cast<double>(levels));
  const auto expect_sd = [&](const char* name, double least) {  // between the effects' share and 1.5 times that
    EXPECT_GT(found.at(name).sd / least, 0.98) << name;
    EXPECT_LT(found.at(name).sd / least, 1.6) << name;
  };
  expect_sd("b_Intercept", data.intercept_sd / root);
  expect_sd("b_x", data.slope_sd / root);
  expect_sd("sd_g__Intercept", data.intercept_sd / root / std::sqrt(2.0));
  expect_sd("sd_g__x", data.slope_sd / root / std::sqrt(2.0));
  expect_sd("cor_g__Intercept__x", (1 - data.correlation * data.correlation) / root);
  expect_sd("sigma", data.sigma / std::sqrt(2.0 * rows));

  const auto summary = fit.summarize_levels();
  ASSERT_EQ(summary.size(), 2 * levels);
  EXPECT_EQ(summary[5].name, "r_g[g00000002,x]");
  const auto coverage = data.coverage(summary);
  // Each share is binomial(J, 0.9) / J where the intervals are right.
  const double bound = tolerance::z_one * std::sqrt(0.9 * 0.1) / root;
  EXPECT_NEAR(coverage.intercept, 0.9, bound);
  EXPECT_NEAR(coverage.slope, 0.9, bound);
  std::cout << "coverage " << coverage.intercept << ", " << coverage.slope << "; " << fit.steps << " steps, "
            << fit.seconds << " s; " << fit.verdict.message << '\n';
}

}  // namespace
}  // namespace jensen
