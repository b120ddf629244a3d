#include "design/formula.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <unordered_set>

#include "show.hpp"
#include "text.hpp"

namespace jensen {
namespace {

using Term = std::vector<int>;  // ascending indices of variables

// Terms in order of appearance, each once.
class TermSet {
 public:
  void add(Term term) {
    if (places_.try_emplace(std::move(term), next_).second) ++next_;
  }
  void remove(const Term& term) { places_.erase(term); }

  std::vector<Term> list() const {
    std::vector<std::pair<std::size_t, const Term*>> order;
    for (const auto& [term, place] : places_) order.emplace_back(place, &term);
    std::sort(order.begin(), order.end());
    std::vector<Term> terms;
    for (const auto& [place, term] : order) terms.push_back(*term);
    return terms;
  }

 private:
  std::map<Term, std::size_t> places_;
  std::size_t next_ = 0;
};

Term unite(const Term& a, const Term& b) {
  Term both;
  std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return both;
}

// Recursive descent; each rule returns its terms. As in R, ':' binds tighter than '*', and '*' than '+' and '-'.
class FormulaReader {
 public:
  explicit FormulaReader(std::string_view text) : scanner_(text, "formula", "--formula") { formula_.text = text; }

  Formula read() {
    read_response();
    return read_right_side();
  }

  Formula read_right_side() {
    formula_.terms = sum("~");
    if (!scanner_.at_end()) fail_between_terms();
    if (formula_.terms.empty() && !formula_.intercept) {
      fail("it has neither an intercept nor a term, so there is nothing to estimate");
    }
    std::stable_sort(formula_.terms.begin(), formula_.terms.end(),
                     [](const Term& a, const Term& b) { return a.size() < b.size(); });
    drop_unused_variables();
    return std::move(formula_);
  }

 private:
  static constexpr std::size_t max_depth = 100;   // of parentheses; each costs a few stack frames
  static constexpr std::size_t max_terms = 4096;  // of one product; twelve variables joined by '*' make 4095

  void read_response() {
    if (scanner_.at_end()) fail("it is empty; write RESPONSE ~ TERMS, as in y ~ 1 + x");
    if (scanner_.peek() == '~') fail("expected the response before '~', as in y ~ 1 + x");
    const std::size_t at = scanner_.position();
    formula_.response = column("the response");
    formula_.response_value = Expression::of_column(formula_.response);
    if (scanner_.peek() == '(') {
      fail("a function of the response is not supported; make it a column of the table beforehand", at);
    }
    if (scanner_.at_end()) fail("expected '~' and terms after the response, as in y ~ 1 + x");
    if (!scanner_.accept('~')) fail("expected '~' here: the response must be one column of the table");
  }

  std::vector<Term> sum(std::string_view before) {
    TermSet terms;
    bool minus = false;
    if (const char sign = scanner_.peek(); sign == '+' || sign == '-') {
      minus = sign == '-';
      scanner_.accept(sign);
      before = minus ? "-" : "+";
    }
    while (true) {
      negations_ += minus;
      const std::vector<Term> operand = product(before);
      negations_ -= minus;
      for (const Term& term : operand) minus ? terms.remove(term) : terms.add(term);
      const char sign = scanner_.peek();
      if (sign != '+' && sign != '-') return terms.list();
      scanner_.accept(sign);
      minus = sign == '-';
      before = minus ? "-" : "+";
    }
  }

  std::vector<Term> product(std::string_view before) {
    const std::size_t begin = scanner_.position();
    std::vector<Term> left = interaction(before);
    while (scanner_.peek() == '*') {
      const std::size_t at = scanner_.position();
      scanner_.accept('*');
      const std::vector<Term> right = interaction("*");
      refuse_bare(begin);
      left = cross(left, right, true, at);
    }
    return left;
  }

  std::vector<Term> interaction(std::string_view before) {
    const std::size_t begin = scanner_.position();
    std::vector<Term> left = operand(before);
    while (scanner_.peek() == ':') {
      const std::size_t at = scanner_.position();
      scanner_.accept(':');
      const std::vector<Term> right = operand(":");
      refuse_bare(begin);
      left = cross(left, right, false, at);
    }
    return left;
  }

  // left:right, after left + right if `with_margins`.
  std::vector<Term> cross(const std::vector<Term>& left, const std::vector<Term>& right, bool with_margins,
                          std::size_t at) const {
    if (left.size() * right.size() + (with_margins ? left.size() + right.size() : 0) > max_terms) {
      fail(fmt::format("this product makes more than {} terms; write out the ones that are meant", max_terms), at);
    }
    TermSet terms;
    if (with_margins) {
      for (const Term& term : left) terms.add(term);
      for (const Term& term : right) terms.add(term);
    }
    for (const Term& a : left) {
      for (const Term& b : right) terms.add(unite(a, b));
    }
    return terms.list();
  }

  std::vector<Term> operand(std::string_view before) {
    const std::size_t at = scanner_.position();
    if (scanner_.peek() == '(') return parenthesis();
    if (scanner_.peek() == '`') return variable(column("a term"), false, at);
    const std::string_view name = scanner_.name();
    if (name.empty()) fail_no_term(before);
    if (is_number(name)) return constant(name, at);
    if (name == ".") fail("'.' (all other columns) is not supported; name the columns", at);
    if (scanner_.peek() == '(') return function(name, at);
    return variable(std::string(name), false, at);
  }

  std::vector<Term> parenthesis() {
    const std::size_t at = scanner_.position();
    scanner_.accept('(');
    if (++depth_ > max_depth) fail(fmt::format("parentheses are nested more than {} deep", max_depth), at);
    std::vector<Term> terms = sum("(");
    --depth_;
    close(at);
    return terms;
  }

  std::vector<Term> constant(std::string_view digits, std::size_t at) {
    if (digits != "0" && digits != "1") {
      fail("of numbers only 0 and 1 may stand here; put a name that begins with a digit in backquotes", at);
    }
    formula_.intercept = (digits == "1") == (negations_ % 2 == 0);
    last_bare_ = at;
    return {};
  }

  std::vector<Term> function(std::string_view name, std::size_t at) {
    if (name != "offset" && name != "factor") {
      fail(fmt::format("{}() is not supported yet; make its result a column of the table beforehand", name), at);
    }
    const std::size_t open = scanner_.position();
    scanner_.accept('(');
    const std::size_t argument_at = scanner_.position();
    if (scanner_.peek() != '`' && !starts_name()) {
      fail(fmt::format("{}() takes the name of one column; make other things a column of the table beforehand", name),
           argument_at);
    }
    std::string argument = column(fmt::format("{}()", name));
    if (scanner_.peek() == '(') {
      fail(fmt::format("{} is not supported yet; make its result a column of the table beforehand",
                       show(argument + "()")),
           argument_at);
    }
    if (!scanner_.at_end() && scanner_.peek() != ')') {
      fail(fmt::format("{}() takes the name of one column; make other things a column of the table beforehand", name));
    }
    close(open);
    return name == "offset" ? offset(argument, at) : variable(std::move(argument), true, at);
  }

  std::vector<Term> offset(const std::string& name, std::size_t at) {
    if (negations_ > 0) fail("an offset cannot be subtracted; add the column of its negative", at);
    if (name == formula_.response) fail_response_again(at);
    if (std::ranges::find(formula_.offsets, name, &Expression::text) == formula_.offsets.end()) {
      formula_.offsets.push_back(Expression::of_column(name));
    }
    last_bare_ = at;
    return {};
  }

  std::vector<Term> variable(std::string name, bool as_factor, std::size_t at) {
    if (name == formula_.response) fail_response_again(at);
    Variable variable{as_factor ? Variable::Kind::factor : Variable::Kind::column, Expression::of_column(name), 0,
                      as_factor ? "factor(" + name + ")" : name};
    const auto [place, is_new] = index_.try_emplace(variable.label, next_variable_);
    if (is_new) {
      formula_.variables.push_back(std::move(variable));
      ++next_variable_;
    }
    return {{place->second}};
  }

  // A name, in backquotes or not.
  std::string column(std::string_view what) {
    const std::size_t at = scanner_.position();
    if (scanner_.accept('`')) {
      std::string_view name = scanner_.through('`');
      if (name.empty()) fail("this backquote is not closed", at);
      name.remove_suffix(1);
      if (name.empty()) fail("expected a name between the backquotes", at);
      return std::string(name);
    }
    const std::string_view name = scanner_.name();
    if (name.empty()) fail(fmt::format("unexpected {}: {} must be a column's name", scanner_.quoted_next(), what));
    if (is_number(name) || name == ".") {
      fail(fmt::format("{} must be a column's name; put one that begins with a digit in backquotes", what), at);
    }
    return std::string(name);
  }

  bool starts_name() {
    const std::size_t at = scanner_.position();
    const bool found = !scanner_.name().empty();
    scanner_.seek(at);
    return found;
  }

  static bool is_number(std::string_view name) {
    const auto digit = [](char c) { return c >= '0' && c <= '9'; };
    return digit(name[0]) || (name[0] == '.' && name.size() > 1 && digit(name[1]));
  }

  void close(std::size_t open) {
    if (scanner_.accept(')')) return;
    if (scanner_.at_end()) fail("this '(' is not closed", open);
    fail_between_terms();
  }

  // 0, 1 and offsets are no variables: they stand in sums only.
  void refuse_bare(std::size_t begin) const {
    if (last_bare_ && *last_bare_ >= begin) {
      fail("0, 1 and offset() can be added but not be part of a product", *last_bare_);
    }
  }

  [[noreturn]] void fail_no_term(std::string_view before) {
    if (scanner_.at_end() || scanner_.peek() == ')') fail(fmt::format("expected a term after '{}'", before));
    fail(fmt::format("expected a term after '{}', not {}", before, scanner_.quoted_next()));
  }

  [[noreturn]] void fail_between_terms() {
    switch (scanner_.peek()) {
      case ')':
        fail("this ')' has no '('");
      case '~':
        fail("a second '~'; a formula has one");
      case '|':
        fail("group effects such as (1 | g) are not supported yet; add the factor g as a term");
      case '^':
        fail("'^' is not supported; write (a + b)^2 as a*b");
      case '/':
        fail("'/' is not supported; write a/b as a + a:b");
      case '%':
        fail("%in% is not supported; write b %in% a as a:b");
      default:
        fail(fmt::format("expected '+', '-', '*' or ':' before {}", scanner_.quoted_next()));
    }
  }

  [[noreturn]] void fail_response_again(std::size_t at) const {
    fail(fmt::format("the response {} cannot be a predictor too", show(formula_.response)), at);
  }
  [[noreturn]] void fail(std::string_view problem, std::size_t at) const { scanner_.fail(problem, at); }
  [[noreturn]] void fail(std::string_view problem) { scanner_.fail(problem, scanner_.position()); }

  // `x - x` mentions x and leaves it out.
  void drop_unused_variables() {
    std::vector<int> renumbered(formula_.variables.size(), -1);
    for (const Term& term : formula_.terms) {
      for (const int v : term) renumbered[static_cast<std::size_t>(v)] = 0;
    }
    std::vector<Variable> used;
    for (std::size_t v = 0; v < renumbered.size(); ++v) {
      if (renumbered[v] < 0) continue;
      renumbered[v] = static_cast<int>(used.size());
      used.push_back(std::move(formula_.variables[v]));
    }
    for (Term& term : formula_.terms) {
      for (int& v : term) v = renumbered[static_cast<std::size_t>(v)];
    }
    formula_.variables = std::move(used);
  }

  Scanner scanner_;
  Formula formula_;
  std::map<std::string, int> index_;  // of a label in variables
  int next_variable_ = 0;
  std::size_t depth_ = 0;
  int negations_ = 0;                     // '-' in front of the place that is read
  std::optional<std::size_t> last_bare_;  // where the last 0, 1 or offset() stood
};

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

Formula parse_formula(std::string_view text) { return FormulaReader(text).read(); }

Formula parse_right_side(std::string_view text, std::string_view) { return FormulaReader(text).read_right_side(); }

}  // namespace jensen
