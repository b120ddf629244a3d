#include "model/families.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <string>

#include "jensen/errors.hpp"
#include "model/response.hpp"

namespace jensen {
namespace {

template <class F>
std::string error_of(F f) {
  try {
    f();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Families, AreListedInTheirOrderUnderTheirNames) {
  const auto& all = all_families();
  ASSERT_EQ(all.size(), static_cast<std::size_t>(Family::categorical) + 1);
  for (std::size_t i = 0; i < all.size(); ++i) {
    EXPECT_EQ(all[i].family, static_cast<Family>(i));
    EXPECT_EQ(&info_of(all[i].family), &all[i]);
    EXPECT_EQ(parse_family(all[i].name), all[i].family);
    EXPECT_FALSE(all[i].summary.empty());
    EXPECT_FALSE(all[i].links.empty());
  }
}

TEST(Families, HaveADensityForEachLinkWithTheirParametersAsArguments) {
  for (const FamilyInfo& info : all_families()) {
    for (const Link link : info.links) {
      const DensityKind kind = density_of(info.family, link);
      if (kind == DensityKind::categorical) continue;
      const std::size_t thresholds = info.family == Family::cumulative ? 2 : 0;
      EXPECT_EQ(static_cast<std::size_t>(shared_arguments(kind)), info.others.size() + thresholds) << info.name;
    }
  }
}

TEST(Families, RefuseOtherLinks) {
  EXPECT_EQ(error_of([] { density_of(Family::poisson, Link::probit); }),
            "the poisson family has no probit link (--link); use log");
  EXPECT_EQ(error_of([] { density_of(Family::bernoulli, Link::log); }),
            "the bernoulli family has no log link (--link); use logit, probit or cloglog");
}

TEST(Links, ComeBackFromTheirNames) {
  for (const Link link : {Link::identity, Link::log, Link::logit, Link::probit, Link::cloglog, Link::softmax}) {
    EXPECT_EQ(parse_link(to_string(link)), link);
  }
  EXPECT_EQ(error_of([] { parse_link("logti"); }),
            "'logti' is not a link (--link); use identity, log, logit, probit, cloglog or softmax");
}

TEST(Response, IsCheckedByItsFamily) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  const auto expect = [](Family family, std::initializer_list<double> good, std::initializer_list<double> bad) {
    for (const double y : good) EXPECT_EQ(response_problem(family, {y, 4}), nullptr) << to_string(family) << ' ' << y;
    for (const double y : bad) {
      const char* problem = response_problem(family, {y, 4});
      ASSERT_NE(problem, nullptr) << to_string(family) << ' ' << y;
      EXPECT_EQ(problem, info_of(family).response);
    }
  };
  expect(Family::gaussian, {-1e9, 0, 2.5}, {nan, infinity});
  expect(Family::student_t, {-1e9, 0, 2.5}, {nan, -infinity});
  expect(Family::bernoulli, {0, 1}, {2, 0.5, -1, nan});
  expect(Family::binomial, {0, 1, 4}, {5, 0.5, -1, nan});
  for (const Family counts :
       {Family::poisson, Family::negative_binomial, Family::zero_inflated_poisson, Family::hurdle_poisson}) {
    expect(counts, {0, 1, 1e6}, {0.5, -1, 1e10 + 0.5, nan});
    EXPECT_STREQ(response_problem(counts, {1e10, 4}), "a count below 2^31");
    EXPECT_STREQ(response_problem(counts, {infinity, 4}), "a count below 2^31");
  }
  for (const Family positive : {Family::gamma, Family::lognormal, Family::weibull}) {
    expect(positive, {1e-30, 1, 1e6}, {0, -1, nan, infinity});
  }
  expect(Family::beta, {1e-9, 0.5, 1 - 1e-9}, {0, 1, -0.5, nan});
  expect(Family::exponential, {0, 1, 1e6}, {-1e-9, nan, infinity});
  expect(Family::cumulative, {0, 3}, {-1, 0.5});
  expect(Family::categorical, {0, 3}, {-1, 0.5});
  EXPECT_NE(response_problem(Family::binomial, {0, 2.5}), nullptr);
  EXPECT_NE(response_problem(Family::binomial, {0, -1}), nullptr);
  EXPECT_EQ(response_problem(Family::binomial, {0, 0}), nullptr);
  EXPECT_STREQ(response_problem(Family::poisson, {0.5}), "a count 0, 1, 2, ...");
}

}  // namespace
}  // namespace jensen
