#include "design/term_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "design/expression_reader.hpp"
#include "show.hpp"

namespace jensen {
namespace {

constexpr std::size_t max_terms = 4096;  // of one product; twelve variables joined by '*' make 4095

// Labels of a sum's terms; the intercept's is 1.
std::vector<std::string> effect_labels(const TermSum& sum) {
  std::vector<std::string> labels;
  if (sum.intercept) labels.emplace_back("1");
  for (const FormulaTerm& term : sum.terms) {
    std::vector<std::string> parts;
    for (const int v : term) parts.push_back(sum.variables[static_cast<std::size_t>(v)].label);
    std::ranges::sort(parts);
    labels.push_back(fmt::format("{}", fmt::join(parts, ":")));
  }
  return labels;
}

std::vector<std::string> sorted(std::vector<std::string> names) {
  std::ranges::sort(names);
  return names;
}

// `x - x` mentions x and leaves it out.
void drop_unused_variables(TermSum& sum) {
  std::vector<int> renumbered(sum.variables.size(), -1);
  for (const FormulaTerm& term : sum.terms) {
    for (const int v : term) renumbered[static_cast<std::size_t>(v)] = 0;
  }
  std::vector<Variable> used;
  for (std::size_t v = 0; v < renumbered.size(); ++v) {
    if (renumbered[v] < 0) continue;
    renumbered[v] = static_cast<int>(used.size());
    used.push_back(std::move(sum.variables[v]));
  }
  for (FormulaTerm& term : sum.terms) {
    for (int& v : term) v = renumbered[static_cast<std::size_t>(v)];
  }
  sum.variables = std::move(used);
}

}  // namespace

Formula TermReader::read(std::string_view before) {
  FormulaTerms terms = sum(before);
  if (!scanner_.at_end()) fail_between_terms();
  if (terms.empty() && !formula_.intercept && formula_.groups.empty()) {
    fail("it has neither an intercept nor a term, so there is nothing to estimate", scanner_.position());
  }
  static_cast<TermSum&>(formula_) = finish(std::move(terms));
  return std::move(formula_);
}

TermSum TermReader::finish(FormulaTerms terms) {
  std::ranges::stable_sort(terms, {}, &FormulaTerm::size);
  TermSum done{formula_.intercept, std::move(formula_.variables), std::move(terms)};
  drop_unused_variables(done);
  return done;
}

FormulaTerms TermReader::sum(std::string_view before) {
  FormulaTermSet terms;
  bool minus = false;
  if (const char sign = scanner_.peek(); sign == '+' || sign == '-') {
    minus = sign == '-';
    scanner_.accept(sign);
    before = minus ? "-" : "+";
  }
  while (true) {
    negations_ += minus;
    const FormulaTerms operand = product(before);
    negations_ -= minus;
    for (const FormulaTerm& term : operand) minus ? terms.remove(term) : terms.add(term);
    const char sign = scanner_.peek();
    if (sign != '+' && sign != '-') return terms.list();
    scanner_.accept(sign);
    minus = sign == '-';
    before = minus ? "-" : "+";
  }
}

FormulaTerms TermReader::product(std::string_view before) {
  const std::size_t begin = scanner_.position();
  FormulaTerms left = containment(before);
  while (true) {
    const std::size_t at = scanner_.position();
    const char sign = scanner_.peek();
    if (sign != '*' && sign != '/') return left;
    scanner_.accept(sign);
    const FormulaTerms right = containment(sign == '*' ? "*" : "/");
    check_operands(left, right, begin, at);
    if (sign == '*') {
      check_size(left.size() * right.size() + left.size() + right.size(), at);
      left = cross(left, right);
    } else {
      check_size(left.size() + right.size(), at);
      left = nest(left, right);
    }
  }
}

FormulaTerms TermReader::containment(std::string_view before) {
  const std::size_t begin = scanner_.position();
  FormulaTerms left = interaction(before);
  while (true) {
    const std::size_t at = scanner_.position();
    if (!accept_within()) return left;
    const FormulaTerms right = interaction("%in%");
    check_operands(left, right, begin, at);
    left = within(left, right);
  }
}

bool TermReader::accept_within() {
  const std::size_t at = scanner_.position();
  if (!scanner_.accept('%')) return false;
  if (scanner_.name() == "in" && scanner_.accept('%')) return true;
  fail("expected %in% here", at);
}

FormulaTerms TermReader::interaction(std::string_view before) {
  const std::size_t begin = scanner_.position();
  FormulaTerms left = power(before);
  while (scanner_.peek() == ':') {
    const std::size_t at = scanner_.position();
    scanner_.accept(':');
    const FormulaTerms right = power(":");
    check_operands(left, right, begin, at);
    check_size(left.size() * right.size(), at);
    left = interact(left, right);
  }
  return left;
}

// (a + b + c)^2 is their sum crossed with itself.
FormulaTerms TermReader::power(std::string_view before) {
  const std::size_t begin = scanner_.position();
  const FormulaTerms base = operand(before);
  FormulaTerms terms = base;
  while (scanner_.peek() == '^') {
    const std::size_t at = scanner_.position();
    scanner_.accept('^');
    check_operands(base, base, begin, at);
    if (base.size() < 2) fail("a power of one term is that term; write I(x^2) for the square of x", at);
    const std::size_t exponent_at = scanner_.position();
    const double exponent = scanner_.number();
    if (exponent < 1 || exponent > 100 || exponent != std::floor(exponent)) {
      fail("the power of a sum of terms is a whole number from 1", exponent_at);
    }
    const FormulaTerms factor = terms;
    for (int i = 1; i < static_cast<int>(exponent); ++i) {
      check_size(terms.size(), at);
      FormulaTerms next = interact(terms, factor);
      if (next.size() == terms.size()) break;
      terms = std::move(next);
    }
    check_size(terms.size(), at);
  }
  return terms;
}

FormulaTerms TermReader::operand(std::string_view before) {
  const std::size_t at = scanner_.position();
  if (scanner_.peek() == '(') return at_group_term() ? group_term() : parenthesis();
  if (scanner_.peek() == '`') {
    const std::string name = read_column(scanner_, "a term");
    return variable({Variable::Kind::column, Expression::of_column(name), 0, name}, at);
  }
  const std::string_view name = scanner_.name();
  if (name.empty()) fail_no_term(before);
  if (starts_number(name)) return constant(name, at);
  if (name == ".") fail("'.' (all other columns) is not supported; name the columns", at);
  if (scanner_.peek() == '(') return call(name, at);
  return variable({Variable::Kind::column, Expression::of_column(std::string(name)), 0, std::string(name)}, at);
}

FormulaTerms TermReader::parenthesis() {
  const std::size_t at = scanner_.position();
  scanner_.accept('(');
  if (++depth_ > max_parentheses) fail(fmt::format("parentheses are nested more than {} deep", max_parentheses), at);
  FormulaTerms terms = sum("(");
  --depth_;
  if (!scanner_.at_end() && scanner_.peek() != ')') fail_between_terms();
  close_parenthesis(scanner_, at);
  return terms;
}

FormulaTerms TermReader::constant(std::string_view digits, std::size_t at) {
  if (digits != "0" && digits != "1") {
    fail("of numbers only 0 and 1 may stand here; put a name that begins with a digit in backquotes", at);
  }
  formula_.intercept = (digits == "1") == (negations_ % 2 == 0);
  last_bare_ = at;
  return {};
}

FormulaTerms TermReader::call(std::string_view name, std::size_t at) {
  if (name == "offset") return offset(at);
  if (name == "factor") return factor(at);
  if (name == "poly") return polynomial(at);
  if (name == "scale") return scaled(at);
  if (!is_function(name)) {
    fail(fmt::format(
             "there is no function {}() here; use {}, poly, scale, factor or offset, or make its result a column of "
             "the table beforehand",
             name, function_names()),
         at);
  }
  Expression value = read_call(scanner_, name, at);
  std::string label = value.text;
  return variable({Variable::Kind::expression, std::move(value), 0, std::move(label)}, at);
}

FormulaTerms TermReader::offset(std::size_t at) {
  if (in_group_) fail("an offset cannot be an effect of a group", at);
  if (negations_ > 0) fail("an offset cannot be subtracted; add the offset of its negative", at);
  const std::size_t open = scanner_.position();
  scanner_.accept('(');
  Expression value = read_expression(scanner_, "'('");
  close_parenthesis(scanner_, open, " or an operator");
  check_response(value, at);
  if (std::ranges::find(formula_.offsets, value) == formula_.offsets.end()) {
    formula_.offsets.push_back(std::move(value));
  }
  last_bare_ = at;
  return {};
}

FormulaTerms TermReader::factor(std::size_t at) {
  const std::size_t open = scanner_.position();
  scanner_.accept('(');
  const std::size_t argument_at = scanner_.position();
  const Expression value = read_expression(scanner_, "'('");
  if (!value.is_column()) fail("factor() takes the name of one column", argument_at);
  close_parenthesis(scanner_, open);
  return variable({Variable::Kind::factor, value, 0, fmt::format("factor({})", value.text)}, at);
}

FormulaTerms TermReader::polynomial(std::size_t at) {
  const std::size_t open = scanner_.position();
  scanner_.accept('(');
  Expression value = read_expression(scanner_, "'('");
  std::string named;
  double degree = 1;
  const bool given = scanner_.accept(',');
  std::size_t degree_at = scanner_.position();
  if (given) {
    if (scanner_.name() == "degree" && scanner_.accept('=')) {
      named = "degree = ";
      degree_at = scanner_.position();
    } else {
      scanner_.seek(degree_at);
    }
    if (scanner_.peek() == '-' || scanner_.peek() == '0')
      fail("the degree of poly() is a whole number from 1", degree_at);
    degree = scanner_.number();
    if (degree < 1 || degree > 1000 || degree != std::floor(degree)) {
      fail("the degree of poly() is a whole number from 1 to 1000", degree_at);
    }
    if (scanner_.peek() == ',') {
      fail("poly() takes an expression and a degree, no more; write raw powers as I(x^2)", scanner_.position());
    }
  }
  close_parenthesis(scanner_, open);
  std::string label =
      given ? fmt::format("poly({}, {}{:.0f})", value.text, named, degree) : fmt::format("poly({})", value.text);
  return variable({Variable::Kind::polynomial, std::move(value), static_cast<int>(degree), std::move(label)}, at);
}

FormulaTerms TermReader::scaled(std::size_t at) {
  const std::size_t open = scanner_.position();
  scanner_.accept('(');
  Expression value = read_expression(scanner_, "'('");
  if (scanner_.peek() == ',') {
    fail("scale() takes one argument; write I(x - 10) or I(x/2) with numbers of your own", scanner_.position());
  }
  close_parenthesis(scanner_, open);
  std::string label = fmt::format("scale({})", value.text);
  return variable({Variable::Kind::scaled, std::move(value), 0, std::move(label)}, at);
}

FormulaTerms TermReader::variable(Variable variable, std::size_t at) {
  check_response(variable.value, at);
  if (variable.value.columns.empty()) fail("this names no column, so it is the same in every row; leave it out", at);
  const auto [place, is_new] = index_.try_emplace(variable.label, next_variable_);
  if (is_new) {
    formula_.variables.push_back(std::move(variable));
    ++next_variable_;
  }
  return {{place->second}};
}

// Has the parenthesis that opens here a bar of its own?
bool TermReader::at_group_term() {
  scanner_.position();  // past blanks
  const std::string_view text = scanner_.rest();
  std::size_t depth = 0;
  bool quoted = false;
  for (const char c : text) {
    if (c == '`') quoted = !quoted;
    if (quoted) continue;
    if (c == '(') ++depth;
    if (c == ')' && --depth == 0) return false;
    if (c == '|' && depth == 1) return true;
  }
  return false;
}

FormulaTerms TermReader::group_term() {
  const std::size_t at = scanner_.position();
  if (in_group_) fail("a group term cannot stand in another", at);
  if (negations_ > 0) fail("a group term cannot be subtracted; leave it out", at);
  scanner_.accept('(');
  GroupTerm term;
  TermReader effects(scanner_, response_);
  effects.in_group_ = true;
  term.effects = effects.read_effects();
  const std::size_t bar = scanner_.position();
  if (!scanner_.accept('|')) effects.fail_between_terms();
  term.correlated = !scanner_.accept('|');
  if (term.effects.terms.empty() && !term.effects.intercept) {
    fail("expected an effect before '|', as in (1 | g) or (1 + x | g)", bar);
  }
  for (std::vector<std::string>& columns : group_factors()) {
    term.columns = std::move(columns);
    add_group(term, at);
  }
  close_parenthesis(scanner_, at, ", '/' or ':'");
  last_bare_ = at;
  return {};
}

TermSum TermReader::read_effects() { return finish(sum("(")); }

// g, g:h, or g/h, which is g and g:h.
std::vector<std::vector<std::string>> TermReader::group_factors() {
  std::vector<std::vector<std::string>> factors;
  std::vector<std::string> columns;
  while (true) {
    const std::size_t at = scanner_.position();
    std::string name = read_column(scanner_, "a group");
    if (scanner_.peek() == '(') {
      fail(name == "factor" ? "a group may be a column of numbers; factor() is not needed"
                            : "a group is a column, or columns joined by ':' or '/'",
           at);
    }
    if (scanner_.peek() == '|') fail("effects of two group terms cannot be correlated; write (x | g)", at);
    if (name == response_) check_response(Expression::of_column(name), at);
    if (std::ranges::find(columns, name) != columns.end()) fail("this column is in the group already", at);
    columns.push_back(std::move(name));
    if (scanner_.accept(':')) continue;
    factors.push_back(columns);
    if (!scanner_.accept('/')) return factors;
  }
}

void TermReader::add_group(GroupTerm term, std::size_t at) {
  const std::vector<std::string> effects = effect_labels(term.effects);
  for (const GroupTerm& other : formula_.groups) {
    if (sorted(other.columns) != sorted(term.columns)) continue;
    for (const std::string& effect : effect_labels(other.effects)) {
      if (std::ranges::find(effects, effect) == effects.end()) continue;
      fail(fmt::format("the effect {} of group {} is in another group term already", show(effect), show(term.group())),
           at);
    }
  }
  formula_.groups.push_back(std::move(term));
}

void TermReader::check_size(std::size_t terms, std::size_t at) const {
  if (terms <= max_terms) return;
  fail(fmt::format("this product makes more than {} terms; write out the ones that are meant", max_terms), at);
}

void TermReader::check_operands(const FormulaTerms& left, const FormulaTerms& right, std::size_t begin,
                                std::size_t at) const {
  if (last_bare_ && *last_bare_ >= begin) {
    fail("0, 1, offset() and group terms can be added but not be part of a product", *last_bare_);
  }
  if (left.empty() || right.empty()) fail("on one side of this all terms are taken away", at);
}

void TermReader::check_response(const Expression& expression, std::size_t at) const {
  if (std::ranges::find(expression.columns, response_) == expression.columns.end()) return;
  fail(fmt::format("the response {} cannot be a predictor too", show(response_)), at);
}

void TermReader::fail_no_term(std::string_view before) {
  if (scanner_.at_end() || scanner_.peek() == ')') {
    fail(fmt::format("expected a term after '{}'", before), scanner_.position());
  }
  fail(fmt::format("expected a term after '{}', not {}", before, scanner_.quoted_next()), scanner_.position());
}

void TermReader::fail_between_terms() {
  const std::size_t at = scanner_.position();
  switch (scanner_.peek()) {
    case ')':
      fail("this ')' has no '('", at);
    case '~':
      fail("a second '~'; a formula has one", at);
    case '|':
      fail("a group term stands in parentheses of its own: (1 | g)", at);
    default:
      fail(fmt::format("expected '+', '-', '*' or ':' before {}", scanner_.quoted_next()), at);
  }
}

}  // namespace jensen
