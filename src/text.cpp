#include "text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <vector>

#include "show.hpp"

namespace jensen {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;  // bytes; 0 if they are not UTF-8
};

CodePoint decode(std::string_view text) {
  const std::size_t length = utf8_length(text);
  if (length < 2) return {static_cast<unsigned char>(text[0]), length};
  char32_t value = static_cast<unsigned char>(text[0]) & (0x7Fu >> length);
  for (const char c : text.substr(1, length - 1)) value = (value << 6) | (static_cast<unsigned char>(c) & 0x3Fu);
  return {value, length};
}

// Typographic spaces, dashes and operators come with text copied from a page. As part of a name they would end in
// "no such column" for a name that looks right.
bool is_letter(char32_t c) {
  if (c < 0x80) return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const bool punctuation = c <= 0xA0 || c == 0xD7 || c == 0xF7 || (c >= 0x2000 && c <= 0x206F) || c == 0x3000 ||
                           (c >= 0x2200 && c <= 0x22FF) || c == 0xFEFF;
  return !punctuation;
}

// The characters of `text` as a line of a message takes them: a tab or a line break would move the caret away.
std::vector<std::string_view> printable(std::string_view text) {
  std::vector<std::string_view> characters;
  while (!text.empty()) {
    const CodePoint next = decode(text);
    const std::size_t length = std::max<std::size_t>(next.length, 1);
    const bool control = next.value < 0x20 || next.value == 0x7F;
    characters.push_back(next.length == 0 ? "?" : control ? " " : text.substr(0, length));
    text.remove_prefix(length);
  }
  return characters;
}

}  // namespace

bool Scanner::at_end() {
  while (position_ < text_.size() && is_blank(text_[position_])) ++position_;
  return position_ == text_.size();
}

char Scanner::peek() { return at_end() ? '\0' : text_[position_]; }

bool Scanner::accept(char c) {
  if (at_end() || text_[position_] != c) return false;
  ++position_;
  return true;
}

std::size_t Scanner::position() {
  at_end();
  return position_;
}

std::string_view Scanner::name() {
  at_end();
  const std::size_t begin = position_;
  while (position_ < text_.size()) {
    const CodePoint next = decode(text_.substr(position_));
    if (next.length == 0) fail("these bytes are not UTF-8 text", position_);
    const char c = text_[position_];
    if (!is_letter(next.value) && !is_digit(c) && c != '_' && c != '.') break;
    position_ += next.length;
  }
  return text_.substr(begin, position_ - begin);
}

double Scanner::number() {
  at_end();
  const std::size_t begin = position_;
  // from_chars takes no plus sign.
  const std::size_t sign = begin + 1 < text_.size() && text_[begin] == '+' && text_[begin + 1] != '-' ? 1 : 0;
  double value = 0;
  const auto [end, error] = std::from_chars(text_.data() + begin + sign, text_.data() + text_.size(), value);
  if (error == std::errc::invalid_argument) fail("expected a number", begin);
  if (error == std::errc::result_out_of_range) fail("this number is outside the range of a double", begin);
  if (!std::isfinite(value)) fail("this number is not finite", begin);
  position_ = static_cast<std::size_t>(end - text_.data());
  return value;
}

std::string_view Scanner::through(char close) {
  const std::size_t end = text_.find(close, position_);
  if (end == std::string_view::npos) return {};
  const std::string_view taken = text_.substr(position_, end + 1 - position_);
  position_ = end + 1;
  return taken;
}

std::string Scanner::quoted_next() {
  if (at_end()) return "the end";
  const CodePoint next = decode(text_.substr(position_));
  return show(text_.substr(position_, std::max<std::size_t>(next.length, 1)));
}

void Scanner::fail(std::string_view problem, std::size_t at) const {
  constexpr std::size_t reach = 76;  // characters shown to either side
  const std::vector<std::string_view> characters = printable(text_);
  const std::size_t place = printable(text_.substr(0, at)).size();
  const std::size_t begin = place > reach ? place - reach : 0;
  const std::size_t end = std::min(characters.size(), place + reach);
  const std::string_view cut_before = begin > 0 ? "..." : "", cut_after = end < characters.size() ? "..." : "";
  throw InputError(fmt::format("cannot read the {}: {} ({}{}character {})\n  {}{}{}\n  {:{}}^", what_, problem, flag_,
                               flag_.empty() ? "" : ", ", place + 1, cut_before,
                               fmt::join(std::span(characters).subspan(begin, end - begin), ""), cut_after, "",
                               place - begin + cut_before.size()));
}

std::string list_some(std::span<const std::string> items, std::size_t most, std::string_view plural) {
  std::vector<std::string> shown;
  for (const std::string& item : items.first(std::min(items.size(), most))) {
    const std::string quoted = show(item);
    shown.push_back(quoted.substr(1, quoted.size() - 2));
  }
  const std::string text = fmt::format("{}", fmt::join(shown, ", "));
  return shown.size() == items.size() ? text : fmt::format("{}, ... {} {}", text, items.size(), plural);
}

std::string list_choices(std::span<const std::string_view> names) {
  if (names.size() < 2) return std::string(names.empty() ? "" : names.front());
  return fmt::format("{} or {}", fmt::join(names.first(names.size() - 1), ", "), names.back());
}

void fail_choice(std::string_view name, std::string_view what, std::string_view flag,
                 std::span<const std::string_view> names) {
  throw InputError(fmt::format("{} is not a {} ({}); use {}", show(name), what, flag, list_choices(names)));
}

}  // namespace jensen
