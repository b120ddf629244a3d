#pragma once
/// \file Reads the right side of a formula: terms, offsets, group terms.

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "design/formula.hpp"
#include "design/term_algebra.hpp"
#include "text.hpp"

namespace jensen {

/// Recursive descent; each rule returns its terms. As in R, '^' binds tightest, then ':', '%in%', '*' and '/', '+' and
/// '-'.
class TermReader {
 public:
  /// `response`: the column that must not be a predictor; empty if there is none.
  TermReader(Scanner& scanner, std::string response) : scanner_(scanner), response_(std::move(response)) {}

  /// Takes all terms to the end of the text. Only terms, offsets and groups of the result are set.
  Formula read(std::string_view before);

 private:
  FormulaTerms sum(std::string_view before);
  FormulaTerms product(std::string_view before);
  FormulaTerms containment(std::string_view before);
  FormulaTerms interaction(std::string_view before);
  FormulaTerms power(std::string_view before);
  FormulaTerms operand(std::string_view before);
  FormulaTerms parenthesis();
  FormulaTerms constant(std::string_view digits, std::size_t at);
  FormulaTerms call(std::string_view name, std::size_t at);
  FormulaTerms offset(std::size_t at);
  FormulaTerms factor(std::size_t at);
  FormulaTerms polynomial(std::size_t at);
  FormulaTerms scaled(std::size_t at);
  FormulaTerms variable(Variable variable, std::size_t at);

  TermSum read_effects();
  TermSum finish(FormulaTerms terms);
  FormulaTerms group_term();
  std::vector<std::vector<std::string>> group_factors();
  void add_group(GroupTerm term, std::size_t at);
  bool at_group_term();
  bool accept_within();

  void check_size(std::size_t terms, std::size_t at) const;
  void check_operands(const FormulaTerms& left, const FormulaTerms& right, std::size_t begin, std::size_t at) const;
  void check_response(const Expression& expression, std::size_t at) const;
  [[noreturn]] void fail_no_term(std::string_view before);
  [[noreturn]] void fail_between_terms();
  [[noreturn]] void fail(std::string_view problem, std::size_t at) const { scanner_.fail(problem, at); }

  Scanner& scanner_;
  std::string response_;
  bool in_group_ = false;
  Formula formula_;
  std::map<std::string, int> index_;  // of a label in the variables
  int next_variable_ = 0;
  std::size_t depth_ = 0;
  int negations_ = 0;                     // '-' in front of the place that is read
  std::optional<std::size_t> last_bare_;  // where the last 0, 1, offset() or group term stood
};

}  // namespace jensen
