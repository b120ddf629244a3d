#pragma once
/// \file What the readers of small texts (formulas, priors, names of choices) share: scanning, and errors that point.

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "jensen/errors.hpp"

namespace jensen {

/// Walks over a short text and, on request, fails with a caret under a place of it. Blanks separate, nothing more.
class Scanner {
 public:
  /// `what` and `flag` name the text in messages: "prior", "--prior"; a flag there need not be.
  Scanner(std::string_view text, std::string_view what, std::string_view flag)
      : text_(text), what_(what), flag_(flag) {}

  /// True if only blanks are left. Like all that follows, skips blanks first.
  bool at_end();
  /// The next byte, '\0' at the end.
  char peek();
  /// Takes `c` if it is next.
  bool accept(char c);
  /// Takes a name: letters (any UTF-8), digits, `_` and `.`; empty if none is next.
  std::string_view name();
  /// Takes a decimal number. Throws InputError if none is next or if it is not finite.
  double number();
  /// Takes all up to and including `close`; empty if there is no `close`.
  std::string_view through(char close);
  /// All that is left; skips no blanks.
  std::string_view rest() const { return text_.substr(position_); }
  /// The next character, whole, in quotes: for messages.
  std::string quoted_next();

  /// Byte at which the next token starts.
  std::size_t position();
  void seek(std::size_t position) { position_ = position; }

  /// Throws InputError: "cannot read the WHAT: PROBLEM (FLAG, character N)", the text, and a caret. `at` is a byte;
  /// N and the caret's column count code points.
  [[noreturn]] void fail(std::string_view problem, std::size_t at) const;

 private:
  std::string_view text_, what_, flag_;
  std::size_t position_ = 0;
};

/// "a, b, c", or "a, b, ... 12 levels" where there are more than `most`.
std::string list_some(std::span<const std::string> items, std::size_t most, std::string_view plural);

/// "a, b or c".
std::string list_choices(std::span<const std::string_view> names);

/// A value of an enumeration with the name that users write.
template <class Enum>
struct Named {
  std::string_view name;
  Enum value;
};

template <class Enum, std::size_t N>
constexpr std::string_view name_of(const std::array<Named<Enum>, N>& table, Enum value) {
  for (const auto& entry : table) {
    if (entry.value == value) return entry.name;
  }
  return "unknown";
}

[[noreturn]] void fail_choice(std::string_view name, std::string_view what, std::string_view flag,
                              std::span<const std::string_view> names);

/// Throws InputError listing the names of `table` if `name` is none of them.
template <class Enum, std::size_t N>
Enum value_of(const std::array<Named<Enum>, N>& table, std::string_view name, std::string_view what,
              std::string_view flag) {
  std::array<std::string_view, N> names;
  for (std::size_t i = 0; i < N; ++i) {
    if (table[i].name == name) return table[i].value;
    names[i] = table[i].name;
  }
  fail_choice(name, what, flag, names);
}

}  // namespace jensen
