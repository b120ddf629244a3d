#pragma once
/// \file A model formula as a value: `y | trials(n) ~ 1 + log(x) + f + a:b + offset(e) + (1 + x | g)`.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "design/expression.hpp"

namespace jensen {

/// A variable of the formula: what a term is a product of.
struct Variable {
  enum class Kind {
    column,      ///< x: a factor if the column is text
    factor,      ///< factor(x): a column, made a factor
    expression,  ///< I(x^2), log(x): one column of numbers
    polynomial,  ///< poly(x, k): k columns
    scaled,      ///< scale(x)
  };
  Kind kind = Kind::column;
  Expression value;   ///< a lone column if the kind is column or factor; the argument of poly() and scale()
  int degree = 0;     ///< of a polynomial
  std::string label;  ///< as R prints it, and equal only for equal variables: x, factor(m), I(x^2), poly(x, 3)

  friend bool operator==(const Variable&, const Variable&) = default;
};

/// A sum of terms: what stands on the right of `~`, or on the left of the bar in (x | g).
struct TermSum {
  bool intercept = true;
  std::vector<Variable> variables;      ///< distinct, in order of first appearance
  std::vector<std::vector<int>> terms;  ///< each: indices into `variables`, distinct; ordered as R orders them:
                                        ///< by degree, then by appearance
};

/// (effects | group): each effect's coefficient differs from level to level of the group.
struct GroupTerm {
  TermSum effects;
  std::vector<std::string> columns;  ///< of the group: g, or g and h of g:h
  bool correlated = true;            ///< false: written with ||

  /// g or g:h
  std::string group() const;
};

/// What may follow the response: y | trials(n) + weights(w).
struct Additions {
  std::optional<Expression> trials, weights, se, censored;
};

struct Formula : TermSum {
  std::string text;           ///< as given
  std::string response;       ///< as R prints it: y, log(y); empty: this is the right side of another parameter
  Expression response_value;  ///< no steps if there is no response
  Additions additions;
  std::vector<Expression> offsets;  ///< added with coefficient 1
  std::vector<GroupTerm> groups;    ///< a/b written out

  /// Every column needed: those of the response and its additions first (unless `with_response` is false), then those
  /// of terms, offsets and groups, each once.
  std::vector<std::string> columns(bool with_response = true) const;
};

/// Reads a formula with R's rules: the intercept is there unless `- 1` or `0 +` takes it away; `a*b` is
/// `a + b + a:b`; terms are sets, so duplicates vanish and `- x` removes one. Names are letters (any UTF-8), digits,
/// `_` and `.`; others in backquotes. docs/formula.md describes the language. Throws InputError: two lines, the formula
/// and a caret under the place.
Formula parse_formula(std::string_view text);

/// Reads the right side of the formula of another parameter, such as sigma: `1 + x + (1 | g)`; `~ ...` and
/// `sigma ~ ...` are read too. Throws InputError as above, naming the parameter and its flag --formula-PARAMETER.
Formula parse_right_side(std::string_view text, std::string_view parameter);

}  // namespace jensen
