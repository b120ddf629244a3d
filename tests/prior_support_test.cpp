#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>

#include "jensen/errors.hpp"
#include "jensen/prior.hpp"

namespace jensen {
namespace {

using testing::HasSubstr;

constexpr std::string_view on_real = "normal, student_t, cauchy, laplace, logistic, uniform or flat";
constexpr std::string_view on_coefficients = "normal, student_t, cauchy, laplace, logistic, uniform, horseshoe or flat";
constexpr std::string_view on_positive =
    "half_normal, half_student_t, half_cauchy, exponential, gamma, inverse_gamma, lognormal, uniform or flat";

std::string meant(std::string_view text, Support support) { return to_string(on_support(parse_prior(text), support)); }

std::string error_of(const Prior& prior, Support support) {
  try {
    on_support(prior, support);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}
std::string error_of(std::string_view text, Support support) { return error_of(parse_prior(text), support); }

TEST(OnSupport, LeavesWhatFits) {
  for (const std::string_view text :
       {"b ~ normal(1, 2)", "b ~ student_t(3, 1, 2)", "b ~ cauchy(0, 2)", "b ~ laplace(0, 2)", "b ~ logistic(0, 2)",
        "b_x ~ uniform(-1, 2)", "b ~ flat()", "b ~ horseshoe(1, 1, 4, 2)", "b_sigma ~ horseshoe(1, 1, 4, 2)"}) {
    EXPECT_EQ(meant(text, Support::real), text);
  }
  for (const std::string_view text :
       {"sigma ~ half_normal(0, 2)", "sigma ~ half_student_t(3, 0, 2)", "sigma ~ half_cauchy(0, 2)",
        "sigma ~ exponential(2)", "sigma ~ gamma(1, 2)", "sigma ~ inverse_gamma(1, 2)", "sigma ~ lognormal(1, 2)",
        "sigma ~ uniform(0, 2)", "sigma ~ flat()"}) {
    EXPECT_EQ(meant(text, Support::positive), text);
  }
  for (const std::string_view text : {"zi ~ beta(2, 3)", "zi ~ uniform(0, 0.5)", "zi ~ uniform(0.1, 1)"}) {
    EXPECT_EQ(meant(text, Support::unit), text);
  }
  EXPECT_EQ(meant("cor ~ lkj(2)", Support::correlation), "cor ~ lkj(2)");
}

TEST(OnSupport, TakesTheHalfOnAPositiveOne) {
  EXPECT_EQ(meant("sigma ~ normal(0, 2)", Support::positive), "sigma ~ half_normal(0, 2)");
  EXPECT_EQ(meant("sd ~ normal(-0.0, 2)", Support::positive), "sd ~ half_normal(0, 2)");
  EXPECT_EQ(meant("sd_g ~ student_t(3, 0, 2)", Support::positive), "sd_g ~ half_student_t(3, 0, 2)");
  EXPECT_EQ(meant("sd_g ~ cauchy(0, 2)", Support::positive), "sd_g ~ half_cauchy(0, 2)");
  const Prior shifted{"sigma", PriorKind::normal, {0.5, 2}};
  EXPECT_EQ(to_string(on_support(shifted, Support::positive, 0.5)), "sigma ~ half_normal(0, 2)");
}

TEST(OnSupport, MakesFlatProperWhereItIs) {
  EXPECT_EQ(meant("zi ~ flat()", Support::unit), "zi ~ beta(1, 1)");
  EXPECT_EQ(meant("zi ~ uniform(0, 1)", Support::unit), "zi ~ beta(1, 1)");
  EXPECT_EQ(meant("cor ~ flat()", Support::correlation), "cor ~ lkj(1)");
}

TEST(OnSupport, SaysWhatDoesNotFitAndWhatDoes) {
  EXPECT_EQ(
      error_of("b_x ~ gamma(2, 1)", Support::real),
      "'b_x' may be negative, so gamma does not fit it (--prior 'b_x ~ gamma(2, 1)'); use " + std::string(on_real));
  EXPECT_EQ(error_of("sigma ~ normal(1, 2)", Support::positive),
            "'sigma' is positive, so normal means its positive half there, whose location is 0 (--prior 'sigma ~ "
            "normal(1, 2)'); write 'sigma ~ half_normal(0, 2)', or use gamma or lognormal");
  EXPECT_EQ(error_of("sigma ~ uniform(-1, 2)", Support::positive),
            "'sigma' is positive, and the lower bound is below 0 (--prior 'sigma ~ uniform(-1, 2)'); let uniform begin "
            "at 0 or above");
  EXPECT_EQ(error_of("b_x ~ horseshoe()", Support::real),
            "horseshoe is for all coefficients of a predictor together, and 'b_x' is not that (--prior 'b_x ~ "
            "horseshoe(1, 1, 4, 2)'); write 'b ~ ...', or use " +
                std::string(on_real));
  for (const std::string_view text :
       {"half_normal(1)", "half_student_t(3, 1)", "half_cauchy(1)", "exponential(1)", "gamma(1, 1)",
        "inverse_gamma(1, 1)", "lognormal(0, 1)", "beta(1, 1)", "lkj(1)"}) {
    EXPECT_THAT(error_of("b ~ " + std::string(text), Support::real), HasSubstr(on_coefficients)) << text;
    EXPECT_THAT(error_of("Intercept ~ " + std::string(text), Support::real), HasSubstr(on_real)) << text;
  }
  for (const std::string_view text : {"laplace(0, 1)", "logistic(0, 1)", "beta(1, 1)", "lkj(1)", "horseshoe()"}) {
    EXPECT_THAT(error_of("sigma ~ " + std::string(text), Support::positive), HasSubstr(on_positive)) << text;
  }
  for (const std::string_view text : {"student_t(3, 1, 2)", "cauchy(-1, 2)"}) {
    EXPECT_THAT(error_of("sigma ~ " + std::string(text), Support::positive), HasSubstr("write 'sigma ~ half_")) << text;
  }
  for (const std::string_view text :
       {"normal(0, 1)", "half_normal(1)", "exponential(1)", "gamma(1, 1)", "lkj(1)", "horseshoe()"}) {
    EXPECT_THAT(error_of("zi ~ " + std::string(text), Support::unit), HasSubstr("use uniform, beta or flat")) << text;
    if (text != "lkj(1)") {
      EXPECT_THAT(error_of("cor ~ " + std::string(text), Support::correlation), HasSubstr("use lkj or flat")) << text;
    }
  }
  for (const std::string_view text : {"uniform(-0.1, 1)", "uniform(0, 1.1)", "uniform(2, 3)"}) {
    EXPECT_THAT(error_of("zi ~ " + std::string(text), Support::unit), HasSubstr("between 0 and 1")) << text;
  }
}

// A prior made by a program, not read from text.
TEST(OnSupport, ChecksArguments) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(error_of(Prior{"b", PriorKind::normal, {1}}, Support::real),
            "normal has the wrong number of arguments, 1 (--prior 'b ~ normal(1)'); give normal(location, scale)");
  EXPECT_EQ(error_of(Prior{"b", PriorKind::normal, {0, -1}}, Support::real),
            "the scale must be above 0 (--prior 'b ~ normal(0, -1)'); write it as in normal(0, 2.5)");
  EXPECT_EQ(error_of(Prior{"b", PriorKind::normal, {0, 1e-300}}, Support::real),
            "the scale is below 1e-100 (--prior 'b ~ normal(0, 1e-300)'); give a larger one");
  EXPECT_EQ(error_of(Prior{"sigma", PriorKind::exponential, {1e300}}, Support::positive),
            "the rate is above 1e+100 (--prior 'sigma ~ exponential(1e+300)'); give a smaller one");
  EXPECT_THAT(error_of(Prior{"b", PriorKind::normal, {infinity, 1}}, Support::real), HasSubstr("must be finite"));
  EXPECT_THAT(error_of(Prior{"sigma", PriorKind::half_student_t, {3, 0, 1}}, Support::positive),
              HasSubstr("arguments, 3"));
  EXPECT_THAT(error_of(Prior{"sigma", PriorKind::half_student_t, {0, 1}}, Support::positive), HasSubstr("degrees"));
  EXPECT_THAT(error_of(Prior{"b", PriorKind::horseshoe, {}}, Support::real), HasSubstr("arguments, 0"));
  EXPECT_THAT(error_of(Prior{"sigma", PriorKind::uniform, {2, 1}}, Support::positive), HasSubstr("upper bound"));
}

}  // namespace
}  // namespace jensen
