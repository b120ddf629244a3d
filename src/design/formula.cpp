#include "design/formula.hpp"

#include <fmt/format.h>

#include <string>
#include <unordered_set>

#include "design/expression_reader.hpp"
#include "design/term_reader.hpp"
#include "show.hpp"
#include "text.hpp"

namespace jensen {
namespace {

// trials(n) + weights(w) + ..., after the bar.
Additions read_additions(Scanner& scanner) {
  Additions additions;
  do {
    const std::size_t at = scanner.position();
    const std::string_view name = scanner.name();
    std::optional<Expression>* const addition = name == "trials"    ? &additions.trials
                                                : name == "weights" ? &additions.weights
                                                : name == "se"      ? &additions.se
                                                : name == "cens"    ? &additions.censored
                                                                    : nullptr;
    if (addition == nullptr) {
      scanner.fail("expected an addition to the response: trials(), weights(), se() or cens()", at);
    }
    if (*addition) scanner.fail(fmt::format("{}() is given twice", name), at);
    const std::size_t open = scanner.position();
    if (!scanner.accept('(')) scanner.fail(fmt::format("expected '(' after {}", show(name)), open);
    *addition = read_expression(scanner, "'('");
    if (scanner.peek() == ',') scanner.fail(fmt::format("{}() takes one argument", name), scanner.position());
    close_parenthesis(scanner, open);
  } while (scanner.accept('+'));
  return additions;
}

void read_response(Scanner& scanner, Formula& formula) {
  if (scanner.at_end()) scanner.fail("it is empty; write RESPONSE ~ TERMS, as in y ~ 1 + x", scanner.position());
  const std::size_t at = scanner.position();
  if (scanner.peek() == '~') scanner.fail("expected the response before '~', as in y ~ 1 + x", at);
  if (scanner.name() == "cbind") scanner.fail("write counts of successes as successes | trials(n)", at);
  scanner.seek(at);
  formula.response_value = read_expression(scanner, "the beginning");
  formula.response = formula.response_value.text;
  if (formula.response_value.columns.empty()) scanner.fail("the response must name a column", at);
  if (scanner.accept('|')) formula.additions = read_additions(scanner);
  if (scanner.at_end()) {
    scanner.fail("expected '~' and terms after the response, as in y ~ 1 + x", scanner.position());
  }
  if (scanner.accept('~')) return;
  scanner.fail(fmt::format("expected '~' before {}", scanner.quoted_next()), scanner.position());
}

}  // namespace

std::string GroupTerm::group() const { return fmt::format("{}", fmt::join(columns, ":")); }

std::vector<std::string> Formula::columns(bool with_response) const {
  std::vector<std::string> names;
  std::unordered_set<std::string> seen;
  const auto add = [&](const std::vector<std::string>& more) {
    for (const std::string& name : more) {
      if (seen.insert(name).second) names.push_back(name);
    }
  };
  if (with_response) {
    add(response_value.columns);
    for (const auto* addition : {&additions.trials, &additions.weights, &additions.se, &additions.censored}) {
      if (*addition) add((*addition)->columns);
    }
  }
  for (const Variable& variable : variables) add(variable.value.columns);
  for (const Expression& offset : offsets) add(offset.columns);
  for (const GroupTerm& group : groups) {
    for (const Variable& variable : group.effects.variables) add(variable.value.columns);
    add(group.columns);
  }
  return names;
}

Formula parse_formula(std::string_view text) {
  Scanner scanner(text, "formula", "");
  Formula left;
  read_response(scanner, left);
  const auto& columns = left.response_value.columns;
  // y/n ~ n is a fair question, log(y) ~ y is none.
  Formula formula = TermReader(scanner, columns.size() == 1 ? columns.front() : "").read("~");
  formula.text = text;
  formula.response = std::move(left.response);
  formula.response_value = std::move(left.response_value);
  formula.additions = std::move(left.additions);
  return formula;
}

Formula parse_right_side(std::string_view text, std::string_view parameter) {
  const std::string what = fmt::format("formula of {}", parameter);
  const std::string flag = fmt::format("--formula-{}", parameter);
  Scanner scanner(text, what, flag);
  if (scanner.at_end()) scanner.fail("it is empty; write its terms, as in 1 + x", scanner.position());
  const std::string_view name = scanner.name();
  const bool tilde = (name.empty() || name == parameter) && scanner.accept('~');
  if (!tilde) scanner.seek(0);
  Formula formula = TermReader(scanner, "").read(tilde ? "~" : "the beginning");
  formula.text = text;
  return formula;
}

}  // namespace jensen
