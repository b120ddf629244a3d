/// \file Trainer: the loop in the caller's hands, and its state as bytes.

#include "jensen/trainer.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <random>

#include "bytes.hpp"
#include "jensen/errors.hpp"

namespace jensen {
namespace {

/// y ~ 1 + x + (1 | g), a few hundred rows.
struct Data {
  std::vector<double> x, y;
  std::vector<std::int32_t> g;
  Table table{"made up"};

  explicit Data(unsigned seed, std::size_t rows = 400) {
    std::mt19937_64 random(seed);
    std::normal_distribution<double> normal;
    for (std::size_t i = 0; i < rows; ++i) {
      x.push_back(normal(random));
      g.push_back(static_cast<std::int32_t>(i % 12));
      y.push_back(1 + 0.5 * x.back() + 0.3 * (g.back() % 3) + 0.7 * normal(random));
    }
    std::vector<std::string> levels;
    for (int j = 0; j < 12; ++j) levels.push_back("level" + std::to_string(j));
    table.add("x", std::span<const double>(x));
    table.add("y", std::span<const double>(y));
    table.add("g", std::span<const std::int32_t>(g), levels);
  }
};

/// A model for each way in which the engine keeps state: all rows, minibatches with an anchor, groups, mean-field.
struct Case {
  const char* formula;
  TrainOptions options;
};
std::vector<Case> cases() {
  TrainOptions options;
  options.family = Family::gaussian;
  options.device = DeviceKind::cpu;
  options.steps = 240;
  std::vector<Case> all{{"y ~ 1 + x", options}};
  options.batch = 64;
  all.push_back({"y ~ 1 + x", options});
  all.push_back({"y ~ 1 + x + (1 | g)", options});
  options.guide = GuideKind::meanfield;
  all.push_back({"y ~ 1 + x + (1 | g)", options});
  return all;
}

/// All that must not differ: times may.
void expect_same_fit(const Fit& a, const Fit& b) {
  EXPECT_EQ(a.mean, b.mean);
  EXPECT_EQ(a.factor, b.factor);
  ASSERT_EQ(a.groups.size(), b.groups.size());
  for (std::size_t g = 0; g < a.groups.size(); ++g) EXPECT_EQ(a.groups[g].scale, b.groups[g].scale);
  EXPECT_EQ(a.elbo, b.elbo);
  EXPECT_EQ(a.elbo_se, b.elbo_se);
  EXPECT_EQ(a.steps, b.steps);
  EXPECT_EQ(a.verdict.message, b.verdict.message);
  ASSERT_EQ(a.trace.size(), b.trace.size());
  for (std::size_t i = 0; i < a.trace.size(); ++i) {
    EXPECT_EQ(a.trace[i].step, b.trace[i].step);
    EXPECT_EQ(a.trace[i].elbo, b.trace[i].elbo);
    EXPECT_EQ(a.trace[i].elbo_se, b.trace[i].elbo_se);
  }
}

TEST(Trainer, IsTrainStepByStep) {
  const Data data(1);
  for (const Case& c : cases()) {
    const Fit whole = train(c.formula, data.table, c.options);
    Trainer trainer(c.formula, data.table, c.options);
    while (!trainer.done()) trainer.step();
    expect_same_fit(whole, trainer.fit());
    EXPECT_EQ(trainer.steps(), c.options.steps);
  }
}

TEST(Trainer, GoesOnFromAnyStateWithTheSameBits) {
  const Data data(2);
  std::mt19937_64 random(7);
  for (const Case& c : cases()) {
    const Fit whole = train(c.formula, data.table, c.options);
    for (int trial = 0; trial < 4; ++trial) {
      const auto stop = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(c.options.steps));
      std::vector<std::byte> state;
      {
        Trainer first(c.formula, data.table, c.options);
        while (first.steps() < stop) first.step();
        state = first.state();
      }
      TrainOptions options = c.options;
      options.threads = 1 + trial % 3;
      Trainer second(c.formula, data.table, options);
      for (int i = 0; i < trial; ++i) second.step();  // what it was before does not matter
      second.restore(state);
      EXPECT_EQ(second.steps(), stop);
      EXPECT_EQ(second.state(), state);
      expect_same_fit(whole, second.run());
    }
  }
}

TEST(Trainer, LookingChangesNothing) {
  const Data data(3);
  for (const Case& c : cases()) {
    const Fit whole = train(c.formula, data.table, c.options);
    Trainer trainer(c.formula, data.table, c.options);
    EXPECT_EQ(trainer.elbo().steps, 0);
    while (!trainer.done()) {
      trainer.step();
      if (trainer.steps() % 37 == 0) trainer.elbo();
      if (trainer.steps() % 91 == 0) trainer.fit();
      if (trainer.steps() % 101 == 0) trainer.state();
    }
    expect_same_fit(whole, trainer.fit());
  }
}

TEST(Trainer, TellsTheElboOfItsSteps) {
  const Data data(4);
  Trainer trainer(cases()[0].formula, data.table, cases()[0].options);
  EXPECT_EQ(trainer.progress().step, 0);
  for (int i = 0; i < 70; ++i) trainer.step();
  const Elbo some = trainer.elbo();
  EXPECT_EQ(some.steps, 20);
  EXPECT_EQ(trainer.progress().step, 50);
  EXPECT_EQ(trainer.progress().steps, 240);
  while (!trainer.done()) trainer.step();
  const Elbo last = trainer.elbo();
  const Fit fit = trainer.fit();
  EXPECT_EQ(last.mean, fit.trace.back().elbo);
  EXPECT_NEAR(some.mean, fit.elbo, 0.5);        // the start is near the mode already
  for (int i = 0; i < 60; ++i) trainer.step();  // beyond the end nothing is averaged any more
  EXPECT_EQ(trainer.fit().mean, fit.mean);
}

TEST(Trainer, StoppedByAnObserverItSaysSo) {
  struct Stop : Observer {
    bool progress(const Progress&) override { return false; }
  } stop;
  const Data data(5);
  Trainer trainer(cases()[0].formula, data.table, cases()[0].options);
  const Fit fit = trainer.run(&stop);
  EXPECT_EQ(fit.steps, 50);
  EXPECT_FALSE(fit.verdict.converged);
  EXPECT_NE(fit.verdict.message.find("stopped at step 50"), std::string::npos);
}

TEST(Trainer, TakesItsMemoryFromTheCaller) {
  struct Counted : MemoryResource {
    std::size_t held = 0, most = 0, calls = 0;
    void* allocate(std::size_t bytes, void* stream) override {
      EXPECT_EQ(stream, nullptr);
      EXPECT_GT(bytes, 0U);
      held += bytes;
      most = std::max(most, held);
      ++calls;
      return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
    }
    void release(void* memory, std::size_t bytes, void*) noexcept override {
      held -= bytes;
      std::free(memory);
    }
  };
  const Data data(9);
  for (const Case& c : cases()) {
    Counted memory;
    {
      Trainer trainer(c.formula, data.table, c.options, {.memory = &memory});
      const std::size_t calls = memory.calls;
      EXPECT_GE(memory.most, 2 * 400 * sizeof(float));  // x and y
      expect_same_fit(trainer.run(), train(c.formula, data.table, c.options));
      EXPECT_EQ(memory.calls, calls) << "memory is allocated before the loop";
    }
    EXPECT_EQ(memory.held, 0U);
  }
  EXPECT_THROW(Trainer("y ~ x", data.table, cases()[0].options, {.device = -2}), InputError);
}

TEST(Trainer, MemoryThatTheCallerHasNotIsAnError) {
  struct Few : MemoryResource {
    std::ptrdiff_t left = 0, out = 0;
    void* allocate(std::size_t bytes, void*) override {
      if (left-- == 0) return nullptr;
      ++out;
      return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
    }
    void release(void* memory, std::size_t, void*) noexcept override {
      --out;
      std::free(memory);
    }
  };
  const Data data(10);
  const Case c = cases()[2];
  for (const std::ptrdiff_t calls : {0, 1, 5}) {
    Few memory;
    memory.left = calls;
    try {
      Trainer(c.formula, data.table, c.options, {.memory = &memory});
      FAIL() << "made of " << calls << " allocations";
    } catch (const DeviceError& error) {
      EXPECT_NE(std::string(error.what()).find("no memory of "), std::string::npos) << error.what();
    }
    EXPECT_EQ(memory.out, 0);
  }
}

TEST(Trainer, WhatTheCallersMemoryThrowsGoesThrough) {
  struct Closed : MemoryResource {
    void* allocate(std::size_t, void*) override { throw std::invalid_argument("the pool is closed"); }
    void release(void*, std::size_t, void*) noexcept override {}
  } memory;
  const Data data(10);
  try {
    Trainer("y ~ x", data.table, cases()[0].options, {.memory = &memory});
    FAIL();
  } catch (const std::invalid_argument& error) {  // its own, no InputError
    EXPECT_STREQ(error.what(), "the pool is closed");
  }
}

TEST(Trainer, MemoryThatIsNotAlignedIsRefused) {
  struct Shifted : MemoryResource {
    std::ptrdiff_t out = 0;
    void* allocate(std::size_t bytes, void*) override {
      ++out;
      return static_cast<char*>(std::aligned_alloc(64, (bytes + 16 + 63) / 64 * 64)) + 16;
    }
    void release(void* memory, std::size_t, void*) noexcept override {
      --out;
      std::free(static_cast<char*>(memory) - 16);
    }
  } memory;
  const Data data(10);
  EXPECT_THROW(Trainer("y ~ x", data.table, cases()[0].options, {.memory = &memory}), InputError);
  EXPECT_EQ(memory.out, 0);
}

void expect_refused(Trainer& trainer, std::span<const std::byte> state, const std::string& reason) {
  const std::vector<std::byte> before = trainer.state();
  try {
    trainer.restore(state);
    FAIL() << "was taken, should be refused: " << reason;
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find(reason), std::string::npos) << error.what();
  }
  EXPECT_EQ(trainer.state(), before);
}

TEST(Trainer, RefusesDamagedStates) {
  const Data data(6);
  const Case c = cases()[1];
  Trainer trainer(c.formula, data.table, c.options);
  for (int i = 0; i < 60; ++i) trainer.step();
  const std::vector<std::byte> state = trainer.state();
  expect_refused(trainer, {}, "no training state");
  std::mt19937_64 random(11);
  for (int trial = 0; trial < 200; ++trial) {
    const std::size_t kept = 16 + random() % (state.size() - 16);
    expect_refused(trainer, std::span(state).first(kept), "damaged");
    std::vector<std::byte> flipped = state;
    const std::size_t bit = 64 + random() % (8 * state.size() - 64);
    flipped[bit / 8] ^= std::byte{static_cast<unsigned char>(1U << (bit % 8))};
    expect_refused(trainer, flipped, "damaged");
  }
  std::vector<std::byte> longer = state;
  longer.push_back(std::byte{0});
  expect_refused(trainer, longer, "damaged");
}

TEST(Trainer, RefusesStatesOfAnotherRun) {
  const Data data(7), other(8);
  const Case c = cases()[0];
  Trainer trainer(c.formula, data.table, c.options);
  const auto refuse = [&](std::string_view formula, const Table& table, const TrainOptions& options, const char* part) {
    expect_refused(trainer, Trainer(formula, table, options).state(), part);
  };
  refuse("y ~ 1", data.table, c.options, "of another model");
  refuse(c.formula, other.table, c.options, "of another table");
  for (const auto change :
       {+[](TrainOptions& o) { o.seed = 2; }, +[](TrainOptions& o) { o.samples = 3; },
        +[](TrainOptions& o) { o.steps = 250; }, +[](TrainOptions& o) { o.learning_rate = 0.04; },
        +[](TrainOptions& o) { o.batch = 100; }, +[](TrainOptions& o) { o.guide = GuideKind::meanfield; }}) {
    TrainOptions options = c.options;
    change(options);
    refuse(c.formula, data.table, options, "of another setting of training");
  }
  TrainOptions options = c.options;
  options.priors = {parse_prior("b ~ normal(0, 1)")};
  refuse(c.formula, data.table, options, "prior's arguments");
}

TEST(Hash, SeesEveryBitAndTheLength) {
  std::mt19937_64 random(13);
  for (const std::size_t size : {0U, 1U, 7U, 8U, 31U, 32U, 33U, 100U}) {
    std::vector<std::byte> bytes(size);
    for (std::byte& byte : bytes) byte = static_cast<std::byte>(random());
    const std::uint64_t before = hash_of(bytes);
    for (std::size_t bit = 0; bit < 8 * size; ++bit) {
      bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
      EXPECT_NE(hash_of(bytes), before);
      bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    }
    bytes.push_back(std::byte{0});
    EXPECT_NE(hash_of(bytes), before);
  }
}

/// A program's own number cast to an enumeration is refused, and looked up in no table.
TEST(Trainer, RefusesOptionsThatThereAreNot) {
  const std::vector<double> x = {1, 2, 3, 4}, y = {1, 2, 2, 3};
  Table table("t");
  table.add("x", std::span<const double>(x));
  table.add("y", std::span<const double>(y));
  const auto refused = [&](auto change) {
    TrainOptions options;
    change(options);
    EXPECT_THROW(Trainer("y ~ x", table, options), InputError);
  };
  refused([](TrainOptions& o) { o.family = static_cast<Family>(77); });
  refused([](TrainOptions& o) { o.family = static_cast<Family>(-1); });
  refused([](TrainOptions& o) { o.link = static_cast<Link>(77); });
  refused([](TrainOptions& o) { o.priors = {{"b", static_cast<PriorKind>(99), {}}}; });
  refused([](TrainOptions& o) { o.guide = static_cast<GuideKind>(9); });
  refused([](TrainOptions& o) { o.device = static_cast<DeviceKind>(9); });
}

}  // namespace
}  // namespace jensen
