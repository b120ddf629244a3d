#include "design/expression_reader.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "show.hpp"

namespace jensen {
namespace {

using Op = Expression::Op;

constexpr std::array<Named<Op>, 11> functions{{{"log", Op::log},
                                               {"log2", Op::log2},
                                               {"log10", Op::log10},
                                               {"log1p", Op::log1p},
                                               {"exp", Op::exp},
                                               {"expm1", Op::expm1},
                                               {"sqrt", Op::sqrt},
                                               {"abs", Op::abs},
                                               {"sin", Op::sin},
                                               {"cos", Op::cos},
                                               {"tan", Op::tan}}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

const Named<Op>* find_function(std::string_view name) {
  const auto* found = std::ranges::find(functions, name, &Named<Op>::name);
  return found == functions.end() ? nullptr : found;
}

// As R prints numbers: the fewest of up to 15 digits, 1e+05 where that is shorter than 100000.
std::string number_as_r(double value) {
  const auto scientific = [&](int digits) { return fmt::format("{:.{}e}", value, digits - 1); };
  int digits = 1;
  while (digits < 15 && std::stod(scientific(digits)) != std::stod(scientific(15))) ++digits;
  const std::string text = scientific(digits);
  const int exponent = std::stoi(text.substr(text.find('e') + 1));
  const std::string fixed = fmt::format("{:.{}f}", value, std::max(0, digits - 1 - exponent));
  return fixed.size() <= text.size() ? fixed : text;
}

std::string name_text(const std::string& name) {
  const bool starts_well =
      !is_digit(name[0]) && name[0] != '_' && !(name[0] == '.' && name.size() > 1 && is_digit(name[1]));
  Scanner scanner(name, "", "");
  const bool plain = is_clean_utf8(name) && scanner.name().size() == name.size();
  return starts_well && plain && name != "pi" ? name : "`" + name + "`";
}

// Recursive descent; every rule appends its steps and returns its text.
class ExpressionReader {
 public:
  explicit ExpressionReader(Scanner& scanner) : scanner_(scanner) {}

  Expression read(std::string_view before) { return finish(sum(before)); }
  Expression read_function(std::string_view name, std::size_t at) { return finish(call(name, at)); }

 private:
  Expression finish(std::string text) {
    expression_.text = std::move(text);
    if (expression_.is_column()) expression_.text = expression_.columns.front();
    return std::move(expression_);
  }

  std::string sum(std::string_view before) {
    std::string text = product(before);
    while (true) {
      const char sign = scanner_.peek();
      if (sign != '+' && sign != '-') return text;
      scanner_.accept(sign);
      text += fmt::format(" {} {}", sign, product(sign == '+' ? "'+'" : "'-'"));
      push(sign == '+' ? Op::add : Op::subtract);
    }
  }

  std::string product(std::string_view before) {
    std::string text = signed_power(before);
    while (true) {
      const char sign = scanner_.peek();
      if (sign != '*' && sign != '/') return text;
      scanner_.accept(sign);
      const std::string right = signed_power(sign == '*' ? "'*'" : "'/'");
      text += sign == '*' ? " * " + right : "/" + right;
      push(sign == '*' ? Op::multiply : Op::divide);
    }
  }

  std::string signed_power(std::string_view before) {
    const char sign = scanner_.peek();
    if (sign != '-' && sign != '+') return power(before);
    descend(scanner_.position());
    scanner_.accept(sign);
    std::string text = sign + signed_power(sign == '-' ? "'-'" : "'+'");
    --depth_;
    if (sign == '-') push(Op::negate);
    return text;
  }

  // As in R, -x^2 is -(x^2) and a^b^c is a^(b^c).
  std::string power(std::string_view before) {
    std::string text = operand(before);
    if (const std::size_t at = scanner_.position(); scanner_.accept('^')) {
      descend(at);
      text += "^" + signed_power("'^'");
      --depth_;
      push(Op::power);
    }
    return text;
  }

  std::string operand(std::string_view before) {
    const std::size_t at = scanner_.position();
    if (scanner_.peek() == '`') return column(read_column(scanner_, "this"));
    if (scanner_.accept('(')) {
      descend(at);
      std::string text = "(" + sum("'('") + ")";
      --depth_;
      close_parenthesis(scanner_, at);
      return text;
    }
    const std::string_view name = scanner_.name();
    if (name.empty()) {
      const bool nothing = scanner_.at_end() || scanner_.peek() == ')';
      scanner_.fail(fmt::format("expected a column's name or a number after {}{}", before,
                                nothing ? "" : ", not " + scanner_.quoted_next()),
                    scanner_.position());
    }
    if (starts_number(name)) return number(at);
    if (scanner_.peek() == '(') return call(name, at);
    if (name == ".") scanner_.fail("'.' (all other columns) is not supported; name the columns", at);
    if (name == "pi") {
      expression_.steps.push_back({Op::number, std::numbers::pi, 0});
      return "pi";
    }
    return column(std::string(name));
  }

  std::string number(std::size_t at) {
    scanner_.seek(at);
    const double value = scanner_.number();
    const std::size_t end = scanner_.position();
    if (!scanner_.name().empty() || scanner_.peek() == '`') {
      scanner_.fail("expected an operator here; put a name that begins with a digit in backquotes", end);
    }
    expression_.steps.push_back({Op::number, value, 0});
    return number_as_r(value);
  }

  std::string column(const std::string& name) {
    auto& columns = expression_.columns;
    auto place = std::ranges::find(columns, name);
    if (place == columns.end()) place = columns.insert(columns.end(), name);
    expression_.steps.push_back({Op::column, 0, static_cast<std::size_t>(place - columns.begin())});
    return name_text(name);
  }

  std::string call(std::string_view name, std::size_t at) {
    const Named<Op>* function = find_function(name);
    if (function == nullptr && name != "I") fail_function(name, at);
    const std::size_t open = scanner_.position();
    descend(open);
    scanner_.accept('(');
    std::string text = fmt::format("{}({})", name, sum("'('"));
    if (scanner_.peek() == ',') {
      scanner_.fail(name == "log" ? "log() takes one argument; write log2(x), log10(x) or I(log(x)/log(base))"
                                  : fmt::format("{}() takes one argument", name),
                    scanner_.position());
    }
    close_parenthesis(scanner_, open);
    --depth_;
    if (function != nullptr) push(function->value);
    return text;
  }

  [[noreturn]] void fail_function(std::string_view name, std::size_t at) const {
    if (name == "poly" || name == "scale" || name == "factor" || name == "offset") {
      scanner_.fail(fmt::format("{}() is a term of its own and cannot be part of an expression", name), at);
    }
    scanner_.fail(
        fmt::format("there is no function {}() here; use {}, or make its result a column of the table beforehand", name,
                    function_names()),
        at);
  }

  void descend(std::size_t at) {
    if (++depth_ > max_parentheses) {
      scanner_.fail(fmt::format("parentheses are nested more than {} deep", max_parentheses), at);
    }
  }

  void push(Op op) { expression_.steps.push_back({op, 0, 0}); }

  Scanner& scanner_;
  Expression expression_;
  std::size_t depth_ = 0;
};

}  // namespace

bool starts_number(std::string_view word) {
  return is_digit(word[0]) || (word[0] == '.' && word.size() > 1 && is_digit(word[1]));
}

std::string function_names() {
  std::string names = "I";
  for (const auto& function : functions) names += fmt::format(", {}", function.name);
  return names;
}

bool is_function(std::string_view name) { return name == "I" || find_function(name) != nullptr; }

std::string read_column(Scanner& scanner, std::string_view what) {
  const std::size_t at = scanner.position();
  if (scanner.accept('`')) {
    std::string_view name = scanner.through('`');
    if (name.empty()) scanner.fail("this backquote is not closed", at);
    name.remove_suffix(1);
    if (name.empty()) scanner.fail("expected a name between the backquotes", at);
    return std::string(name);
  }
  const std::string_view name = scanner.name();
  if (name.empty()) {
    scanner.fail(fmt::format("unexpected {}: {} must be a column's name", scanner.quoted_next(), what),
                 scanner.position());
  }
  if (starts_number(name) || name == ".") {
    scanner.fail(fmt::format("{} must be a column's name; put one that begins with a digit in backquotes", what), at);
  }
  return std::string(name);
}

Expression read_expression(Scanner& scanner, std::string_view before) { return ExpressionReader(scanner).read(before); }

Expression read_call(Scanner& scanner, std::string_view name, std::size_t name_at) {
  return ExpressionReader(scanner).read_function(name, name_at);
}

void close_parenthesis(Scanner& scanner, std::size_t open, std::string_view after) {
  if (scanner.accept(')')) return;
  if (scanner.at_end()) scanner.fail("this '(' is not closed", open);
  scanner.fail(fmt::format("expected ')'{} before {}", after, scanner.quoted_next()), scanner.position());
}

}  // namespace jensen
