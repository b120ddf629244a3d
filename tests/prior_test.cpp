#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
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
  const auto same = [](double x, double y) {
    return std::bit_cast<std::uint64_t>(x) == std::bit_cast<std::uint64_t>(y);
  };
  return a == b && std::ranges::equal(a.arguments, b.arguments, same);
}

struct Reading {
  std::string_view text;
  Prior prior;
};

const std::vector<Reading> readings{
    {"b ~ normal(0, 2.5)", {"b", PriorKind::normal, {0, 2.5}}},
    {"  b_x~normal( -1e-3,+4 )  ", {"b_x", PriorKind::normal, {-1e-3, 4}}},
    {"b ~ normal(-0.0, 1)", {"b", PriorKind::normal, {-0.0, 1}}},
    {"Intercept ~ student_t(3, 1, 2)", {"Intercept", PriorKind::student_t, {3, 1, 2}}},
    {"b ~ cauchy(0.5, 2)", {"b", PriorKind::cauchy, {0.5, 2}}},
    {"b ~ laplace(0.5, 2)", {"b", PriorKind::laplace, {0.5, 2}}},
    {"b ~ logistic(-0.5, 2)", {"b", PriorKind::logistic, {-0.5, 2}}},
    {"b_x ~ uniform(-1, 1e300)", {"b_x", PriorKind::uniform, {-1, 1e300}}},
    {"Intercept_centered ~ flat()", {"Intercept_centered", PriorKind::flat, {}}},
    {"b_carrierAA:distance ~ normal(0,1)", {"b_carrierAA:distance", PriorKind::normal, {0, 1}}},
    {"b_größe (m) ~ normal(0, 1)", {"b_größe (m)", PriorKind::normal, {0, 1}}},
    {"sigma ~ normal(0, 2)", {"sigma", PriorKind::normal, {0, 2}}},
    {"sigma ~ half_normal(2)", {"sigma", PriorKind::half_normal, {2}}},
    {"sigma ~ half_normal(0, 2)", {"sigma", PriorKind::half_normal, {2}}},
    {"sigma ~ half_cauchy(2)", {"sigma", PriorKind::half_cauchy, {2}}},
    {"sigma ~ half_cauchy(-0.0, 2)", {"sigma", PriorKind::half_cauchy, {2}}},
    {"sd_g__x ~ half_student_t(3, 0, 2)", {"sd_g__x", PriorKind::half_student_t, {3, 2}}},
    {"sd_g ~ half_student_t(3, 2)", {"sd_g", PriorKind::half_student_t, {3, 2}}},
    {"sigma ~ exponential(4)", {"sigma", PriorKind::exponential, {4}}},
    {"sigma ~ exponential(1/2.5)", {"sigma", PriorKind::exponential, {1 / 2.5}}},
    {"sigma ~ exponential(rate = 1 / 3)", {"sigma", PriorKind::exponential, {1.0 / 3}}},
    {"shape ~ gamma(0.01, 0.02)", {"shape", PriorKind::gamma, {0.01, 0.02}}},
    {"phi ~ inverse_gamma(3, 2)", {"phi", PriorKind::inverse_gamma, {3, 2}}},
    {"nu ~ lognormal(-1, 2)", {"nu", PriorKind::lognormal, {-1, 2}}},
    {"zi ~ beta(1, 3)", {"zi", PriorKind::beta, {1, 3}}},
    {"hu ~ beta(b=1, a=3)", {"hu", PriorKind::beta, {3, 1}}},
    {"cor_g ~ lkj(2)", {"cor_g", PriorKind::lkj, {2}}},
    {"sigma ~ flat()", {"sigma", PriorKind::flat, {}}},
    {"b ~ normal(scale = 2, location = 1)", {"b", PriorKind::normal, {1, 2}}},
    {"b ~ student_t(3, scale=2, location=0)", {"b", PriorKind::student_t, {3, 0, 2}}},
    {"sigma ~ half_normal(scale = 2)", {"sigma", PriorKind::half_normal, {2}}},
    {"sigma ~ half_student_t(scale = 2, df = 3)", {"sigma", PriorKind::half_student_t, {3, 2}}},
    {"sigma ~ half_student_t(3, scale = 2)", {"sigma", PriorKind::half_student_t, {3, 2}}},
    {"sigma ~ half_student_t(3, 0, scale = 2)", {"sigma", PriorKind::half_student_t, {3, 2}}},
    {"sigma ~ half_student_t(3, location = 0, scale = 2)", {"sigma", PriorKind::half_student_t, {3, 2}}},
    {"b ~ horseshoe()", {"b", PriorKind::horseshoe, {1, 1, 4, 2}}},
    {"b ~ horseshoe(3)", {"b", PriorKind::horseshoe, {3, 1, 4, 2}}},
    {"b ~ horseshoe(3, 0.1, 5, 6)", {"b", PriorKind::horseshoe, {3, 0.1, 5, 6}}},
    {"b_sigma ~ horseshoe(scale_slab = 0.5)", {"b_sigma", PriorKind::horseshoe, {1, 1, 4, 0.5}}},
    {"b ~ horseshoe(2, df_slab = 7)", {"b", PriorKind::horseshoe, {2, 1, 7, 2}}}};

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
      "cannot read the prior: there is no distribution 'norml'; use flat, normal, student_t, cauchy, laplace, "
      "logistic, "
      "half_normal, half_student_t, half_cauchy, exponential, gamma, inverse_gamma, lognormal, uniform, beta, lkj or "
      "horseshoe (--prior, character 11)\n"
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
    {"b ~ gama(1, 1)", 5, "no distribution 'gama'"},
    {"b ~ normal", 11, "expected '('"},
    {"b ~ normal(", 12, "expected a number"},
    {"b ~ normal(0,)", 14, "expected a number"},
    {"b ~ normal(x, 1)", 12, "expected a number"},
    {"b ~ normal(+-1, 1)", 12, "expected a number"},
    {"b ~ normal(0, 1", 16, "expected ',' or ')'"},
    {"b ~ normal(0 1)", 14, "expected ',' or ')'"},
    {"b ~ normal(0, 1) x", 18, "expected nothing"},
    {"b ~ normal(0, 1), sigma", 17, "each prior on its own"},
    {"b ~ normal(1)", 5, "expected normal(location, scale), as in normal(0, 2.5), not 1 argument"},
    {"b ~ normal(1, 2, 3)", 5, "not 3 arguments"},
    {"b ~ student_t(1, 2)", 5, "student_t(df, location, scale)"},
    {"b ~ flat(1)", 5, "expected flat(), not 1 argument"},
    {"b ~ laplace(1)", 5, "laplace(location, scale)"},
    {"b ~ logistic(1)", 5, "logistic(location, scale)"},
    {"b ~ cauchy(1)", 5, "cauchy(location, scale)"},
    {"b ~ uniform(1)", 5, "uniform(lower, upper)"},
    {"nu ~ gamma(1)", 6, "gamma(shape, rate)"},
    {"nu ~ inverse_gamma()", 6, "inverse_gamma(shape, scale)"},
    {"nu ~ lognormal()", 6, "lognormal(location, scale)"},
    {"zi ~ beta(1)", 6, "beta(a, b)"},
    {"cor ~ lkj()", 7, "expected lkj(eta), as in lkj(2), not 0 arguments"},
    {"b ~ horseshoe(1, 1, 4, 2, 1)", 5, "expected horseshoe(df, scale_global, df_slab, scale_slab)"},
    {"sigma ~ exponential()", 9, "exponential(rate)"},
    {"sigma ~ half_normal(0, 0, 1)", 9, "half_normal(0, scale)"},
    {"sigma ~ half_student_t(3)", 9, "half_student_t(df, 0, scale)"},
    {"sigma ~ half_normal(location = 0)", 9, "half_normal(0, scale)"},
    {"b ~ normal(scale = 1)", 5, "normal(location, scale)"},
    {"b ~ normal(0, 0)", 15, "the scale must be above 0"},
    {"b ~ normal(0, -1)", 15, "the scale must be above 0"},
    {"b ~ student_t(0, 0, 1)", 15, "the degrees of freedom must be above 0"},
    {"sigma ~ half_student_t(-1, 0, 1)", 24, "the degrees of freedom must be above 0"},
    {"sigma ~ exponential(0)", 21, "the rate must be above 0"},
    {"sigma ~ exponential(1/0)", 23, "the mean must be above 0"},
    {"sigma ~ exponential(1/1e-320)", 23, "the mean is too small"},
    {"b ~ student_t(3, 0, 0)", 21, "the scale must be above 0"},
    {"b ~ laplace(0, 0)", 16, "the scale must be above 0"},
    {"b ~ uniform(1, 1)", 16, "the upper bound must be above the lower one"},
    {"b ~ uniform(upper = 1, lower = 2)", 21, "the upper bound must be above the lower one"},
    {"nu ~ gamma(0, 1)", 12, "the shape must be above 0"},
    {"nu ~ gamma(1, 0)", 15, "the rate must be above 0"},
    {"nu ~ inverse_gamma(1, -2)", 23, "the scale must be above 0"},
    {"nu ~ lognormal(1, 0)", 19, "the scale must be above 0"},
    {"zi ~ beta(0, 1)", 11, "a must be above 0"},
    {"zi ~ beta(1, 0)", 14, "b must be above 0"},
    {"cor ~ lkj(0)", 11, "eta must be above 0"},
    {"b ~ horseshoe(0)", 15, "the degrees of freedom must be above 0"},
    {"b ~ horseshoe(1, 0)", 18, "scale_global must be above 0"},
    {"b ~ horseshoe(df_slab = -1)", 25, "df_slab must be above 0"},
    {"b ~ horseshoe(scale_slab = 0)", 28, "scale_slab must be above 0"},
    {"b ~ normal(mean = 0, 1)", 12, "normal has no argument 'mean'; it is normal(location, scale)"},
    {"b ~ normal(location = , 1)", 23, "expected a number"},
    {"b ~ normal(location = 0, 1)", 26, "without a name come first"},
    {"b ~ normal(0, 1, scale = 2)", 18, "'scale' is given twice"},
    {"b ~ horseshoe(1, df = 2)", 18, "'df' is given twice"},
    {"b ~ normal(1/2, 1)", 14, "only the rate of exponential"},
    {"b ~ normal(nan, 1)", 12, "not finite"},
    {"b ~ normal(0, inf)", 15, "not finite"},
    {"b ~ normal(1e999, 1)", 12, "outside the range"},
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
         {Prior{"b", PriorKind::normal, {location, scale}}, Prior{"b_x:y", PriorKind::student_t, {df, location, scale}},
          Prior{"b", PriorKind::cauchy, {location, scale}}, Prior{"b", PriorKind::laplace, {location, scale}},
          Prior{"b", PriorKind::logistic, {location, scale}},
          Prior{"b", PriorKind::uniform, {std::min(location, scale), std::nextafter(scale, HUGE_VAL)}},
          Prior{"sigma", PriorKind::half_normal, {scale}}, Prior{"sigma", PriorKind::half_student_t, {df, scale}},
          Prior{"sigma", PriorKind::half_cauchy, {scale}}, Prior{"sigma", PriorKind::exponential, {scale}},
          Prior{"nu", PriorKind::gamma, {df, scale}}, Prior{"nu", PriorKind::inverse_gamma, {df, scale}},
          Prior{"nu", PriorKind::lognormal, {location, scale}}, Prior{"zi", PriorKind::beta, {df, scale}},
          Prior{"cor", PriorKind::lkj, {df}}, Prior{"b", PriorKind::horseshoe, {df, scale, scale / 2, df}},
          Prior{"hu", PriorKind::flat, {}}}) {
      if (std::ranges::find(prior.arguments, 0.0) != prior.arguments.end()) continue;  // half of the least double
      ASSERT_TRUE(same_bits(parse_prior(to_string(prior)), prior)) << to_string(prior);
    }
  }
}

TEST(Prior, IsWrittenAsUsersWriteIt) {
  EXPECT_EQ(to_string({"b", PriorKind::normal, {0, 2.5}}), "b ~ normal(0, 2.5)");
  EXPECT_EQ(to_string({"sigma", PriorKind::half_normal, {1}}), "sigma ~ half_normal(0, 1)");
  EXPECT_EQ(to_string({"sd_g", PriorKind::half_student_t, {3, 2.5}}), "sd_g ~ half_student_t(3, 0, 2.5)");
  EXPECT_EQ(to_string({"sd_g", PriorKind::half_cauchy, {2.5}}), "sd_g ~ half_cauchy(0, 2.5)");
  EXPECT_EQ(to_string({"sigma", PriorKind::exponential, {0.4}}), "sigma ~ exponential(0.4)");
  EXPECT_EQ(to_string({"sigma", PriorKind::flat, {}}), "sigma ~ flat()");
  EXPECT_EQ(to_string(parse_prior("b ~ horseshoe(scale_global = 0.1)")), "b ~ horseshoe(1, 0.1, 4, 2)");
}

TEST(Prior, ReadsOrRefusesAnything) {
  const std::vector<std::string> pieces{
      "b", "sigma", "~",  " ~ ",        "normal(",  "half_normal(", "exponential(", "flat()", "(",    ")",
      ",", "1",     "0",  "-2.5",       "1e9",      "1e999",        "nan",          "1/",     "inf",  " ",
      "é", "\xff",  "\t", "student_t(", "scale = ", "df=",          "horseshoe(",   "_x:y",   ", 2)", "\0"};
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
  EXPECT_EQ(choice_error(parse_guide, ""), "'' is not a guide (--guide); use auto, meanfield, fullrank or structured");
  EXPECT_EQ(choice_error(parse_device, "gpu"), "'gpu' is not a device (--device); use auto, cpu or cuda");
}

}  // namespace
}  // namespace jensen
