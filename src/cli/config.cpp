#include "cli/config.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>

#include "jensen/errors.hpp"

namespace jensen::cli {
namespace {

bool key_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
}

std::string utf8(std::uint32_t code) {
  std::string out;
  const auto byte = [&out](std::uint32_t value) { out += static_cast<char>(static_cast<unsigned char>(value)); };
  if (code < 0x80) {
    byte(code);
  } else if (code < 0x800) {
    byte(0xC0 | (code >> 6));
    byte(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    byte(0xE0 | (code >> 12));
    byte(0x80 | ((code >> 6) & 0x3F));
    byte(0x80 | (code & 0x3F));
  } else {
    byte(0xF0 | (code >> 18));
    byte(0x80 | ((code >> 12) & 0x3F));
    byte(0x80 | ((code >> 6) & 0x3F));
    byte(0x80 | (code & 0x3F));
  }
  return out;
}

class Reader {
 public:
  Reader(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  std::vector<ConfigItem> read() {
    std::vector<ConfigItem> items;
    for (skip(true); !done(); skip(true)) {
      ConfigItem item = pair();
      const auto same = [&item](const ConfigItem& other) { return other.key == item.key; };
      if (std::any_of(items.begin(), items.end(), same)) fail(fmt::format("'{}' is given twice; keep one", item.key));
      items.push_back(std::move(item));
      skip(false);
      if (!done() && peek() != '\n') fail("text after the value; put each key on a line of its own");
    }
    return items;
  }

 private:
  bool done() const { return at_ == text_.size(); }
  char peek() const { return done() ? '\0' : text_[at_]; }
  char next() {
    if (peek() == '\n') ++line_;
    return text_[at_++];
  }

  [[noreturn]] void fail(std::string_view problem) const {
    throw InputError(fmt::format("{}, line {}: {}", source_, line_, problem));
  }

  /// Skips blanks and comments; line ends too if `lines`.
  void skip(bool lines) {
    while (!done()) {
      if (peek() == '#') {
        while (!done() && peek() != '\n') next();
      } else if (peek() == ' ' || peek() == '\t' || peek() == '\r' || (lines && peek() == '\n')) {
        next();
      } else {
        return;
      }
    }
  }

  ConfigItem pair() {
    if (peek() == '[') fail("sections are not used here; remove the line");
    ConfigItem item;
    item.line = line_;
    while (!done() && key_character(peek())) item.key += next();
    skip(false);
    if (item.key.empty() || peek() != '=') fail("expected KEY = VALUE");
    next();
    skip(false);
    if (peek() == '[') {
      next();
      item.list = true;
      item.values = array();
    } else {
      item.values.push_back(scalar());
    }
    return item;
  }

  std::vector<std::string> array() {
    std::vector<std::string> values;
    for (skip(true); peek() != ']'; skip(true)) {
      values.push_back(scalar());
      skip(true);
      if (peek() == ',') {
        next();
      } else if (peek() != ']') {
        fail("expected ',' or ']' in the array");
      }
    }
    next();
    return values;
  }

  std::string scalar() {
    if (peek() == '"') return basic_string();
    if (peek() == '\'') return literal_string();
    std::string word;
    while (!done() && (key_character(peek()) || peek() == '+' || peek() == '.')) word += next();
    if (word.empty()) fail("expected a value: \"text\", a number, true, false or [a list]");
    if (word == "true" || word == "false") return word;
    double number = 0;
    const char* const end = word.data() + word.size();
    const auto result = std::from_chars(word.data(), end, number);
    if (result.ec == std::errc::invalid_argument || result.ptr != end) {
      fail(fmt::format("'{}' is no number, true or false; put text in double quotes", word));
    }
    return word;
  }

  std::string literal_string() {
    std::string value;
    for (next(); !done() && peek() != '\'' && peek() != '\n';) value += next();
    if (peek() != '\'') fail("the quote ' is not closed on its line");
    next();
    return value;
  }

  std::string basic_string() {
    std::string value;
    next();
    while (!done() && peek() != '"' && peek() != '\n') {
      const char c = next();
      value += c == '\\' ? escape() : std::string(1, c);
    }
    if (peek() != '"') fail("the quote \" is not closed on its line");
    next();
    return value;
  }

  std::string escape() {
    const char c = done() ? '\0' : next();
    constexpr std::string_view letters = "btnfr\"\\", meanings = "\b\t\n\f\r\"\\";
    if (const auto place = letters.find(c); c != '\0' && place != letters.npos) {
      return std::string(1, meanings[place]);
    }
    const std::size_t digits = c == 'u' ? 4 : c == 'U' ? 8 : 0;
    std::uint32_t code = 0;
    const char* const begin = text_.data() + at_;
    const char* const end = begin + std::min(digits, text_.size() - at_);
    const auto result = std::from_chars(begin, end, code, 16);
    if (digits == 0 || result.ptr != begin + digits || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000)) {
      fail("unknown escape in the string; write \\\\ for a backslash, or use 'single quotes'");
    }
    at_ += digits;
    return utf8(code);
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t at_ = 0;
  int line_ = 1;
};

}  // namespace

std::vector<ConfigItem> parse_config(std::string_view text, const std::string& source) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  return Reader(text, source).read();
}

std::vector<ConfigItem> read_config(const std::filesystem::path& path) {
  std::error_code ignored;
  std::ifstream file(path, std::ios::binary);
  if (!file || std::filesystem::is_directory(path, ignored)) {
    throw FileError(fmt::format("cannot read {}; give --config the config.toml of a fit", path.string()));
  }
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  return parse_config(text, path.string());
}

std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    constexpr std::string_view special = "\b\t\n\f\r\"\\", letters = "btnfr\"\\";
    const auto byte = static_cast<unsigned char>(c);
    if (const auto place = special.find(c); place != special.npos) {
      out += '\\';
      out += letters[place];
    } else if (byte < 0x20 || byte == 0x7F) {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string toml_array(const std::vector<std::string>& texts) {
  if (texts.empty()) return "[]";
  std::string out = "[\n";
  for (const std::string& text : texts) out += "  " + toml_string(text) + ",\n";
  return out + "]";
}

}  // namespace jensen::cli
