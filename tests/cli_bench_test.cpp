/// \file `jensen bench` as its user meets it: words, table, JSON.

#include <nlohmann/json.hpp>

#include "cli_program.hpp"

namespace jensen::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

const std::vector<std::string> tiny = {"bench",     "--device", "cpu",       "--rows", "500",       "--cols", "3",
                                       "--repeats", "2",        "--samples", "1,8",    "--threads", "2"};

std::vector<std::string> tiny_and(const std::vector<std::string>& more) {
  std::vector<std::string> words = tiny;
  words.insert(words.end(), more.begin(), more.end());
  return words;
}

/// Every number in it, wherever.
void expect_finite(const nlohmann::json& json, const std::string& path) {
  if (json.is_number()) {
    EXPECT_TRUE(std::isfinite(json.get<double>())) << path;
    EXPECT_GE(json.get<double>(), 0) << path;
  }
  if (json.is_null()) {
    EXPECT_THAT(path, testing::EndsWith("/refused"));
  }
  if (json.is_structured()) {
    for (const auto& [key, value] : json.items()) expect_finite(value, path + "/" + key);
  }
}

TEST_F(Cli, BenchMeasuresACaseOfOnesOwn) {
  const Result result = run(tiny_and({"--family", "gamma", "--json", "bench.json"}));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_THAT(result.out, AllOf(HasSubstr("device: cpu"), HasSubstr("limits: read "), HasSubstr("gamma: 500 x 3"),
                                HasSubstr("gamma_log")));
  for (const std::string& line : lines_of(result.out)) EXPECT_LE(line.size(), 100U) << line;
  EXPECT_THAT(result.err, HasSubstr("5/5  gamma, S = 8, steps"));

  const auto json = nlohmann::json::parse(slurp(dir_ / "bench.json"));
  expect_finite(json, "");
  EXPECT_EQ(json["device"], "cpu");
  EXPECT_EQ(json["threads"], 2);
  EXPECT_EQ(json["suite"], "own");
  for (const char* key : {"date", "version", "commit", "compiler", "cuda", "isa"}) EXPECT_NE(json[key], "") << key;
  for (const auto& [key, value] : json["limits"].items()) {
    if (value.is_number()) {
      EXPECT_GT(value.get<double>(), 0) << key;
    }
  }
  ASSERT_EQ(json["cases"].size(), 1U);
  const auto& c = json["cases"][0];
  EXPECT_EQ(c["rows"], 500);
  EXPECT_EQ(c["columns"], 3);
  EXPECT_EQ(c["parameters"], 4);  // the shape too
  ASSERT_EQ(c["passes"].size(), 2U);
  for (const auto& p : c["passes"]) {
    const double time = p["median_s"], rows = p["rows_per_s"], floor = p["floor_s"], fraction = p["fraction"];
    EXPECT_NEAR(rows * time, 500, 1e-9 * 500);
    EXPECT_NEAR(fraction, floor / time, 1e-9 * fraction);
    EXPECT_NEAR(p["row_samples_per_s"].get<double>(), rows * p["samples"].get<double>(), 1e-9 * rows * 8);
    EXPECT_EQ(p["operations"], 4 * 500 * 3 * p["samples"].get<int>());
    EXPECT_EQ(p["bytes"], 4 * 500 * 4);
    EXPECT_LE(p["error"], p["tolerance"]);
    EXPECT_EQ(p["checked_rows"], 500);
  }
  ASSERT_EQ(c["steps"].size(), 2U);
  for (const auto& s : c["steps"]) {
    double sum = 0;
    for (const auto& [name, stage] : s["stages"].items()) sum += stage["seconds"].get<double>();
    EXPECT_GT(sum, 0);
    EXPECT_LE(sum, s["staged_s"].get<double>());
  }
}

TEST_F(Cli, BenchPrintsJsonAloneOnStdoutIfAsked) {
  const Result result = run(tiny_and({"--json", "-", "--quiet"}));
  ASSERT_EQ(result.code, 0) << result.err;
  EXPECT_EQ(nlohmann::json::parse(result.out)["cases"].size(), 1U);
  EXPECT_THAT(result.err, testing::StartsWith("device: cpu"));  // the table, and no progress
}

TEST_F(Cli, BenchTakesEveryFamily) {
  const auto families = nlohmann::json::parse(run({"families", "--json"}).out)["families"];
  ASSERT_GE(families.size(), 15U);
  for (const auto& family : families) {
    const Result result = run({"bench", "--device", "cpu", "--rows", "300", "--cols", "2", "--repeats", "1",
                               "--samples", "3", "--quiet", "--family", family["name"]});
    EXPECT_EQ(result.code, 0) << family["name"] << "\n" << result.err;
    EXPECT_EQ(result.err, "") << family["name"];
  }
}

TEST_F(Cli, BenchRefusesBadWords) {
  expect_refused({"bench", "--rows", "0"}, "--rows must be a whole number from 1 to 4294967295, not '0'");
  expect_refused({"bench", "--rows", "-3"}, "--rows must be");
  expect_refused({"bench", "--rows", "99999999999999999999"}, "--rows must be");
  expect_refused({"bench", "--cols", "16385"}, "--cols must be a whole number from 1 to 16384");
  expect_refused({"bench", "--levels", "few"}, "--levels must be a whole number from 0 to");
  expect_refused({"bench", "--rows", "10", "--levels", "11"}, "11 levels of 10 rows (--levels)");
  expect_refused({"bench", "--rows", "100", "--levels", "5", "--guide", "fullrank"}, "use structured or meanfield");
  expect_refused({"bench", "--rows", "100", "--guide", "structured"}, "give --levels, or use fullrank");
  expect_refused({"bench", "--samples", "1,,8"}, "--samples must be");
  expect_refused({"bench", "--samples", "8,"}, "--samples must be");
  expect_refused({"bench", "--samples", "1025"}, "--samples must be");
  expect_refused({"bench", "--repeats", "0"}, "--repeats must be");
  expect_refused({"bench", "--threads", "many"}, "--threads must be");
  expect_refused({"bench", "--seed", "-1"}, "--seed must be");
  expect_refused({"bench", "--family", "normal"}, "normal");
  expect_refused({"bench", "--guide", "full"}, "full");
  expect_refused({"bench", "--device", "gpu"}, "gpu");
  expect_refused({"bench", "--suite", "all"}, "unknown suite 'all' (--suite); use quick or full");
  expect_refused({"bench", "--suite", "full", "--rows", "10"}, "--suite has its own cases");
  expect_refused({"bench", "--row", "10"}, "did you mean '--rows'");
  expect_refused({"bench", "now"}, "unexpected word 'now'");
  expect_refused({"bench", "--device", "cpu", "--cols", "3000", "--guide", "fullrank", "--rows", "5"}, "use meanfield");
}

TEST_F(Cli, BenchRefusesAFileThatItCannotWriteBeforeItMeasures) {
  spit(dir_ / "there.json", "mine");
  expect_refused(tiny_and({"--json", "there.json"}), "there.json exists; add --force");
  EXPECT_EQ(slurp(dir_ / "there.json"), "mine");
  expect_refused(tiny_and({"--json", "no/folder.json"}), "no is no directory");
  expect_refused(tiny_and({"--json", "."}), "is a directory; give --json the name of a file");
  EXPECT_EQ(run(tiny_and({"--json", "there.json", "--force", "--quiet"})).code, 0);
  EXPECT_NE(slurp(dir_ / "there.json"), "mine");
}

TEST_F(Cli, BenchSaysThatMemoryDoesNotSuffice) {
  const Result result = run({"bench", "--device", "cpu", "--rows", "10", "--cols", "16384", "--samples", "1024",
                             "--family", "categorical", "--quiet"});
  EXPECT_EQ(result.code, 2);
  EXPECT_THAT(result.err, AllOf(HasSubstr("take more memory than the"), HasSubstr("(--cols, --samples); give fewer")));
}

}  // namespace
}  // namespace jensen::test
