/// What C programs cannot test as well: trainers in two threads at once, and exceptions that end at the border.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <limits>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "jensen/jensen.h"
#include "jensen/jensen_io.h"
#include "jensen/trainer.hpp"

namespace {

constexpr std::size_t rows = 300;

struct Columns {
  std::vector<double> x, y;

  explicit Columns(double phase) : x(rows), y(rows) {
    for (std::size_t i = 0; i < rows; ++i) {
      const double t = static_cast<double>(i);
      x[i] = std::sin(0.37 * t + phase);
      y[i] = std::floor(std::exp(0.4 + 0.7 * x[i]) + 0.5 + 0.5 * std::sin(12.9898 * t * t + phase));
    }
  }
};

struct Outcome {
  std::vector<unsigned char> state;
  std::vector<double> draws;
  int status = JENSEN_ERROR_INTERNAL;
};

/// A Poisson regression of 400 steps, from the beginning to its draws.
Outcome train(const Columns& columns, const char* threads) {
  Outcome out;
  jensen_table* table = nullptr;
  jensen_options* options = nullptr;
  jensen_trainer* trainer = nullptr;
  jensen_fit* fit = nullptr;
  std::size_t size = 0;
  const auto then = [&](auto&& call) {
    if (out.status == JENSEN_OK) out.status = call();
  };
  out.status = jensen_table_create("memory", &table);
  then([&] { return jensen_table_add_double(table, "x", columns.x.data(), rows); });
  then([&] { return jensen_table_add_double(table, "y", columns.y.data(), rows); });
  then([&] { return jensen_options_create(&options); });
  then([&] { return jensen_options_set(options, "family", "poisson"); });
  then([&] { return jensen_options_set(options, "device", "cpu"); });
  then([&] { return jensen_options_set(options, "steps", "400"); });
  then([&] { return jensen_options_set(options, "threads", threads); });
  then([&] { return jensen_trainer_create("y ~ 1 + x", table, options, nullptr, &trainer); });
  then([&] { return jensen_trainer_step(trainer, 150); });
  then([&] { return jensen_trainer_state(trainer, nullptr, &size); });
  out.state.resize(size);
  then([&] { return jensen_trainer_state(trainer, out.state.data(), &size); });
  then([&] { return jensen_trainer_run(trainer, nullptr, nullptr, &fit); });
  size = 0;
  then([&] { return jensen_fit_draws(fit, 50, 1, nullptr, &size); });
  out.draws.resize(size);
  then([&] { return jensen_fit_draws(fit, 50, 1, out.draws.data(), &size); });
  jensen_fit_free(fit);
  jensen_trainer_free(trainer);
  jensen_options_free(options);
  jensen_table_free(table);
  return out;
}

bool same_bits(const std::vector<double>& a, const std::vector<double>& b) {
  return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(double)) == 0;
}

TEST(CInterfaceThreads, TrainersSideBySideAreTheSameAsOneAfterTheOther) {
  const Columns first(0), second(1);
  const Outcome serial[2] = {train(first, "2"), train(second, "1")};
  Outcome parallel[2];
  {
    std::thread a([&] { parallel[0] = train(first, "2"); });
    std::thread b([&] { parallel[1] = train(second, "1"); });
    a.join();
    b.join();
  }
  for (int i = 0; i < 2; ++i) {
    ASSERT_EQ(serial[i].status, JENSEN_OK) << jensen_last_error();
    ASSERT_EQ(parallel[i].status, JENSEN_OK);
    EXPECT_TRUE(same_bits(serial[i].draws, parallel[i].draws)) << i;
    EXPECT_GT(serial[i].state.size(), 0U);
  }
  EXPECT_FALSE(same_bits(serial[0].draws, serial[1].draws));
}

TEST(CInterfaceThreads, LastErrorIsTheThreadsOwn) {
  ASSERT_EQ(jensen_table_create(nullptr, nullptr), JENSEN_ERROR_ARGUMENT);
  std::string other = "unset";
  std::thread([&] { other = jensen_last_error(); }).join();
  EXPECT_EQ(other, "");
  EXPECT_STRNE(jensen_last_error(), "");
}

TEST(CInterfaceThreads, TheCallersNumberOfThreadsStays) {
  const int before = omp_get_max_threads();
  omp_set_num_threads(3);
  EXPECT_EQ(train(Columns(0), "1").status, JENSEN_OK) << jensen_last_error();
  EXPECT_EQ(omp_get_max_threads(), 3);
  omp_set_num_threads(before);
}

TEST(CInterface, AFitIsSavedAndLoaded) {
  const Columns columns(0);
  jensen_table* table = nullptr;
  jensen_trainer* trainer = nullptr;
  jensen_fit *fit = nullptr, *loaded = nullptr;
  ASSERT_EQ(jensen_table_create("memory", &table), JENSEN_OK);
  ASSERT_EQ(jensen_table_add_double(table, "x", columns.x.data(), rows), JENSEN_OK);
  ASSERT_EQ(jensen_table_add_double(table, "y", columns.y.data(), rows), JENSEN_OK);
  ASSERT_EQ(jensen_trainer_create("y ~ 1 + x", table, nullptr, nullptr, &trainer), JENSEN_OK);
  jensen_table_free(table);  // not needed any more
  ASSERT_EQ(jensen_trainer_step(trainer, 100), JENSEN_OK);
  ASSERT_EQ(jensen_trainer_fit(trainer, &fit), JENSEN_OK);
  const std::string place = (std::filesystem::path(testing::TempDir()) / "c_interface_fit").string();
  std::filesystem::remove_all(place);
  EXPECT_EQ(jensen_fit_load(place.c_str(), &loaded), JENSEN_ERROR_FILE);
  ASSERT_EQ(jensen_fit_save(fit, place.c_str(), 0), JENSEN_OK) << jensen_last_error();
  EXPECT_EQ(jensen_fit_save(fit, place.c_str(), 0), JENSEN_ERROR_FILE);
  EXPECT_EQ(jensen_fit_save(fit, place.c_str(), 1), JENSEN_OK);
  ASSERT_EQ(jensen_fit_load(place.c_str(), &loaded), JENSEN_OK) << jensen_last_error();
  double elbo[2] = {0, 1};
  EXPECT_EQ(jensen_fit_elbo(fit, &elbo[0], nullptr), JENSEN_OK);
  EXPECT_EQ(jensen_fit_elbo(loaded, &elbo[1], nullptr), JENSEN_OK);
  EXPECT_EQ(elbo[0], elbo[1]);
  EXPECT_EQ(jensen_fit_save(nullptr, place.c_str(), 0), JENSEN_ERROR_ARGUMENT);
  EXPECT_EQ(jensen_fit_load(nullptr, &loaded), JENSEN_ERROR_ARGUMENT);
  jensen_fit_free(loaded);
  jensen_fit_free(fit);
  jensen_trainer_free(trainer);
}

/// 400 rows of a binomial regression with an offset and weights, and of a gaussian term that shares a parameter.
struct TwoTerms {
  static constexpr std::size_t columns = 3;
  std::vector<float> x, hits, attempts, weights, offset, length;

  TwoTerms() {
    for (std::size_t i = 0; i < rows; ++i) {
      const double t = static_cast<double>(i);
      const double row[columns] = {1, std::sin(0.37 * t), std::cos(0.71 * t)};
      for (const double value : row) x.push_back(static_cast<float>(value));
      attempts.push_back(static_cast<float>(2 + i % 3));
      hits.push_back(static_cast<float>(i * 7 % 11 < 5 ? 1 : 2));
      weights.push_back(static_cast<float>(0.5 + 0.25 * static_cast<double>(i % 4)));
      offset.push_back(static_cast<float>(0.2 * std::sin(0.05 * t)));
      length.push_back(static_cast<float>(0.3 + 0.6 * row[1] + 0.2 * std::sin(12.9898 * t * t)));
    }
  }
};

jensen::TrainOptions short_run() {
  jensen::TrainOptions options;
  options.device = jensen::DeviceKind::cpu;
  options.steps = 150;
  options.batch = 100;
  return options;
}

jensen::TermModel in_cpp(const TwoTerms& data) {
  jensen::TermModel model;
  const jensen::Block beta = model.block("beta", TwoTerms::columns, jensen::Support::real, "normal(0, 2)");
  const jensen::Block rate = model.block("rate", 1, jensen::Support::unit);
  const jensen::Block sigma = model.block("sigma", 1, jensen::Support::positive, "exponential(1)");
  jensen::ModelTerm first;
  first.rows = rows;
  first.family = jensen::Family::binomial;
  first.link = jensen::Link::probit;
  first.y = data.hits;
  first.trials = data.attempts;
  first.weights = data.weights;
  first.arguments.resize(1);
  first.arguments[0] = {
      .dense = {{data.x, beta}}, .scalars = {{rate, 0, 0.5}}, .elements = {}, .offset = data.offset, .constant = 0.1};
  model.add(first);
  jensen::ModelTerm second;
  second.rows = rows;
  second.data = true;
  second.y = data.length;
  second.arguments.resize(2);
  second.arguments[0] = {
      .dense = {}, .scalars = {{beta, 1, 1}, {rate, 0, 1}}, .elements = {}, .offset = {}, .constant = 0};
  second.arguments[1] = {.dense = {}, .scalars = {{sigma, 0, 1}}, .elements = {}, .offset = {}, .constant = 0};
  model.add(second);
  model.rows_in_random_order();
  return model;
}

struct Model {
  jensen_model* handle = nullptr;
  std::size_t beta = 9, rate = 9, sigma = 9, first = 9, second = 9;
  explicit Model(const TwoTerms& data) {
    EXPECT_EQ(jensen_model_create(&handle), JENSEN_OK);
    EXPECT_EQ(jensen_model_block(handle, "beta", TwoTerms::columns, JENSEN_REAL, "normal(0, 2)", &beta), JENSEN_OK);
    EXPECT_EQ(jensen_model_block(handle, "rate", 1, JENSEN_UNIT, nullptr, &rate), JENSEN_OK);
    EXPECT_EQ(jensen_model_block(handle, "sigma", 1, JENSEN_POSITIVE, "exponential(1)", &sigma), JENSEN_OK);
    EXPECT_EQ(jensen_model_term(handle, "binomial", "probit", rows, data.hits.data(), data.attempts.data(),
                                data.weights.data(), 1, &first),
              JENSEN_OK);
    EXPECT_EQ(jensen_model_term(handle, "gaussian", nullptr, rows, data.length.data(), nullptr, nullptr, 1, &second),
              JENSEN_OK);
    // The parts come in any order, after all terms are there.
    EXPECT_EQ(jensen_model_scalar(handle, second, 1, sigma, 0, 1), JENSEN_OK);
    EXPECT_EQ(jensen_model_dense(handle, first, 0, beta, data.x.data(), 0), JENSEN_OK);
    EXPECT_EQ(jensen_model_scalar(handle, second, 0, beta, 1, 1), JENSEN_OK);
    EXPECT_EQ(jensen_model_scalar(handle, second, 0, rate, 0, 1), JENSEN_OK);
    EXPECT_EQ(jensen_model_scalar(handle, first, 0, rate, 0, 0.5), JENSEN_OK);
    EXPECT_EQ(jensen_model_offset(handle, first, 0, data.offset.data()), JENSEN_OK);
    EXPECT_EQ(jensen_model_constant(handle, first, 0, 0.1), JENSEN_OK);
    EXPECT_EQ(jensen_model_rows_in_random_order(handle), JENSEN_OK);
  }
  ~Model() { jensen_model_free(handle); }
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;
};

jensen_options* short_run_options() {
  jensen_options* options = nullptr;
  EXPECT_EQ(jensen_options_create(&options), JENSEN_OK);
  EXPECT_EQ(jensen_options_set(options, "device", "cpu"), JENSEN_OK);
  EXPECT_EQ(jensen_options_set(options, "steps", "150"), JENSEN_OK);
  EXPECT_EQ(jensen_options_set(options, "batch", "100"), JENSEN_OK);
  return options;
}

TEST(CInterfaceModel, HasTheBitsOfTheTermModel) {
  const TwoTerms data;
  const jensen::Fit want = jensen::train(in_cpp(data), short_run());
  jensen_options* options = short_run_options();
  jensen_trainer* trainer = nullptr;
  jensen_fit* fit = nullptr;
  {
    const Model model(data);
    EXPECT_EQ(model.second, 1U);
    EXPECT_EQ(model.sigma, 2U);
    ASSERT_EQ(jensen_trainer_create_model(model.handle, options, nullptr, &trainer), JENSEN_OK) << jensen_last_error();
  }  // not needed any more
  std::int64_t used = -1, dropped = -1;
  EXPECT_EQ(jensen_trainer_rows(trainer, &used, &dropped), JENSEN_OK);
  EXPECT_EQ(used, static_cast<std::int64_t>(rows));
  EXPECT_EQ(dropped, 0);
  EXPECT_EQ(std::string(jensen_trainer_device(trainer)).substr(0, 5), "cpu, ");
  ASSERT_EQ(jensen_trainer_run(trainer, nullptr, nullptr, &fit), JENSEN_OK) << jensen_last_error();
  std::vector<double> draws(20 * 5);
  std::size_t size = draws.size();
  ASSERT_EQ(jensen_fit_draws(fit, 20, 3, draws.data(), &size), JENSEN_OK);
  EXPECT_TRUE(same_bits(draws, want.draw(20, 3)));
  double elbo = 0;
  EXPECT_EQ(jensen_fit_elbo(fit, &elbo, nullptr), JENSEN_OK);
  EXPECT_EQ(elbo, want.elbo);
  EXPECT_STREQ(jensen_fit_parameter_name(fit, 3), "rate");
  jensen_fit_free(fit);
  jensen_trainer_free(trainer);
  jensen_options_free(options);
}

/// Categories 1 .. 3 of one number: in order, by thresholds, and not, by a logit each but the first.
TEST(CInterfaceModel, CategoriesHaveTheBitsOfTheTermModel) {
  std::vector<float> x, y;
  for (std::size_t i = 0; i < rows; ++i) {
    x.push_back(static_cast<float>(std::sin(0.7 * static_cast<double>(i))));
    y.push_back(static_cast<float>(1 + (i + (x.back() > 0 ? 1 : 0)) % 3));
  }
  for (const bool ordered : {true, false}) {
    SCOPED_TRACE(ordered);
    jensen::TermModel model;
    jensen_model* handle = nullptr;
    ASSERT_EQ(jensen_model_create(&handle), JENSEN_OK);
    jensen::ModelTerm term;
    term.rows = rows;
    term.family = ordered ? jensen::Family::cumulative : jensen::Family::categorical;
    term.link = ordered ? jensen::Link::logit : jensen::Link::softmax;
    term.y = y;
    term.arguments.resize(ordered ? 1 : 2);
    std::size_t number = 9, block = 9;
    ASSERT_EQ(jensen_model_term(handle, ordered ? "cumulative" : "categorical", nullptr, rows, y.data(), nullptr,
                                nullptr, 1, &number),
              JENSEN_OK);
    if (ordered) {
      term.thresholds = model.block("cut", 2, jensen::Support::increasing, "normal(0, 3)");
      ASSERT_EQ(jensen_model_block(handle, "cut", 2, JENSEN_INCREASING, "normal(0, 3)", &block), JENSEN_OK);
      ASSERT_EQ(jensen_model_thresholds(handle, number, block), JENSEN_OK);
    }
    for (std::size_t a = 0; a < term.arguments.size(); ++a) {
      const std::string name = "b" + std::to_string(a);
      term.arguments[a].dense = {{x, model.block(name, 1, jensen::Support::real, "normal(0, 1)")}};
      ASSERT_EQ(jensen_model_block(handle, name.c_str(), 1, JENSEN_REAL, "normal(0, 1)", &block), JENSEN_OK);
      ASSERT_EQ(jensen_model_dense(handle, number, a, block, x.data(), 0), JENSEN_OK) << jensen_last_error();
    }
    model.add(term);
    jensen_options* options = short_run_options();
    jensen_trainer* trainer = nullptr;
    jensen_fit* fit = nullptr;
    ASSERT_EQ(jensen_trainer_create_model(handle, options, nullptr, &trainer), JENSEN_OK) << jensen_last_error();
    ASSERT_EQ(jensen_trainer_run(trainer, nullptr, nullptr, &fit), JENSEN_OK) << jensen_last_error();
    const jensen::Fit want = jensen::train(model, short_run());
    std::vector<double> draws(20 * want.parameters.size());
    std::size_t size = draws.size();
    ASSERT_EQ(jensen_fit_draws(fit, 20, 3, draws.data(), &size), JENSEN_OK);
    EXPECT_TRUE(same_bits(draws, want.draw(20, 3)));
    // Of the categorical family an argument that is left out between others is missed, and there are sixteen at most.
    EXPECT_EQ(jensen_model_constant(handle, number, 15, 0), JENSEN_ERROR_ARGUMENT);
    if (!ordered) {
      EXPECT_EQ(jensen_model_constant(handle, number, 3, 0), JENSEN_OK);
      jensen_trainer* none = nullptr;
      EXPECT_EQ(jensen_trainer_create_model(handle, options, nullptr, &none), JENSEN_ERROR_INPUT);
      EXPECT_THAT(jensen_last_error(), testing::HasSubstr("nothing is given for argument 2 (term 1)"));
    }
    jensen_fit_free(fit);
    jensen_trainer_free(trainer);
    jensen_options_free(options);
    jensen_model_free(handle);
  }
}

/// Of the memory that the library takes: everything is given back. `limit` bytes at most are out at a time.
struct Counted {
  std::size_t held = 0, most = 0, calls = 0, limit = std::numeric_limits<std::size_t>::max();

  static void* allocate(std::size_t bytes, void* stream, void* user) {
    auto& self = *static_cast<Counted*>(user);
    EXPECT_EQ(stream, nullptr);
    if (bytes > self.limit - self.held) return nullptr;
    self.held += bytes;
    self.most = std::max(self.most, self.held);
    ++self.calls;
    return std::aligned_alloc(64, (bytes + 63) / 64 * 64);
  }
  static void release(void* memory, std::size_t bytes, void*, void* user) {
    static_cast<Counted*>(user)->held -= bytes;
    std::free(memory);
  }
};

jensen_execution* counted_by(Counted& memory) {
  jensen_execution* execution = nullptr;
  EXPECT_EQ(jensen_execution_create(&execution), JENSEN_OK);
  EXPECT_EQ(jensen_execution_set_memory(execution, Counted::allocate, Counted::release, &memory), JENSEN_OK);
  return execution;
}

/// At whichever allocation memory ends: it is told, nothing is lost, and with enough of it the trainer is made.
TEST(CInterfaceExecution, MemoryThatEndsIsAStatus) {
  const TwoTerms data;
  const Model model(data);
  jensen_options* options = short_run_options();
  Counted memory;
  jensen_execution* execution = counted_by(memory);
  jensen_trainer* trainer = nullptr;
  ASSERT_EQ(jensen_trainer_create_model(model.handle, options, execution, &trainer), JENSEN_OK) << jensen_last_error();
  jensen_trainer_free(trainer);
  EXPECT_EQ(memory.held, 0U);
  const std::size_t needed = memory.most;
  ASSERT_GT(needed, 1000U);
  trainer = nullptr;
  for (const double part : {0.0, 0.3, 0.6, 0.9}) {
    memory.limit = static_cast<std::size_t>(part * static_cast<double>(needed));
    jensen_set_last_error("an older error");  // is not the reason
    EXPECT_EQ(jensen_trainer_create_model(model.handle, options, execution, &trainer), JENSEN_ERROR_MEMORY) << part;
    EXPECT_NE(std::string(jensen_last_error()).find("did not say why"), std::string::npos) << jensen_last_error();
    EXPECT_EQ(trainer, nullptr);
    EXPECT_EQ(memory.held, 0U) << part;
  }
  memory.limit = needed;
  EXPECT_EQ(jensen_trainer_create_model(model.handle, options, execution, &trainer), JENSEN_OK) << jensen_last_error();
  jensen_trainer_free(trainer);
  EXPECT_EQ(memory.held, 0U);
  jensen_execution_free(execution);
  jensen_options_free(options);
}

/// theta ~ Normal(0, 1), with a gradient that is twice as large if *user is not 0.
int standard_normal(const double* theta, std::size_t samples, std::size_t, const jensen_batch*, double* log_density,
                    double* gradient, void* user) {
  const double factor = *static_cast<const int*>(user) != 0 ? 2 : 1;
  for (std::size_t s = 0; s < samples; ++s) {
    log_density[s] = -theta[s] * theta[s] / 2;
    gradient[s] = -factor * theta[s];
  }
  return 0;
}

jensen_target* target_of(jensen_density density, void* user) {
  jensen_target* target = nullptr;
  EXPECT_EQ(jensen_target_create(density, 1, user, &target), JENSEN_OK);
  EXPECT_EQ(jensen_target_add(target, "theta", JENSEN_REAL, 0.7, 1), JENSEN_OK);
  return target;
}

TEST(CInterface, AGradientThatIsNoneIsANote) {
  jensen_options* options = short_run_options();
  ASSERT_EQ(jensen_options_set(options, "batch", "0"), JENSEN_OK);
  for (int wrong : {0, 1}) {
    jensen_target* target = target_of(standard_normal, &wrong);
    jensen_trainer* trainer = nullptr;
    jensen_fit* fit = nullptr;
    std::size_t before = 9, after = 9;
    ASSERT_EQ(jensen_trainer_create_target(target, options, nullptr, &trainer), JENSEN_OK) << jensen_last_error();
    EXPECT_EQ(jensen_trainer_note_count(trainer, &before), JENSEN_OK);
    ASSERT_EQ(jensen_trainer_step(trainer, 10), JENSEN_OK);
    ASSERT_EQ(jensen_trainer_fit(trainer, &fit), JENSEN_OK);
    EXPECT_EQ(jensen_fit_note_count(fit, &after), JENSEN_OK);
    EXPECT_EQ(before, static_cast<std::size_t>(wrong));
    EXPECT_EQ(after, before);
    if (wrong != 0) {
      ASSERT_NE(jensen_trainer_note(trainer, 0), nullptr);
      EXPECT_NE(std::string(jensen_trainer_note(trainer, 0)).find("the gradient is not that"), std::string::npos);
      EXPECT_STREQ(jensen_fit_note(fit, 0), jensen_trainer_note(trainer, 0));
    }
    EXPECT_EQ(jensen_fit_note(fit, after), nullptr);
    EXPECT_NE(std::string(jensen_last_error()).find("there is no note"), std::string::npos) << jensen_last_error();
    EXPECT_EQ(jensen_trainer_note(trainer, before), nullptr);
    jensen_fit_free(fit);
    jensen_trainer_free(trainer);
    jensen_target_free(target);
  }
  jensen_options_free(options);
}

/// Functions of C++ behind the pointers of C: what they throw ends at the border, as a status.
TEST(CInterface, WhatCallbacksThrowDoesNotCross) {
  using std::string;
  int right = 0;
  jensen_options* options = short_run_options();
  ASSERT_EQ(jensen_options_set(options, "batch", "0"), JENSEN_OK);
  jensen_trainer* trainer = nullptr;
  jensen_fit* fit = nullptr;

  jensen_target* throwing = target_of([](const double*, std::size_t, std::size_t, const jensen_batch*, double*, double*,
                                         void*) -> int { throw std::invalid_argument("no such rate"); },
                                      nullptr);
  EXPECT_EQ(jensen_trainer_create_target(throwing, options, nullptr, &trainer), JENSEN_ERROR_CALLBACK);
  EXPECT_NE(string(jensen_last_error()).find("density threw an exception: no such rate"), string::npos);
  jensen_target_free(throwing);

  jensen_target* target = target_of(standard_normal, &right);
  ASSERT_EQ(jensen_trainer_create_target(target, options, nullptr, &trainer), JENSEN_OK) << jensen_last_error();
  const jensen_observer observer = [](const jensen_progress*, void*) -> int { throw 42; };  // NOLINT: no exception
  EXPECT_EQ(jensen_trainer_run(trainer, observer, nullptr, &fit), JENSEN_ERROR_CALLBACK);
  EXPECT_NE(string(jensen_last_error()).find("observer threw an exception of an unknown type"), string::npos);
  EXPECT_EQ(fit, nullptr);
  jensen_trainer_free(trainer);

  jensen_execution* execution = nullptr;
  ASSERT_EQ(jensen_execution_create(&execution), JENSEN_OK);
  const jensen_allocate no_memory = [](std::size_t, void*, void*) -> void* { throw std::runtime_error("pool closed"); };
  ASSERT_EQ(jensen_execution_set_memory(execution, no_memory, Counted::release, nullptr), JENSEN_OK);
  trainer = nullptr;
  EXPECT_EQ(jensen_trainer_create_target(target, options, execution, &trainer), JENSEN_ERROR_CALLBACK);
  EXPECT_NE(string(jensen_last_error()).find("jensen_allocate threw an exception: pool closed"), string::npos);
  EXPECT_EQ(trainer, nullptr);

  Counted memory;
  const jensen_release complains = [](void* what, std::size_t bytes, void* stream, void* user) {
    Counted::release(what, bytes, stream, user);
    throw std::runtime_error("after the end");
  };
  ASSERT_EQ(jensen_execution_set_memory(execution, Counted::allocate, complains, &memory), JENSEN_OK);
  ASSERT_EQ(jensen_trainer_create_target(target, options, execution, &trainer), JENSEN_OK) << jensen_last_error();
  EXPECT_GT(memory.held, 0U);
  jensen_trainer_free(trainer);
  EXPECT_EQ(memory.held, 0U);

  jensen_execution_free(execution);
  jensen_target_free(target);
  jensen_options_free(options);
}

TEST(CInterface, AStateIsSavedAndLoaded) {
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "c_interface_state";
  std::filesystem::remove_all(folder);
  const std::string path = (folder / "run.state").string();
  const Outcome run = train(Columns(0), "1");
  ASSERT_EQ(run.status, JENSEN_OK) << jensen_last_error();
  std::vector<unsigned char> state = run.state, loaded(state.size());
  std::size_t size = 0;
  int older = 9, exists = 9;
  EXPECT_EQ(jensen_state_exists(path.c_str(), &exists), JENSEN_OK);
  EXPECT_EQ(exists, 0);
  EXPECT_EQ(jensen_state_load(path.c_str(), nullptr, &size, nullptr), JENSEN_ERROR_FILE);
  EXPECT_EQ(jensen_state_save(state.data(), state.size() - 1, path.c_str()), JENSEN_ERROR_INPUT);
  ASSERT_EQ(jensen_state_save(state.data(), state.size(), path.c_str()), JENSEN_OK) << jensen_last_error();
  ASSERT_EQ(jensen_state_save(state.data(), state.size(), path.c_str()), JENSEN_OK) << jensen_last_error();
  EXPECT_EQ(jensen_state_exists(path.c_str(), &exists), JENSEN_OK);
  EXPECT_EQ(exists, 1);
  EXPECT_EQ(jensen_state_load(path.c_str(), nullptr, &size, &older), JENSEN_OK);
  EXPECT_EQ(size, state.size());
  EXPECT_EQ(older, 0);
  size = 3;
  EXPECT_EQ(jensen_state_load(path.c_str(), loaded.data(), &size, nullptr), JENSEN_ERROR_BUFFER);
  EXPECT_EQ(size, state.size());
  ASSERT_EQ(jensen_state_load(path.c_str(), loaded.data(), &size, &older), JENSEN_OK);
  EXPECT_EQ(loaded, state);

  std::ofstream(path, std::ios::binary) << "cut short";
  EXPECT_EQ(jensen_state_load(path.c_str(), loaded.data(), &size, &older), JENSEN_OK);
  EXPECT_EQ(older, 1);
  EXPECT_NE(std::string(jensen_last_error()).find("damaged"), std::string::npos) << jensen_last_error();
  EXPECT_EQ(loaded, state);
  EXPECT_EQ(jensen_state_remove(path.c_str()), JENSEN_OK);
  EXPECT_EQ(jensen_state_exists(path.c_str(), &exists), JENSEN_OK);
  EXPECT_EQ(exists, 0);

  EXPECT_EQ(jensen_state_save(nullptr, 1, path.c_str()), JENSEN_ERROR_ARGUMENT);
  EXPECT_EQ(jensen_state_save(state.data(), state.size(), nullptr), JENSEN_ERROR_ARGUMENT);
  EXPECT_EQ(jensen_state_load(nullptr, nullptr, &size, nullptr), JENSEN_ERROR_ARGUMENT);
  EXPECT_EQ(jensen_state_load(path.c_str(), nullptr, nullptr, nullptr), JENSEN_ERROR_ARGUMENT);
  EXPECT_EQ(jensen_state_exists(path.c_str(), nullptr), JENSEN_ERROR_ARGUMENT);
  EXPECT_EQ(jensen_state_remove(nullptr), JENSEN_ERROR_ARGUMENT);
  std::filesystem::remove_all(folder);
}

}  // namespace
