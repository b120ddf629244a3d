/// \file The program as its user meets it: help, refusals, fits, files, progress, interruption.

#include <array>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli_program.hpp"

namespace jensen::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

const std::vector<std::string> gaussian = {"--family", "gaussian", "--out", "fit"};

std::vector<std::string> train_words(const std::string& formula, const std::string& data,
                                     std::vector<std::string> more = gaussian) {
  std::vector<std::string> words = {"train", formula, "--data", data};
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

std::vector<std::string> family_words(const std::string& formula, const std::string& family) {
  return train_words(formula, "t.csv", {"--family", family, "--out", "fit"});
}

// ---- help and usage

TEST_F(Cli, EveryHelpHasAnExampleAndTheExitCodesAndFitsInAHundredColumns) {
  for (const char* verb : {"", "train", "summary", "predict", "draws", "info"}) {
    SCOPED_TRACE(verb);
    std::vector<std::string> words = {"--help"};
    if (*verb) words.insert(words.begin(), verb);
    const Result result = run(words);
    EXPECT_EQ(result.code, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_THAT(result.out,
                AllOf(HasSubstr("Usage: jensen"), HasSubstr("Example:\n  jensen "), HasSubstr("2 bad usage"),
                      HasSubstr("130"), Not(HasSubstr("TEXT")), Not(HasSubstr("UINT"))));
    std::istringstream lines(result.out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
  }
  const std::string train = run({"train", "--help"}).out;
  for (const char* option :
       {"--family", "--prior", "--data",      "--text", "--sep",      "--na",     "--guide",  "--samples", "--batch",
        "--steps",  "--lr",    "--optimizer", "--seed", "--threads",  "--device", "--config", "--out",     "--force",
        "--quiet",  "--json",  "Model:",      "Data:",  "Inference:", "Run:",     "Output:",  "default:"}) {
    EXPECT_THAT(train, HasSubstr(option));
  }
}

TEST_F(Cli, VersionIsOneLine) {
  const Result result = run({"--version"});
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, testing::MatchesRegex("jensen [0-9]+\\.[0-9]+\\.[0-9]+\n"));
}

TEST_F(Cli, BadUsageNamesTheWordAndTheNearestKnownOne) {
  write_table("t.csv", 20);
  expect_refused({}, "no verb");
  expect_refused({"trian"}, "did you mean 'train'");
  expect_refused({"frobnicate"}, "unknown verb 'frobnicate'");
  expect_refused({"train", "--stpes", "3", "y ~ x"}, "did you mean '--steps'");
  expect_refused({"--verbose", "train", "y ~ x"}, "unknown option --verbose");
  expect_refused({"train", "y", "~", "x"}, "quotes");
  expect_refused({"train", "--seed"}, "--seed needs a value");
  expect_refused({"train"}, "formula is missing");
  expect_refused({"train", "y ~ x"}, "--family is missing");
  expect_refused({"train", "y ~ x", "--family", "gaussian"}, "--data is missing");
  expect_refused({"train", "y ~ x", "--family", "gaussian", "--data", "t.csv"}, "--out is missing");
  expect_refused({"summary"}, "jensen summary DIR");
  expect_refused({"predict", "fit"}, "--data is missing");
  expect_refused({"draws", "fit"}, "--out is missing");
}

TEST_F(Cli, NumbersAreCheckedAtTheDoor) {
  write_table("t.csv", 20);
  const std::vector<std::array<std::string, 2>> bad = {{"--steps", "-1"},
                                                       {"--steps", "1.5"},
                                                       {"--steps", "ten"},
                                                       {"--samples", "0"},
                                                       {"--samples", "1025"},
                                                       {"--batch", "-3"},
                                                       {"--batch", "1e3"},
                                                       {"--lr", "0"},
                                                       {"--lr", "-0.1"},
                                                       {"--lr", "inf"},
                                                       {"--lr", "nan"},
                                                       {"--lr", "0.1x"},
                                                       {"--threads", "-1"},
                                                       {"--threads", "x"},
                                                       {"--seed", "-1"},
                                                       {"--seed", "1.0"},
                                                       {"--sep", "::"},
                                                       {"--na", "ignore"},
                                                       {"--guide", "full"},
                                                       {"--device", "gpu"},
                                                       {"--optimizer", "lbfgs"},
                                                       {"--family", "binomial"},
                                                       {"--prior", "b ~ norm(0, 1)"}};
  for (const auto& [option, value] : bad) {
    auto words = train_words("y ~ x", "t.csv");
    words.insert(words.end(), {option, value});
    expect_refused(words, value.substr(0, 4), option == "--prior" ? 3 : 1);
  }
  expect_refused({"draws", "fit", "--out", "d.csv", "--num", "0"}, "--num");
}

// ---- bad input

TEST_F(Cli, BadFilesAndColumnsAreRefused) {
  write_table("t.csv", 20);
  spit(dir_ / "empty.csv", "");
  spit(dir_ / "header.csv", "y,x\n");
  spit(dir_ / "text.csv", "y,x\n1,2\n2,3\n3,abc\n4,5\n");
  spit(dir_ / "gone.csv", "y,x\n1,\n2,NA\n");
  expect_refused(train_words("y ~ x", "missing.csv"), "missing.csv");
  expect_refused(train_words("y ~ x", "."), ".");
  expect_refused(train_words("y ~ wxyz", "t.csv"), "wxyz");
  expect_refused(train_words("y ~ x", "empty.csv"), "empty.csv");
  expect_refused(train_words("y ~ x", "header.csv"), "header.csv");
  expect_refused(train_words("y ~ x", "gone.csv"), "");
  expect_refused(train_words("y ~ x", "text.csv"), "row 3");
  expect_refused(train_words("y ~ x", "t.csv", {"--family", "gaussian", "--out", "fit", "--text", "zipp"}), "zipp");
  expect_refused(train_words("y ~ x", "gone.csv", {"--family", "gaussian", "--out", "fit", "--na", "error"}), "row 1");
}

TEST_F(Cli, ResponsesThatTheFamilyCannotHaveAreRefusedWithTheirRow) {
  spit(dir_ / "t.csv",
       "same,two,negative,half,word,x\n5,0,1,1,a,1\n5,1,2,2,b,2\n5,2,-1,1.5,a,4\n5,1,3,2,b,7\n5,0,4,5,a,9\n");
  expect_refused(family_words("same ~ x", "gaussian"), "same");
  expect_refused(family_words("two ~ x", "bernoulli"), "row 3");
  expect_refused(family_words("negative ~ x", "poisson"), "row 3");
  expect_refused(family_words("half ~ x", "poisson"), "row 3");
  expect_refused(family_words("word ~ x", "gaussian"), "word");
}

TEST_F(Cli, AFormulaErrorShowsThePlace) {
  write_table("t.csv", 20);
  expect_refused(train_words("y ~ x +", "t.csv"), "^", 3);
  expect_refused(train_words("y x", "t.csv"), "^", 3);
  expect_refused(train_words("y ~ (x", "t.csv"), "^", 3);
}

TEST_F(Cli, TheFormulaIsCheckedBeforeTheData) {
  expect_refused(train_words("y ~ x +", "missing.csv"), "^", 3);
  expect_refused(train_words("y ~ x", "missing.csv", {"--family", "cauchy", "--out", "fit"}), "cauchy");
  spit(dir_ / "file", "");
  expect_refused(train_words("y ~ x", "missing.csv", {"--family", "gaussian", "--out", "file/x"}), "file");
}

TEST_F(Cli, OutputsThatCannotBeWrittenAreRefusedBeforeTheWork) {
  write_table("t.csv", 50);
  spit(dir_ / "file", "");
  expect_refused(train_words("y ~ x", "t.csv", {"--family", "gaussian", "--out", "file/fit"}), "file");
  expect_refused(train_words("y ~ x", "t.csv", {"--family", "gaussian", "--out", "/proc/fit"}), "/proc");
  ASSERT_EQ(fit().code, 0);
  const std::string before = slurp(dir_ / "fit/summary.csv");
  expect_refused(train_words("y ~ x", "t.csv"), "--force");
  EXPECT_EQ(slurp(dir_ / "fit/summary.csv"), before);
  expect_refused({"predict", "fit", "--data", "t.csv", "--out", "file"}, "--force");
  expect_refused({"predict", "fit", "--data", "t.csv", "--out", "nowhere/p.csv"}, "nowhere");
  expect_refused({"draws", "fit", "--out", "file"}, "--force");
  expect_refused({"draws", "fit", "--out", "fit"}, "directory");
  expect_refused({"summary", "nofit"}, "nofit");
  expect_refused({"summary", "file"}, "file");
  EXPECT_EQ(fit({"--force"}).code, 0);
}

TEST_F(Cli, AMegabyteOfNoiseIsRefused) {
  std::mt19937 random(99);
  std::string noise(1 << 20, '\0');
  for (char& c : noise) c = static_cast<char>(random() & 0xFF);
  spit(dir_ / "noise.csv", noise);
  spit(dir_ / "headed.csv", "y,x\n" + noise);
  spit(dir_ / "gzip.csv", "\x1f\x8b" + noise);
  for (const char* name : {"noise.csv", "headed.csv", "gzip.csv"}) expect_refused(train_words("y ~ x", name), name);
  expect_refused({"train", "--config", "noise.csv"}, "noise.csv, line");
}

// ---- training

TEST_F(Cli, TrainSavesAFitAndTellsItsStory) {
  write_table("t.csv", 400);
  const Result result = fit({"--prior", "b ~ normal(0, 2.5)"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, AllOf(HasSubstr("device: cpu"), HasSubstr("400 rows used"), HasSubstr("b ~ normal(0, 2.5)"),
                                HasSubstr("ELBO "), HasSubstr("rows/s"), HasSubstr("b_Intercept"), HasSubstr("sigma"),
                                HasSubstr("jensen predict fit --data NEW.csv --out pred.csv")));
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

// ---- config.toml

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
      {"config = \"a\"\n", "unknown key 'config'"},
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

// ---- what a fit is for

TEST_F(Cli, SummaryIsAnAlignedTable) {
  write_table("t.csv", 400);
  ASSERT_EQ(fit().code, 0);
  const Result result = run({"summary", "fit"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("formula: y ~ x"), HasSubstr("gaussian"), HasSubstr("400 rows"),
                                HasSubstr("ELBO: "), HasSubstr("verdict: ")));
  std::istringstream lines(result.out);
  std::size_t width = 0, rows = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("name ")) width = line.size();
    if (line.starts_with("b_") || line.starts_with("sigma")) {
      EXPECT_LE(line.size(), width) << result.out;
      ++rows;
    }
  }
  EXPECT_EQ(rows, 3U);
}

TEST_F(Cli, AVerbIsAFineNameForADirectory) {
  write_table("t.csv", 100);
  ASSERT_EQ(fit({"--out", "train"}).code, 0);
  EXPECT_EQ(run({"summary", "train"}).code, 0);
}

TEST_F(Cli, PredictNeedsOnlyThePredictorsAndKeepsMissingRowsEmpty) {
  write_table("t.csv", 400);
  ASSERT_EQ(fit().code, 0);
  spit(dir_ / "new.csv", "unused,x\nabc,0\n1,\n2,1\n");
  const Result result = run({"predict", "fit", "--data", "new.csv", "--out", "p.csv"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(HasSubstr("2 rows predicted"), HasSubstr("1 left empty")));
  std::istringstream lines(slurp(dir_ / "p.csv"));
  std::vector<std::string> rows;
  for (std::string line; std::getline(lines, line);) rows.push_back(line);
  ASSERT_EQ(rows.size(), 4U);
  EXPECT_EQ(rows[0], "mean,q05,q95");
  EXPECT_EQ(rows[2], ",,");
  EXPECT_NEAR(std::stod(rows[1]), 1, 0.3);
  EXPECT_NEAR(std::stod(rows[3]), 3, 0.3);
  expect_refused({"predict", "fit", "--data", "none.csv", "--out", "q.csv"}, "none.csv");
  spit(dir_ / "short.csv", "z\n1\n");
  expect_refused({"predict", "fit", "--data", "short.csv", "--out", "q.csv"}, "x");
}

TEST_F(Cli, PredictReadsAColumnAsTrainingDid) {
  write_table("t.csv", 400);
  const auto train = [&](const std::string& formula, const std::vector<std::string>& more) {
    auto words = train_words(formula, "t.csv", {"--family", "gaussian", "--out", "fit", "--force", "--steps", "50"});
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  };
  spit(dir_ / "new.csv", "zip,n\n01,1\n03,2\n");
  const std::vector<std::string> predict = {"predict", "fit", "--data", "new.csv", "--out", "p.csv", "--force"};
  ASSERT_EQ(train("y ~ zip", {"--text", "zip"}).code, 0);  // levels 01, 02, 03: as numbers they would be 1, 2, 3
  const Result text = run(predict);
  EXPECT_EQ(text.code, 0) << text.err;
  ASSERT_EQ(train("y ~ factor(n)", {}).code, 0);
  const Result numbers = run(predict);
  EXPECT_EQ(numbers.code, 0) << numbers.err;
  spit(dir_ / "new.csv", "n\n1\n77\n");
  expect_refused(predict, "77");
}

TEST_F(Cli, DrawsAreReproducibleAndNamed) {
  write_table("t.csv", 400);
  ASSERT_EQ(fit().code, 0);
  ASSERT_EQ(run({"draws", "fit", "--num", "500", "--seed", "3", "--out", "a.csv"}).code, 0);
  ASSERT_EQ(run({"draws", "fit", "--num", "500", "--seed", "3", "--out", "b.csv"}).code, 0);
  ASSERT_EQ(run({"draws", "fit", "--num", "500", "--seed", "4", "--out", "c.csv"}).code, 0);
  const std::string draws = slurp(dir_ / "a.csv");
  EXPECT_EQ(draws, slurp(dir_ / "b.csv"));
  EXPECT_NE(draws, slurp(dir_ / "c.csv"));
  EXPECT_THAT(draws, StartsWith("b_Intercept,b_x,sigma\n"));
  EXPECT_EQ(std::count(draws.begin(), draws.end(), '\n'), 501);
}

TEST_F(Cli, InfoNamesTheBuildAndTheDevices) {
  const Result text = run({"info"});
  EXPECT_EQ(text.code, 0);
  EXPECT_THAT(text.out, AllOf(HasSubstr("compiler"), HasSubstr("cpu"), HasSubstr("CSV")));
  const auto json = nlohmann::json::parse(run({"info", "--json"}).out);
  EXPECT_EQ(json.at("devices").at(0).at("name"), "cpu");
  EXPECT_TRUE(json.at("version").is_string());
}

// ---- progress, interruption, disks

TEST_F(Cli, ProgressIntoAPipeIsPlainLines) {
  write_table("t.csv", 2000);
  const Result result = fit();
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, AllOf(Not(HasSubstr("\r")), Not(HasSubstr("\x1b")), HasSubstr("\nstep ")));
}

TEST_F(Cli, ProgressOnATerminalIsOneLineThatFits) {
  write_table("t.csv", 2000);
  const std::vector<std::string> words = {"train", "y ~ x", "--family", "gaussian", "--data", "t.csv",
                                          "--out", "fit",   "--steps",  "3000",     "--force"};
  for (const int columns : {30, 60, 120}) {
    const Result result = run_on_terminal(words, columns);
    ASSERT_EQ(result.code, 0) << result.err;
    std::size_t at = result.err.find("\rstep "), shown = 0;
    for (; at != std::string::npos; at = result.err.find("\rstep ", at + 1)) {
      const std::size_t end = result.err.find("\x1b[K", at);
      ASSERT_NE(end, std::string::npos);
      EXPECT_LT(end - at - 1, static_cast<std::size_t>(columns));
      ++shown;
    }
    EXPECT_GE(shown, 1U) << result.err;
  }
}

TEST_F(Cli, CtrlCSavesTheFitSoFar) {
  write_table("t.csv", 2000);
  How how;
  bool sent = false;
  how.watch = [&sent](pid_t child, const std::string& err) {
    if (!sent && err.find("\nstep ") != std::string::npos) {
      sent = true;
      kill(child, SIGINT);
    }
  };
  const Result result = run({"train", "y ~ x", "--family", "gaussian", "--data", "t.csv", "--out", "fit", "--steps",
                             "1000000000", "--device", "cpu"},
                            how);
  EXPECT_EQ(result.code, 130) << result.err;
  EXPECT_THAT(result.err, HasSubstr("jensen: stopped after"));
  EXPECT_EQ(run({"summary", "fit"}).code, 0);
}

TEST_F(Cli, AFitThatBreaksDownIsSavedAndExitsWithOne) {
  std::string table = "y,x\n";
  for (int i = 0; i < 100; ++i) table += std::to_string(i % 5) + ',' + std::to_string(i % 7) + '\n';
  spit(dir_ / "counts.csv", table);
  const Result result = run({"train", "y ~ x", "--family", "poisson", "--data", "counts.csv", "--out", "fit", "--lr",
                             "1e20", "--device", "cpu"});
  EXPECT_EQ(result.code, 1) << result.err;
  EXPECT_THAT(result.err, HasSubstr("were not finite"));
  EXPECT_EQ(run({"summary", "fit"}).code, 0);
}

TEST_F(Cli, ProgressThatCannotBeShownDoesNotCostTheFit) {
  write_table("t.csv", 100);
  const std::string command = "cd '" + dir_.string() +
                              "' && '" JENSEN_PROGRAM
                              "' train 'y ~ x' --family gaussian --data t.csv --device cpu --out ";
  EXPECT_EQ(std::system((command + "closed 2>&-").c_str()), 0);
  EXPECT_EQ(std::system((command + "full 2>/dev/full").c_str()), 0);
  EXPECT_EQ(run({"summary", "closed"}).code, 0);
  EXPECT_EQ(run({"summary", "full"}).code, 0);
}

TEST_F(Cli, ASignalThatArrivesTwiceAtOnceStillSavesTheFit) {
  write_table("t.csv", 2000);
  How how;
  bool sent = false;
  how.watch = [&sent](pid_t child, const std::string& err) {
    if (!sent && err.find("\nstep ") != std::string::npos) {
      sent = true;
      kill(child, SIGTERM);
      kill(child, SIGTERM);
    }
  };
  const Result result = run({"train", "y ~ x", "--family", "gaussian", "--data", "t.csv", "--out", "fit", "--steps",
                             "1000000000", "--device", "cpu"},
                            how);
  EXPECT_EQ(result.code, 130) << result.err;
  EXPECT_EQ(run({"summary", "fit"}).code, 0);
}

TEST_F(Cli, AColumnOfNumbersThatBeginsWithAnOddCellIsNoFactor) {
  spit(dir_ / "t.csv", "y,x\n1,null\n2,3\n4,5\n6,9\n");
  const Result result = run({"train", "y ~ x", "--family", "gaussian", "--data", "t.csv", "--out", "fit"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("row 1, column 'x': 'null' is not a number, but most cells of the column are"));
}

TEST_F(Cli, AFullDiskIsAFailureThatLeavesNothingHalfWritten) {
  write_table("t.csv", 200);
  ASSERT_EQ(fit().code, 0);
  const auto before = files();
  How how;
  how.no_disk = true;
  const Result train = run({"train", "--config", "fit/config.toml", "--out", "fit2"}, how);
  EXPECT_EQ(train.code, 1) << train.err;
  EXPECT_THAT(train.err, AllOf(HasSubstr("jensen: "), HasSubstr("b_Intercept")));  // the result is still shown
  const Result draws = run({"draws", "fit", "--out", "d.csv"}, how);
  EXPECT_EQ(draws.code, 1) << draws.err;
  const Result predict = run({"predict", "fit", "--data", "t.csv", "--out", "p.csv"}, how);
  EXPECT_EQ(predict.code, 1) << predict.err;
  EXPECT_EQ(files(), before);
}

TEST_F(Cli, OutputThatCannotBeWrittenIsAFailure) {
  write_table("t.csv", 200);
  ASSERT_EQ(fit().code, 0);
  How how;
  how.stdout_file = "/dev/full";
  EXPECT_EQ(run({"summary", "fit"}, how).code, 1);
  EXPECT_EQ(run({"info"}, how).code, 1);
}

}  // namespace
}  // namespace jensen::test
