// Fit directories and predictions: every field comes back, equal fits have equal bytes, nothing half-written stays,
// nothing but a fit is ever deleted, and no damaged file is believed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "coupled_fit.hpp"
#include "io/csv_writer.hpp"
#include "io/fit_file.hpp"
#include "jensen/errors.hpp"
#include "jensen/io.hpp"
#include "temporary_directory.hpp"

namespace {

namespace fs = std::filesystem;
using jensen::FileError;
using jensen::Fit;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::UnorderedElementsAre;

Fit example_fit() {
  Fit fit;
  fit.formula = "délai ~ 1 + distance + carrier";
  fit.design.factors = {{"carrier", {"AA", "B6, \"quoted\"", "größe", ""}, true}, {"month", {"1", "2"}, false}};
  fit.design.learned = {{"poly(x, 2)", {0.5, -1.0 / 3, 1, 2, 1e-300}}, {"scale(log(x))", {2, 0.25}}};
  fit.response_levels = {"low", "größe", ""};
  fit.options.family = jensen::Family::poisson;
  fit.options.priors = {jensen::parse_prior("b ~ normal(0.1, 2.5)"), jensen::parse_prior("sigma ~ exponential(0.3)"),
                        jensen::parse_prior("Intercept ~ student_t(3, -1, 2.2)")};
  fit.options.link = jensen::Link::log;
  fit.options.formulas = {{"sigma", "1 + x + (1 | g)"}, {"zi", "~ 0 + \"text\""}};
  fit.options.guide = jensen::GuideKind::fullrank;
  fit.options.parametrization = jensen::Parametrization::noncentered;
  fit.options.device = jensen::DeviceKind::cpu;
  fit.options.missing = jensen::MissingPolicy::error;
  fit.options.storage = jensen::StorageKind::bfloat16;
  fit.options.precision = jensen::PrecisionKind::tf32;
  fit.options.seed = std::numeric_limits<std::uint64_t>::max();
  fit.options.threads = 3;
  fit.options.samples = 17;
  fit.options.batch = 5'000'000'000;
  fit.options.steps = 12'345;
  fit.options.learning_rate = 0.05;
  fit.notes = {"12 rows dropped", "two\nlines"};
  fit.parameters = {{"b_Intercept", jensen::Transform::identity},
                    {"b_größe:x,1", jensen::Transform::identity},
                    {"sigma", jensen::Transform::exponential, jensen::ParameterClass::family}};
  fit.mean = {0.1, -1.0 / 3, 2};
  fit.factor = {1.5, 0, 0, 0.25, 1e-300, 0, -0.125, 1.0 / 7, 0.5};
  fit.elbo = -12345.678901234567;
  fit.elbo_se = 0.25;
  fit.rows = 6'000'000'000;
  fit.rows_dropped = 12;
  fit.steps = 2'000;
  fit.seconds = 1.5;
  fit.rows_per_second = 1e6;
  fit.trace = {{100, -2e4, 12.5, 0.1, 0}, {200, -1.5e4, std::numeric_limits<double>::quiet_NaN(), 0.05, 3}};
  fit.verdict = {true, 0.02, 0.3, 0.61, false, 1.25, "b_x", 3, false, "Converged; “believe it”."};
  return fit;
}

/// (1 + x | g) with factors of its own for 3 levels, and (1 | g:h) on sigma with two levels, all optional parts empty.
Fit grouped_fit() {
  Fit fit = example_fit();
  fit.options.guide = jensen::GuideKind::structured;
  fit.options.parametrization = jensen::Parametrization::automatic;
  fit.options.link.reset();
  fit.design.groups = {{"g", {"a", "b, c", "größe"}, {"g"}}, {"g:h", {"a_1", "a_2"}, {}}};
  using jensen::ParameterClass;
  using jensen::Transform;
  fit.parameters = {{"b_Intercept", Transform::identity},
                    {"b_x", Transform::identity},
                    {"sd_g__Intercept", Transform::exponential, ParameterClass::group},
                    {"sd_g__x", Transform::exponential, ParameterClass::group},
                    {"sd_g:h__sigma_Intercept", Transform::exponential, ParameterClass::group},
                    {"cor_g__Intercept__x", Transform::correlation, ParameterClass::group},
                    {"zi", Transform::logistic, ParameterClass::family}};
  jensen::GroupPosterior g;
  g.group = "g";
  g.parameter = "mu";
  g.effects = {"Intercept", "x"};
  g.levels = 3;
  g.first_sd = 2;
  g.first_correlation = 5;
  g.coefficients = 2;
  g.origin = {0.5, -1.0 / 3};
  for (int i = 0; i < 9; ++i) g.information.push_back(static_cast<float>(i % 3 == 1 ? 0.1 : 1 + i / 7.0));
  for (int i = 0; i < 6; ++i) g.location.push_back(static_cast<float>(i) / 3);
  for (int i = 0; i < 12; ++i) g.coupling.push_back(static_cast<float>(i) / 11);
  g.centered = true;
  g.reference = {0.5, 0.25, 1.0 / 3};
  g.first = 7;
  for (int i = 0; i < 9; ++i) g.scale.push_back(static_cast<float>(i % 3 == 1 ? 0.25 : 1.5));
  jensen::GroupPosterior gh;
  gh.group = "g:h";
  gh.parameter = "sigma";
  gh.effects = {"Intercept"};
  gh.levels = 2;
  gh.first_sd = 4;
  gh.first = 13;
  gh.scale = {0.5, 1.0F / 3};
  gh.followed_begin = {0, 2, 3};
  gh.followed = {0, 5, 2};
  gh.followed_slope = {0.75, -1.0F / 3, 2};
  gh.skew = {0.25, -1.0F / 3};
  gh.answer = {0.5, -0.25, 1.0F / 3, 2};
  gh.answer_origin = 0.125;
  gh.information_by = {6, 2};
  gh.information_slope = {-2, 1.0 / 3};
  gh.information_origin = {0.1, -0.7};
  fit.groups = {g, gh};
  fit.mean.clear();
  for (int i = 0; i < 15; ++i) fit.mean.push_back(i / 7.0 - 1);
  fit.factor.clear();
  for (int i = 0; i < 49; ++i) fit.factor.push_back(i % 8 == 0 ? 0.1 : 0.01 * (i % 5));
  return fit;
}

void expect_equal(const jensen::GroupPosterior& a, const jensen::GroupPosterior& b) {
  EXPECT_EQ(a.group, b.group);
  EXPECT_EQ(a.parameter, b.parameter);
  EXPECT_EQ(a.effects, b.effects);
  EXPECT_EQ(a.levels, b.levels);
  EXPECT_EQ(a.first_sd, b.first_sd);
  EXPECT_EQ(a.first_correlation, b.first_correlation);
  EXPECT_EQ(a.first_coefficient, b.first_coefficient);
  EXPECT_EQ(a.coefficients, b.coefficients);
  EXPECT_EQ(a.origin, b.origin);
  EXPECT_EQ(a.coupled, b.coupled);
  EXPECT_EQ(a.information, b.information);
  EXPECT_EQ(a.location, b.location);
  EXPECT_EQ(a.coupling, b.coupling);
  EXPECT_EQ(a.followed_begin, b.followed_begin);
  EXPECT_EQ(a.followed, b.followed);
  EXPECT_EQ(a.followed_slope, b.followed_slope);
  EXPECT_EQ(a.skew, b.skew);
  EXPECT_EQ(a.answer, b.answer);
  EXPECT_EQ(a.answer_origin, b.answer_origin);
  EXPECT_EQ(a.information_by, b.information_by);
  EXPECT_EQ(a.information_slope, b.information_slope);
  EXPECT_EQ(a.information_origin, b.information_origin);
  EXPECT_EQ(a.centered, b.centered);
  EXPECT_EQ(a.reference, b.reference);
  EXPECT_EQ(a.first, b.first);
  EXPECT_EQ(a.scale, b.scale);
}

void expect_equal(const jensen::DesignState& a, const jensen::DesignState& b) {
  ASSERT_EQ(a.factors.size(), b.factors.size());
  for (std::size_t i = 0; i < a.factors.size(); ++i) {
    EXPECT_EQ(a.factors[i].column, b.factors[i].column);
    EXPECT_EQ(a.factors[i].levels, b.factors[i].levels);
    EXPECT_EQ(a.factors[i].text, b.factors[i].text);
  }
  ASSERT_EQ(a.learned.size(), b.learned.size());
  for (std::size_t i = 0; i < a.learned.size(); ++i) {
    EXPECT_EQ(a.learned[i].expression, b.learned[i].expression);
    EXPECT_EQ(a.learned[i].values, b.learned[i].values);
  }
  ASSERT_EQ(a.groups.size(), b.groups.size());
  for (std::size_t i = 0; i < a.groups.size(); ++i) {
    EXPECT_EQ(a.groups[i].group, b.groups[i].group);
    EXPECT_EQ(a.groups[i].levels, b.groups[i].levels);
    EXPECT_EQ(a.groups[i].text_columns, b.groups[i].text_columns);
  }
}

void expect_equal(const Fit& a, const Fit& b) {
  EXPECT_EQ(a.formula, b.formula);
  expect_equal(a.design, b.design);
  EXPECT_EQ(a.response_levels, b.response_levels);
  ASSERT_EQ(a.groups.size(), b.groups.size());
  for (std::size_t i = 0; i < a.groups.size(); ++i) expect_equal(a.groups[i], b.groups[i]);
  EXPECT_EQ(a.options.family, b.options.family);
  EXPECT_EQ(a.options.link, b.options.link);
  EXPECT_EQ(a.options.formulas, b.options.formulas);
  EXPECT_EQ(a.options.parametrization, b.options.parametrization);
  EXPECT_EQ(a.options.priors, b.options.priors);
  EXPECT_EQ(a.options.guide, b.options.guide);
  EXPECT_EQ(a.options.device, b.options.device);
  EXPECT_EQ(a.options.missing, b.options.missing);
  EXPECT_EQ(a.options.storage, b.options.storage);
  EXPECT_EQ(a.options.precision, b.options.precision);
  EXPECT_EQ(a.options.seed, b.options.seed);
  EXPECT_EQ(a.options.threads, b.options.threads);
  EXPECT_EQ(a.options.samples, b.options.samples);
  EXPECT_EQ(a.options.batch, b.options.batch);
  EXPECT_EQ(a.options.steps, b.options.steps);
  EXPECT_EQ(a.options.learning_rate, b.options.learning_rate);
  EXPECT_EQ(a.notes, b.notes);
  ASSERT_EQ(a.parameters.size(), b.parameters.size());
  for (std::size_t i = 0; i < a.parameters.size(); ++i) {
    EXPECT_EQ(a.parameters[i].name, b.parameters[i].name);
    EXPECT_EQ(a.parameters[i].transform, b.parameters[i].transform);
    EXPECT_EQ(a.parameters[i].kind, b.parameters[i].kind);
  }
  EXPECT_EQ(a.mean, b.mean);
  EXPECT_EQ(a.factor, b.factor);
  EXPECT_EQ(a.elbo, b.elbo);
  EXPECT_EQ(a.elbo_se, b.elbo_se);
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.rows_dropped, b.rows_dropped);
  EXPECT_EQ(a.steps, b.steps);
  ASSERT_EQ(a.trace.size(), b.trace.size());
  for (std::size_t i = 0; i < a.trace.size(); ++i) {
    EXPECT_EQ(a.trace[i].step, b.trace[i].step);
    EXPECT_EQ(a.trace[i].elbo, b.trace[i].elbo);
    EXPECT_THAT(b.trace[i].elbo_se, testing::NanSensitiveDoubleEq(a.trace[i].elbo_se));
    EXPECT_EQ(a.trace[i].learning_rate, b.trace[i].learning_rate);
    EXPECT_EQ(a.trace[i].nonfinite, b.trace[i].nonfinite);
  }
  EXPECT_EQ(a.verdict.converged, b.verdict.converged);
  EXPECT_EQ(a.verdict.drift, b.verdict.drift);
  EXPECT_EQ(a.verdict.log_ratio_sd, b.verdict.log_ratio_sd);
  EXPECT_EQ(a.verdict.khat, b.verdict.khat);
  EXPECT_EQ(a.verdict.close, b.verdict.close);
  EXPECT_EQ(a.verdict.sd_ratio, b.verdict.sd_ratio);
  EXPECT_EQ(a.verdict.narrowest, b.verdict.narrowest);
  EXPECT_EQ(a.verdict.nonfinite, b.verdict.nonfinite);
  EXPECT_EQ(a.verdict.failed, b.verdict.failed);
  EXPECT_EQ(a.verdict.message, b.verdict.message);
}

std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write(const fs::path& path, const std::string& bytes) { std::ofstream(path, std::ios::binary) << bytes; }

class FitIo : public testing::Test {
 protected:
  /// The FileError's words, without the path of the folder.
  template <class Body>
  std::string error_of(Body body) {
    try {
      body();
    } catch (const FileError& error) {
      std::string text = error.what();
      const std::string prefix = folder_.string() + "/";
      for (std::size_t at; (at = text.find(prefix)) != std::string::npos;) text.erase(at, prefix.size());
      return text;
    }
    return "no error";
  }
  std::string save_error(const fs::path& directory, bool replace) {
    const std::string text = error_of([&] { jensen::save_fit(example_fit(), "config", directory, replace); });
    EXPECT_EQ(text, error_of([&] { jensen::check_writable(directory, replace); }));
    return text;
  }
  static std::vector<std::string> names_in(const fs::path& directory) {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory)) names.push_back(entry.path().filename().string());
    return names;
  }

  jensen::test::TemporaryDirectory directory_;
  fs::path folder_ = directory_.path();
};

TEST_F(FitIo, GivesEveryFieldBack) {
  const Fit fit = example_fit();
  jensen::save_fit(fit, "seed = 1\n", folder_ / "fit", false);
  EXPECT_THAT(names_in(folder_), ElementsAre("fit"));
  EXPECT_THAT(names_in(folder_ / "fit"), UnorderedElementsAre("config.toml", "trace.csv", "summary.csv", "fit.h5"));
  EXPECT_EQ(bytes_of(folder_ / "fit/config.toml"), "seed = 1\n");
  const Fit loaded = jensen::load_fit(folder_ / "fit");
  expect_equal(fit, loaded);
  EXPECT_EQ(loaded.seconds, 0);  // wall-clock times are not kept
  EXPECT_EQ(loaded.rows_per_second, 0);
}

TEST_F(FitIo, GivesGroupsBack) {
  const Fit fit = grouped_fit();
  jensen::save_fit(fit, "", folder_ / "fit", false);
  const Fit loaded = jensen::load_fit(folder_ / "fit");
  expect_equal(fit, loaded);
  EXPECT_EQ(fit.draw(10, 1), loaded.draw(10, 1));
  // All parameters, then all effects of levels.
  const jensen::Table table = jensen::read_csv(folder_ / "fit/summary.csv");
  ASSERT_EQ(table.rows(), 7U + 6U + 2U);
  const auto levels = fit.summarize_levels();
  EXPECT_EQ(table.at("name").levels.at(7), "r_g[a,Intercept]");
  EXPECT_EQ(table.at("name").levels.at(10), "r_g[b, c,x]");
  EXPECT_EQ(table.at("name").levels.at(13), "r_g:h__sigma[a_1,Intercept]");
  for (std::size_t i = 0; i < levels.size(); ++i) {
    EXPECT_EQ(table.at("mean").number(7 + i), levels[i].mean);
    EXPECT_EQ(table.at("q95").number(7 + i), levels[i].q95);
  }
}

// Levels within the factor: it is over all coordinates.
TEST_F(FitIo, GivesLevelsWithinTheFactorBack) {
  Fit fit = grouped_fit();
  for (auto& group : fit.groups) group.scale.clear();
  fit.factor.assign(15 * 15, 0.125);
  jensen::save_fit(fit, "", folder_ / "fit", false);
  expect_equal(fit, jensen::load_fit(folder_ / "fit"));
}

// Some within the factor, and one that depends on them.
TEST_F(FitIo, GivesCoupledGroupsBack) {
  const Fit fit = jensen::test::CoupledFit().fit;
  jensen::save_fit(fit, "", folder_ / "fit", false);
  const Fit loaded = jensen::load_fit(folder_ / "fit");
  expect_equal(fit, loaded);
  ASSERT_THAT(loaded.groups[0].coupled, ElementsAre(2U, 1U));
  const auto rows = fit.summarize_levels(), again = loaded.summarize_levels();
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].mean, again[i].mean);
    EXPECT_EQ(rows[i].sd, again[i].sd);
  }
}

// Large enough to be compressed; a constant column is small then.
TEST_F(FitIo, GivesManyLevelsBack) {
  constexpr std::size_t levels = 200'000;
  Fit fit = grouped_fit();
  std::mt19937 random(3);
  std::uniform_real_distribution<float> uniform;
  fit.groups.pop_back();
  fit.design.groups.pop_back();
  fit.parameters.erase(fit.parameters.begin() + 4);
  jensen::GroupPosterior& g = fit.groups[0];
  g.levels = levels;
  g.first = 6;
  g.first_correlation = 4;
  fit.design.groups[0].levels.clear();
  for (std::size_t j = 0; j < levels; ++j) fit.design.groups[0].levels.push_back(std::to_string(j));
  for (auto* array : {&g.information, &g.scale}) array->assign(levels * 3, 1.0F);
  g.location.resize(levels * 2);
  g.coupling.resize(levels * 4);
  for (float& value : g.location) value = uniform(random);
  for (float& value : g.coupling) value = uniform(random);
  fit.mean.assign(6 + levels * 2, 0.5);
  fit.factor.assign(36, 0.25);
  const std::string bytes = jensen::io::encode_fit(fit);
  EXPECT_LT(bytes.size(), levels * (4 * 6 + 8 * 2 + 40));  // 24 bytes of random floats, 16 of means, 40 of labels
  expect_equal(fit, jensen::io::decode_fit(bytes, "fit.h5"));
  EXPECT_EQ(bytes, jensen::io::encode_fit(fit));
}

TEST_F(FitIo, GivesTheSmallestFitBack) {
  Fit fit;
  fit.parameters = {{"b_Intercept", jensen::Transform::identity}};
  fit.mean = {1};
  fit.factor = {2};
  jensen::save_fit(fit, "", folder_ / "fit", false);
  expect_equal(fit, jensen::load_fit(folder_ / "fit"));
}

TEST_F(FitIo, GivesALargeFitBack) {
  constexpr std::size_t size = 300;
  Fit fit = example_fit();
  std::mt19937 random(7);
  fit.parameters.clear();
  fit.mean.clear();
  fit.factor.clear();
  for (std::size_t i = 0; i < size; ++i) {
    fit.parameters.push_back({"b_" + std::to_string(random()), jensen::Transform::identity});
    fit.mean.push_back(static_cast<double>(random()) / 3);
  }
  for (std::size_t i = 0; i < size * size; ++i) fit.factor.push_back(static_cast<double>(random()) / 7);
  for (int i = 0; i < 50'000; ++i) fit.design.factors[0].levels.push_back(std::to_string(random()));
  for (int i = 0; i < 40; ++i) fit.design.factors.push_back({"f" + std::to_string(i), {"a", "b"}, true});
  fit.formula.append(100'000, 'x');
  jensen::save_fit(fit, "", folder_ / "fit", false);
  expect_equal(fit, jensen::load_fit(folder_ / "fit"));
}

TEST_F(FitIo, WritesEqualFitsAsEqualBytes) {
  Fit fit = example_fit();
  jensen::save_fit(fit, "c", folder_ / "a", false);
  sleep(1);                                        // a time stored anywhere would differ by now
  const std::vector<char> elsewhere(12'345, 'x');  // so that memory lies differently
  fit.seconds = 99;
  fit.rows_per_second = 5;
  jensen::save_fit(fit, "c", folder_ / "b", false);
  for (const std::string name : {"config.toml", "trace.csv", "summary.csv", "fit.h5"}) {
    EXPECT_EQ(bytes_of(folder_ / "a" / name), bytes_of(folder_ / "b" / name)) << name;
  }
}

TEST_F(FitIo, WritesSummaryAndTraceAsTables) {
  const Fit fit = example_fit();
  jensen::save_fit(fit, "", folder_ / "fit", false);
  EXPECT_EQ(bytes_of(folder_ / "fit/trace.csv"),
            "step,elbo,elbo_se,learning_rate,nonfinite\n100,-20000,12.5,0.1,0\n200,-15000,nan,0.05,3\n");
  EXPECT_TRUE(bytes_of(folder_ / "fit/summary.csv").starts_with("name,mean,sd,q05,q50,q95\nb_Intercept,"));
  const jensen::Table table = jensen::read_csv(folder_ / "fit/summary.csv");
  const auto expected = fit.summarize();
  ASSERT_EQ(table.rows(), expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(table.at("name").levels.at(i), expected[i].name);
    EXPECT_EQ(table.at("mean").number(i), expected[i].mean);
    EXPECT_EQ(table.at("sd").number(i), expected[i].sd);
    EXPECT_EQ(table.at("q05").number(i), expected[i].q05);
    EXPECT_EQ(table.at("q50").number(i), expected[i].q50);
    EXPECT_EQ(table.at("q95").number(i), expected[i].q95);
  }
}

TEST(CsvCell, IsQuotedIfItHasToBe) {
  EXPECT_EQ(jensen::io::csv_cell("b_x[a:b]"), "b_x[a:b]");
  EXPECT_EQ(jensen::io::csv_cell("a,b"), "\"a,b\"");
  EXPECT_EQ(jensen::io::csv_cell("say \"hi\""), "\"say \"\"hi\"\"\"");
  EXPECT_EQ(jensen::io::csv_cell("two\nlines"), "\"two\nlines\"");
  EXPECT_EQ(jensen::io::csv_cell(" a"), "\" a\"");
  EXPECT_EQ(jensen::io::csv_cell(""), "\"\"");
}

TEST_F(FitIo, RefusesFitsWhoseSizesDisagree) {
  Fit fit = example_fit();
  fit.factor.pop_back();
  EXPECT_THROW(jensen::save_fit(fit, "", folder_ / "fit", false), jensen::InputError);
  fit = Fit();
  EXPECT_THROW(jensen::save_fit(fit, "", folder_ / "fit", false), jensen::InputError);
  const auto refused = [&](auto change) {
    Fit changed = grouped_fit();
    change(changed, changed.groups[0]);
    EXPECT_THROW(jensen::io::encode_fit(changed), jensen::InputError);
  };
  refused([](Fit& f, auto&) { f.mean.pop_back(); });
  refused([](Fit& f, auto&) { f.groups.pop_back(); });
  refused([](Fit&, auto& g) { g.scale.pop_back(); });
  refused([](Fit&, auto& g) { g.location.push_back(0); });
  refused([](Fit&, auto& g) { g.first = 20; });
  refused([](Fit&, auto& g) { g.first = 3; });
  refused([](Fit&, auto& g) { g.levels = ~std::size_t{0}; });
  refused([](Fit&, auto& g) { g.first_sd = 6; });
  refused([](Fit&, auto& g) { g.first_correlation = 9; });
  refused([](Fit&, auto& g) { g.first_coefficient = ~std::size_t{0}; });
  refused([](Fit&, auto& g) { g.origin.clear(); });
  refused([](Fit&, auto& g) { g.reference.clear(); });
  refused([](Fit&, auto& g) { g.effects.clear(); });
  refused([](Fit& f, auto&) { f.parameters[0].transform = jensen::Transform::increment; });
  refused([](Fit&, auto& g) { g.coupled = {1}; });  // which has factors of its own
  refused([](Fit& f, auto&) { f.groups[1].followed.pop_back(); });
  refused([](Fit& f, auto&) { f.groups[1].followed_slope.pop_back(); });
  refused([](Fit& f, auto&) { f.groups[1].followed_begin.clear(); });
  refused([](Fit& f, auto&) { f.groups[1].followed_begin = {0, 3}; });
  refused([](Fit& f, auto&) { f.groups[1].followed_begin = {0, 4, 3}; });
  refused([](Fit& f, auto&) { f.groups[1].followed_begin = {1, 2, 3}; });
  refused([](Fit& f, auto&) { f.groups[1].followed = {5, 0, 2}; });  // not ascending
  refused([](Fit& f, auto&) { f.groups[1].followed = {-1, 0, 2}; });
  refused([](Fit& f, auto&) { f.groups[1].followed = {0, 6, 2}; });  // one of its own
  refused([](Fit& f, auto&) { f.groups[1].skew.pop_back(); });
  refused([](Fit& f, auto&) { f.groups[1].skew[1] = 0; });
  refused([](Fit& f, auto&) { f.groups[1].answer.pop_back(); });
  refused([](Fit& f, auto&) { f.groups[1].information_by = {6, 7}; });
  refused([](Fit& f, auto&) { f.groups[1].information_slope.pop_back(); });
  refused([](Fit& f, auto&) { f.groups[1].information_origin.push_back(0); });
  refused([](Fit& f, auto& g) { std::swap(g.followed, f.groups[1].followed); });
  const auto refused_coupled = [&](auto change) {
    Fit changed = jensen::test::CoupledFit().fit;
    jensen::io::encode_fit(changed);
    change(changed, changed.groups[0]);
    EXPECT_THROW(jensen::io::encode_fit(changed), jensen::InputError);
  };
  refused_coupled([](Fit&, auto& g) { g.coupling.pop_back(); });
  refused_coupled([](Fit&, auto& g) { g.coupled.pop_back(); });
  refused_coupled([](Fit&, auto& g) { g.coupled[0] = 3; });
  refused_coupled([](Fit&, auto& g) { g.coupled[0] = ~std::size_t{0}; });
  refused_coupled([](Fit&, auto& g) { g.coupled = {0}, g.coupling.clear(); });
  refused_coupled([](Fit&, auto& g) { g.coupled = {1, 1}, g.coupling.clear(); });
  refused_coupled([](Fit& f, auto&) { f.groups[1].coupled = {2}; });
  refused_coupled([](Fit& f, auto& g) { std::swap(g.first, f.groups[1].first); });
  refused_coupled([](Fit& f, auto&) { f.groups[2].scale.assign(3, 1.0F); });
  refused_coupled([](Fit& f, auto&) { f.factor.resize(22 * 22); });
  EXPECT_THAT(names_in(folder_), IsEmpty());
}

TEST_F(FitIo, ReplacesAFitOnlyOnRequest) {
  Fit fit = example_fit();
  const fs::path out = folder_ / "fit/";
  jensen::save_fit(fit, "old", out, false);
  EXPECT_EQ(save_error(out, false), "fit/ exists already (--out): give --force to replace it, or another name");
  EXPECT_EQ(bytes_of(folder_ / "fit/config.toml"), "old");
  write(folder_ / "fit/draws.csv", "1");  // the user's own file: never deleted
  EXPECT_THAT(save_error(out, true), HasSubstr("holds more than a fit"));
  fs::remove(folder_ / "fit/draws.csv");
  jensen::check_writable(out, true);
  fit.elbo = 7;
  jensen::save_fit(fit, "new", out, true);
  EXPECT_EQ(bytes_of(folder_ / "fit/config.toml"), "new");
  EXPECT_EQ(jensen::load_fit(out).elbo, 7);
  EXPECT_THAT(names_in(folder_), ElementsAre("fit"));
  EXPECT_EQ(names_in(folder_ / "fit").size(), 4U);

  fs::create_directory(folder_ / "empty");
  jensen::save_fit(fit, "new", folder_ / "empty", true);
  EXPECT_EQ(jensen::load_fit(folder_ / "empty").elbo, 7);
}

TEST_F(FitIo, ReplacesWhatALinkPointsTo) {
  jensen::save_fit(example_fit(), "old", folder_ / "real", false);
  fs::create_directory_symlink(folder_ / "real", folder_ / "link");
  jensen::save_fit(example_fit(), "new", folder_ / "link", true);
  EXPECT_TRUE(fs::is_symlink(folder_ / "link"));
  EXPECT_EQ(bytes_of(folder_ / "real/config.toml"), "new");
  EXPECT_THAT(names_in(folder_), UnorderedElementsAre("real", "link"));
}

TEST_F(FitIo, NeverDeletesWhatIsNoFit) {
  const std::string refusal =
      " is not a fit, or holds more than a fit (--out): --force will not delete it; give another name";
  fs::create_directories(folder_ / "home/photos");
  write(folder_ / "home/fit.h5", "");
  EXPECT_EQ(save_error(folder_ / "home", true), "home/" + refusal);
  fs::create_directory(folder_ / "notes");
  write(folder_ / "notes/thesis.txt", "years of work");
  EXPECT_EQ(save_error(folder_ / "notes", true), "notes/" + refusal);
  EXPECT_EQ(bytes_of(folder_ / "notes/thesis.txt"), "years of work");
  EXPECT_THAT(save_error("/", true), HasSubstr(refusal));
  write(folder_ / "file", "x");
  EXPECT_EQ(save_error(folder_ / "file", true), "file exists and is not a directory (--out): give another name");
  EXPECT_THAT(names_in(folder_), UnorderedElementsAre("home", "notes", "file"));
}

TEST_F(FitIo, MakesParentsOnlyToSave) {
  const fs::path deep = folder_ / "a/b/fit";
  jensen::check_writable(deep, false);
  EXPECT_THAT(names_in(folder_), IsEmpty());
  jensen::save_fit(example_fit(), "", deep, false);
  EXPECT_THAT(names_in(folder_ / "a/b"), ElementsAre("fit"));
}

TEST_F(FitIo, TakesRelativePaths) {
  const fs::path before = fs::current_path();
  fs::current_path(folder_);
  for (const fs::path name : {"fit", "fit2/", "./fit3/", "deep/er/fit", "deep/../fit4"}) {
    jensen::check_writable(name, false);
    jensen::save_fit(example_fit(), "", name, false);
    EXPECT_EQ(jensen::load_fit(name).rows, example_fit().rows) << name;
  }
  EXPECT_EQ(error_of([] { jensen::check_writable("fit/", false); }),
            "fit/ exists already (--out): give --force to replace it, or another name");
  jensen::write_prediction({{"mean"}, {1}}, "pred.csv");
  fs::current_path(before);
  EXPECT_THAT(names_in(folder_), UnorderedElementsAre("fit", "fit2", "fit3", "fit4", "deep", "pred.csv"));
}

TEST_F(FitIo, RefusesPlacesItCannotWriteTo) {
  write(folder_ / "file", "x");
  EXPECT_EQ(save_error(folder_ / "file/fit", false),
            "cannot make file/fit/ (--out): file is not a directory; give another name");
  EXPECT_EQ(save_error("", false), "the name of the output is empty (--out); give one");
  EXPECT_THAT(save_error("/proc/jensen/fit", false), HasSubstr("cannot write in /proc ("));
  if (geteuid() != 0) {
    fs::create_directory(folder_ / "locked");
    fs::permissions(folder_ / "locked", fs::perms::owner_read | fs::perms::owner_exec);
    EXPECT_THAT(save_error(folder_ / "locked/fit", false), HasSubstr("Permission denied"));
  }
  EXPECT_EQ(bytes_of(folder_ / "file"), "x");
}

TEST_F(FitIo, SaysWhatIsNotThereToLoad) {
  EXPECT_EQ(error_of([&] { jensen::load_fit(folder_ / "none"); }),
            "there is no none/ (no such directory); give the directory that train --out wrote");
  write(folder_ / "file", "x");
  EXPECT_EQ(error_of([&] { jensen::load_fit(folder_ / "file"); }),
            "file is not a directory; give the directory that train --out wrote");
  fs::create_directory(folder_ / "empty");
  EXPECT_EQ(error_of([&] { jensen::load_fit(folder_ / "empty/"); }),
            "empty/ holds no fit.h5; give the directory that train --out wrote");
}

TEST_F(FitIo, BelievesNoDamagedFile) {
  const std::string whole = jensen::io::encode_fit(example_fit());
  expect_equal(example_fit(), jensen::io::decode_fit(whole, "fit.h5"));
  const auto error_in = [&](const std::string& bytes) {
    return error_of([&] { jensen::io::decode_fit(bytes, "fit.h5"); });
  };
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{64}, whole.size() / 2, whole.size() - 1}) {
    EXPECT_EQ(error_in(whole.substr(0, size)),
              "fit.h5 is not a fit of Jensen's, or is cut short; give another, or train again");
  }
  EXPECT_THAT(error_in(whole + "x"), HasSubstr("is not a fit of Jensen's"));
  EXPECT_THAT(error_in(whole.substr(whole.size() - 64)), HasSubstr("is damaged"));
  std::mt19937 random(11);
  for (int i = 0; i < 2'000; ++i) {
    std::string damaged = whole;
    const std::size_t place = random() % (whole.size() - 64);
    damaged[place] = static_cast<char>(damaged[place] ^ (1 << random() % 8));
    ASSERT_EQ(error_in(damaged), "fit.h5 is damaged (its checksum does not agree); copy it again, or train again");
  }
  for (std::size_t place = whole.size() - 64; place < whole.size(); ++place) {
    std::string damaged = whole;
    damaged[place] = static_cast<char>(damaged[place] ^ 1);
    ASSERT_NE(error_in(damaged), "no error") << place;
  }
}

/// Puts a valid last line behind any bytes, as only a program could.
std::string sealed(const std::string& bytes, const std::string& format) {
  char sum[9];
  std::snprintf(sum, sizeof sum, "%08lx", crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size()));
  std::string line = "jensen fit " + format + " bytes " + std::to_string(bytes.size()) + " crc32 " + sum;
  line.resize(63, ' ');
  return bytes + line + "\n";
}

TEST_F(FitIo, RefusesOtherFormatsAndForeignFiles) {
  const std::string whole = jensen::io::encode_fit(grouped_fit());
  const std::string content = whole.substr(0, whole.size() - 64);
  const auto error_in = [&](const std::string& bytes) {
    return error_of([&] { jensen::io::decode_fit(bytes, "fit.h5"); });
  };
  ASSERT_EQ(sealed(content, "6"), whole);
  EXPECT_EQ(error_in(sealed(content, "1")),
            "fit.h5 is in format 1, this Jensen reads format 6; use the Jensen that wrote it");
  EXPECT_THAT(error_in(content), HasSubstr("is not a fit of Jensen's"));
  EXPECT_EQ(error_in(sealed("not HDF5", "6")),
            "fit.h5 is not a complete fit ('file' is missing or cannot be made); train again");
  EXPECT_THAT(error_in(sealed("", "6")), HasSubstr("is not a complete fit"));
  // Names changed by hand: the parts are missed.
  for (const std::string name :
       {"formula",       "names",           "transforms",  "mean",          "factor", "notes",
        "options",       "trace",           "verdict",     "khat",          "priors", "levels",
        "learning_rate", "classes",         "design",      "learned",       "groups", "response_levels",
        "link",          "parametrization", "information", "coupling",      "scale",  "first_sd",
        "centered",      "coupled",         "followed",    "information_by"}) {
    std::string renamed = content;
    const std::string found = std::string("\0", 1) + name + std::string("\0", 1);
    std::size_t count = 0;
    for (std::size_t at = 0; (at = renamed.find(found, at)) != std::string::npos; ++at, ++count) renamed[at + 1] = '#';
    if (count == 0) {
      for (std::size_t at = 0; (at = renamed.find(name, at)) != std::string::npos; ++at, ++count) renamed[at] = '#';
    }
    ASSERT_GT(count, 0U) << name;
    EXPECT_THAT(error_in(sealed(renamed, "6")), HasSubstr("' is missing or cannot be made); train again")) << name;
  }
  // A value that no Jensen writes.
  std::string unknown = content;
  unknown.replace(unknown.find("structured"), 10, "strictured");
  EXPECT_THAT(error_in(sealed(unknown, "6")), HasSubstr("fit.h5 is not a complete fit"));
}

TEST_F(FitIo, WritesPredictions) {
  const double missing = std::numeric_limits<double>::quiet_NaN();
  const jensen::Prediction prediction{{"mean", "q05", "q95"},
                                      {0.1, -1, 2, missing, missing, missing, 1e-300, 1.0 / 3, 3}};
  const fs::path out = folder_ / "pred.csv";
  for (int time = 0; time < 2; ++time) {  // the second time over the first
    jensen::write_prediction(prediction, out);
    EXPECT_EQ(bytes_of(out), "mean,q05,q95\n0.1,-1,2\n,,\n1e-300,0.3333333333333333,3\n");
    EXPECT_THAT(names_in(folder_), ElementsAre("pred.csv"));
  }
  const jensen::Table table = jensen::read_csv(out);
  EXPECT_TRUE(table.at("q05").missing(1));
  EXPECT_EQ(table.at("q05").number(2), 1.0 / 3);
  jensen::write_prediction({{"mean_a, b"}, {1, 2}}, out);
  EXPECT_EQ(bytes_of(out), "\"mean_a, b\"\n1\n2\n");
}

TEST_F(FitIo, RefusesPredictionsItCannotWrite) {
  const jensen::Prediction prediction{{"mean"}, {1}};
  const auto error_at = [&](const fs::path& path) {
    return error_of([&] { jensen::write_prediction(prediction, path); });
  };
  fs::create_directory(folder_ / "d");
  EXPECT_EQ(error_at(folder_ / "d"), "d is a directory (--out); give the name of a file");
  EXPECT_EQ(error_at(folder_ / "new/"), "new/ is a directory (--out); give the name of a file");
  EXPECT_EQ(error_at(""), "the name of the output is empty (--out); give one");
  EXPECT_THAT(error_at(folder_ / "none/pred.csv"), HasSubstr("No such file or directory"));
  if (fs::is_character_file("/dev/full")) {
    EXPECT_EQ(error_at("/dev/full"), "cannot write /dev/full (No space left on device); make room or write elsewhere");
    EXPECT_TRUE(fs::is_character_file("/dev/full"));
  }
  EXPECT_THROW(jensen::write_prediction({{"mean", "q05"}, {1}}, folder_ / "p.csv"), jensen::InputError);
  EXPECT_THAT(names_in(folder_), ElementsAre("d"));
}

}  // namespace
