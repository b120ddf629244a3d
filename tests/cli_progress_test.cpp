/// \file The program as its user meets it: progress, interruption, and fits that break down.

#include "cli_program.hpp"

namespace jensen::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TEST_F(Cli, ProgressIntoAPipeIsPlainLines) {
  write_table("t.csv", 2000);
  const Result result = fit();
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.err,
              AllOf(Not(HasSubstr("\r")), Not(HasSubstr("\x1b")), Not(HasSubstr("reading")), HasSubstr("\nstep ")));
}

TEST_F(Cli, AnErrorOnATerminalStandsWhereTheReadingWasSaid) {
  const Result result =
      run_on_terminal({"train", "y ~ x", "--family", "gaussian", "--data", "none.csv", "--out", "fit"}, 80);
  EXPECT_EQ(result.code, 2) << result.err;
  EXPECT_THAT(result.err, HasSubstr("reading none.csv ..\r\x1b[Kjensen: cannot open none.csv"));
}

TEST_F(Cli, ProgressOnATerminalIsOneLineThatFits) {
  write_table("t.csv", 2000);
  const std::vector<std::string> words = {"train", "y ~ x", "--family", "gaussian", "--data", "t.csv",
                                          "--out", "fit",   "--steps",  "3000",     "--force"};
  for (const int columns : {30, 60, 120}) {
    const Result result = run_on_terminal(words, columns);
    ASSERT_EQ(result.code, 0) << result.err;
    const std::size_t reading = result.err.find("reading t.csv .."), erased = result.err.find("\r\x1b[K");
    EXPECT_LT(reading, erased) << result.err;
    EXPECT_LT(erased, result.err.find("device: "));
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
  const Result result = interrupted_fit({SIGINT});
  EXPECT_EQ(result.code, 3) << result.err;
  EXPECT_THAT(result.err, HasSubstr("jensen: stopped after"));
  EXPECT_EQ(run({"summary", "fit"}).code, 0);
}

TEST_F(Cli, ASignalThatArrivesTwiceAtOnceStillSavesTheFit) {
  write_table("t.csv", 2000);
  const Result result = interrupted_fit({SIGTERM, SIGTERM});
  EXPECT_EQ(result.code, 3) << result.err;
  EXPECT_EQ(run({"summary", "fit"}).code, 0);
}

TEST_F(Cli, AFitThatBreaksDownIsSavedSaysSoOnceAndEveryUseOfItWarns) {
  std::string table = "y,x\n";
  for (int i = 0; i < 100; ++i) table += std::to_string(i % 5) + ',' + std::to_string(i % 7) + '\n';
  spit(dir_ / "counts.csv", table);
  const Result result = run({"train", "y ~ x", "--family", "poisson", "--data", "counts.csv", "--out", "fit", "--lr",
                             "1e20", "--device", "cpu"});
  EXPECT_EQ(result.code, 1) << result.err;
  const std::size_t first = result.err.find("were not finite");
  ASSERT_NE(first, std::string::npos) << result.err;
  EXPECT_EQ(result.err.find("were not finite", first + 1), std::string::npos) << result.err;
  const Result summary = run({"summary", "fit"});
  const Result draws = run({"draws", "fit", "--out", "d.csv", "--quiet"});
  const Result predict = run({"predict", "fit", "--data", "counts.csv", "--out", "p.csv", "--quiet"});
  EXPECT_EQ(summary.code, 0);
  EXPECT_EQ(draws.code, 0);
  EXPECT_EQ(predict.code, 0);
  for (const std::string& said : {summary.out, draws.err, predict.err}) {
    EXPECT_THAT(said, HasSubstr("WARNING: this fit failed"));
  }
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

}  // namespace
}  // namespace jensen::test
