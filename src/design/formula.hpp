#pragma once
/// \file A model formula as a value: `y ~ 1 + x + f + a:b + offset(e)`.

#include <string>
#include <string_view>
#include <vector>

namespace jensen {

/// A variable of the formula: a column, or factor(column), which makes a numeric column categorical.
struct Variable {
  std::string column;
  bool as_factor = false;  ///< written factor(column)

  friend bool operator==(const Variable&, const Variable&) = default;
};

struct Formula {
  std::string text;      ///< as given
  std::string response;  ///< a column
  bool intercept = true;
  std::vector<Variable> variables;      ///< distinct, in order of first appearance
  std::vector<std::vector<int>> terms;  ///< each: indices into `variables`, distinct; ordered as R orders them:
                                        ///< by degree, then by appearance
  std::vector<std::string> offsets;     ///< columns added to eta with coefficient 1

  /// Every column needed: response first (unless `with_response` is false), each once.
  std::vector<std::string> columns(bool with_response = true) const;
};

/// Reads a formula with R's rules: the intercept is there unless `- 1` or `0 +` takes it away; `a*b` is
/// `a + b + a:b`; terms are sets, so duplicates vanish and `- x` removes one. Names are letters (any UTF-8), digits,
/// `_` and `.`; others in backquotes. Throws InputError: two lines, the formula and a caret under the place.
Formula parse_formula(std::string_view text);

}  // namespace jensen
