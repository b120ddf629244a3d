/// What C programs cannot test as well: trainers in two threads at once, and exceptions that end at the border.
#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <cstring>
#include <filesystem>
#include <string>
#include <thread>
#include <vector>

#include "jensen/jensen.h"
#include "jensen/jensen_io.h"

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

}  // namespace
