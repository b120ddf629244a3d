/// \file Training states in files: the newest whole one of two.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <random>

#include "jensen/errors.hpp"
#include "jensen/io.hpp"
#include "jensen/trainer.hpp"
#include "temporary_directory.hpp"

namespace jensen {
namespace {

namespace fs = std::filesystem;

class StateFile : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<double> x, y;
    for (int i = 0; i < 40; ++i) {
      x.push_back(i % 7);
      y.push_back(i % 5 + 0.1 * i);
    }
    Table table("made up");
    table.add("x", std::span<const double>(x));
    table.add("y", std::span<const double>(y));
    TrainOptions options;
    options.family = Family::gaussian;
    options.device = DeviceKind::cpu;
    Trainer trainer("y ~ x", table, options);
    for (std::vector<std::byte>& state : states_) {
      trainer.step();
      state = trainer.state();
    }
  }

  static std::string slurp(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  static void spit(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }
  std::string problem_of_load() const {
    try {
      load_state(path_);
    } catch (const FileError& error) {
      return error.what();
    }
    return {};
  }
  std::size_t files() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(dir_), fs::directory_iterator()));
  }

  test::TemporaryDirectory directory_;
  fs::path dir_ = directory_.path(), path_ = dir_ / "run.state", previous_ = dir_ / "run.state.previous";
  std::vector<std::byte> states_[3];
};

TEST_F(StateFile, KeepsTheNewestAndTheOneBefore) {
  EXPECT_FALSE(has_state(path_));
  EXPECT_THAT(problem_of_load(), testing::HasSubstr("there is no "));
  for (const std::vector<std::byte>& state : states_) {
    save_state(state, path_);
    const SavedState loaded = load_state(path_);
    EXPECT_EQ(loaded.state, state);
    EXPECT_EQ(loaded.path, path_);
    EXPECT_EQ(loaded.problem, "");
  }
  EXPECT_EQ(files(), 2U);
  fs::remove(path_);
  EXPECT_TRUE(has_state(path_));
  EXPECT_EQ(load_state(path_).state, states_[1]);
  EXPECT_EQ(load_state(path_).problem, "");
  remove_state(path_);
  EXPECT_EQ(files(), 0U);
  remove_state(path_);
}

TEST_F(StateFile, WhatIsDamagedIsPassedOver) {
  save_state(states_[0], path_);
  save_state(states_[1], path_);
  const std::string whole = slurp(path_);
  std::mt19937 random(3);
  for (int trial = 0; trial < 100; ++trial) {
    std::string damaged = whole;
    if (trial % 2 == 0) {
      damaged.resize(random() % whole.size());
    } else {
      damaged[random() % whole.size()] ^= static_cast<char>(1U << (random() % 8));
    }
    EXPECT_FALSE(state_is_whole(std::as_bytes(std::span(damaged))));
    spit(path_, damaged);
    const SavedState loaded = load_state(path_);
    EXPECT_EQ(loaded.state, states_[0]);
    EXPECT_EQ(loaded.path, previous_);
    EXPECT_THAT(loaded.problem, testing::HasSubstr("run.state is damaged"));
  }
  // A damaged file does not push out the whole one before it.
  save_state(states_[2], path_);
  EXPECT_EQ(load_state(path_).state, states_[2]);
  fs::remove(path_);
  EXPECT_EQ(load_state(path_).state, states_[0]);
  spit(previous_, "");
  EXPECT_THAT(problem_of_load(), testing::HasSubstr("run.state.previous is damaged"));
}

TEST_F(StateFile, AFullDiskLeavesWhatWasThere) {
  save_state(states_[0], path_);
  save_state(states_[1], path_);
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small = {states_[2].size() - 1, before.rlim_max};
  std::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  EXPECT_THROW(save_state(states_[2], path_), FileError);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, SIG_DFL);
  EXPECT_EQ(files(), 2U);
  EXPECT_EQ(load_state(path_).state, states_[1]);
  fs::remove(path_);
  EXPECT_EQ(load_state(path_).state, states_[0]);
}

TEST_F(StateFile, MakesDirectoriesAndTakesAwayWhatKilledProgramsLeft) {
  const fs::path deep = dir_ / "a/b/run.state";
  save_state(states_[0], deep);
  EXPECT_EQ(load_state(deep).state, states_[0]);
  spit(dir_ / "a/b/.run.state.123-0.tmp", "half");
  spit(dir_ / "a/b/.run.state.mine.tmp", "another's");
  spit(dir_ / "a/b/.run.state.1", "another's");
  remove_state(deep);
  EXPECT_FALSE(fs::exists(dir_ / "a/b/.run.state.123-0.tmp"));
  EXPECT_TRUE(fs::exists(dir_ / "a/b/.run.state.mine.tmp"));
  EXPECT_TRUE(fs::exists(dir_ / "a/b/.run.state.1"));
  spit(dir_ / "file", "");
  EXPECT_THROW(save_state(states_[0], dir_ / "file/run.state"), FileError);
}

}  // namespace
}  // namespace jensen
