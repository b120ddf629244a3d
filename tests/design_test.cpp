#include "design/design.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "cells.hpp"
#include "jensen/errors.hpp"

namespace jensen {
namespace {

using nlohmann::json;
using testing::DoubleNear;
using testing::ElementsAre;
using testing::ElementsAreArray;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pointwise;
using testing::SizeIs;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

std::vector<Formula> formulas(std::string_view first, const std::vector<std::string>& others = {}) {
  std::vector<Formula> all{parse_formula(first)};
  for (const std::string& other : others) all.push_back(parse_right_side(other, "sigma"));
  return all;
}

Design learn(std::string_view formula, const Cells& cells, const std::vector<std::string>& others = {}) {
  return Design::learn(formulas(formula, others), cells.table());
}

std::vector<double> filled(const PredictorDesign& design, const std::vector<std::uint32_t>& rows) {
  std::vector<double> values(rows.size() * design.columns(), -99);
  design.fill(rows, values.data());
  return values;
}

std::vector<double> filled(const GroupDesign& design, const std::vector<std::uint32_t>& rows) {
  std::vector<double> values(rows.size() * design.effects().size(), -99);
  design.fill(rows, values.data());
  return values;
}

std::vector<std::int32_t> levels(const GroupDesign& design, const std::vector<std::uint32_t>& rows) {
  std::vector<std::int32_t> all;
  for (const std::uint32_t row : rows) all.push_back(design.level(row));
  return all;
}

template <class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

std::string learn_error(std::string_view formula, const Cells& cells, const std::vector<std::string>& others = {}) {
  return error_of([&] { learn(formula, cells, others); });
}

json expected_of_r() {
  std::ifstream file(JENSEN_TEST_DATA "/model_matrix/expected.json");
  return json::parse(file);
}

Cells cells_of(const json& table) {
  Cells cells;
  for (const auto& [name, values] : table.items()) {
    const bool text = std::ranges::any_of(values, [](const json& value) { return value.is_string(); });
    std::vector<std::string> texts;
    std::vector<double> numbers;
    for (const json& value : values) {
      if (text) texts.push_back(value.is_null() ? "" : value.get<std::string>());
      if (!text) numbers.push_back(value.is_null() ? nan : value.get<double>());
    }
    text ? cells.text(name, texts) : cells.numbers(name, numbers);
  }
  return cells;
}

using Columns = std::vector<std::vector<double>>;

// R's poly() orthogonalises powers of x by Householder reflections, which loses a few digits; all else agrees to a few
// units in the last place, and columns without arithmetic exactly.
void expect_columns(const std::vector<double>& values, const Columns& columns, const std::string& formula) {
  const bool computed = formula.find('(') != std::string::npos;
  for (std::size_t k = 0; k < columns.size(); ++k) {
    double size = 1;
    for (const double value : columns[k]) size = std::max(size, std::abs(value));
    const double tolerance = !computed ? 0 : (formula.find("poly") != std::string::npos ? 1e-12 : 4e-15) * size;
    for (std::size_t i = 0; i < columns[k].size(); ++i) {
      EXPECT_NEAR(values[i * columns.size() + k], columns[k][i], tolerance) << "column " << k << ", row " << i;
    }
  }
}

TEST(Design, HasTheColumnsOfR) {
  const json expected = expected_of_r();
  const Cells cells = cells_of(expected["table"]), new_cells = cells_of(expected["new"]);
  ASSERT_GE(expected["cases"].size(), 100u);
  for (const json& example : expected["cases"]) {
    SCOPED_TRACE(example["formula"]);
    const auto formula = example["formula"].get<std::string>();
    const auto rows = example["rows"].get<std::vector<std::uint32_t>>();
    const Design design = learn(formula, cells);
    const PredictorDesign& predictor = design.predictors().front();
    EXPECT_EQ(predictor.intercept(), example["intercept"].get<bool>());
    EXPECT_EQ(design.complete_rows(), rows);
    ASSERT_EQ(predictor.names(), example["names"].get<std::vector<std::string>>());
    expect_columns(filled(predictor, rows), example["columns"].get<Columns>(), formula);

    // New rows take the constants of the training rows.
    const Design applied = Design::apply(formulas(formula), new_cells.table(), design.state());
    const auto new_rows = example["new_rows"].get<std::vector<std::uint32_t>>();
    EXPECT_EQ(applied.complete_rows(), new_rows);
    ASSERT_EQ(applied.predictors().front().names(), predictor.names());
    expect_columns(filled(applied.predictors().front(), new_rows), example["new_columns"].get<Columns>(), formula);

    // The training table as new data makes the same columns.
    const Design again = Design::apply(formulas(formula), cells.table(), design.state());
    EXPECT_EQ(filled(again.predictors().front(), rows), filled(predictor, rows));
  }
}

TEST(Design, HasTheGroupsOfLme4) {
  const json expected = expected_of_r();
  const Cells cells = cells_of(expected["table"]);
  ASSERT_GE(expected["group_cases"].size(), 12u);
  for (const json& example : expected["group_cases"]) {
    SCOPED_TRACE(example["formula"]);
    const auto rows = example["rows"].get<std::vector<std::uint32_t>>();
    const Design design = learn(example["formula"].get<std::string>(), cells);
    EXPECT_EQ(design.complete_rows(), rows);
    const auto& groups = design.predictors().front().groups();
    ASSERT_EQ(groups.size(), example["groups"].size());
    for (const json& term : example["groups"]) {
      const auto effects = term["effects"].get<std::vector<std::string>>();
      const auto group = std::ranges::find_if(groups, [&](const GroupDesign& candidate) {
        return candidate.group() == term["group"].get<std::string>() && candidate.effects() == effects;
      });
      ASSERT_NE(group, groups.end()) << term["group"];
      const auto labels = term["labels"].get<std::vector<std::string>>();
      for (std::size_t i = 0; i < rows.size(); ++i) {
        EXPECT_EQ(group->labels().at(static_cast<std::size_t>(group->level(rows[i]))), labels[i]);
      }
      EXPECT_EQ(group->levels(), std::set<std::string>(labels.begin(), labels.end()).size());
      expect_columns(filled(*group, rows), term["columns"].get<Columns>(), "(poly");
    }
  }
}

TEST(Design, BindsGroupTermsByHand) {
  const Cells cells = std::move(Cells()
                                    .numbers("y", {1, 2, 3, 4, 5, nan})
                                    .numbers("x", {0.5, 1, 1.5, 2, 2.5, 3})
                                    .text("g", {"b", "a", "b", "a", "b", "z"})
                                    .numbers("h", {10, 9, 10, 10, 9, 9})
                                    .text("f", {"u", "v", "w", "u", "v", "w"}));
  const Design design = learn("y ~ x + (x || g) + (1 | h/g) + (0 + f | h)", cells);
  const auto& groups = design.predictors().front().groups();
  ASSERT_THAT(groups, SizeIs(4));
  const std::vector<std::uint32_t>& rows = design.complete_rows();
  EXPECT_THAT(rows, ElementsAre(0, 1, 2, 3, 4));

  EXPECT_EQ(groups[0].group(), "g");
  EXPECT_FALSE(groups[0].correlated());
  EXPECT_THAT(groups[0].effects(), ElementsAre("Intercept", "x"));
  EXPECT_THAT(groups[0].labels(), ElementsAre("a", "b"));
  EXPECT_THAT(levels(groups[0], rows), ElementsAre(1, 0, 1, 0, 1));
  EXPECT_THAT(filled(groups[0], {4, 0}), ElementsAre(1, 2.5, 1, 0.5));

  EXPECT_EQ(groups[1].group(), "h");
  EXPECT_TRUE(groups[1].correlated());
  EXPECT_THAT(groups[1].labels(), ElementsAre("9", "10"));  // numbers ascend
  EXPECT_THAT(filled(groups[1], rows), ElementsAre(1, 1, 1, 1, 1));

  EXPECT_EQ(groups[2].group(), "h:g");
  EXPECT_THAT(groups[2].labels(), ElementsAre("9_a", "9_b", "10_a", "10_b"));
  EXPECT_THAT(levels(groups[2], rows), ElementsAre(3, 0, 3, 2, 1));

  EXPECT_THAT(groups[3].effects(), ElementsAre("fu", "fv", "fw"));
  EXPECT_THAT(filled(groups[3], {2, 3}), ElementsAre(0, 0, 1, 1, 0, 0));

  ASSERT_THAT(design.state().groups, SizeIs(3));
  EXPECT_THAT(design.state().groups[0].text_columns, ElementsAre("g"));
  EXPECT_THAT(design.state().groups[1].text_columns, IsEmpty());
  EXPECT_EQ(design.state().groups[2].group, "h:g");
  EXPECT_THAT(design.state().groups[2].levels, ElementsAre("9_a", "9_b", "10_a", "10_b"));
  EXPECT_THAT(design.state().groups[2].text_columns, ElementsAre("g"));
}

TEST(Design, GivesUnseenGroupLevelsMinusOne) {
  const auto all = formulas("y ~ x + (x | g) + (1 | g:h)", {"1 + (1 | h)"});
  const Cells train = std::move(
      Cells().numbers("y", {1, 2, 3}).numbers("x", {1, 2, 3}).text("g", {"b", "a", "b"}).numbers("h", {1, 1, 2}));
  const Design learned = Design::learn(all, train.table());
  const Cells fresh =
      std::move(Cells().numbers("x", {5, 6, 7, 8}).text("g", {"new", "b", "a", ""}).numbers("h", {2, 2, 2, 2}));
  const Design applied = Design::apply(all, fresh.table(), learned.state());
  EXPECT_THAT(applied.complete_rows(), ElementsAre(0, 1, 2));
  const auto& groups = applied.predictors().front().groups();
  EXPECT_THAT(levels(groups[0], applied.complete_rows()), ElementsAre(-1, 1, 0));
  EXPECT_THAT(groups[0].labels(), ElementsAre("a", "b"));
  EXPECT_THAT(learned.predictors()[0].groups()[1].labels(), ElementsAre("a_1", "b_1", "b_2"));
  EXPECT_THAT(levels(groups[1], applied.complete_rows()), ElementsAre(-1, 2, -1));
  EXPECT_THAT(groups[1].labels(), ElementsAre("a_1", "b_1", "b_2"));
  EXPECT_THAT(levels(applied.predictors()[1].groups()[0], applied.complete_rows()), ElementsAre(1, 1, 1));
  EXPECT_THAT(filled(groups[0], {0}), ElementsAre(1, 5));
}

TEST(Design, SharesStateAmongFormulas) {
  const Cells cells = std::move(Cells()
                                    .numbers("y", {1, 2, 3, 4, 5})
                                    .numbers("x", {1, 2, 3, 4, 6})
                                    .numbers("m", {1, 2, 2, 3, 1})
                                    .numbers("w", {1, nan, 1, 1, 1})
                                    .text("f", {"a", "c", "b", "a", "b"}));
  const auto all = formulas("y ~ f + scale(x) + factor(m)", {"f + scale(x) + m + w", "0 + f"});
  const Design design = Design::learn(all, cells.table());
  // Incomplete in any formula, incomplete in all: level c does not train.
  EXPECT_THAT(design.complete_rows(), ElementsAre(0, 2, 3, 4));
  EXPECT_EQ(design.first_missing().row, 1u);
  EXPECT_EQ(design.first_missing().column, "w");
  EXPECT_THAT(design.predictors()[0].names(), ElementsAre("fb", "scale(x)", "factorm2", "factorm3"));
  EXPECT_THAT(design.predictors()[1].names(), ElementsAre("fb", "scale(x)", "m", "w"));
  EXPECT_THAT(design.predictors()[2].names(), ElementsAre("fa", "fb"));
  EXPECT_FALSE(design.predictors()[2].intercept());
  EXPECT_THAT(design.state().factors, SizeIs(2));
  ASSERT_THAT(design.state().learned, SizeIs(1));
  EXPECT_EQ(design.state().learned[0].expression, "scale(x)");
  EXPECT_THAT(design.state().learned[0].values, ElementsAre(3.5, DoubleNear(std::sqrt(13.0 / 3), 1e-15)));
  // m is a factor in one formula and a number in the other; the state tells them apart.
  const Design again = Design::apply(all, cells.table(), design.state());
  EXPECT_THAT(filled(again.predictors()[1], {3}),
              Pointwise(DoubleNear(1e-15), {0.0, 0.5 / std::sqrt(13.0 / 3), 3.0, 1.0}));
}

TEST(Design, ReadsResponseAndAdditions) {
  const Cells cells = std::move(Cells()
                                    .numbers("y", {1, 2, 0, 3})
                                    .numbers("n", {4, 5, 6, 3})
                                    .numbers("w", {0, 2, 0.5, 1})
                                    .numbers("s", {0.1, 2, 0.5, 1})
                                    .text("c", {"none", "right", "none", "right"})
                                    .numbers("d", {0, 1, 0, 1}));
  const Design plain = learn("y ~ 1", cells);
  EXPECT_FALSE(plain.has_trials() || plain.has_weights() || plain.has_se() || plain.has_censoring());
  EXPECT_EQ(plain.trials(0), 1);
  EXPECT_EQ(plain.weight(0), 1);
  EXPECT_EQ(plain.se(0), 0);
  EXPECT_FALSE(plain.censored(1));
  for (const std::string_view censoring : {"c", "d", "1 - (1 - d)"}) {
    const Design design =
        learn(fmt::format("log1p(y) | trials(n) + weights(w/2) + se(s) + cens({}) ~ n", censoring), cells);
    EXPECT_EQ(design.response_name(), "log1p(y)");
    EXPECT_DOUBLE_EQ(design.response(1), std::log1p(2));
    EXPECT_EQ(design.trials(2), 6);
    EXPECT_EQ(design.weight(1), 1);
    EXPECT_EQ(design.weight(0), 0);
    EXPECT_EQ(design.se(0), 0.1);
    EXPECT_FALSE(design.censored(0) || design.censored(2));
    EXPECT_TRUE(design.censored(1) && design.censored(3));
  }
  EXPECT_EQ(learn("y | trials(10) ~ 1", cells).trials(3), 10);
  EXPECT_EQ(learn("y/n ~ n", cells).response(0), 0.25);
}

TEST(Design, ReadsTrialsOfNewDataWhereTheyAre) {
  const auto all = formulas("y | trials(n) ~ x");
  const Design learned =
      Design::learn(all, Cells().numbers("y", {1, 2}).numbers("x", {1, 2}).numbers("n", {3, 4}).table());
  const Design without = Design::apply(all, Cells().numbers("x", {1, 2}).table(), learned.state());
  EXPECT_FALSE(without.has_trials());
  EXPECT_THAT(without.complete_rows(), ElementsAre(0, 1));
  const Design with = Design::apply(all, Cells().numbers("x", {1, 2}).numbers("n", {nan, 9}).table(), learned.state());
  EXPECT_TRUE(with.has_trials());
  EXPECT_THAT(with.complete_rows(), ElementsAre(1));
  EXPECT_EQ(with.trials(1), 9);
}

TEST(Design, TakesTheResponseAsACategory) {
  const Cells cells = std::move(Cells()
                                    .text("t", {"low", "high", "", "low", "mid"})
                                    .numbers("n", {10, 2, 7, 2, 9})
                                    .numbers("x", {1, 2, 3, nan, 5})
                                    .numbers("same", {1, 1, 1, 1, 1}));
  Design text = learn("t ~ 1", cells);
  EXPECT_TRUE(text.response_is_text());
  text.learn_response_levels();
  EXPECT_THAT(text.response_levels(), ElementsAre("high", "low", "mid"));
  EXPECT_EQ(text.response_code(0), 1);
  EXPECT_EQ(text.response_code(1), 0);
  EXPECT_EQ(text.response_code(4), 2);
  Design number = learn("n ~ x", cells);
  EXPECT_FALSE(number.response_is_text());
  number.learn_response_levels();
  EXPECT_THAT(number.response_levels(), ElementsAre("2", "7", "9", "10"));
  EXPECT_EQ(number.response_code(0), 3);
  EXPECT_EQ(number.response_code(1), 0);
  Design constant = learn("same ~ 1", cells);
  EXPECT_THAT(error_of([&] { constant.learn_response_levels(); }), HasSubstr("'same' has only the level '1'"));
}

TEST(Design, SumsOffsets) {
  const Design design =
      learn("y ~ offset(log(e)) + offset(e - 1)", Cells().numbers("y", {1, 2}).numbers("e", {1, 4}), {"1 + offset(e)"});
  EXPECT_TRUE(design.predictors()[0].has_offset());
  EXPECT_DOUBLE_EQ(design.predictors()[0].offset(1), std::log(4) + 3);
  EXPECT_EQ(design.predictors()[1].offset(1), 4);
  EXPECT_EQ(design.predictors()[0].columns(), 0u);
}

TEST(Design, NamesRowAndColumnOfBadValues) {
  const Cells cells = std::move(Cells()
                                    .numbers("y", {1, 2, 3, 4})
                                    .numbers("x", {1, 0, -1, 2})
                                    .numbers("z", {nan, 0, 1, 2})
                                    .numbers("n", {1, 2, 2.5, 3})
                                    .numbers("one", {7, 7, 7, 7})
                                    .numbers("few", {1, 2, 1, 2})
                                    .text("t", {"a", "b", "a", "b"})
                                    .text("u", {"g", "g", "g", "g"})
                                    .text("c", {"none", "right", "left", "right"})
                                    .text("p", {"a", "a_b", "a", "a"})
                                    .text("q", {"b_c", "c", "c", "d"}));
  EXPECT_EQ(learn_error("y ~ log(x)", cells),
            "train.csv: row 2, column 'x': 'log(x)' is infinite where x = 0; correct the row or mark it as missing");
  EXPECT_EQ(learn_error("y ~ x + offset(log(-1))", cells), "'log(-1)' is undefined (formula); correct it");
  EXPECT_EQ(learn_error("y ~ sqrt(x)", cells),
            "train.csv: row 3, column 'x': 'sqrt(x)' is undefined where x = -1; correct the row or mark it as missing");
  EXPECT_EQ(learn_error("y ~ I(y + x/z)", Cells().numbers("y", {1}).numbers("x", {0}).numbers("z", {0})),
            "cannot read the formula: the response 'y' cannot be a predictor too (character 5)\n"
            "  y ~ I(y + x/z)\n      ^");
  EXPECT_EQ(learn_error("y ~ I(n/z^2)", cells),
            "train.csv: row 2, columns 'n', 'z': 'I(n/z^2)' is infinite where n = 2 and z = 0; correct the row or mark "
            "it as missing");
  EXPECT_EQ(learn_error("log(x) ~ 1", cells).substr(0, 41), "train.csv: row 2, column 'x': 'log(x)' is");
  EXPECT_THAT(learn_error("y ~ (log(x) | t)", cells), HasSubstr("row 2, column 'x'"));
  EXPECT_THAT(learn_error("y ~ offset(log(x))", cells), HasSubstr("row 2, column 'x'"));
  // Row 1 lacks z and is left out before log() is tried.
  EXPECT_THAT(learn_error("y ~ log(z)", cells), HasSubstr("row 2, column 'z'"));
  EXPECT_EQ(learn_error("y ~ log(t)", cells),
            "column 't' is text (train.csv), but log(t) needs numbers; recode it as numbers in the table beforehand");
  EXPECT_THAT(learn_error("y ~ poly(t, 2)", cells), HasSubstr("poly(t, 2) needs numbers"));
  EXPECT_EQ(learn_error("y ~ poly(few, 2)", cells),
            "'poly(few, 2)' needs more than 2 distinct values, and there are 2 in the complete rows (train.csv); lower "
            "the degree");
  EXPECT_THAT(learn_error("y ~ scale(one)", cells), HasSubstr("'scale(one)' has no finite standard deviation"));
  EXPECT_EQ(learn_error("y ~ (1 | u)", cells),
            "group 'u' has only the level 'g' in the complete rows (train.csv); remove its term from the formula");
  EXPECT_THAT(learn_error("y ~ (1 | one)", cells), HasSubstr("group 'one' has only the level '7'"));
  EXPECT_THAT(learn_error("y ~ (1 | p:q)", cells),
              HasSubstr("group 'p:q' has two levels that would be called 'a_b_c'"));
  EXPECT_THAT(learn_error("y ~ (u | t)", cells), HasSubstr("factor 'u' has only the level 'g'"));
  EXPECT_EQ(learn_error("y | trials(n) ~ x", cells),
            "train.csv: row 3, column 'n': 2.5 is not a number of trials 1, 2, .. below 2^31; correct the row");
  EXPECT_THAT(learn_error("y | trials(x) ~ 1", cells), HasSubstr("row 2, column 'x': 0 is not a number of trials"));
  EXPECT_THAT(learn_error("y | trials(t) ~ x", cells), HasSubstr("trials() needs numbers"));
  EXPECT_EQ(learn_error("y | weights(x - 1) ~ 1", cells),
            "train.csv: row 2, expression 'x - 1': -1 is not a weight 0 or more; correct the row");
  EXPECT_THAT(learn_error("y | se(x) ~ 1", cells),
              HasSubstr("row 2, column 'x': 0 is not a standard deviation above 0"));
  EXPECT_EQ(
      learn_error("y | cens(c) ~ 1", cells),
      "train.csv: row 3, column 'c': 'left' is not a kind of censoring that is supported; use 0 or none, 1 or right; "
      "correct the row");
  EXPECT_THAT(learn_error("y | cens(x) ~ 1", cells), HasSubstr("row 3, column 'x': -1 is not a kind of censoring"));
  EXPECT_THAT(learn_error("y ~ 1", cells, {"x + y"}), HasSubstr("the response 'y' cannot be a predictor too"));
  EXPECT_THAT(learn_error("y ~ t + (1 | nowhere)", cells), HasSubstr("no column 'nowhere'"));
}

TEST(Design, RefusesStateThatDoesNotFit) {
  const Cells cells = std::move(Cells().numbers("y", {1, 2, 4}).numbers("x", {1, 2, 4}).text("g", {"a", "b", "a"}));
  const auto apply_error = [&](std::string_view formula, const DesignState& state) {
    return error_of([&] { Design::apply(formulas(formula), cells.table(), state); });
  };
  EXPECT_THAT(apply_error("y ~ poly(x, 2)", {}), HasSubstr("no constants of 'poly(x, 2)'"));
  EXPECT_THAT(apply_error("y ~ poly(x, 2)", {{}, {{"poly(x, 2)", {1, 2}}}, {}}), HasSubstr("no constants of"));
  EXPECT_THAT(apply_error("y ~ (1 | g)", {}), HasSubstr("no levels of group 'g'"));
  EXPECT_THAT(apply_error("y ~ factor(x)", {}), HasSubstr("no levels of factor 'x'"));
}

TEST(Design, PolynomialsAreOrthonormalFarFromZero) {
  std::vector<double> y(1000), x(1000);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = 1.7e9 + 86400.0 * static_cast<double>(i * i % 997);
  const Design design = learn("y ~ poly(x, 9)", Cells().numbers("y", y).numbers("x", x));
  const std::vector<double> values = filled(design.predictors().front(), design.complete_rows());
  for (std::size_t a = 0; a < 9; ++a) {
    for (std::size_t b = 0; b <= a; ++b) {
      double product = 0, sum = 0;
      for (std::size_t i = 0; i < x.size(); ++i) {
        product += values[i * 9 + a] * values[i * 9 + b];
        sum += values[i * 9 + a];
      }
      EXPECT_NEAR(product, a == b ? 1 : 0, 1e-10);
      EXPECT_NEAR(sum, 0, 1e-9);
    }
  }
}

// Every level and code of a large table agrees with what one row says.
TEST(Design, TakesManyRowsAndLevels) {
  constexpr std::size_t rows = 300'000;
  std::mt19937_64 random(5);
  std::vector<double> y(rows), id(rows), far(rows), x(rows);
  std::vector<std::int32_t> codes(rows);
  std::vector<std::string> texts;
  for (int i = 0; i < 50'000; ++i) texts.push_back(fmt::format("t{}", 50'000 - i));
  for (std::size_t i = 0; i < rows; ++i) {
    y[i] = static_cast<double>(i % 7);
    id[i] = static_cast<double>(random() % 100'000) - 50'000;
    far[i] = static_cast<double>(random() % 1'000) * 1e7 + 0.5;
    codes[i] = static_cast<std::int32_t>(random() % texts.size());
    x[i] = static_cast<double>(random() % 1000) / 999;
  }
  Cells cells;
  cells.numbers("y", y).numbers("id", id).numbers("far", far).numbers("x", x);
  Table table = cells.table();
  table.add("t", codes, texts);
  const auto all = formulas("y ~ log1p(x) + (x | id) + (1 | far/t) + (1 | id:far)");
  const Design design = Design::learn(all, table);
  const auto& groups = design.predictors().front().groups();
  ASSERT_THAT(groups, SizeIs(4));
  for (std::size_t row = 0; row < rows; row += 997) {
    const auto label = [&](std::size_t g) {
      return groups[g].labels().at(static_cast<std::size_t>(groups[g].level(static_cast<std::uint32_t>(row))));
    };
    const std::string& text = texts[static_cast<std::size_t>(codes[row])];
    EXPECT_EQ(label(0), fmt::format("{}", id[row]));
    EXPECT_EQ(label(1), fmt::format("{}", far[row]));
    EXPECT_EQ(label(2), fmt::format("{}_{}", far[row], text));
    EXPECT_EQ(label(3), fmt::format("{}_{}", id[row], far[row]));
  }
  const Design again = Design::apply(all, table, design.state());
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const GroupDesign& other = again.predictors().front().groups()[g];
    ASSERT_EQ(levels(groups[g], design.complete_rows()), levels(other, design.complete_rows()));
  }
}

}  // namespace
}  // namespace jensen
