#include "design/model_matrix.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "cells.hpp"
#include "jensen/errors.hpp"

namespace jensen {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr double nan = std::numeric_limits<double>::quiet_NaN();

ModelMatrix learn(std::string_view formula, const Cells& cells) {
  return ModelMatrix::learn(parse_formula(formula), cells.table());
}

ModelMatrix apply(const ModelMatrix& learned, const Cells& cells) {
  return ModelMatrix::apply(learned.formula(), cells.table(), learned.factors());
}

std::vector<double> filled(const ModelMatrix& matrix, const std::vector<std::uint32_t>& rows) {
  std::vector<double> values(rows.size() * matrix.columns(), -99);
  matrix.fill(rows, values.data());
  return values;
}
std::vector<double> filled(const ModelMatrix& matrix) { return filled(matrix, matrix.complete_rows()); }

template <class Call>
std::string error_of(Call call) {
  try {
    call();
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

std::string learn_error(std::string_view formula, const Cells& cells) {
  return error_of([&] { learn(formula, cells); });
}

TEST(ModelMatrix, OrdersLevelsByBytesAndNumbersBySize) {
  const ModelMatrix matrix = learn("y ~ f + factor(n)", Cells()
                                                            .numbers("y", {1, 2, 3, 4, 5, 6})
                                                            .text("f", {"b", "Z", "é", "a", "_", "b"})
                                                            .numbers("n", {10, -0.0, 0.1, 0, 2, 1.0 / 3}));
  ASSERT_EQ(matrix.factors().size(), 2u);
  EXPECT_EQ(matrix.factors()[0].column, "f");
  EXPECT_THAT(matrix.factors()[0].levels, ElementsAre("Z", "_", "a", "b", "é"));
  EXPECT_THAT(matrix.factors()[1].levels, ElementsAre("0", "0.1", "0.3333333333333333", "2", "10"));
  EXPECT_THAT(matrix.names(),
              ElementsAre("f_", "fa", "fb", "fé", "factorn0.1", "factorn0.3333333333333333", "factorn2", "factorn10"));
}

TEST(ModelMatrix, ReadsFloatsOffsetsAndResponse) {
  const ModelMatrix matrix = learn(
      "y ~ x:z + factor(x) + offset(e) + offset(z)",
      Cells().floats("y", {0.5f, 1, 2}).floats("x", {1, 2.5f, 2.5f}).numbers("z", {3, 4, 5}).floats("e", {10, 20, 30}));
  EXPECT_THAT(matrix.names(), ElementsAre("factorx2.5", "x:z"));
  EXPECT_THAT(filled(matrix), ElementsAre(0, 3, 1, 10, 1, 12.5));
  EXPECT_EQ(matrix.response(0), 0.5);
  EXPECT_EQ(matrix.response(2), 2);
  EXPECT_EQ(matrix.offset(0), 13);
  EXPECT_EQ(matrix.offset(2), 35);
}

TEST(ModelMatrix, LeavesOutIncompleteRowsBeforeItLearnsLevels) {
  const ModelMatrix matrix = learn("y ~ f + x + offset(e)", Cells()
                                                                .numbers("y", {1, 2, 3, nan, 5, 6})
                                                                .text("f", {"c", "a", "b", "d", "b", ""})
                                                                .numbers("x", {1, nan, 3, 4, 5, 6})
                                                                .numbers("e", {1, 1, 1, 1, 1, 1})
                                                                .numbers("unused", {nan, nan, nan, nan, nan, nan}));
  EXPECT_THAT(matrix.complete_rows(), ElementsAre(0, 2, 4));
  EXPECT_EQ(matrix.table_rows(), 6u);
  EXPECT_EQ(matrix.first_missing().row, 1u);
  EXPECT_EQ(matrix.first_missing().column, "x");
  EXPECT_THAT(matrix.factors()[0].levels, ElementsAre("b", "c"));
  EXPECT_THAT(filled(matrix), ElementsAre(1, 1, 0, 3, 0, 5));
  EXPECT_THAT(learn("y ~ e", Cells().numbers("y", {1, 2}).numbers("e", {1, 2})).first_missing().column, IsEmpty());
}

TEST(ModelMatrix, FillsRowsInAnyOrderAndNumber) {
  std::vector<double> y(3000), x(3000);
  std::vector<std::string> f(3000);
  for (std::size_t i = 0; i < y.size(); ++i) {
    x[i] = static_cast<double>(i) / 4;
    f[i] = std::string(1, static_cast<char>('a' + i % 7));
  }
  const ModelMatrix matrix = learn("y ~ 0 + f + x:f", Cells().numbers("y", y).numbers("x", x).text("f", f));
  ASSERT_EQ(matrix.columns(), 14u);
  std::vector<std::uint32_t> rows(2000);
  for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = static_cast<std::uint32_t>((i * 7919 + 5) % 3000);
  const std::vector<double> values = filled(matrix, rows);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::vector<double> expected(14, 0.0);
    expected[rows[i] % 7] = 1;
    expected[7 + rows[i] % 7] = x[rows[i]];
    ASSERT_TRUE(std::equal(expected.begin(), expected.end(), values.begin() + static_cast<std::ptrdiff_t>(i * 14)));
  }
  EXPECT_THAT(filled(matrix, {}), IsEmpty());
}

TEST(ModelMatrix, AppliesTrainedLevelsToNewData) {
  const ModelMatrix learned =
      learn("y ~ f*x + factor(m)",
            Cells().numbers("y", {1, 2, 3}).text("f", {"u", "v", "w"}).numbers("x", {1, 2, 3}).numbers("m", {1, 2, 2}));
  // No response, levels in another order, one that did not train in a row that is left out anyway.
  const ModelMatrix applied =
      apply(learned,
            Cells("new.csv").text("f", {"w", "v", "q", "w"}).numbers("m", {2, 1, 2, nan}).numbers("x", {7, 8, nan, 9}));
  EXPECT_EQ(applied.names(), learned.names());
  EXPECT_THAT(applied.names(), ElementsAre("fv", "fw", "x", "factorm2", "fv:x", "fw:x"));
  EXPECT_THAT(applied.complete_rows(), ElementsAre(0, 1));
  EXPECT_THAT(filled(applied), ElementsAre(0, 1, 7, 1, 0, 7, 1, 0, 8, 0, 8, 0));
}

TEST(ModelMatrix, MatchesLevelsByWhatTheyPrint) {
  const ModelMatrix text = learn("y ~ f", Cells().numbers("y", {1, 2, 3}).text("f", {"10", "9", "10"}));
  EXPECT_THAT(filled(apply(text, Cells().numbers("f", {9, 10}))), ElementsAre(1, 0));
  const ModelMatrix number = learn("y ~ factor(f)", Cells().numbers("y", {1, 2, 3}).numbers("f", {10, 9, 10}));
  EXPECT_THAT(filled(apply(number, Cells().text("f", {"9", "10"}))), ElementsAre(0, 1));
}

TEST(ModelMatrix, KeepsANumberBesideItsFactor) {
  const ModelMatrix learned = learn("y ~ x + factor(x)", Cells().numbers("y", {1, 2, 3}).numbers("x", {5, 6, 7}));
  EXPECT_THAT(learned.names(), ElementsAre("x", "factorx6", "factorx7"));
  EXPECT_THAT(filled(apply(learned, Cells().numbers("x", {7}))), ElementsAre(7, 0, 1));
}

TEST(ModelMatrix, NewDataMayBeEmptyOrIncomplete) {
  const ModelMatrix learned =
      learn("y ~ x + factor(m)", Cells().numbers("y", {1, 2}).numbers("x", {1, 2}).numbers("m", {1, 2}));
  EXPECT_THAT(apply(learned, Cells().numbers("x", {}).numbers("m", {})).complete_rows(), IsEmpty());
  const ModelMatrix applied = apply(learned, Cells().numbers("x", {nan, 1}).numbers("m", {1, nan}));
  EXPECT_THAT(applied.complete_rows(), IsEmpty());
  EXPECT_EQ(applied.names(), learned.names());
}

TEST(ModelMatrix, OutlivesTheTable) {
  auto cells = std::make_unique<Cells>();
  cells->numbers("y", {1, 2, 3}).numbers("x", {4, 5, 6}).text("f", {"a", "b", "a"}).numbers("m", {1, 2, 3});
  const ModelMatrix matrix = learn("y ~ x + f + factor(m) + offset(x)", *cells);
  cells.reset();
  EXPECT_THAT(filled(matrix, {1}), ElementsAre(5, 1, 1, 0));
  EXPECT_EQ(matrix.response(2), 3);
  EXPECT_EQ(matrix.offset(2), 6);
}

TEST(ModelMatrix, NamesUnseenLevels) {
  std::vector<std::string> carriers;
  for (int i = 0; i < 12; ++i) carriers.push_back(fmt::format("C{:02}", i));
  const ModelMatrix learned =
      learn("y ~ carrier", Cells().numbers("y", std::vector<double>(12, 1)).text("carrier", carriers));
  EXPECT_EQ(error_of([&] {
              apply(learned, Cells("new.csv").text("carrier", {"C01", "C02", "ZZ", "YY"}));
            }),
            "new.csv: row 3, column 'carrier': level 'ZZ' was not in the training data (C00, C01, C02, C03, C04, C05, "
            "C06, C07, C08, C09, ... 12 levels); remove the row or retrain");
}

TEST(ModelMatrix, RefusesWhatTheModelCannotTake) {
  const double infinity = std::numeric_limits<double>::infinity();
  const Cells cells = std::move(Cells()
                                    .numbers("y", {0, 1, 1})
                                    .text("t", {"no", "yes", "no"})
                                    .numbers("x", {1, -infinity, 2})
                                    .numbers("z", {1, 2, 3})
                                    .text("one", {"a", "a", "a"})
                                    .text("gap", {"a", "", "a"})
                                    .numbers("none", {nan, nan, nan})
                                    .numbers("tyes", {1, 2, 3})
                                    .numbers("Intercept", {1, 2, 3}));
  EXPECT_EQ(learn_error("y ~ z + x", cells),
            "train.csv: row 2, column 'x': the value is infinite; mark it as missing or correct it");
  EXPECT_THAT(learn_error("x ~ z", cells), HasSubstr("row 2, column 'x'"));
  EXPECT_EQ(
      learn_error("t ~ z", cells),
      "column 't' is text (train.csv), but it is the response (code two levels as 0 and 1); recode it as numbers in "
      "the table beforehand");
  EXPECT_THAT(learn_error("y ~ z + offset(t)", cells), HasSubstr("column 't' is text (train.csv), but offset() needs"));
  EXPECT_EQ(learn_error("y ~ one", cells),
            "factor 'one' has only the level 'a' in the complete rows (train.csv); remove it from the formula");
  EXPECT_THAT(learn_error("y ~ 0 + gap", cells), HasSubstr("factor 'gap' has only the level 'a'"));
  EXPECT_THAT(learn_error("y ~ factor(z) + gap", cells), HasSubstr("'gap'"));
  EXPECT_EQ(
      learn_error("y ~ z + none", cells),
      "every row has a missing value in a column of the formula (train.csv; row 1 in 'none'); leave such columns out "
      "or fill them in");
  EXPECT_THAT(learn_error("y ~ nowhere", cells), HasSubstr("nowhere"));
  EXPECT_THAT(learn_error("nowhere ~ z", cells), HasSubstr("nowhere"));
  EXPECT_THAT(learn_error("y ~ offset(nowhere)", cells), HasSubstr("nowhere"));
  EXPECT_THAT(learn_error("y ~ t + tyes", cells), HasSubstr("two coefficients would be called 'b_tyes'"));
  EXPECT_THAT(learn_error("y ~ Intercept", cells), HasSubstr("two coefficients would be called 'b_Intercept'"));
  EXPECT_THAT(learn_error("y ~ t + factor(t)", cells), HasSubstr("'t' and factor('t') are the same"));
  EXPECT_EQ(learn_error("y ~ z", Cells().numbers("y", {}).numbers("z", {})), "the table has no rows (train.csv)");
}

TEST(ModelMatrix, RefusesNewDataThatDoesNotFit) {
  const ModelMatrix learned =
      learn("y ~ x + f", Cells().numbers("y", {1, 2}).numbers("x", {1, 2}).text("f", {"a", "b"}));
  EXPECT_THAT(error_of([&] { apply(learned, Cells("new.csv").text("x", {"a"}).text("f", {"a"})); }),
              HasSubstr("column 'x' is text (new.csv), but it was a number in the training data"));
  EXPECT_THAT(error_of([&] { apply(learned, Cells("new.csv").numbers("x", {1})); }), HasSubstr("'f'"));
  EXPECT_THAT(error_of([&] { apply(learned, Cells("new.csv").numbers("x", {1}).numbers("f", {3.5})); }),
              HasSubstr("new.csv: row 1, column 'f': level '3.5' was not in the training data (a, b)"));
}

TEST(ModelMatrix, RefusesWhatItDoesNotHold) {
  const Cells cells = std::move(Cells().numbers("y", {1, 2, 3}).numbers("x", {1, 2, 4}).text("g", {"a", "b", "a"}));
  for (const std::string_view formula : {"y ~ x + (1 | g)", "y | weights(x) ~ 1", "y ~ poly(x, 2)", "y ~ scale(x)"}) {
    EXPECT_THAT(learn_error(formula, cells), HasSubstr("is not supported here yet")) << formula;
  }
}

TEST(ModelMatrix, BoundsTheNumberOfColumns) {
  std::vector<double> id(1100), other(1100);
  std::iota(id.begin(), id.end(), 0);
  std::iota(other.begin(), other.end(), 5000);
  const Cells cells = std::move(Cells().numbers("y", other).numbers("a", id).numbers("b", other));
  EXPECT_EQ(learn("y ~ factor(a) + factor(b)", cells).columns(), 2198u);
  EXPECT_THAT(learn_error("y ~ factor(a)*factor(b)", cells), HasSubstr("more than 1000000 columns"));
}

}  // namespace
}  // namespace jensen
