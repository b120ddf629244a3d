/// \file Where the training of any log joint starts: at the mode, whatever the log joint does elsewhere.

#include "model/normal_start.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "jensen/errors.hpp"

namespace jensen {
namespace {

using Vector = std::vector<double>;

/// Rows of value and gradient from a function of one point.
template <class F>
JointAt joint_of(std::size_t d, F f) {
  return [d, f](std::span<const double> points) {
    Vector out;
    for (std::size_t s = 0; s < points.size() / d; ++s) {
      Vector g(d);
      out.push_back(f(points.data() + s * d, g.data()));
      out.insert(out.end(), g.begin(), g.end());
    }
    return out;
  };
}

StartPoint from(Vector u, Vector scale) { return {std::move(u), std::move(scale), true, 1}; }

void expect_finite(const NormalStart& start) {
  for (const Vector* values : {&start.factor.values, &start.inverse.values, &start.shift}) {
    for (const double value : *values) EXPECT_TRUE(std::isfinite(value));
  }
  for (std::size_t i = 0; i < start.factor.rows; ++i) EXPECT_GT(start.factor(i, i), 0);
}

// H = [[4, 1], [1, 9]] / 100 about (30, -20), from 0 with scale 1.
TEST(NormalStart, IsModeAndCurvatureOfANormal) {
  const auto joint = joint_of(2, [](const double* u, double* g) {
    const double a = u[0] - 30, b = u[1] + 20;
    g[0] = -(4 * a + b) / 100;
    g[1] = -(a + 9 * b) / 100;
    return 0.5 * (a * g[0] + b * g[1]);
  });
  const NormalStart start = find_normal_start(joint, from({}, {1, 1}), 2);
  EXPECT_NEAR(start.shift[0], 30, 0.05 * 5);  // within 1e-3 nats, which are 0.05 sds
  EXPECT_NEAR(start.shift[1], -20, 0.05 * 3.4);
  const auto& r = start.inverse;  // A^-T A^-1 = H, so R^T R
  EXPECT_NEAR(r(0, 0) * r(0, 0), 0.04, 1e-8);
  EXPECT_NEAR(r(0, 0) * r(0, 1), 0.01, 1e-8);
  EXPECT_NEAR(r(0, 1) * r(0, 1) + r(1, 1) * r(1, 1), 0.09, 1e-8);
  EXPECT_EQ(r(1, 0), 0);
  const Matrix identity = start.factor * start.inverse;
  for (std::size_t i = 0; i < 2; ++i) {
    for (std::size_t j = 0; j < 2; ++j) EXPECT_NEAR(identity(i, j), i == j ? 1 : 0, 1e-12);
  }
}

// -exp(-u): no mode, and ever less to gain.
TEST(NormalStart, EndsWhereTheModeIsAtInfinity) {
  const auto joint = joint_of(1, [](const double* u, double* g) {
    g[0] = std::exp(-u[0]);
    return -std::exp(-u[0]);
  });
  expect_finite(find_normal_start(joint, from({}, {1}), 1));
  const auto line = joint_of(1, [](const double* u, double* g) {  // no curvature at all
    g[0] = 1;
    return u[0];
  });
  expect_finite(find_normal_start(line, from({}, {1}), 1));
}

// Flat by one coordinate and of fourth order in another; then a saddle, which is all that is finite.
TEST(NormalStart, MakesTheCurvaturePositiveDefinite) {
  const auto flat = joint_of(3, [](const double* u, double* g) {
    g[0] = -u[0];
    g[1] = 0;
    g[2] = -u[2] * u[2] * u[2];
    return -0.5 * u[0] * u[0] - 0.25 * u[2] * u[2] * u[2] * u[2];
  });
  expect_finite(find_normal_start(flat, from({}, {1, 2, 1}), 3));
  const auto saddle = joint_of(2, [](const double* u, double* g) {
    g[0] = -u[0];
    g[1] = u[1];
    return std::abs(u[1]) < 0.002 ? 0.5 * (u[1] * u[1] - u[0] * u[0]) : std::nan("");
  });
  const NormalStart start = find_normal_start(saddle, from({}, {1, 1}), 2);
  EXPECT_EQ(start.shift, (Vector{0, 0}));
  expect_finite(start);
}

// Finite for u > 0 alone, and the climb's first step goes beyond.
TEST(NormalStart, StepsAroundWhatIsNotFinite) {
  const auto joint = joint_of(1, [](const double* u, double* g) {
    g[0] = 1 / u[0] - 50;
    return u[0] > 0 ? std::log(u[0]) - 50 * u[0] : std::nan("");
  });
  const NormalStart start = find_normal_start(joint, from({3}, {2}), 1);
  EXPECT_NEAR(start.shift[0], 0.02, 0.05 * 0.02);
  EXPECT_NEAR(start.factor(0, 0), 0.02, 0.2 * 0.02);
}

// Of two modes the climb from 0 finds the lower one, others the higher.
TEST(NormalStart, TakesTheHighestOfTheModesItFinds) {
  const auto joint = joint_of(1, [](const double* u, double* g) {
    const double low = std::exp(-0.5 * 25 * (u[0] - 0.5) * (u[0] - 0.5));
    const double high = 3 * std::exp(-0.5 * 25 * (u[0] + 1.5) * (u[0] + 1.5));
    g[0] = -25 * (low * (u[0] - 0.5) + high * (u[0] + 1.5)) / (low + high);
    return std::log(low + high);
  });
  EXPECT_NEAR(find_normal_start(joint, from({}, {1}), 1).shift[0], -1.5, 0.05 * 0.2);
}

// Gradients so steep that their differences overflow say nothing of the curvature: the scale stands in.
TEST(NormalStart, EndsWhereDifferencesOfGradientsOverflow) {
  constexpr double huge = 1.5e308;
  const auto joint = joint_of(1, [](const double* u, double* g) {
    g[0] = u[0] < 0 ? huge : u[0] > 0 ? -huge : 0;
    return -std::abs(u[0]);
  });
  expect_finite(find_normal_start(joint, from({}, {2}), 1));
}

TEST(NormalStart, SaysWhereNothingIsFinite) {
  const auto joint = joint_of(2, [](const double*, double*) { return std::numeric_limits<double>::quiet_NaN(); });
  EXPECT_THROW(find_normal_start(joint, from({}, {1, 1}), 2), InputError);
}

TEST(NormalStart, WithoutGradientsIsWhatWasGiven) {
  const StartPoint first{{1, 2}, {0.5, 4}, false, 1};
  const NormalStart start = find_normal_start({}, first, 2);
  EXPECT_EQ(start.shift, first.u);
  EXPECT_EQ(start.factor.values, (Vector{0.5, 0, 0, 4}));
}

}  // namespace
}  // namespace jensen
