#include "design/formula.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "jensen/errors.hpp"
#include "jensen/train.hpp"

namespace jensen {
namespace {

using testing::ElementsAre;
using testing::Field;
using testing::HasSubstr;
using testing::IsEmpty;

std::string spelled_terms(const TermSum& sum) {
  std::string result = sum.intercept ? "1" : "0";
  for (const auto& term : sum.terms) {
    std::vector<std::string> names;
    for (const int v : term) names.push_back(sum.variables.at(static_cast<std::size_t>(v)).label);
    result += fmt::format(" + {}", fmt::join(names, ":"));
  }
  return result;
}

// The right side as R would print its terms: "1 + x + factor(m):x".
std::string spelled(const Formula& formula) {
  std::string result = spelled_terms(formula);
  for (const Expression& offset : formula.offsets) result += fmt::format(" + offset({})", offset.text);
  for (const GroupTerm& term : formula.groups) {
    result += fmt::format(" + ({} {} {})", spelled_terms(term.effects), term.correlated ? "|" : "||", term.group());
  }
  return result;
}
std::string spelled(std::string_view text) { return spelled(parse_formula(text)); }

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
                                    {"y ~ a/b", "1 + a + a:b"},
                                    {"y ~ a/b/c", "1 + a + a:b + a:b:c"},
                                    {"y ~ (a + b)/c", "1 + a + b + a:b:c"},
                                    {"y ~ a/(b + c)", "1 + a + a:b + a:c"},
                                    {"y ~ a*b/c", "1 + a + b + a:b + a:b:c"},
                                    {"y ~ a + b %in% a", "1 + a + a:b"},
                                    {"y ~ a*b %in% c", "1 + a + b:c + a:b:c"},
                                    {"y ~ (a + b + c)^2", "1 + a + b + c + a:b + a:c + b:c"},
                                    {"y ~ (a + b + c)^1", "1 + a + b + c"},
                                    {"y ~ (a + b + c)^9", "1 + a + b + c + a:b + a:c + b:c + a:b:c"},
                                    {"y ~ (a + b)^2:c", "1 + a:c + b:c + a:b:c"},
                                    {"y ~ (a*b)^2 - a:b", "1 + a + b"},
                                    {"y ~ I(x^2) + I( x ^ 2 )", "1 + I(x^2)"},
                                    {"y ~ I(-x^2*3+z/(2-w))", "1 + I(-x^2 * 3 + z/(2 - w))"},
                                    {"y ~ I(2^-x^z)", "1 + I(2^-x^z)"},
                                    {"y ~ I(x + 1e5) + I(x+0.50)", "1 + I(x + 1e+05) + I(x + 0.5)"},
                                    {"y ~ I(x*123456.789+1e-5)", "1 + I(x * 123456.789 + 1e-05)"},
                                    {"y ~ log(x)*sqrt(I(z)+1)", "1 + log(x) + sqrt(I(z) + 1) + log(x):sqrt(I(z) + 1)"},
                                    {"y ~ sin(2*pi*x/12) + `pi`", "1 + sin(2 * pi * x/12) + pi"},
                                    {"y ~ I(`a b`^2) + exp(`x`)", "1 + I(`a b`^2) + exp(x)"},
                                    {"y ~ poly(x,3):f", "1 + poly(x, 3):f"},
                                    {"y ~ poly(log(x), degree=2)", "1 + poly(log(x), degree = 2)"},
                                    {"y ~ poly(x) + scale( x )", "1 + poly(x) + scale(x)"},
                                    {"y ~ offset(log(e)-1)", "1 + offset(log(e) - 1)"},
                                    {"y ~ poly + scale + log + I", "1 + poly + scale + log + I"},
                                    {"y ~ (1 | g)", "1 + (1 | g)"},
                                    {"y ~ (x | g)", "1 + (1 + x | g)"},
                                    {"y ~ 0 + (1+x|g)", "0 + (1 + x | g)"},
                                    {"y ~ x + (0 + x | g) + (1 | g)", "1 + x + (0 + x | g) + (1 | g)"},
                                    {"y ~ (1 + x || g)", "1 + (1 + x || g)"},
                                    {"y ~ (1 | g/h)", "1 + (1 | g) + (1 | g:h)"},
                                    {"y ~ (x | a:b/c)", "1 + (1 + x | a:b) + (1 + x | a:b:c)"},
                                    {"y ~ (1 | g:h) + (1 | h)", "1 + (1 | g:h) + (1 | h)"},
                                    {"y ~ (f*log(x) - 1 | g)", "1 + (0 + f + log(x) + f:log(x) | g)"},
                                    {"y ~ ((x)*(z) | `g h`) + x", "1 + x + (1 + x + z + x:z | g h)"},
                                    {"y ~ (`a|b` + x)", "1 + a|b + x"},
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
            "cannot read the formula: expected a term after '+' (character 9)\n"
            "  y ~ x + \n"
            "          ^");
  // The caret counts characters, not bytes, and blanks of any kind as one.
  EXPECT_EQ(error_of("größe\t~ 体重 + ^"),
            "cannot read the formula: expected a term after '+', not '^' (character 14)\n"
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

                                    {"sin(2) ~ x", 1, "must name a column"},
                                    {"cbind(a, b) ~ x", 1, "successes | trials(n)"},
                                    {"factor(y) ~ x", 1, "term of its own"},
                                    {"y | ~ x", 5, "expected an addition"},
                                    {"y | trials ~ x", 12, "expected '('"},
                                    {"y | trials() ~ x", 12, "expected a column's name or a number"},
                                    {"y | trials(n) + trials(m) ~ x", 17, "given twice"},
                                    {"y | dec(n) ~ x", 5, "expected an addition"},
                                    {"y | cens(c, d) ~ x", 11, "one argument"},
                                    {"y | trials(n) weights(w) ~ x", 15, "expected '~'"},
                                    {"y | trials(n)", 14, "expected '~'"},
                                    {"1 ~ x", 1, "the response must name a column"},
                                    {"(y ~ x", 4, "before '~'"},
                                    {"^y ~ x", 1, "not '^'"},
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
                                    {"y ~ ln(x)", 5, "no function ln()"},
                                    {"log(y) ~ x + y", 14, "cannot be a predictor too"},
                                    {"y ~ log(x, 2)", 10, "log2(x)"},
                                    {"y ~ sin(x, 2)", 10, "one argument"},
                                    {"y ~ log()", 9, "expected a column's name"},
                                    {"y ~ log(x", 8, "not closed"},
                                    {"y ~ log(x z)", 11, "before 'z'"},
                                    {"y ~ I(x > 2)", 9, "before '>'"},
                                    {"y ~ I(2x)", 8, "begins with a digit"},
                                    {"y ~ I(ln(x))", 7, "no function ln()"},
                                    {"y ~ I(poly(x, 2))", 7, "a term of its own"},
                                    {"y ~ log(2)", 5, "names no column"},
                                    {"y ~ I(.)", 7, "name the columns"},
                                    {"y ~ I(1e999*x)", 7, "outside the range"},
                                    {"y ~ x + poly(x, 0)", 17, "whole number from 1"},
                                    {"y ~ poly(x, -1)", 13, "whole number from 1"},
                                    {"y ~ poly(x, 1.5)", 13, "whole number from 1"},
                                    {"y ~ poly(x, k)", 13, "expected a number"},
                                    {"y ~ poly(x, 2, raw = TRUE)", 14, "raw powers"},
                                    {"y ~ scale(x, 2)", 12, "one argument"},
                                    {"y ~ factor(log(x))", 12, "one column"},
                                    {"y ~ x^2", 6, "I(x^2)"},
                                    {"y ~ (a + b)^0", 13, "whole number from 1"},
                                    {"y ~ (a + b)^1.5", 13, "whole number from 1"},
                                    {"y ~ (a + b)^x", 13, "expected a number"},
                                    {"y ~ (1 + x)^2", 6, "not be part of a product"},
                                    {"y ~ x | g", 7, "parentheses of its own"},
                                    {"y ~ (0 | g)", 8, "expected an effect"},
                                    {"y ~ (x - x - 1 | g)", 16, "expected an effect"},
                                    {"y ~ ( | g)", 7, "expected a term after '('"},
                                    {"y ~ (1 | )", 10, "a group must be a column's name"},
                                    {"y ~ (1 | 2)", 10, "a group must be a column's name"},
                                    {"y ~ (1 | g", 5, "not closed"},
                                    {"y ~ (1 | g + h)", 12, "before '+'"},
                                    {"y ~ (1 | factor(g))", 10, "not needed"},
                                    {"y ~ (1 | gr(g))", 10, "a group is a column"},
                                    {"y ~ (1 |p| g)", 9, "cannot be correlated"},
                                    {"y ~ (1 | g:g)", 12, "already"},
                                    {"y ~ (1 | y)", 10, "cannot be a predictor too"},
                                    {"y ~ (y | g)", 6, "cannot be a predictor too"},
                                    {"y ~ x - (1 | g)", 9, "cannot be subtracted"},
                                    {"y ~ x*(1 | g)", 7, "not be part of a product"},
                                    {"y ~ ((1 | g) + x | h)", 6, "stand in another"},
                                    {"y ~ (offset(e) | h)", 6, "effect of a group"},
                                    {"y ~ (1 | g) + (x | g)", 15, "'1' of group 'g'"},
                                    {"y ~ (0 + a:b | g:h) + (0 + b:a | h:g)", 23, "'a:b' of group 'h:g'"},
                                    {"y ~ (1 | g/h) + (1 | g)", 17, "'1' of group 'g'"},

                                    {"y ~ offset(e f)", 14, "or an operator before 'f'"},

                                    {"y ~ offset(e", 11, "not closed"},
                                    {"y ~ offset()", 12, "expected a column's name or a number"},
                                    {"y ~ x - offset(e)", 9, "cannot be subtracted"},
                                    {"y ~ x*offset(e)", 7, "not be part of a product"},
                                    {"y ~ x:1", 7, "not be part of a product"},
                                    {"y ~ (x - x)*z", 12, "all terms are taken away"},
                                    {"y ~ z %in% (x - x)", 7, "all terms are taken away"},
                                    {"y ~ (1 + x):z", 6, "not be part of a product"},

                                    {"y ~ a %on% b", 7, "expected %in%"},
                                    {"y ~ a %in% b*1", 14, "not be part of a product"},
                                    {"y ~ a/", 7, "expected a term after '/'"},
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
    EXPECT_THAT(error, HasSubstr(fmt::format("(character {})\n", example.character)));
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

TEST(Formula, BoundsTheDepthOfExpressions) {
  const auto repeated = [](std::string_view piece, int count) {
    std::string text;
    for (int i = 0; i < count; ++i) text += piece;
    return text;
  };
  for (const std::string_view piece : {"(", "-", "log(", "2^", "2^-"}) {
    SCOPED_TRACE(piece);
    const std::string close = piece.ends_with("(") ? ")" : "";
    const auto nested = [&](int depth) {
      return fmt::format("y ~ I({}x{})", repeated(piece, depth), repeated(close, depth));
    };
    EXPECT_EQ(parse_formula(nested(45)).terms.size(), 1u);
    EXPECT_THAT(error_of(nested(101)), HasSubstr("nested more than 100 deep"));
    EXPECT_THAT(error_of(nested(50'000)), HasSubstr("nested more than 100 deep"));
  }
  EXPECT_THAT(error_of("y ~ " + repeated("(1 | ", 50'000)), HasSubstr("(character"));
  EXPECT_EQ(parse_formula("y ~ I(" + repeated("x + ", 20'000) + "x)").variables.front().value.steps.size(), 40'001u);
}

TEST(Formula, ReadsResponseAndAdditions) {
  const Formula formula =
      parse_formula("log(y + 1) | trials(n) + weights(w/2) + se(s) + cens(`c d`) ~ x + n + (1 | g:h)");
  EXPECT_EQ(formula.response, "log(y + 1)");
  EXPECT_EQ(formula.additions.trials, Expression::of_column("n"));
  EXPECT_EQ(formula.additions.weights->text, "w/2");
  EXPECT_EQ(formula.additions.se->text, "s");
  EXPECT_EQ(formula.additions.censored->text, "c d");
  EXPECT_TRUE(formula.additions.censored->is_column());
  EXPECT_THAT(formula.columns(), ElementsAre("y", "n", "w", "s", "c d", "x", "g", "h"));
  EXPECT_THAT(formula.columns(false), ElementsAre("x", "n", "g", "h"));
  EXPECT_EQ(parse_formula("y | trials(10) ~ 1").additions.trials->text, "10");
  EXPECT_EQ(parse_formula("y/n ~ n").response, "y/n");
  EXPECT_FALSE(parse_formula("y ~ 1").additions.trials.has_value());
}

TEST(Formula, ReadsRightSides) {
  for (const std::string_view text : {"1 + x + (1 | g)", "~ x + (1 | g)", "sigma ~ x + (1 | g)"}) {
    const Formula formula = parse_right_side(text, "sigma");
    EXPECT_EQ(spelled(formula), "1 + x + (1 | g)");
    EXPECT_EQ(formula.text, text);
    EXPECT_EQ(formula.response, "");
    EXPECT_THAT(formula.columns(), ElementsAre("x", "g"));
  }
  EXPECT_EQ(spelled(parse_right_side("0 + sigma", "sigma")), "0 + sigma");
  const auto refused = [](std::string_view text) {
    try {
      parse_right_side(text, "sigma");
    } catch (const InputError& error) {
      return std::string(error.what());
    }
    return std::string();
  };
  EXPECT_EQ(refused("1 + "),
            "cannot read the formula of sigma: expected a term after '+' (--formula-sigma, character 5)\n"
            "  1 + \n"
            "      ^");
  EXPECT_THAT(refused(""), HasSubstr("it is empty"));
  EXPECT_THAT(refused("shape ~ x"), HasSubstr("a second '~'"));
  EXPECT_THAT(refused("0"), HasSubstr("nothing to estimate"));
}

TEST(Formula, TellsTheColumnsOfAllFormulas) {
  const std::string_view formula = "log(y) | trials(n) ~ x + poly(z, 2) + offset(e) + (w | g/h)";
  EXPECT_THAT(formula_columns(formula), ElementsAre("y", "n", "x", "z", "e", "w", "g", "h"));
  EXPECT_THAT(formula_columns(formula, {{"sigma", "x + (1 | k)"}, {"shape", "v"}}),
              ElementsAre("y", "n", "x", "z", "e", "w", "g", "h", "k", "v"));
  EXPECT_THROW(formula_columns(formula, {{"sigma", "x +"}}), InputError);
}

// A sum, product, ... of random variables, with the set of sets that it stands for.
class RandomFormula {
 public:
  explicit RandomFormula(std::uint32_t seed) : random_(seed) {}

  using Set = std::set<std::set<char>>;
  struct Result {
    std::string text;
    Set terms;
  };

  Result any(int depth) {
    if (depth == 0) {
      const char name = static_cast<char>('a' + random_() % 5);
      return {std::string(1, name), {{name}}};
    }
    const Result left = any(depth - 1), right = any(depth - 1);
    const auto kind = random_() % 7;
    if (kind == 6) return power(left);
    static constexpr std::array<std::string_view, 6> operators{"+", "-", ":", "*", "/", "%in%"};
    Result result{fmt::format("({}) {} ({})", left.text, operators[kind], right.text), left.terms};
    if (kind == 1) {
      for (const auto& term : right.terms) result.terms.erase(term);
      // What is left must not be empty within a product.
      if (result.terms.empty()) return left;
    }
    if (kind == 2) result.terms = products(left.terms, right.terms);
    if (kind == 3) result.terms.merge(products(left.terms, right.terms));
    if (kind == 4) result.terms.merge(products({all_of(left.terms)}, right.terms));
    if (kind == 5) result.terms = products(left.terms, {all_of(right.terms)});
    if (kind == 0 || kind == 3) result.terms.insert(right.terms.begin(), right.terms.end());
    return result;
  }

 private:
  Result power(const Result& base) {
    if (base.terms.size() < 2) return base;
    return {fmt::format("({})^2", base.text), products(base.terms, base.terms)};
  }
  static Set products(const Set& left, const Set& right) {
    Set all;
    for (const auto& a : left) {
      for (const auto& b : right) {
        std::set<char> both = a;
        both.insert(b.begin(), b.end());
        all.insert(both);
      }
    }
    return all;
  }
  static std::set<char> all_of(const Set& terms) {
    std::set<char> all;
    for (const auto& term : terms) all.insert(term.begin(), term.end());
    return all;
  }

  std::mt19937 random_;
};

TEST(Formula, OperatorsActOnSetsOfSets) {
  RandomFormula random(7);
  std::size_t largest = 0;
  for (int i = 0; i < 3000; ++i) {
    const auto [text, expected] = random.any(1 + i % 4);
    SCOPED_TRACE(text);
    const Formula formula = parse_formula("y ~ " + text);
    RandomFormula::Set terms;
    std::size_t degree = 0;
    for (const auto& term : formula.terms) {
      std::set<char> names;
      for (const int v : term) names.insert(formula.variables.at(static_cast<std::size_t>(v)).label.front());
      EXPECT_EQ(names.size(), term.size());
      EXPECT_GE(term.size(), degree);
      degree = term.size();
      terms.insert(names);
    }
    EXPECT_EQ(terms.size(), formula.terms.size());
    ASSERT_EQ(terms, expected);
    largest = std::max(largest, terms.size());
  }
  EXPECT_GT(largest, 12u);
}

TEST(Formula, ReadsWhatItPrints) {
  for (const auto& example : readings) {
    SCOPED_TRACE(example.text);
    const Formula formula = parse_formula(example.text);
    for (const Variable& variable : formula.variables) {
      if (variable.kind == Variable::Kind::column || variable.kind == Variable::Kind::factor) continue;
      EXPECT_THAT(parse_formula("r_ ~ " + variable.label).variables, ElementsAre(variable));
    }
  }
}

TEST(Formula, ReadsOrRefusesRandomBytes) {
  std::mt19937 random(99);
  const std::string_view common = "~+-*/^:()|`.,=% \t0123456789xyzgI";
  int refused = 0;
  for (int i = 0; i < 20'000; ++i) {
    std::string text = i % 3 == 0 ? "" : i % 3 == 1 ? "y ~ " : "y | trials(";
    for (auto count = random() % 40; count > 0; --count) {
      text += i % 2 == 0 ? static_cast<char>(random() % 256) : common[random() % common.size()];
    }
    try {
      parse_formula(text);
    } catch (const InputError& error) {
      ++refused;
      ASSERT_TRUE(std::string_view(error.what()).starts_with("cannot read the formula: ")) << error.what();
    }
  }
  EXPECT_GT(refused, 15'000);
}

TEST(Formula, ReadsOrRefusesAnything) {
  const std::vector<std::string> pieces{
      "y",      "~",       "x",      "a1",      "+",    "-",         "*",  ":",      "(",       ")",      "0",
      "1",      "offset(", "`",      "factor(", " ",    "|",         "^",  "\xc3",   "é",       "\xff",   "log(",
      "y ~ x ", "\0",      ".",      "3",       ",",    "\t",        "\n", "−",      "(1 | g)", "(x || ", "g/h",
      "I(",     "poly(",   "scale(", "/",       "%in%", "| trials(", "e5", "sqrt(x)"};
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
