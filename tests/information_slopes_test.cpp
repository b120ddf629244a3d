#include "model/information_slopes.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "mixed_data.hpp"
#include "model/mode.hpp"

namespace jensen {
namespace {

using testing::mixed_data;
using testing::MixedData;

constexpr std::size_t schools = 40, classes = 3, rows_each = 4;

MixedData nested() {
  const auto school = [](std::size_t i) { return static_cast<std::int32_t>(i / (classes * rows_each)); };
  const auto of_class = [](std::size_t i) { return static_cast<std::int32_t>(i / rows_each); };
  return mixed_data(schools * classes * rows_each, 1,
                    {{1, schools, false, school}, {1, schools * classes, false, of_class}});
}

/// With the classes integrated out W of a school is classes / (tau^2 + sigma^2 / rows_each).
TEST(InformationSlopes, OfNestedGroupsAreTheClosedForm) {
  const MixedData data = nested();
  for (const bool in_head : {false, true}) {
    SCOPED_TRACE(in_head);
    ModeProblem problem = data.problem(DensityKind::gaussian, false);
    problem.blocks[0].groups[0].in_head = in_head;
    const std::vector<BlockNormal> found = find_mode(problem);
    const GroupMode &school = found[0].groups[0], &of_class = found[0].groups[1];
    const double class_variance = of_class.factor[0] * of_class.factor[0];
    const double row_variance = std::exp(2 * found[1].mean[0]) / rows_each;
    const double share = class_variance / (class_variance + row_variance);
    // central differences by the log sds, of steps h = 0.1: relative errors of at most (2 h)^2 / 6; exact by log sigma
    EXPECT_NEAR(school.by_log_sd[1][0], -2 * share, 0.02);
    EXPECT_NEAR(school.by_argument[1], -2 * (1 - share), 0.02);
    EXPECT_NEAR(of_class.by_argument[1], -2, 0.02);
    EXPECT_EQ(school.by_argument[0], 0);
    EXPECT_EQ(school.by_log_sd[0][0], 0);
    EXPECT_EQ(of_class.by_log_sd[0][0], 0);
    EXPECT_EQ(of_class.by_log_sd[1][0], 0);
  }
}

/// Two effects of a class: moving both of their sds is moving their covariance by a factor.
TEST(InformationSlopes, ByTheSdsOfSeveralEffectsAndTheCurvatureAddUpToOne) {
  const auto school = [](std::size_t i) { return static_cast<std::int32_t>(i / 30); };
  const auto of_class = [](std::size_t i) { return static_cast<std::int32_t>(i / 6); };
  const MixedData data = mixed_data(600, 2, {{1, 20, false, school}, {2, 100, true, of_class}});
  const std::vector<BlockNormal> found = find_mode(data.problem(DensityKind::gaussian, false));
  const GroupMode& g = found[0].groups[0];
  const double by_sds = g.by_log_sd[1][0] + g.by_log_sd[1][1];
  EXPECT_LT(g.by_log_sd[1][0], -0.1);
  EXPECT_NE(g.by_log_sd[1][1], 0);
  EXPECT_NEAR(by_sds + g.by_argument[1], -2, 0.02);
}

TEST(InformationSlopes, FollowTheShapeOfAGamma) {
  MixedData data = nested();
  for (double& y : data.y) y *= 0.3;  // now a logarithm
  ModeProblem problem = data.problem(DensityKind::gaussian, false);
  problem.density = DensityKind::gamma_log;
  problem.blocks[0].groups.pop_back();
  const std::vector<BlockNormal> found = find_mode(problem);
  EXPECT_NEAR(found[0].groups[0].by_argument[1], 1, 0.01);  // every row's curvature is shape y / mu
}

}  // namespace
}  // namespace jensen
