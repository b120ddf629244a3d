#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <string>

#include "jensen/errors.hpp"
#include "jensen/model.hpp"
#include "jensen/options.hpp"

namespace jensen {
namespace {

using testing::HasSubstr;

std::string error_of(std::string_view text) {
  try {
    parse_prior(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

bool same_bits(const Prior& a, const Prior& b) {
  const auto bits = [](double value) { return std::bit_cast<std::uint64_t>(value); };
  return a == b && bits(a.location) == bits(b.location) && bits(a.scale) == bits(b.scale) && bits(a.df) == bits(b.df);
}

struct Reading {
  std::string_view text;
  Prior prior;
};

const std::vector<Reading> readings{
    {"b ~ normal(0, 2.5)", {"b", PriorKind::normal, 0, 2.5, 0}},
    {"  b_x~normal( -1e-3,+4 )  ", {"b_x", PriorKind::normal, -1e-3, 4, 0}},
    {"Intercept ~ student_t(3, 1, 2)", {"Intercept", PriorKind::student_t, 1, 2, 3}},
    {"b ~ cauchy(0.5, 2)", {"b", PriorKind::student_t, 0.5, 2, 1}},
    {"Intercept_centered ~ flat()", {"Intercept_centered", PriorKind::flat, 0, 1, 0}},
    {"b_carrierAA:distance ~ normal(0,1)", {"b_carrierAA:distance", PriorKind::normal, 0, 1, 0}},
    {"b_größe (m) ~ normal(0, 1)", {"b_größe (m)", PriorKind::normal, 0, 1, 0}},
    {"sigma ~ half_normal(2)", {"sigma", PriorKind::half_normal, 0, 2, 0}},
    {"sigma ~ half_normal(0, 2)", {"sigma", PriorKind::half_normal, 0, 2, 0}},
    {"sigma ~ normal(0, 2)", {"sigma", PriorKind::half_normal, 0, 2, 0}},
    {"sigma ~ normal(-0.0, 2)", {"sigma", PriorKind::half_normal, 0, 2, 0}},
    {"sigma ~ half_cauchy(2)", {"sigma", PriorKind::half_cauchy, 0, 2, 0}},
    {"sigma ~ half_cauchy(0, 2)", {"sigma", PriorKind::half_cauchy, 0, 2, 0}},
    {"sigma ~ cauchy(0, 2)", {"sigma", PriorKind::half_cauchy, 0, 2, 0}},
    {"sigma ~ half_student_t(3, 0, 2)", {"sigma", PriorKind::half_student_t, 0, 2, 3}},
    {"sigma ~ student_t(3, 0, 2)", {"sigma", PriorKind::half_student_t, 0, 2, 3}},
    {"sigma ~ exponential(4)", {"sigma", PriorKind::exponential, 0, 0.25, 0}},
    {"sigma ~ exponential(1/2.5)", {"sigma", PriorKind::exponential, 0, 2.5, 0}},
    {"sigma ~ flat()", {"sigma", PriorKind::flat, 0, 1, 0}}};

TEST(Prior, IsReadAndComesBackFromItsText) {
  for (const auto& example : readings) {
    SCOPED_TRACE(example.text);
    const Prior prior = parse_prior(example.text);
    EXPECT_EQ(prior, example.prior) << to_string(prior);
    EXPECT_TRUE(same_bits(parse_prior(to_string(prior)), prior)) << to_string(prior);
  }
}

TEST(Prior, PointsAtTheError) {
  EXPECT_EQ(
      error_of("b_größe ~ norml(0, 1)"),
      "cannot read the prior: there is no distribution 'norml'; use flat, normal, student_t, cauchy, half_normal, "
      "half_student_t, half_cauchy or exponential (--prior, character 11)\n"
      "  b_größe ~ norml(0, 1)\n"
      "            ^");
}

struct Refusal {
  std::string_view text;
  std::size_t character;
  std::string_view problem;
};

const std::vector<Refusal> refusals{
    {"", 1, "expected '~'"},
    {"b", 2, "expected '~'"},
    {"~ normal(0, 1)", 1, "before '~'"},
    {"b ~", 4, "expected a distribution"},
    {"b ~ 'x'", 5, "expected a distribution"},
    {"b ~ gamma(1, 1)", 5, "no distribution 'gamma'"},
    {"b ~ normal", 11, "expected '('"},
    {"b ~ normal(", 12, "expected a number"},
    {"b ~ normal(0,)", 14, "expected a number"},
    {"b ~ normal(x, 1)", 12, "expected a number"},
    {"b ~ normal(+-1, 1)", 12, "expected a number"},
    {"b ~ normal(0, 1", 16, "expected ',' or ')'"},
    {"b ~ normal(0 1)", 14, "expected ',' or ')'"},
    {"b ~ normal(0, 1) x", 18, "expected nothing"},
    {"b ~ normal(0, 1), sigma", 17, "each prior on its own"},
    {"b ~ normal(1)", 5, "expected normal(location, scale), as in normal(0, 2.5), not 1 arguments"},
    {"b ~ normal(1, 2, 3)", 5, "not 3 arguments"},
    {"b ~ student_t(1, 2)", 5, "student_t(df, location, scale)"},
    {"b ~ flat(1)", 5, "expected flat()"},
    {"sigma ~ exponential()", 9, "exponential(rate)"},
    {"sigma ~ half_normal(0, 0, 1)", 9, "half_normal(scale)"},
    {"sigma ~ half_student_t(3, 1)", 9, "half_student_t(df, 0, scale)"},
    {"b ~ normal(0, 0)", 15, "the scale must be above 0"},
    {"b ~ normal(0, -1)", 15, "the scale must be above 0"},
    {"b ~ student_t(0, 0, 1)", 15, "the degrees of freedom must be above 0"},
    {"sigma ~ half_student_t(-1, 0, 1)", 24, "the degrees of freedom must be above 0"},
    {"sigma ~ exponential(0)", 21, "the rate must be above 0"},
    {"sigma ~ exponential(1e-320)", 21, "the rate is too small"},
    {"sigma ~ exponential(1/0)", 23, "the scale must be above 0"},
    {"b ~ normal(1/2, 1)", 14, "only the rate of exponential"},
    {"b ~ normal(nan, 1)", 12, "not finite"},
    {"b ~ normal(0, inf)", 15, "not finite"},
    {"b ~ normal(1e999, 1)", 12, "outside the range"},
    {"b ~ half_normal(1)", 5, "takes normal, student_t, cauchy or flat"},
    {"b_x ~ half_cauchy(1)", 7, "'b_x' takes normal"},
    {"Intercept ~ exponential(1)", 13, "'Intercept' takes"},
    {"sigma ~ normal(1, 2)", 16, "write half_normal"},
    {"sigma ~ student_t(3, 1, 2)", 22, "write half_student_t"},
    {"sigma ~ half_normal(1, 2)", 21, "location of a half distribution is 0"},
    {"sigma ~ half_student_t(3, 1, 2)", 27, "location of a half distribution is 0"}};

TEST(Prior, NamesProblemAndPlace) {
  for (const auto& example : refusals) {
    SCOPED_TRACE(example.text);
    const std::string error = error_of(example.text);
    EXPECT_THAT(error, HasSubstr(example.problem));
    EXPECT_TRUE(error.ends_with(fmt::format("\n{:>{}}", "^", example.character + 2))) << error;
  }
}

TEST(Prior, TextComesBackBitForBit) {
  std::mt19937_64 random(7);
  const auto any_double = [&] {
    while (true) {
      const double value = std::bit_cast<double>(random());
      if (std::isfinite(value) && value != 0) return value;
    }
  };
  const auto everyday = [&] { return std::ldexp(static_cast<double>(random() >> 11), -50); };
  for (int i = 0; i < 20'000; ++i) {
    const double location = any_double();
    const double scale = i % 2 == 0 ? std::abs(any_double()) : everyday() + 1e-9;
    const double df = std::abs(any_double());
    for (const Prior& prior :
         {Prior{"b", PriorKind::normal, location, scale, 0}, Prior{"b_x:y", PriorKind::student_t, location, scale, df},
          Prior{"sigma", PriorKind::half_normal, 0, scale, 0}, Prior{"sigma", PriorKind::half_student_t, 0, scale, df},
          Prior{"sigma", PriorKind::half_cauchy, 0, scale, 0}, Prior{"sigma", PriorKind::exponential, 0, scale, 0}}) {
      ASSERT_TRUE(same_bits(parse_prior(to_string(prior)), prior)) << to_string(prior);
    }
  }
  EXPECT_EQ(to_string({"sigma", PriorKind::exponential, 0, 1.0 / 3, 0}), "sigma ~ exponential(3)");
  EXPECT_EQ(to_string({"b", PriorKind::normal, 0, 2.5, 0}), "b ~ normal(0, 2.5)");
}

TEST(Prior, ReadsOrRefusesAnything) {
  const std::vector<std::string> pieces{
      "b",   "sigma", "~", " ~ ",  "normal(", "half_normal(", "exponential(", "flat()", "(",
      ")",   ",",     "1", "0",    "-2.5",    "1e9",          "1e999",        "nan",    "1/",
      "inf", " ",     "é", "\xff", "\t",      "student_t(",   "_x:y",         ", 2)",   "\0"};
  std::mt19937 random(20240612);
  int read = 0, refused = 0;
  for (int i = 0; i < 40'000; ++i) {
    std::string text = random() % 2 == 0 ? "sigma ~ normal(0" : "";
    for (auto count = random() % 9; count > 0; --count) text += pieces[random() % pieces.size()];
    try {
      const Prior prior = parse_prior(text);
      ++read;
      ASSERT_TRUE(same_bits(parse_prior(to_string(prior)), prior)) << text;
    } catch (const InputError& error) {
      ++refused;
      const std::string_view what = error.what();
      ASSERT_TRUE(what.starts_with("cannot read the prior: ") && what.ends_with("^")) << what;
    }
  }
  EXPECT_GT(read, 50);
  EXPECT_GT(refused, 5000);
}

template <class Parse>
std::string choice_error(Parse parse, std::string_view name) {
  try {
    parse(name);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

TEST(Choices, NamesComeBack) {
  for (const Family family : {Family::gaussian, Family::bernoulli, Family::poisson}) {
    EXPECT_EQ(parse_family(to_string(family)), family);
  }
  for (const GuideKind guide : {GuideKind::automatic, GuideKind::meanfield, GuideKind::fullrank}) {
    EXPECT_EQ(parse_guide(to_string(guide)), guide);
  }
  for (const DeviceKind device : {DeviceKind::automatic, DeviceKind::cpu, DeviceKind::cuda}) {
    EXPECT_EQ(parse_device(to_string(device)), device);
  }
  EXPECT_EQ(to_string(GuideKind::automatic), "auto");
  EXPECT_EQ(to_string(DeviceKind::automatic), "auto");
}

TEST(Choices, ListTheNamesThatThereAre) {
  EXPECT_EQ(
      choice_error(parse_family, "gausian"),
      "'gausian' is not a family (--family); use gaussian, student_t, bernoulli, binomial, poisson, negative_binomial, "
      "gamma, beta, lognormal, exponential, weibull, zero_inflated_poisson, hurdle_poisson, cumulative or categorical");
  EXPECT_EQ(choice_error(parse_guide, ""), "'' is not a guide (--guide); use auto, meanfield or fullrank");
  EXPECT_EQ(choice_error(parse_device, "gpu"), "'gpu' is not a device (--device); use auto, cpu or cuda");
}

}  // namespace
}  // namespace jensen
