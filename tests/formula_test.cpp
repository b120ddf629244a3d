#include "design/formula.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "jensen/errors.hpp"

namespace jensen {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

// The formula as R would print its terms: "1 + x + factor(m):x".
std::string spelled(std::string_view text) {
  const Formula formula = parse_formula(text);
  std::string result = formula.intercept ? "1" : "0";
  for (const auto& term : formula.terms) {
    std::vector<std::string> names;
    for (const int v : term) {
      names.push_back(formula.variables.at(static_cast<std::size_t>(v)).label);
    }
    result += fmt::format(" + {}", fmt::join(names, ":"));
  }
  for (const Expression& offset : formula.offsets) result += fmt::format(" + offset({})", offset.text);
  return result;
}

std::string error_of(std::string_view text) {
  try {
    parse_formula(text);
  } catch (const InputError& error) {
    return error.what();
  }
  return "";
}

struct Reading {
  std::string_view text, terms;
};

const std::vector<Reading> readings{{"y ~ x", "1 + x"},
                                    {"y~1", "1"},
                                    {"y ~ 0 + x", "0 + x"},
                                    {"y ~ x - 1", "0 + x"},
                                    {"y ~ -1 + x", "0 + x"},
                                    {"y ~ x + 0 + 1", "1 + x"},
                                    {"y ~ x - 0 + z", "1 + x + z"},
                                    {"y ~ x + z + x", "1 + x + z"},
                                    {"y ~ a:b + b + a", "1 + b + a + a:b"},
                                    {"y ~ b + b:a + a", "1 + b + a + b:a"},
                                    {"y ~ b:a + a:b", "1 + b:a"},
                                    {"y ~ a:a", "1 + a"},
                                    {"y ~ a*b", "1 + a + b + a:b"},
                                    {"y ~ a*b*c", "1 + a + b + c + a:b + a:c + b:c + a:b:c"},
                                    {"y ~ a*b:c", "1 + a + b:c + a:b:c"},
                                    {"y ~ (a + b):c", "1 + a:c + b:c"},
                                    {"y ~ (a+b)*c", "1 + a + b + c + a:c + b:c"},
                                    {"y ~ a*b - a:b", "1 + a + b"},
                                    {"y ~ a*b - a", "1 + b + a:b"},
                                    {"y ~ x - (z - a) + z", "1 + x + z"},
                                    {"y ~ a + b - a + a", "1 + b + a"},
                                    {"y ~ x - (w - 1)", "1 + x"},
                                    {"y ~ (1 + x)", "1 + x"},
                                    {"y ~ x - (1)", "0 + x"},
                                    {"y ~ + x", "1 + x"},
                                    {"y ~ factor(m)*x", "1 + factor(m) + x + factor(m):x"},
                                    {"y ~ m + factor(m)", "1 + m + factor(m)"},
                                    {"y ~ x + offset(e)", "1 + x + offset(e)"},
                                    {"y ~ offset(e) + offset(e) + offset( f )", "1 + offset(e) + offset(f)"},
                                    {"y ~ offset + factor", "1 + offset + factor"},
                                    {"log.y ~ x_1 + .z2", "1 + x_1 + .z2"},
                                    {"`my y` ~ `a b`:`2x` + factor(`m+1`)", "1 + factor(m+1) + a b:2x"},
                                    {"größe ~ länge + 体重", "1 + länge + 体重"},
                                    {"\ty\n~\r\n x ", "1 + x"}};

TEST(Formula, MakesTheTermsThatRMakes) {
  for (const auto& example : readings) {
    SCOPED_TRACE(example.text);
    EXPECT_EQ(spelled(example.text), example.terms);
  }
}

TEST(Formula, KeepsTextResponseAndColumns) {
  const Formula formula = parse_formula("y ~ b*factor(a) + a + offset(e) - q + offset(b)");
  EXPECT_EQ(formula.text, "y ~ b*factor(a) + a + offset(e) - q + offset(b)");
  EXPECT_EQ(formula.response, "y");
  EXPECT_THAT(formula.variables, ElementsAre(Field(&Variable::label, "b"), Field(&Variable::label, "factor(a)"),
                                             Field(&Variable::label, "a")));
  EXPECT_THAT(formula.offsets, ElementsAre(Expression::of_column("e"), Expression::of_column("b")));
  EXPECT_THAT(formula.columns(), ElementsAre("y", "b", "a", "e"));
  EXPECT_THAT(formula.columns(false), ElementsAre("b", "a", "e"));
}

TEST(Formula, ForgetsVariablesThatAreTakenAway) {
  const Formula formula = parse_formula("y ~ q + z + x:q - q - x:q");
  EXPECT_THAT(formula.variables, ElementsAre(Field(&Variable::label, "z")));
  EXPECT_THAT(formula.terms, ElementsAre(ElementsAre(0)));
  EXPECT_THAT(parse_formula("y ~ x - x").terms, IsEmpty());
}

TEST(Formula, PointsAtTheError) {
  EXPECT_EQ(error_of("y ~ x + "),
            "cannot read the formula: expected a term after '+' (--formula, character 9)\n"
            "  y ~ x + \n"
            "          ^");
  // The caret counts characters, not bytes, and blanks of any kind as one.
  EXPECT_EQ(error_of("größe\t~ 体重 + ^"),
            "cannot read the formula: expected a term after '+', not '^' (--formula, character 14)\n"
            "  größe ~ 体重 + ^\n"
            "               ^");
}

struct Refusal {
  std::string_view text;
  std::size_t character;
  std::string_view problem;
};

const std::vector<Refusal> refusals{{"", 1, "it is empty"},
                                    {"   ", 4, "it is empty"},
                                    {"y", 2, "expected '~'"},
                                    {"y x", 3, "expected '~'"},
                                    {"~ x", 1, "expected the response"},
                                    {"y + z ~ x", 3, "one column"},
                                    {"log(y) ~ x", 1, "beforehand"},
                                    {"1 ~ x", 1, "the response must be a column's name"},
                                    {"(y) ~ x", 1, "unexpected '('"},
                                    {"y ~", 4, "expected a term after '~'"},
                                    {"y ~ x ~ z", 7, "a second '~'"},
                                    {"y ~ ~ z", 5, "not '~'"},
                                    {"y ~ x -", 8, "expected a term after '-'"},
                                    {"y ~ x:", 7, "expected a term after ':'"},
                                    {"y ~ x * + z", 9, "expected a term after '*'"},
                                    {"y ~ x + + z", 9, "not '+'"},
                                    {"y ~ (x + z", 5, "not closed"},
                                    {"y ~ x + z)", 10, "has no '('"},
                                    {"y ~ ()", 6, "expected a term after '('"},
                                    {"y ~ x z", 7, "before 'z'"},
                                    {"y ~ x & z", 7, "before '&'"},
                                    {"y ~ x = z", 7, "before '='"},
                                    {"y ~ 2", 5, "only 0 and 1"},
                                    {"y ~ x + 1.5", 9, "only 0 and 1"},
                                    {"y ~ x + .5", 9, "only 0 and 1"},
                                    {"y ~ 2x", 5, "backquotes"},
                                    {"y ~ .", 5, "name the columns"},
                                    {"y ~ x + y", 9, "cannot be a predictor too"},
                                    {"y ~ x:factor(y)", 7, "cannot be a predictor too"},
                                    {"y ~ offset(y)", 5, "cannot be a predictor too"},
                                    {"y ~ log(x)", 5, "log() is not supported yet"},
                                    {"y ~ x + poly(x, 2)", 9, "poly() is not supported yet"},
                                    {"y ~ I(x^2)", 5, "column of the table beforehand"},
                                    {"y ~ x + (1 | g)", 12, "group effects such as (1 | g) are not supported yet"},
                                    {"y ~ offset(-e)", 12, "offset() takes the name of one column"},
                                    {"y ~ offset(log(e))", 12, "'log()' is not supported yet"},
                                    {"y ~ offset(e + f)", 14, "offset() takes the name of one column"},
                                    {"y ~ offset(2)", 12, "offset() must be a column's name"},
                                    {"y ~ offset(e", 11, "not closed"},
                                    {"y ~ offset()", 12, "offset() takes the name of one column"},
                                    {"y ~ x - offset(e)", 9, "cannot be subtracted"},
                                    {"y ~ x*offset(e)", 7, "not be part of a product"},
                                    {"y ~ x:1", 7, "not be part of a product"},
                                    {"y ~ (1 + x):z", 6, "not be part of a product"},
                                    {"y ~ (a + b)^2", 12, "a*b"},
                                    {"y ~ a/b", 6, "a + a:b"},
                                    {"y ~ a %in% b", 7, "b %in% a as a:b"},
                                    {"y ~ `x", 5, "not closed"},
                                    {"y ~ ``", 5, "between the backquotes"},
                                    {"y ~ x − z", 7, "before '−'"},
                                    {"y ~ \"x\"", 5, "not '\"'"},
                                    {"y ~ x\xff", 6, "UTF-8"},
                                    {"y ~ z\xc3(", 6, "UTF-8"},
                                    {"y ~ 0", 6, "nothing to estimate"},
                                    {"y ~ x - x - 1", 14, "nothing to estimate"},
                                    {"y ~ a*b*c*d*e*f*g*h*i*j*k*l*m", 28, "more than 4096 terms"},
                                    {"y ~ (a*b*c*d*e*f*g)*(h*i*j*k*l*m)", 20, "more than 4096 terms"}};

TEST(Formula, NamesProblemAndPlace) {
  for (const auto& example : refusals) {
    SCOPED_TRACE(example.text);
    const std::string error = error_of(example.text);
    EXPECT_THAT(error, HasSubstr(example.problem));
    EXPECT_THAT(error, HasSubstr(fmt::format("(--formula, character {})\n", example.character)));
    EXPECT_TRUE(error.ends_with(fmt::format("\n{:>{}}", "^", example.character + 2))) << error;
  }
}

TEST(Formula, TakesTwelveVariablesInOneProduct) {
  EXPECT_EQ(parse_formula("y ~ a*b*c*d*e*f*g*h*i*j*k*l").terms.size(), 4095u);
}

TEST(Formula, TakesManyTerms) {
  std::string text = "y ~ 0";
  for (int i = 0; i < 5000; ++i) text += fmt::format(" + x{}", i);
  EXPECT_EQ(parse_formula(text).terms.size(), 5000u);
}

TEST(Formula, BoundsTheDepthOfParentheses) {
  const auto nested = [](std::size_t depth) {
    return fmt::format("y ~ {}x{}", std::string(depth, '('), std::string(depth, ')'));
  };
  EXPECT_EQ(spelled(nested(100)), "1 + x");
  EXPECT_THAT(error_of(nested(101)), HasSubstr("nested more than 100 deep"));
  const std::string error = error_of(nested(100'000));
  EXPECT_THAT(error, HasSubstr("nested more than 100 deep"));
  EXPECT_LT(error.size(), 600u) << "a long formula is shown in part";
  EXPECT_THAT(error, HasSubstr("...\n"));
}

TEST(Formula, ReadsOrRefusesAnything) {
  const std::vector<std::string> pieces{"y",    "~",    "x",       "a1", "+",       "-", "*", ":",  "(",    ")",
                                        "0",    "1",    "offset(", "`",  "factor(", " ", "|", "^",  "\xc3", "é",
                                        "\xff", "log(", "y ~ x ",  "\0", ".",       "3", ",", "\t", "\n",   "−"};
  std::mt19937 random(20240611);
  int read = 0, refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = random() % 2 == 0 ? "y ~ x" : "";
    for (auto count = random() % 12; count > 0; --count) text += pieces[random() % pieces.size()];
    try {
      const Formula formula = parse_formula(text);
      ++read;
      for (const auto& term : formula.terms) {
        ASSERT_TRUE(std::is_sorted(term.begin(), term.end())) << text;
        ASSERT_FALSE(term.empty()) << text;
        ASSERT_LT(static_cast<std::size_t>(term.back()), formula.variables.size()) << text;
      }
    } catch (const InputError& error) {
      ++refused;
      const std::string_view what = error.what();
      ASSERT_TRUE(what.starts_with("cannot read the formula: ") && what.ends_with("^")) << what;
      ASSERT_EQ(std::count(what.begin(), what.end(), '\n'), 2) << what;
    }
  }
  EXPECT_GT(read, 500);
  EXPECT_GT(refused, 5000);
}

}  // namespace
}  // namespace jensen
