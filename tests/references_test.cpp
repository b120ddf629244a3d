/// \file Mixed and generalised linear models of real tables against long runs of NUTS: formula, family and priors as
/// they were sampled, the rest by default.

#include <algorithm>
#include <iostream>
#include <map>

#include "jensen/io.hpp"
#include "jensen/jensen.hpp"
#include "posteriors.hpp"

namespace jensen {
namespace {

const std::filesystem::path folder = std::filesystem::path(JENSEN_EXTRA_DATA) / "references";

struct Worst {
  double mean = 0, sd = 0;  ///< in reference sds; relative
  void take(double mean_error, double sd_error) {
    mean = std::max(mean, std::abs(mean_error));
    sd = std::max(sd, std::abs(sd_error));
  }
};

class Reference : public ::testing::TestWithParam<std::string> {};

// The references are 8,000 draws and more: their own error is at most 0.011 sd in a mean and 1 % in an sd, small beside
// the tolerances.
TEST_P(Reference, Agrees) {
  const std::filesystem::path here = folder / GetParam();
  if (!std::filesystem::exists(here)) GTEST_SKIP() << "no " << here << ": set JENSEN_EXTRA_DATA";
  const nlohmann::json model = testing::read_json(here / "model.json");
  const nlohmann::json reference = testing::read_json(here / "reference_summary.json").at("params");
  TrainOptions options;
  options.family = parse_family(model.at("family").get<std::string>());
  for (const auto& [target, prior] : model.at("priors").items()) {
    options.priors.push_back(parse_prior(target + " ~ " + prior.get<std::string>()));
  }
  const Fit fit = train(model.at("formula").get<std::string>(), read_csv(here / "data.csv"), options);
  EXPECT_TRUE(fit.verdict.converged) << fit.verdict.message;
  EXPECT_TRUE(fit.verdict.close) << fit.verdict.message;
  EXPECT_EQ(fit.verdict.nonfinite, 0);
  EXPECT_EQ(fit.rows, model.at("rows").get<std::int64_t>());

  std::map<std::string, ParameterSummary> found;
  for (const ParameterSummary& s : fit.summarize()) found[s.name] = s;
  const std::size_t population_size = found.size();
  for (const ParameterSummary& s : fit.summarize_levels()) found[s.name] = s;
  ASSERT_EQ(found.size(), reference.size());
  Worst population, levels;
  std::size_t levels_seen = 0;
  for (const auto& [name, expected] : reference.items()) {
    ASSERT_TRUE(found.contains(name)) << name;
    const double sd = expected.at("sd").get<double>();
    const double mean_error = (found[name].mean - expected.at("mean").get<double>()) / sd;
    const double sd_error = found[name].sd / sd - 1;
    const bool hierarchical = name.starts_with("sd_");
    EXPECT_LT(std::abs(mean_error), hierarchical ? 0.2 : 0.1) << name;
    EXPECT_LT(std::abs(sd_error), hierarchical ? 0.2 : 0.1) << name;
    const bool level = name.starts_with("r_");
    levels_seen += level ? 1 : 0;
    (level ? levels : population).take(mean_error, sd_error);
  }
  EXPECT_EQ(levels_seen + population_size, found.size());
  std::cout << GetParam() << ": worst mean error " << population.mean << " sd, worst sd error " << 100 * population.sd
            << " %; of " << levels_seen << " levels " << levels.mean << " sd, " << 100 * levels.sd << " %; "
            << fit.steps << " steps, " << fit.seconds << " s; " << fit.verdict.message << '\n';
}

INSTANTIATE_TEST_SUITE_P(Sampled, Reference,
                         ::testing::Values("batting_binomial", "bribe_ordinal", "cal_student", "fremtpl_negbin_100k",
                                           "radon_intercept", "wells_logit"),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace jensen
