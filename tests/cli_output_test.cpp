/// \file The program as its user meets it: what a fit is for: summaries, predictions, draws, and where they go.

#include <sys/stat.h>

#include <cmath>
#include <future>
#include <nlohmann/json.hpp>

#include "cli_program.hpp"
#include "hierarchical_fit.hpp"
#include "jensen/io.hpp"

namespace jensen::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST_F(Cli, SummaryIsATableForEachClass) {
  save_fit(hierarchical_fit(), "", dir_ / "fit", false);
  const Result result = run({"summary", "fit"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, StartsWith("formula: y ~ x + (1 + x | g) + (1 | site)\n"
                                     "         sigma ~ 1 + (1 | g)\n"
                                     "family:  gaussian, identity link\n"
                                     "data:    919 rows\n"
                                     "ELBO:    -1234.50 +- 0.20, structured guide, 2,000 steps\n"
                                     "verdict: converged\n"));
  std::string outline;  // what stands before the numbers
  for (const std::string& line : lines_of(result.out.substr(result.out.find("Population")))) {
    outline += line.substr(0, line.find("  ")) + "|";
  }
  EXPECT_EQ(outline,
            "Population-Level Effects:|name|Intercept|x|sigma_Intercept||"
            "Group-Level Effects:|~g (Number of levels: 3)|name|sd(Intercept)|sd(x)|cor(Intercept,x)|"
            "sd(sigma_Intercept)||~site (Number of levels: 2)|name|sd(Intercept)||"
            "Family Specific Parameters:|name|nu|");
  EXPECT_THAT(result.out, HasSubstr("\nx                    0.1000  0.0500   0.0178  0.1000  0.1822\n"));
}

TEST_F(Cli, SummaryOfAllHasEveryLevel) {
  save_fit(hierarchical_fit(), "", dir_ / "fit", false);
  EXPECT_THAT(run({"summary", "fit"}).out, Not(HasSubstr("r_g[")));
  const std::string out = run({"summary", "fit", "--all"}).out;
  const std::size_t levels = out.find("\nEffects of Each Level:\n~g\nname ");
  ASSERT_NE(levels, std::string::npos) << out;
  EXPECT_GT(levels, out.find("Family Specific Parameters:"));
  for (const char* name : {"r_g[a,Intercept]", "r_g[c,x]", "r_site[north,Intercept]", "r_g__sigma[b,Intercept]"}) {
    EXPECT_NE(out.find("\n" + std::string(name) + " ", levels), std::string::npos) << name << "\n" << out;
  }
}

TEST_F(Cli, JsonHasTheClassAndGroupOfEverything) {
  save_fit(hierarchical_fit(), "", dir_ / "fit", false);
  const auto json = nlohmann::json::parse(run({"summary", "fit", "--json"}).out);
  EXPECT_EQ(json.at("formulas").at("sigma"), "1 + (1 | g)");
  EXPECT_EQ(json.at("guide"), "structured");
  const auto& parameters = json.at("parameters");
  ASSERT_EQ(parameters.size(), 9U);
  EXPECT_EQ(parameters[0]["class"], "population");
  EXPECT_TRUE(parameters[0]["group"].is_null());
  EXPECT_EQ(parameters[5]["name"], "cor_g__Intercept__x");
  EXPECT_EQ(parameters[5]["class"], "group");
  EXPECT_EQ(parameters[5]["group"], "g");
  EXPECT_EQ(parameters[6]["group"], "site");
  EXPECT_EQ(parameters[8]["class"], "family");
  const auto& levels = json.at("levels");
  ASSERT_EQ(levels.size(), 3U * 2 + 2 + 3);
  EXPECT_EQ(levels[1]["name"], "r_g[a,x]");
  EXPECT_EQ(levels[1]["class"], "level");
  EXPECT_EQ(levels[7]["group"], "site");
  EXPECT_GT(levels[7]["sd"].get<double>(), 0);
}

TEST_F(Cli, LongNamesAreWholeAndNumbersStayInTheTerminal) {
  Fit fit = hierarchical_fit();
  const std::string name = "the_number_of_kilometres_between_the_two_airports_of_the_flight";
  fit.parameters[1].name = "b_" + name;
  save_fit(fit, "", dir_ / "fit", false);
  const std::vector<std::string> piped = lines_of(run({"summary", "fit"}).out);
  EXPECT_TRUE(std::ranges::any_of(piped, [&](const auto& line) { return line.starts_with(name + "  "); }));
  const Result narrow = run_on_terminal({"summary", "fit"}, 70);
  EXPECT_THAT(narrow.err, HasSubstr("\n" + name + "\r\n  "));
  const std::string tables = narrow.err.substr(narrow.err.find("Population"));
  for (const std::string& line : lines_of(tables)) EXPECT_LE(line.size(), 71U) << line;  // with its carriage return
}

TEST_F(Cli, AFailedFitWarnsWhereverItIsUsed) {
  Fit fit = hierarchical_fit();
  fit.verdict.failed = true;
  save_fit(fit, "", dir_ / "fit", false);
  EXPECT_THAT(run({"summary", "fit"}).out, HasSubstr("WARNING: this fit failed"));
  EXPECT_THAT(run({"draws", "fit", "--out", "d.csv", "--quiet"}).err, StartsWith("WARNING: this fit failed"));
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
  expect_refused({"predict", "fit", "--data", "new.csv", "--out", "./new.csv", "--force"}, "choose another --out");
  EXPECT_EQ(slurp(dir_ / "new.csv"), "unused,x\nabc,0\n1,\n2,1\n");
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

TEST_F(Cli, AFullDiskIsAFailureThatLeavesNothingHalfWritten) {
  write_table("t.csv", 200);
  ASSERT_EQ(fit().code, 0);
  const auto before = files();
  How how;
  how.largest_file = 0;
  const Result train = run({"train", "--config", "fit/config.toml", "--out", "fit2"}, how);
  EXPECT_EQ(train.code, 1) << train.err;
  EXPECT_THAT(train.err, AllOf(HasSubstr("jensen: "), HasSubstr("\nIntercept ")));  // the result is still shown
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

TEST_F(Cli, ADashIsTheStandardOutput) {
  write_table("t.csv", 200);
  ASSERT_EQ(fit().code, 0);
  const auto before = files();
  const Result draws = run({"draws", "fit", "--num", "20", "--out", "-"});
  const Result predict = run({"predict", "fit", "--data", "t.csv", "--out", "-"});
  EXPECT_EQ(files(), before);
  ASSERT_EQ(run({"draws", "fit", "--num", "20", "--out", "d.csv"}).code, 0);
  ASSERT_EQ(run({"predict", "fit", "--data", "t.csv", "--out", "p.csv"}).code, 0);
  EXPECT_EQ(draws.out, slurp(dir_ / "d.csv"));
  EXPECT_EQ(predict.out, slurp(dir_ / "p.csv"));
  EXPECT_THAT(predict.err, AllOf(HasSubstr("200 rows predicted"), Not(HasSubstr("saved"))));
  How how;
  how.stdout_file = "/dev/full";
  EXPECT_EQ(run({"draws", "fit", "--out", "-"}, how).code, 1);
}

TEST_F(Cli, ADashIsTheStandardInput) {
  write_table("t.csv", 200);
  ASSERT_EQ(fit().code, 0);
  How how;
  how.stdin_file = (dir_ / "t.csv").string();
  const Result trained = run(
      train_words("y ~ x", "-", {"--family", "gaussian", "--out", "again", "--steps", "200", "--device", "cpu"}), how);
  ASSERT_EQ(trained.code, 0) << trained.err;
  EXPECT_EQ(run({"summary", "again"}).out, run({"summary", "fit"}).out);
  const Result predicted = run({"predict", "again", "--data", "-", "--out", "-"}, how);
  EXPECT_EQ(predicted.code, 0) << predicted.err;
  EXPECT_EQ(predicted.out, run({"predict", "fit", "--data", "t.csv", "--out", "-"}).out);
}

TEST_F(Cli, APipeIsWrittenToAndStaysAPipe) {
  save_fit(hierarchical_fit(), "", dir_ / "fit", false);
  const fs::path pipe = dir_ / "pipe";
  ASSERT_EQ(mkfifo(pipe.c_str(), 0600), 0);
  std::future<std::string> read = std::async(std::launch::async, [&pipe] { return slurp(pipe); });
  const Result result = run({"draws", "fit", "--num", "20", "--out", "pipe"});
  EXPECT_EQ(result.code, 0) << result.err;
  if (result.code != 0) spit(pipe, "");  // or the reader would wait for ever
  ASSERT_EQ(run({"draws", "fit", "--num", "20", "--out", "d.csv"}).code, 0);
  EXPECT_EQ(read.get(), slurp(dir_ / "d.csv"));
  EXPECT_TRUE(fs::is_fifo(pipe));
}

TEST_F(Cli, ALinkIsFollowedAndOneToNothingRefused) {
  write_table("t.csv", 50);
  save_fit(hierarchical_fit(), "", dir_ / "fit", false);
  fs::create_symlink("nowhere", dir_ / "dangling");
  expect_refused({"draws", "fit", "--out", "dangling"}, "a link to nothing");
  expect_refused({"predict", "fit", "--data", "t.csv", "--out", "dangling", "--force"}, "a link to nothing");
  expect_refused(train_words("y ~ x", "t.csv", {"--family", "gaussian", "--out", "dangling"}), "a link to nothing");
  spit(dir_ / "target.csv", "old");
  fs::create_symlink("target.csv", dir_ / "link.csv");
  expect_refused({"draws", "fit", "--out", "link.csv"}, "--force");
  ASSERT_EQ(run({"draws", "fit", "--out", "link.csv", "--force"}).code, 0);
  EXPECT_TRUE(fs::is_symlink(dir_ / "link.csv"));
  EXPECT_THAT(slurp(dir_ / "target.csv"), StartsWith("b_Intercept,"));
}

TEST_F(Cli, ATableShowsTheDigitsThatAnSdIsBelowTheMean) {
  std::string table = "y\n";
  for (int i = 0; i < 200; ++i) table += fmt::format("{:.1f}\n", 2e9 + i % 5);
  spit(dir_ / "t.csv", table);
  const Result result =
      run({"train", "y ~ 1", "--data", "t.csv", "--out", "fit", "--family", "gaussian", "--device", "cpu"});
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err, testing::ContainsRegex("Intercept .* 2000000001\\.8[0-9]+ .* 2000000002\\.1[0-9]+"));
}

TEST_F(Cli, PredictionsOfEachKindAndOfNewLevels) {
  write_table("t.csv", 400);
  ASSERT_EQ(run({"train", "n ~ x + (1 | f)", "--family", "poisson", "--data", "t.csv", "--out", "fit", "--steps", "300",
                 "--device", "cpu"})
                .code,
            0);
  spit(dir_ / "new.csv", "x,f\n0.5,a\n0.5,z\n");
  const std::vector<std::string> predict = {"predict", "fit", "--data", "new.csv", "--out", "p.csv", "--force"};
  expect_refused(predict, "'z'");
  const auto rows = [&](std::vector<std::string> more) {
    more.insert(more.begin(), predict.begin(), predict.end());
    more.insert(more.end(), {"--new-levels", "sample"});
    const Result result = run(more);
    EXPECT_EQ(result.code, 0) << result.err;
    return lines_of(slurp(dir_ / "p.csv"));
  };
  const std::vector<std::string> response = rows({});
  const std::vector<std::string> link = rows({"--kind", "link"});
  ASSERT_EQ(response.size(), 3U);
  EXPECT_EQ(response[0], "mean,q05,q95");
  EXPECT_NEAR(std::stod(response[1]), std::exp(std::stod(link[1])), 0.1);
  const std::vector<std::string> draws = rows({"--kind", "draws", "--draws", "3", "--seed", "5"});
  EXPECT_EQ(draws[0], "draw_1,draw_2,draw_3");
  EXPECT_THAT(draws[1], testing::MatchesRegex("[0-9]+,[0-9]+,[0-9]+"));
  EXPECT_EQ(rows({"--kind", "draws", "--draws", "3", "--seed", "5"}), draws);

  spit(dir_ / "new.csv", "x,f\n0.5,a\n1e6,a\n,a\n");  // exp(x) overflows
  for (const std::string kind : {"response", "draws"}) {
    const Result result = run({"predict", "fit", "--data", "new.csv", "--out", "p.csv", "--force", "--kind", kind,
                               "--draws", "100"});  // of slopes of either sign
    EXPECT_EQ(result.code, 0);
    EXPECT_THAT(result.err, AllOf(HasSubstr("2 rows predicted, 1 left empty"),
                                  HasSubstr("WARNING: infinite predictions in 1 row,")));
    EXPECT_THAT(lines_of(slurp(dir_ / "p.csv")).at(2), HasSubstr("inf")) << kind;
  }
}

}  // namespace
}  // namespace jensen::test
