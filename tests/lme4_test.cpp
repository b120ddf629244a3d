/// \file Mixed models of real tables against maximum-likelihood fits by lme4 and glmmTMB (tests/data/lme4).
///
/// Their estimates are no posterior means, but with many rows and the wide default priors the two are close.

#include <algorithm>
#include <chrono>
#include <iostream>
#include <map>

#include "jensen/io.hpp"
#include "jensen/jensen.hpp"
#include "posteriors.hpp"

namespace jensen {
namespace {

nlohmann::json estimates(const std::string& name) {
  return testing::read_json(std::filesystem::path(JENSEN_TEST_DATA) / "lme4" / (name + ".json"));
}

using Clock = std::chrono::steady_clock;
double seconds_since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

/// When the first step was taken.
struct Stopwatch : Observer {
  Clock::time_point begin = Clock::now();
  double preparation = 0;
  void started(const RunDescription&) override { preparation = seconds_since(begin); }
};

/// A fit's parameters and level effects by name, and how long it took, reading the table not counted.
struct Trained {
  Fit fit;
  std::map<std::string, ParameterSummary> found;
  double seconds = 0;
  Stopwatch watch;

  Trained(const std::string& formula, const Table& table, const TrainOptions& options) {
    fit = train(formula, table, options, &watch);
    seconds = seconds_since(watch.begin);
    for (const ParameterSummary& s : fit.summarize()) found[s.name] = s;
    for (const ParameterSummary& s : fit.summarize_levels()) found[s.name] = s;
    EXPECT_TRUE(fit.verdict.converged) << fit.verdict.message;
    EXPECT_EQ(fit.verdict.nonfinite, 0);
  }
  const ParameterSummary& operator[](const std::string& name) const {
    static const ParameterSummary none;
    const auto at = found.find(name);
    if (at != found.end()) return at->second;
    ADD_FAILURE() << "no parameter " << name;
    return none;
  }
  void report(const std::string& name) const {
    std::cout << name << ": " << seconds << " s in all, " << watch.preparation << " s of them before the first step, "
              << fit.seconds << " s for " << fit.steps << " steps; " << fit.verdict.message << '\n';
  }
};

/// Coefficients within 0.2 standard errors of the estimates, their sds within 15 % of those errors.
void compare_fixed(const Trained& trained, const nlohmann::json& fixed) {
  for (std::size_t j = 0; j < fixed.at("name").size(); ++j) {
    const auto name = fixed.at("name").at(j).get<std::string>();
    const auto estimate = fixed.at("estimate").at(j).get<double>(), se = fixed.at("se").at(j).get<double>();
    const ParameterSummary& s = trained["b_" + (name == "(Intercept)" ? "Intercept" : name)];
    EXPECT_LT(std::abs(s.mean - estimate) / se, 0.2) << name;
    EXPECT_NEAR(s.sd / se, 1, 0.15) << name;
    std::cout << "  " << name << ": " << s.mean << " (" << s.sd << "), estimate " << estimate << " (" << se << ")\n";
  }
}

/// Effects of the levels that are stored within 0.2 conditional sds of their conditional modes.
void compare_levels(const Trained& trained, const std::string& group, const nlohmann::json& conditional) {
  double worst = 0;
  for (std::size_t j = 0; j < conditional.at("level").size(); ++j) {
    auto level = conditional.at("level").at(j).get<std::string>();
    std::ranges::replace(level, ':', '_');
    const ParameterSummary& s = trained["r_" + group + "[" + level + ",Intercept]"];
    const double error =
        (s.mean - conditional.at("mode").at(j).get<double>()) / conditional.at("sd").at(j).get<double>();
    EXPECT_LT(std::abs(error), 0.2) << group << " " << level;
    worst = std::max(worst, std::abs(error));
  }
  std::cout << "  " << group << ": worst of " << conditional.at("level").size() << " levels " << worst
            << " conditional sds\n";
}

void compare_ratio(const ParameterSummary& s, double estimate, double tolerance) {
  EXPECT_NEAR(s.mean / estimate, 1, tolerance) << s.name;
  std::cout << "  " << s.name << ": " << s.mean << " (" << s.sd << "), estimate " << estimate << '\n';
}

// 73,421 lecture evaluations; students s and lecturers d are crossed, lecturers are nearly nested in departments.
TEST(Lme4, InstEval) {
  const std::filesystem::path path = std::filesystem::path(JENSEN_EXTRA_DATA) / "data/insteval/InstEval.csv.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << ": set JENSEN_EXTRA_DATA";
  const nlohmann::json expected = estimates("insteval").at("ML");
  CsvOptions csv;
  csv.columns = {"y", "service", "s", "d", "dept"};
  const Trained trained(expected.at("formula").get<std::string>(), read_csv(path, csv), {});
  trained.report("InstEval");
  EXPECT_EQ(trained.fit.rows, expected.at("rows").get<std::int64_t>());
  compare_fixed(trained, expected.at("fixed"));
  // Maximum likelihood takes the fixed effects as known, which 28 levels feel: REML, like a posterior, does not.
  const nlohmann::json sd = estimates("insteval").at("REML").at("sd");
  compare_ratio(trained["sd_s__Intercept"], sd.at("s").get<double>(), 0.02);
  compare_ratio(trained["sd_d__Intercept"], sd.at("d").get<double>(), 0.02);
  compare_ratio(trained["sd_dept:service__Intercept"], sd.at("dept:service").get<double>(), 0.1);
  compare_ratio(trained["sigma"], expected.at("sigma").get<double>(), 0.005);
  for (const char* group : {"s", "d", "dept:service"}) {
    compare_levels(trained, group, expected.at("conditional").at(group));
  }
}

// 919 homes in 85 counties. The likelihood of the counties' sd is flat (its log has a standard error of 0.3): ML has
// 0.136, REML, which like a posterior integrates over the coefficients, 0.146, and the posterior mean is 0.148
// (references_test.cpp). Effects of counties depend on it, so REML's are compared.
TEST(Lme4, Radon) {
  const std::filesystem::path path = std::filesystem::path(JENSEN_EXTRA_DATA) / "references/radon_intercept/data.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << ": set JENSEN_EXTRA_DATA";
  const nlohmann::json expected = estimates("radon_mn").at("REML");
  const Trained trained(expected.at("formula").get<std::string>(), read_csv(path), {});
  trained.report("radon");
  compare_fixed(trained, expected.at("fixed"));
  compare_ratio(trained["sigma"], expected.at("sigma").get<double>(), 0.005);
  const ParameterSummary& sd = trained["sd_county__Intercept"];
  EXPECT_LT(std::abs(sd.mean - expected.at("sd").at("county").get<double>()), sd.sd);
  compare_levels(trained, "county", expected.at("conditional").at("county"));
}

TEST(Lme4, Batting) {
  const std::filesystem::path path = std::filesystem::path(JENSEN_EXTRA_DATA) / "references/batting_binomial/data.csv";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << ": set JENSEN_EXTRA_DATA";
  const nlohmann::json expected = estimates("batting").at("quadrature_25");
  TrainOptions options;
  options.family = Family::binomial;
  const Trained trained("H | trials(AB) ~ 1 + (1 | player)", read_csv(path), options);
  trained.report("batting");
  compare_fixed(trained, expected.at("fixed"));
  compare_ratio(trained["sd_player__Intercept"], expected.at("sd").at("player").get<double>(), 0.02);
  compare_levels(trained, "player", expected.at("conditional").at("player"));
}

/// freMTPL2freq with standardised predictors, as the estimates were made.
struct MotorClaims {
  std::vector<double> claims, exposure;
  std::vector<std::vector<double>> predictors;
  Table raw, table{"freMTPL2freq"};

  MotorClaims(const std::filesystem::path& path, const nlohmann::json& standardised) {
    CsvOptions csv;
    csv.columns = {"ClaimNb_corrected", "Exposure", "DrivAge", "Density", "BonusMalus", "VehPower", "Region"};
    raw = read_csv(path, csv);
    const auto read = [&](const char* name) {
      std::vector<double> x(raw.rows());
      for (std::size_t i = 0; i < x.size(); ++i) x[i] = raw.at(name).number(i);
      return x;
    };
    claims = read("ClaimNb_corrected");
    exposure = read("Exposure");
    table.add("claims", claims);
    table.add("exposure", exposure);
    for (const char* name : {"DrivAge", "Density", "BonusMalus", "VehPower"}) predictors.push_back(read(name));
    for (double& density : predictors[1]) density = std::log(density);
    for (std::size_t j = 0; j < predictors.size(); ++j) {
      const auto mean = standardised.at("mean").at(j).get<double>(), sd = standardised.at("sd").at(j).get<double>();
      for (double& value : predictors[j]) value = (value - mean) / sd;
      table.add(standardised.at("name").at(j).get<std::string>(), predictors[j]);
    }
    table.add(raw.at("Region"));
  }
};

TEST(Lme4, MotorClaims) {
  const std::filesystem::path path =
      std::filesystem::path(JENSEN_EXTRA_DATA) / "data/fremtpl2freq/freMTPL2freq_corrected.csv.gz";
  if (!std::filesystem::exists(path)) GTEST_SKIP() << "no " << path << ": set JENSEN_EXTRA_DATA";
  const nlohmann::json expected = estimates("motor_claims");
  const MotorClaims data(path, expected.at("predictors"));
  TrainOptions options;
  options.family = Family::negative_binomial;
  const Trained trained(expected.at("formula").get<std::string>(), data.table, options);
  trained.report("motor claims");
  EXPECT_EQ(trained.fit.rows, expected.at("rows").get<std::int64_t>());
  compare_fixed(trained, expected.at("fixed"));
  const ParameterSummary& shape = trained["shape"];
  const double log_error = std::log(shape.mean / expected.at("shape").get<double>());
  EXPECT_LT(std::abs(log_error), 0.2 * expected.at("log_shape_se").get<double>());
  EXPECT_NEAR(shape.sd / shape.mean / expected.at("log_shape_se").get<double>(), 1, 0.15);
  compare_levels(trained, "Region", expected.at("conditional").at("Region"));
}

}  // namespace
}  // namespace jensen
