/// \file The program as its user meets it: files, columns and formulas that are refused.

#include "cli_program.hpp"

namespace jensen::test {
namespace {

using testing::HasSubstr;

TEST_F(Cli, BadFilesAndColumnsAreRefused) {
  write_table("t.csv", 20);
  spit(dir_ / "empty.csv", "");
  spit(dir_ / "header.csv", "y,x\n");
  spit(dir_ / "text.csv", "y,x\n1,2\n2,3\n3,abc\n4,5\n");
  spit(dir_ / "gone.csv", "y,x\n1,\n2,NA\n");
  expect_refused(train_words("y ~ x", "missing.csv"), "missing.csv");
  expect_refused(train_words("y ~ x", "."), ".");
  expect_refused(train_words("y ~ wxyz", "t.csv"), "wxyz");
  expect_refused(train_words("y ~ x + (1 | uvw)", "t.csv"), "uvw");
  expect_refused(train_words("y ~ x", "t.csv", {"--family", "gaussian", "--out", "fit", "--formula-sigma", "1 + rst"}),
                 "rst");
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
  const auto poisson = [](const std::string& option, const std::string& value) {
    return train_words("y ~ x", "missing.csv", {"--family", "poisson", "--out", "fit", option, value});
  };
  expect_refused(poisson("--link", "probit"), "the poisson family has no probit link (--link); use log");
  expect_refused(poisson("--formula-sigma", "1 + x"), "the poisson family has no parameter sigma (--formula-sigma)");
  expect_refused(
      train_words("y ~ x", "missing.csv", {"--family", "gaussian", "--out", "fit", "--formula-sigma", "1 + (x"}), "^",
      3);
  spit(dir_ / "file", "");
  expect_refused(train_words("y ~ x", "missing.csv", {"--family", "gaussian", "--out", "file/x"}), "file");
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

TEST_F(Cli, AColumnOfNumbersThatBeginsWithAnOddCellIsNoFactor) {
  spit(dir_ / "t.csv", "y,x\n1,null\n2,3\n4,5\n6,9\n");
  const Result result = run({"train", "y ~ x", "--family", "gaussian", "--data", "t.csv", "--out", "fit"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, HasSubstr("row 1, column 'x': 'null' is not a number, but most cells of the column are"));
}

TEST_F(Cli, ADecimalCommaIsNamedAndMakesNoFactor) {
  const std::vector<std::string> more = {"--family", "gaussian", "--sep", ";", "--out", "fit"};
  spit(dir_ / "commas.csv", "y;x\n1;1,5\n2;2,5\n4;4\n6;9,25\n");
  expect_refused(train_words("y ~ x", "commas.csv", more),
                 "row 1, column 'x': '1,5' has a decimal comma; write numbers with a decimal point, or read the column "
                 "as text with --text x");
  spit(dir_ / "later.csv", "y;x\n1;1\n2;2,5\n");
  expect_refused(train_words("y ~ x", "later.csv", more), "row 2, column 'x': '2,5' has a decimal comma");
  spit(dir_ / "lists.csv", "y;x\n1;1,5,2\n2;2,5,1\n3;1,5,2\n5;2,5,1\n2;1,5,2\n");  // no number with any point
  EXPECT_EQ(run(train_words("y ~ x", "lists.csv", more)).code, 0);
}

}  // namespace
}  // namespace jensen::test
