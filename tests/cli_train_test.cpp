/// \file The program as its user meets it: fits, what is said of them, and how they are repeated.

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli_program.hpp"

namespace jensen::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(Cli, TrainSavesAFitAndTellsItsStory) {
  write_table("t.csv", 400);
  const Result result = fit({"--prior", "b ~ normal(0, 2.5)"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, AllOf(HasSubstr("device: cpu"), HasSubstr("400 rows used, 2 coefficients"),
                                HasSubstr("b ~ normal(0, 2.5)"), HasSubstr("ELBO "), HasSubstr("rows/s"),
                                HasSubstr("Population-Level Effects:"), HasSubstr("\nIntercept "),
                                HasSubstr("\nsigma "), HasSubstr("jensen predict fit --data NEW.csv --out pred.csv")));
  for (const char* name : {"config.toml", "trace.csv", "summary.csv", "fit.h5"}) {
    EXPECT_TRUE(fs::is_regular_file(dir_ / "fit" / name)) << name;
  }
  EXPECT_EQ(files().size(), 6U);  // t.csv, fit and its four files: nothing temporary stays
  EXPECT_THAT(slurp(dir_ / "fit/summary.csv"), StartsWith("name,mean,sd,q05,q50,q95\nb_Intercept,"));
}

TEST_F(Cli, MissingValuesAreCounted) {
  spit(dir_ / "t.csv", "y,x\n1,1\n2,NA\n3.5,3\n,4\n4,5\n7,6\n");
  const Result result = fit();
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("4 rows used (2 dropped for missing values)"));
}

TEST_F(Cli, JsonIsOneObjectThatAgreesWithTheSummaryFile) {
  write_table("t.csv", 400);
  const Result result = fit({"--json", "--quiet"});
  ASSERT_EQ(result.code, 0) << result.err;
  const auto json = nlohmann::json::parse(result.out);
  EXPECT_EQ(json.at("rows"), 400);
  EXPECT_EQ(json.at("out"), "fit");
  EXPECT_TRUE(json.at("elbo").is_number());
  EXPECT_GT(json.at("elbo_se").get<double>(), 0);
  EXPECT_EQ(json.at("steps"), 200);
  EXPECT_TRUE(json.at("verdict").at("converged").is_boolean());
  EXPECT_TRUE(json.at("verdict").contains("khat"));
  ASSERT_EQ(json.at("parameters").size(), 3U);
  EXPECT_EQ(json["parameters"][1]["name"], "b_x");
  EXPECT_NEAR(json["parameters"][1]["mean"].get<double>(), 2, 0.5);
  EXPECT_LT(json["parameters"][1]["q05"], json["parameters"][1]["q50"]);
  const auto again = nlohmann::json::parse(run({"summary", "fit", "--json"}).out);
  EXPECT_EQ(again.at("parameters"), json.at("parameters"));
  EXPECT_EQ(again.at("verdict"), json.at("verdict"));
  EXPECT_GT(json.at("seconds").get<double>(), 0);
  EXPECT_GT(json.at("rows_per_second").get<double>(), 0);
  for (const char* key : {"seconds", "rows_per_second"}) EXPECT_FALSE(again.contains(key)) << key;
}

TEST_F(Cli, JsonEscapesNamesFromTheFile) {
  spit(dir_ / "t.csv", "y,\"a \"\"b\"\" \\\xC3\xA9\"\n1,1\n2,3\n4,3\n5,6\n");
  const Result result = run({"train", "y ~ `a \"b\" \\\xC3\xA9`", "--family", "gaussian", "--data", "t.csv", "--out",
                             "fit", "--steps", "100", "--quiet", "--json"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(nlohmann::json::parse(result.out)["parameters"][1]["name"].get<std::string>(),
              HasSubstr("\"b\" \\\xC3\xA9"));
}

TEST_F(Cli, QuietSaysNothingButWarnings) {
  write_table("t.csv", 400);
  const Result result = fit({"--quiet"});
  EXPECT_EQ(result.code, 0);
  EXPECT_EQ(result.out, "");
  std::istringstream lines(result.err);
  for (std::string line; std::getline(lines, line);) EXPECT_THAT(line, StartsWith("WARNING: "));
}

TEST_F(Cli, AFitThatHasNotSettledCarriesAWarningWithAdvice) {
  write_table("t.csv", 400);
  const Result result = fit({"--steps", "2", "--quiet"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, AllOf(HasSubstr("WARNING: the fit has not settled"), HasSubstr("--steps")));
  EXPECT_THAT(run({"summary", "fit"}).out, HasSubstr("WARNING: the fit has not settled"));
}

TEST_F(Cli, TheSummaryDoesNotDependOnTheNumberOfThreads) {
  write_table("t.csv", 3000);
  std::vector<std::string> summaries;
  for (const std::string threads : {"1", "2", "3"}) {
    ASSERT_EQ(fit({"--threads", threads, "--batch", "700", "--force"}).code, 0);
    summaries.push_back(slurp(dir_ / "fit/summary.csv"));
  }
  EXPECT_EQ(summaries[0], summaries[1]);
  EXPECT_EQ(summaries[0], summaries[2]);
  ASSERT_EQ(fit({"--seed", "2", "--batch", "700", "--force"}).code, 0);
  EXPECT_NE(slurp(dir_ / "fit/summary.csv"), summaries[0]);
}

TEST_F(Cli, ConfigRepeatsTheFitWhateverTheNames) {
  const std::string folder = "d\xC3\xA4 ta # \"q\" \\ 'r'";
  fs::create_directory(dir_ / folder);
  write_table(folder + "/t.csv", 300);
  const Result first = run({"train",     "y ~ x * `two words` + f + f:x + factor(n)",
                            "--family",  "gaussian",
                            "--data",    folder + "/t.csv",
                            "--out",     "fit",
                            "--steps",   "150",
                            "--seed",    "11",
                            "--lr",      "0.03",
                            "--samples", "8",
                            "--batch",   "100",
                            "--guide",   "meanfield",
                            "--prior",   "b ~ normal(0, 2.5)",
                            "--prior",   "b_x ~ student_t(3, 0, 1.5)",
                            "--quiet"});
  ASSERT_EQ(first.code, 0) << first.err;
  const Result second = run({"train", "--config", "fit/config.toml", "--out", "fit2", "--quiet"});
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_EQ(slurp(dir_ / "fit2/summary.csv"), slurp(dir_ / "fit/summary.csv"));
  EXPECT_EQ(slurp(dir_ / "fit2/trace.csv"), slurp(dir_ / "fit/trace.csv"));
  const std::string config = slurp(dir_ / "fit/config.toml");
  EXPECT_EQ(slurp(dir_ / "fit2/config.toml"), config);
  EXPECT_THAT(config, AllOf(HasSubstr("\"b ~ normal(0, 2.5)\""), HasSubstr("\"b_x ~ student_t(3, 0, 1.5)\""),
                            HasSubstr("Intercept"), HasSubstr("seed = 11\n"), HasSubstr("lr = 0.03\n"),
                            HasSubstr("samples = 8\n"), HasSubstr("batch = 100\n"), HasSubstr("steps = 150\n")));
}

TEST_F(Cli, ClassicalCoordinatesThatDoNotSuitAreSaidNotTo) {
  std::ofstream table(dir_ / "g.csv");
  table << "y,g\n";
  for (int i = 0; i < 2000; ++i) {  // 20 levels, told far better by their rows than by their sd
    const int g = i % 20;
    table << (g * 7 % 20) - 10 + 0.1 * (i * 37 % 101) << ",g" << g << '\n';
  }
  table.close();
  const auto fitted = [&](const std::string& parametrization) {
    return run({"train", "y ~ 1 + (1 | g)", "--family", "gaussian", "--data", "g.csv", "--out", parametrization,
                "--parametrization", parametrization});
  };
  const std::string unsuited = fitted("noncentered").err;
  EXPECT_THAT(unsuited, AllOf(HasSubstr("neither its means nor its sds can be relied on"),
                              HasSubstr("leave --parametrization at auto")));
  EXPECT_THAT(fitted("auto").err, Not(HasSubstr("WARNING")));
}

TEST_F(Cli, ConfigRepeatsAModelOfGroupsWithAFormulaForSigma) {
  write_table("t.csv", 300);
  const Result first = run({"train",
                            "y ~ x + (1 | f)",
                            "--formula-sigma",
                            "1 + x",
                            "--family",
                            "gaussian",
                            "--link",
                            "identity",
                            "--parametrization",
                            "noncentered",
                            "--guide",
                            "structured",
                            "--data",
                            "t.csv",
                            "--storage",
                            "float16",
                            "--precision",
                            "tf32",
                            "--out",
                            "fit",
                            "--steps",
                            "150",
                            "--quiet"});
  ASSERT_EQ(first.code, 0) << first.err;
  const std::string config = slurp(dir_ / "fit/config.toml");
  EXPECT_THAT(config, AllOf(HasSubstr("link = \"identity\"\n"), HasSubstr("formula-sigma = \"1 + x\"\n"),
                            HasSubstr("parametrization = \"noncentered\"\n"), HasSubstr("guide = \"structured\"\n"),
                            HasSubstr("storage = \"float16\"\n"), HasSubstr("precision = \"tf32\"\n"),
                            HasSubstr("sd_f__Intercept ~ ")));
  const Result second = run({"train", "--config", "fit/config.toml", "--out", "fit2", "--quiet"});
  ASSERT_EQ(second.code, 0) << second.err;
  EXPECT_EQ(slurp(dir_ / "fit2/summary.csv"), slurp(dir_ / "fit/summary.csv"));
  EXPECT_EQ(slurp(dir_ / "fit2/config.toml"), config);
  EXPECT_THAT(slurp(dir_ / "fit/summary.csv"), AllOf(HasSubstr("\nb_sigma_x,"), HasSubstr("\nsd_f__Intercept,")));
}

TEST_F(Cli, SeveralPredictorsAndMoreRowsThanABatch) {
  write_table("t.csv", 17000);  // beyond 16,384 rows there are batches, and passes over all rows beside them
  const Result result = run({"train", "f ~ x", "--family", "categorical", "--data", "t.csv", "--out", "fit", "--steps",
                             "50", "--device", "cpu", "--quiet"});
  EXPECT_EQ(result.code, 0) << "signal " << result.signal << "\n" << result.err;
  EXPECT_THAT(slurp(dir_ / "fit/summary.csv"), AllOf(HasSubstr("\nb_mub_x,"), HasSubstr("\nb_muc_x,")));
}

TEST_F(Cli, TheLinkIsTheOneAskedFor) {
  write_table("t.csv", 2000);
  const auto slope = [&](const std::string& link) {
    const Result result = run({"train", "b ~ x", "--family", "bernoulli", "--link", link, "--data", "t.csv", "--out",
                               link, "--quiet", "--json", "--device", "cpu"});
    EXPECT_EQ(result.code, 0) << result.err;
    const auto json = nlohmann::json::parse(result.out);
    EXPECT_EQ(json.at("link"), link);
    return json.at("parameters").at(1).at("mean").get<double>();
  };
  // The logistic distribution is about 1.6 to 1.8 times as wide as the normal (Amemiya 1981).
  EXPECT_NEAR(slope("logit") / slope("probit"), 1.65, 0.15);
}

TEST_F(Cli, TheCommandLineWinsOverTheConfig) {
  write_table("t.csv", 200);
  ASSERT_EQ(fit().code, 0);
  const Result result = run({"train", "y ~ 1", "--config", "fit/config.toml", "--seed", "7", "--family", "gaussian",
                             "--prior", "Intercept ~ normal(0, 9)", "--out", "fit2"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(slurp(dir_ / "fit2/config.toml"),
              AllOf(HasSubstr("seed = 7\n"), HasSubstr("formula = \"y ~ 1\""), HasSubstr("Intercept ~ normal(0, 9)"),
                    Not(HasSubstr("Intercept_centered")), HasSubstr("steps = 200\n")));
}

TEST_F(Cli, ConfigsAreReadAsTomlWithinTheSubset) {
  write_table("t.csv", 200);
  spit(dir_ / "run.toml",
       "\xEF\xBB\xBF# a comment\r\nformula = 'y ~ x' # '#' in a comment\r\nfamily=\"gauss\\u0069an\"\r\n"
       "data = \"t.csv\"\r\nprior = [ 'b ~ normal(0, 1)', # first\n  \"sigma ~ exponential(1)\",\n]\ntext = []\n"
       "steps = 100\nlr = 5e-2\nquiet = true\nforce = false\n");
  const Result result = run({"train", "--config", "run.toml", "--out", "fit"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, Not(HasSubstr("device:")));
  EXPECT_THAT(slurp(dir_ / "fit/config.toml"), AllOf(HasSubstr("\"b ~ normal(0, 1)\""), HasSubstr("lr = 0.05\n")));
}

TEST_F(Cli, BadConfigsAreRefusedWithTheirLine) {
  const std::vector<std::array<std::string, 2>> bad = {
      {"seed = 1\nstpes = 3\n", "line 2: unknown key 'stpes'; did you mean 'steps'"},
      {"seed = [1]\n", "takes one value"},
      {"seed = 1\nseed = 2\n", "line 2: 'seed' is given twice"},
      {"quiet = 3\n", "true or false"},
      {"formula = y ~ x\n", "line 1"},
      {"formula = \"y ~ x\n", "not closed"},
      {"data = \"a\\qb\"\n", "escape"},
      {"data = \"a\\u12\"\n", "escape"},
      {"prior = [\"a\" \"b\"]\n", "',' or ']'"},
      {"prior = [\"a\",\n", "line 2"},
      {"[train]\n", "sections"},
      {"config = \"a\"\n", "line 1: 'config' is for the command line only"},
      {"seed = 1\nhelp = true\n", "line 2: 'help' is for the command line only"},
      {"formula-sigm = \"1 + x\"\n", "did you mean 'formula-sigma'"},
      {"just words\n", "KEY = VALUE"},
      {"seed = -1\nformula = \"y ~ x\"\nfamily = \"gaussian\"\ndata = \"t.csv\"\nout = \"fit\"\n", "--seed"}};
  for (const auto& [text, part] : bad) {
    SCOPED_TRACE(text);
    spit(dir_ / "bad.toml", text);
    expect_refused({"train", "--config", "bad.toml"}, part);
  }
  expect_refused({"train", "--config", "none.toml"}, "none.toml");
  expect_refused({"train", "--config", "."}, "config.toml");
}

}  // namespace
}  // namespace jensen::test
