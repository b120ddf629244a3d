/// \file The program as its user meets it: help, refusals of words, and the lists of what there is.

#include <array>
#include <nlohmann/json.hpp>

#include "cli_program.hpp"
#include "jensen/catalogue.hpp"

namespace jensen::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(Cli, EveryHelpHasAnExampleAndTheExitCodesAndFitsInAHundredColumns) {
  for (const char* verb : {"", "train", "summary", "predict", "draws", "bench", "families", "priors", "info"}) {
    SCOPED_TRACE(verb);
    std::vector<std::string> words = {"--help"};
    if (*verb) words.insert(words.begin(), verb);
    const Result result = run(words);
    EXPECT_EQ(result.code, 0);
    EXPECT_EQ(result.err, "");
    EXPECT_THAT(result.out,
                AllOf(HasSubstr("Usage: jensen"), HasSubstr("Example:\n  jensen "), HasSubstr("2 bad usage"),
                      HasSubstr("3 stopped by a signal"), Not(HasSubstr("TEXT")), Not(HasSubstr("UINT"))));
    std::istringstream lines(result.out);
    for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
  }
  const std::string train = run({"train", "--help"}).out;
  for (const char* option : {"--family",
                             "--link",
                             "--formula-sigma",
                             "--formula-nu",
                             "--formula-shape",
                             "--formula-phi",
                             "--formula-zi",
                             "--formula-hu",
                             "--prior",
                             "--data",
                             "--text",
                             "--sep",
                             "--na",
                             "--guide",
                             "structured",
                             "--parametrization",
                             "noncentered",
                             "--samples",
                             "--batch",
                             "--steps",
                             "--lr",
                             "--optimizer",
                             "--seed",
                             "--threads",
                             "--device",
                             "--storage",
                             "bfloat16",
                             "--precision",
                             "tf32",
                             "--config",
                             "--checkpoint-every",
                             "--resume",
                             "--out",
                             "--force",
                             "--quiet",
                             "--json",
                             "Model:",
                             "Data:",
                             "Inference:",
                             "Run:",
                             "Output:",
                             "default:"}) {
    EXPECT_THAT(train, HasSubstr(option));
  }
  const std::string predict = run({"predict", "--help"}).out;
  for (const char* option : {"--kind", "--new-levels", "--draws", "--seed"}) EXPECT_THAT(predict, HasSubstr(option));
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
  expect_refused({"trian", "--help"}, "unknown verb 'trian'; did you mean 'train'?");
  expect_refused({"train", "--stpes", "3", "y ~ x"}, "did you mean '--steps'");
  expect_refused({"--verbose", "train", "y ~ x"}, "unknown option --verbose");
  expect_refused({"train", "y", "~", "x"}, "quotes");
  for (const char* verb : {"info", "families", "priors"}) {
    const Result result = run({verb, "more"});
    EXPECT_EQ(result.code, 2);
    EXPECT_THAT(result.err, AllOf(HasSubstr("unexpected word 'more'"), Not(HasSubstr("formula"))));
  }
  EXPECT_THAT(run({"summary", "fit", "y ~ x"}).err, AllOf(HasSubstr("unexpected word"), Not(HasSubstr("formula"))));
  expect_refused({"train", "--seed"}, "--seed needs a value; see jensen train --help");
  expect_refused({"train"}, "formula is missing");
  expect_refused({"train", "y ~ x"}, "--family is missing");
  expect_refused({"train", "y ~ x", "--family", "gaussian"}, "--data is missing");
  expect_refused({"train", "y ~ x", "--family", "gaussian", "--data", "t.csv"}, "--out is missing");
  expect_refused({"train", "y ~ x", "--family", "gaussian", "--data", "t.csv", "--out", "-"}, "a fit is a directory");
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
                                                       {"--storage", "float64"},
                                                       {"--precision", "fp64"},
                                                       {"--optimizer", "lbfgs"},
                                                       {"--family", "cauchy"},
                                                       {"--link", "square"},
                                                       {"--parametrization", "half"},
                                                       {"--prior", "b ~ norm(0, 1)"}};
  for (const auto& [option, value] : bad) {
    auto words = train_words("y ~ x", "t.csv");
    words.insert(words.end(), {option, value});
    expect_refused(words, value.substr(0, 4), option == "--prior" ? 3 : 1);
  }
  expect_refused({"draws", "fit", "--out", "d.csv", "--num", "0"}, "--num");
  const auto predict = [](const std::string& option, const std::string& value) {
    return std::vector<std::string>{"predict", "fit", "--data", "t.csv", "--out", "p.csv", option, value};
  };
  expect_refused(predict("--kind", "mean"), "response, link or draws");
  expect_refused(predict("--new-levels", "ignore"), "error or sample");
  expect_refused(predict("--draws", "0"), "--draws");
}

TEST_F(Cli, InfoNamesTheBuildAndTheDevices) {
  const Result text = run({"info"});
  EXPECT_EQ(text.code, 0);
  EXPECT_THAT(text.out, AllOf(HasSubstr("compiler"), HasSubstr("cpu"), HasSubstr("CSV")));
  const auto json = nlohmann::json::parse(run({"info", "--json"}).out);
  EXPECT_EQ(json.at("devices").at(0).at("name"), "cpu");
  EXPECT_TRUE(json.at("version").is_string());
}

TEST_F(Cli, ThreadsThatAreBoundToProcessorsHaveAsManyOfThem) {
  const std::string free = run({"info", "--json"}).out;
  unsetenv("OMP_WAIT_POLICY");
  setenv("OMP_PROC_BIND", "true", 1);
  const std::string bound = run({"info", "--json"}).out;
  unsetenv("OMP_PROC_BIND");
  EXPECT_EQ(nlohmann::json::parse(bound).at("devices"), nlohmann::json::parse(free).at("devices"));
}

TEST_F(Cli, FamiliesAreListedALineEach) {
  const Result text = run({"families"});
  ASSERT_EQ(text.code, 0) << text.err;
  const std::vector<std::string> lines = lines_of(text.out);
  const auto families = describe_families();
  ASSERT_EQ(families.size(), 15U);
  for (std::size_t i = 0; i < families.size(); ++i) {
    EXPECT_THAT(lines.at(i + 1), AllOf(StartsWith(std::string(to_string(families[i].family)) + " "),
                                       HasSubstr(std::string(families[i].response))));
  }
  EXPECT_THAT(text.out, AllOf(HasSubstr("y | trials(n)"), HasSubstr("y | cens(c)"), HasSubstr("sigma, nu")));
  const auto json = nlohmann::json::parse(run({"families", "--json"}).out).at("families");
  ASSERT_EQ(json.size(), families.size());
  EXPECT_EQ(json[1]["name"], "student_t");
  EXPECT_EQ(json[1]["parameters"], nlohmann::json({"sigma", "nu"}));
  EXPECT_EQ(json[2]["links"], nlohmann::json({"logit", "probit", "cloglog"}));
  EXPECT_EQ(json[3]["trials"], true);
}

TEST_F(Cli, PriorsAreListedALineEach) {
  const Result text = run({"priors"});
  ASSERT_EQ(text.code, 0) << text.err;
  const std::vector<std::string> lines = lines_of(text.out);
  const auto priors = describe_priors();
  ASSERT_EQ(priors.size(), 17U);
  for (std::size_t i = 0; i < priors.size(); ++i) EXPECT_THAT(lines.at(i + 1), StartsWith(priors[i].usage + " "));
  const auto json = nlohmann::json::parse(run({"priors", "--json"}).out).at("priors");
  ASSERT_EQ(json.size(), priors.size());
  EXPECT_EQ(json[1]["arguments"], nlohmann::json({"location", "scale"}));
  EXPECT_EQ(json[6]["usage"], "half_normal(0, scale)");
  EXPECT_EQ(json[6]["targets"], nlohmann::json({"sd", "sigma", "nu", "shape", "phi"}));
  EXPECT_EQ(json[15]["supports"], nlohmann::json({"correlation"}));
}

TEST_F(Cli, HelpIsAsWideAsTheTerminal) {
  for (const char* verb : {"", "train", "summary", "predict", "draws", "bench", "families", "priors", "info"}) {
    SCOPED_TRACE(verb);
    std::vector<std::string> words = {"--help"};
    if (*verb) words.insert(words.begin(), verb);
    const std::vector<std::string> lines = lines_of(run_on_terminal(words, 80).err);
    EXPECT_GT(lines.size(), 8U);
    for (std::string line : lines) {
      std::erase(line, '\r');
      EXPECT_LE(line.size(), 80U) << line;
    }
  }
}

TEST_F(Cli, TheExamplesOfTheHelpRunAsTheyStand) {
  fs::create_directory_symlink(fs::path(JENSEN_SOURCE_DIR) / "examples", dir_ / "examples");
  for (const char* verb : {"train", "summary", "predict", "draws", "families", "priors", "info"}) {
    const std::string help = run({verb, "--help"}).out;
    const std::size_t begin = help.find("Example:\n") + 9;
    const std::string example = help.substr(begin, help.find("\n\n", begin) - begin);
    const std::string path = fs::path(JENSEN_PROGRAM).parent_path().string();
    const std::string command =
        "cd '" + dir_.string() + "' && PATH='" + path + "':$PATH && set -e\n(" + example + "\n) >out 2>&1";
    EXPECT_EQ(std::system(command.c_str()), 0) << example << slurp(dir_ / "out");
  }
}

}  // namespace
}  // namespace jensen::test
