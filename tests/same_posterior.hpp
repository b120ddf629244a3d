#pragma once
/// \file Two ways to the same posterior.

#include <gtest/gtest.h>

#include <cmath>

#include "jensen/fit.hpp"

namespace jensen::test {

/// Names of parameters aside; evidence within the fits' own errors and `elbo` nats, by which two guides that each stand
/// a tenth of a sd off may differ (0.1^2 / 2 a parameter; here are at most eight).
inline void expect_same_posterior(const Fit& expected, const Fit& fit, double elbo = 0.05) {
  const auto want = expected.summarize(), got = fit.summarize();
  ASSERT_EQ(got.size(), want.size());
  for (std::size_t i = 0; i < got.size(); ++i) {
    // Each fit's averaged lambda moves by a few hundredths of a posterior sd between runs (Verdict::drift).
    EXPECT_NEAR(got[i].mean, want[i].mean, 0.1 * want[i].sd) << want[i].name;
    EXPECT_NEAR(got[i].sd / want[i].sd, 1, 0.1) << want[i].name;
  }
  EXPECT_NEAR(fit.elbo, expected.elbo, elbo + 4 * std::hypot(fit.elbo_se, expected.elbo_se));
}

}  // namespace jensen::test
