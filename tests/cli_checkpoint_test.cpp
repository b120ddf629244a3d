/// \file The program as its user meets it: runs that are stopped, killed, and go on.

#include <sys/stat.h>

#include "cli_program.hpp"

namespace jensen::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

/// Minibatches, an anchor and groups: everything that a run can have as its state. About a second on one core.
class CliCheckpoint : public Cli {
 protected:
  /// In memory, if there is such a place: how long a disk takes to sync says nothing here, and varies a hundredfold.
  CliCheckpoint() : Cli(access("/dev/shm", W_OK) == 0 ? fs::path("/dev/shm") : fs::temp_directory_path()) {}
  void SetUp() override { write_table("t.csv", 600); }

  static std::vector<std::string> words(const std::string& out, const std::vector<std::string>& more = {}) {
    std::vector<std::string> all = {
        "train", "y ~ x + (1 | f)", "--family", "gaussian",  "--data", "t.csv",    "--out", out,      "--steps",
        "9000",  "--batch",         "200",      "--threads", "1",      "--device", "cpu",   "--quiet"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  void expect_same_bits(const fs::path& a, const fs::path& b) const {
    for (const char* file : {"fit.h5", "summary.csv", "trace.csv"}) {
      const std::string bytes = slurp(dir_ / a / file);
      EXPECT_NE(bytes, "") << file;
      EXPECT_TRUE(bytes == slurp(dir_ / b / file)) << file;
    }
  }

  bool checkpoint_of(const std::string& out) const {
    return fs::exists(dir_ / (out + ".checkpoint")) || fs::exists(dir_ / (out + ".checkpoint.previous"));
  }

  /// A killed run's file that was to become a checkpoint.
  bool half_written() const {
    return std::ranges::any_of(
        files(), [](const std::string& file) { return file.find("/.fit.checkpoint.") != std::string::npos; });
  }

  /// Stopped at its first report, with two checkpoints.
  Result stopped(int signal, std::vector<std::string> more = {}) const {
    How how;
    bool sent = false;
    how.watch = [&sent, signal](pid_t child, const std::string& err) {
      if (sent || err.find("\nstep ") == std::string::npos) return;
      sent = true;
      kill(child, signal);
    };
    more.insert(more.begin(), {"--quiet=false", "--checkpoint-every", "20"});
    return run(words("fit", more), how);
  }

  /// A whole pair of checkpoints of a short run, and the run that was never interrupted in whole/.
  void leave_two_checkpoints() const {
    ASSERT_EQ(run(words("whole")).code, 0);
    const Result result = stopped(SIGTERM);
    ASSERT_EQ(result.code, 3) << result.err;
    ASSERT_TRUE(fs::exists(dir_ / "fit.checkpoint"));
    ASSERT_TRUE(fs::exists(dir_ / "fit.checkpoint.previous"));
  }
};

TEST_F(CliCheckpoint, EverySignalSavesTheFitAndACheckpointAndTheRunGoesOnToTheSameBits) {
  ASSERT_EQ(run(words("whole")).code, 0);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) {
    SCOPED_TRACE(signal);
    const Result stop = stopped(signal);
    ASSERT_EQ(stop.code, 3) << stop.err;
    EXPECT_THAT(stop.err, AllOf(HasSubstr("jensen: stopped after "), HasSubstr("the fit so far is in fit; go on with"),
                                HasSubstr("  jensen train --config fit/config.toml --out fit --resume\n")));
    EXPECT_THAT(run({"summary", "fit"}).out, HasSubstr("not converged: stopped at step"));
    EXPECT_NE(slurp(dir_ / "fit/fit.h5"), slurp(dir_ / "whole/fit.h5"));
    // Either way of giving the run again.
    const Result go_on = signal == SIGINT || signal == SIGHUP
                             ? run({"train", "--config", "fit/config.toml", "--out", "fit", "--resume"})
                             : run(words("fit", {"--resume", "--quiet=false"}));
    ASSERT_EQ(go_on.code, 0) << go_on.err;
    EXPECT_THAT(go_on.err, HasSubstr("\nresume: step "));
    expect_same_bits("fit", "whole");
    EXPECT_FALSE(checkpoint_of("fit"));
    fs::remove_all(dir_ / "fit");
  }
}

TEST_F(CliCheckpoint, ASignalThatIsIgnoredStaysIgnored) {
  How how;
  how.ignore_hangup = true;
  bool sent = false;
  how.watch = [&sent](pid_t child, const std::string& err) {
    if (!sent && err.find("\nstep ") != std::string::npos) sent = kill(child, SIGHUP) == 0;
  };
  const Result result = run(words("fit", {"--quiet=false"}), how);
  EXPECT_TRUE(sent);
  EXPECT_EQ(result.code, 0) << result.err;
}

TEST_F(CliCheckpoint, BeforeTheFirstStepASignalEndsTheProgramWithASentence) {
  ASSERT_EQ(mkfifo((dir_ / "pipe.csv").c_str(), 0600), 0);
  const auto before = files();
  for (const int signal : {SIGINT, SIGUSR1}) {
    How how;
    int pipe = -1;
    how.started = [&](pid_t child) {
      pipe = open((dir_ / "pipe.csv").c_str(), O_WRONLY);  // returns when the program has begun to read the table
      kill(child, signal);
    };
    const Result result =
        run(train_words("y ~ x", "pipe.csv", {"--family", "gaussian", "--out", "fit", "--device", "cpu"}), how);
    close(pipe);
    EXPECT_EQ(result.code, 3) << result.err;
    EXPECT_THAT(result.err, HasSubstr("jensen: stopped before the first step"));
    EXPECT_EQ(files(), before);
  }
}

TEST_F(CliCheckpoint, KilledAtAnyMomentItGoesOnToTheSameBits) {
  const std::vector<std::string> often = {"--steps", "4000", "--checkpoint-every", "3"};
  const auto with = [&often](std::vector<std::string> more) {
    more.insert(more.begin(), often.begin(), often.end());
    return more;
  };
  ASSERT_EQ(run(words("whole", {"--steps", "4000"})).code, 0);
  double duration = 1e9;
  for (int i = 0; i < 3; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    ASSERT_EQ(run(words("fit", with({"--force"}))).code, 0);
    duration = std::min(duration, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    expect_same_bits("fit", "whole");
  }

  constexpr int kills = 50;
  int resumed = 0, too_early = 0, finished = 0, while_writing = 0;
  std::mt19937_64 random(20);
  std::uniform_real_distribution<double> uniform;
  for (int i = 0; i < kills; ++i) {
    fs::remove_all(dir_ / "fit");
    How how;
    how.kill_after = duration * (i + uniform(random)) / kills;
    SCOPED_TRACE(*how.kill_after);
    const Result killed = run(words("fit", often), how);
    ASSERT_TRUE(killed.signal == SIGKILL || killed.code == 0) << killed.err;
    if (half_written()) ++while_writing;
    const bool there = checkpoint_of("fit");
    // Every other run is killed once more on its way.
    if (there && i % 2 == 0) {
      how.kill_after = duration * uniform(random);
      run(words("fit", with({"--resume"})), how);
    }
    if (checkpoint_of("fit")) {
      ++resumed;
      const Result go_on = run(words("fit", with({"--resume"})));
      ASSERT_EQ(go_on.code, 0) << go_on.err;
      EXPECT_THAT(go_on.err, Not(HasSubstr("damaged")));
    } else if (killed.code == 0 || there) {
      ++finished;  // there it was, and the run that went on from it came to its end
    } else {
      ++too_early;
      const Result none = run(words("fit", with({"--resume"})));
      if (!fs::exists(dir_ / "fit")) {  // else it was killed after its last deed
        EXPECT_EQ(none.code, 2);
        EXPECT_THAT(none.err, AllOf(StartsWith("jensen: there is no fit.checkpoint"), HasSubstr("--resume")));
        ASSERT_EQ(run(words("fit", often)).code, 0);
      }
    }
    expect_same_bits("fit", "whole");
    EXPECT_FALSE(checkpoint_of("fit"));
    EXPECT_FALSE(half_written());
  }
  fmt::print("{} went on, {} began anew, {} had finished; {} were killed while they wrote, of a run of {:.2f} s\n",
             resumed, too_early, finished, while_writing, duration);
  EXPECT_GE(resumed, kills / 4);
  EXPECT_GT(while_writing, 0);
}

TEST_F(CliCheckpoint, ADamagedCheckpointIsPassedOverForTheOneBefore) {
  leave_two_checkpoints();
  const std::string good = slurp(dir_ / "fit.checkpoint"), before = slurp(dir_ / "fit.checkpoint.previous");
  std::string flipped = good;
  flipped[flipped.size() / 2] ^= 4;
  for (const std::string& damaged : {good.substr(0, good.size() - 1), std::string(), flipped}) {
    spit(dir_ / "fit.checkpoint", damaged);
    spit(dir_ / "fit.checkpoint.previous", before);
    const Result result = run(words("fit", {"--resume"}));
    EXPECT_EQ(result.code, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("WARNING: fit.checkpoint is damaged (cut short, or changed since it was "
                                      "written); going on from fit.checkpoint.previous, at step "));
    expect_same_bits("fit", "whole");
    EXPECT_FALSE(checkpoint_of("fit"));
  }
  spit(dir_ / "fit.checkpoint", flipped);
  spit(dir_ / "fit.checkpoint.previous", before.substr(0, 100));
  expect_refused(words("fit", {"--resume"}), "and fit.checkpoint.previous is damaged");
  spit(dir_ / "fit.checkpoint.previous", before);
  fs::remove(dir_ / "fit.checkpoint");  // as where a run is killed between its two renames
  const Result result = run(words("fit", {"--resume"}));
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.err, Not(HasSubstr("damaged")));
  expect_same_bits("fit", "whole");
}

TEST_F(CliCheckpoint, ACheckpointOfAnotherRunIsRefused) {
  leave_two_checkpoints();
  const std::string checkpoint = slurp(dir_ / "fit.checkpoint");
  for (const auto& [option, value, part] : std::vector<std::array<std::string, 3>>{
           {"--seed", "2", "setting of training (seed,"},
           {"--steps", "8000", "setting of training (seed,"},
           {"--lr", "0.04", "setting of training (seed,"},
           {"--batch", "0", "setting of training (seed,"},
           {"--prior", "b ~ laplace(0, 1)", "model (formula, family, levels of factors or distributions of priors)"},
           {"--prior", "b ~ normal(0, 1)", "table (or prior's arguments)"}}) {
    expect_refused(words("fit", {option, value, "--resume"}), "fit.checkpoint is of another " + part);
  }
  auto other = words("fit", {"--resume"});
  other[1] = "y ~ x + (1 | zip)";
  expect_refused(other, "fit.checkpoint is of another model");
  std::string table = slurp(dir_ / "t.csv");
  table[table.find('\n', table.size() / 2) + 1] = '7';
  spit(dir_ / "t.csv", table);
  expect_refused(words("fit", {"--resume"}), "fit.checkpoint is of another table (");
  spit(dir_ / "t.csv", table.substr(0, table.rfind('\n', table.size() - 2) + 1));
  expect_refused(words("fit", {"--resume"}),
                 "fit.checkpoint is of another table, with 600 rows where this one has 599");
  EXPECT_EQ(slurp(dir_ / "fit.checkpoint"), checkpoint);
}

TEST_F(CliCheckpoint, ANewRunDoesNotDestroyACheckpointUnasked) {
  leave_two_checkpoints();
  fs::remove_all(dir_ / "fit");
  expect_refused(words("fit"), "fit.checkpoint is of a run that was interrupted; give --resume");
  expect_refused(words("./fit/"), "--force to give it up");
  ASSERT_EQ(run(words("fit", {"--force"})).code, 0);
  expect_same_bits("fit", "whole");
  EXPECT_FALSE(checkpoint_of("fit"));
  expect_refused(words("fit", {"--resume"}), "there is no fit.checkpoint to go on from");
}

TEST_F(CliCheckpoint, ACheckpointThatCannotBeWrittenCostsAWarningAndNotTheRun) {
  std::string table = "y,k\n";
  for (int i = 0; i < 800; ++i) table += fmt::format("{},{}\n", (i * 37) % 101, i % 160);
  spit(dir_ / "k.csv", table);
  How how;
  how.largest_file = 300'000;  // the state of 160 coefficients is larger, their fit smaller
  const std::vector<std::string> many = train_words(
      "y ~ factor(k)", "k.csv",
      {"--family", "gaussian", "--out", "fit", "--steps", "60", "--device", "cpu", "--quiet", "--checkpoint-every"});
  const auto every = [&many](const std::string& steps) {
    auto all = many;
    all.push_back(steps);
    return all;
  };
  const Result full = run(every("10"), how);
  EXPECT_EQ(full.code, 0) << full.err;
  const std::size_t warning = full.err.find("WARNING: no checkpoint at step 10: cannot write fit.checkpoint (");
  ASSERT_NE(warning, std::string::npos) << full.err;
  EXPECT_EQ(full.err.find("no checkpoint", warning + 12), std::string::npos) << full.err;
  EXPECT_EQ(files().size(), 2U + 5);  // t.csv, k.csv, fit and its four files
}

TEST_F(CliCheckpoint, TwoRunsDoNotWriteToOnePlace) {
  bool asked = false;
  Result second;
  How how;
  how.watch = [&](pid_t child, const std::string& err) {
    if (asked || err.find("\nstep ") == std::string::npos) return;
    asked = true;
    second = run(words("fit", {"--force"}));
    kill(child, SIGTERM);
  };
  const Result first = run(words("fit", {"--quiet=false", "--steps", "1000000"}), how);
  ASSERT_TRUE(asked);
  EXPECT_EQ(first.code, 3) << first.err;
  EXPECT_EQ(second.code, 2) << second.err;
  EXPECT_THAT(second.err, HasSubstr("another run is writing there (fit.checkpoint.lock is locked)"));
  EXPECT_FALSE(fs::exists(dir_ / "fit.checkpoint.lock"));
  // What a killed run left behind locks nothing.
  spit(dir_ / "fit.checkpoint.lock", "");
  EXPECT_EQ(run(words("fit", {"--force", "--steps", "100"})).code, 0);
  EXPECT_FALSE(fs::exists(dir_ / "fit.checkpoint.lock"));
}

TEST_F(CliCheckpoint, TheIntervalIsCheckedAtTheDoorAndRecorded) {
  for (const char* bad : {"-1", "ten", "1.5", "5x", "m", ""}) {
    expect_refused(words("fit", {"--checkpoint-every", bad}), "--checkpoint-every must be");
  }
  for (const char* good : {"0", "500", "30s", "10m", "2h"}) {
    ASSERT_EQ(run(words("fit", {"--steps", "100", "--force", "--checkpoint-every", good})).code, 0);
    EXPECT_THAT(slurp(dir_ / "fit/config.toml"), HasSubstr(fmt::format("\ncheckpoint-every = \"{}\"\n", good)));
    ASSERT_EQ(run({"train", "--config", "fit/config.toml", "--out", "fit", "--force", "--quiet"}).code, 0);
  }
}

}  // namespace
}  // namespace jensen::test
