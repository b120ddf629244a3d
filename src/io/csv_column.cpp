#include "io/csv_column.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "show.hpp"

namespace jensen::io {
namespace {

constexpr double missing_number = std::numeric_limits<double>::quiet_NaN();

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Whether a decimal number that does not fit a double is too large, rather than too small: from_chars does not say.
bool is_too_large(std::string_view digits) {
  if (!digits.empty() && digits[0] == '-') digits.remove_prefix(1);
  const std::size_t e = digits.find_first_of("eE");
  const std::string_view mantissa = digits.substr(0, e);
  const std::size_t leading = mantissa.find_first_of("123456789");
  if (leading == std::string_view::npos) return false;
  const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
  long long exponent = 0;
  if (e != std::string_view::npos) {
    std::string_view text = digits.substr(e + 1);
    if (text.starts_with('+')) text.remove_prefix(1);
    if (std::from_chars(text.data(), text.data() + text.size(), exponent).ec != std::errc{}) return text[0] != '-';
  }
  return exponent > static_cast<long long>(leading) - static_cast<long long>(point);
}

/// Whole numbers of up to 15 digits are exact in a double: the common case, several times faster than from_chars.
bool parse_small_integer(std::string_view cell, double& value) {
  const bool negative = cell[0] == '-';
  if (negative) cell.remove_prefix(1);
  if (cell.empty() || cell.size() > 15) return false;
  std::int64_t sum = 0;
  for (const char c : cell) {
    if (!is_digit(c)) return false;
    sum = 10 * sum + (c - '0');
  }
  value = static_cast<double>(sum);
  if (negative) value = -value;
  return true;
}

/// 3,14, which other programs write and read for 3.14.
bool is_number_with_comma(std::string_view cell) {
  const std::size_t comma = cell.find(',');
  if (comma == std::string_view::npos) return false;
  std::string with_point(cell);
  with_point[comma] = '.';
  double value = 0;
  return parse_number(with_point, value) != NumberError::not_a_number;
}

bool is_like_number(std::string_view cell) {
  double value = 0;
  return parse_number(cell, value) != NumberError::not_a_number || is_number_with_comma(cell);
}

}  // namespace

MissingCells::MissingCells(std::vector<std::string> spellings) : spellings_(std::move(spellings)) {
  for (std::string& spelling : spellings_) {
    spelling = std::string(trim(spelling));
    if (spelling.empty()) {
      empty_ = true;
    } else {
      first_bytes_[static_cast<unsigned char>(spelling[0])] = true;
    }
  }
}

bool MissingCells::contains(std::string_view cell) const {
  if (cell.empty()) return empty_;
  if (!first_bytes_[static_cast<unsigned char>(cell[0])]) return false;
  for (const std::string& spelling : spellings_) {
    if (cell == spelling) return true;
  }
  return false;
}

NumberError parse_number(std::string_view cell, double& value) {
  if (cell.starts_with('+')) {
    cell.remove_prefix(1);
    if (cell.starts_with('-')) return NumberError::not_a_number;
  }
  if (cell.empty()) return NumberError::not_a_number;
  if (parse_small_integer(cell, value)) return NumberError::none;
  const char* const last = cell.data() + cell.size();
  const auto [end, error] = std::from_chars(cell.data(), last, value);
  if (error == std::errc::invalid_argument || end != last) return NumberError::not_a_number;
  const bool has_digits = is_digit(cell.back()) || cell.back() == '.';
  if (error == std::errc::result_out_of_range || (has_digits && std::isinf(value))) {
    if (is_too_large(cell)) return NumberError::out_of_range;
    value = cell[0] == '-' ? -0.0 : 0.0;
  }
  // from_chars also takes C's nan(payload).
  return cell.back() == ')' ? NumberError::not_a_number : NumberError::none;
}

CsvColumn::CsvColumn(std::string name, bool text)
    : name_(std::move(name)), kind_(text ? Kind::text : Kind::undecided), requested_text_(text) {}

std::string CsvColumn::append(std::string_view cell, const MissingCells& missing) {
  const std::string_view trimmed = trim(cell);
  const bool is_missing = missing.contains(trimmed);
  if (kind_ == Kind::undecided) {
    if (is_missing) {
      ++missing_so_far_;
      return {};
    }
    double value = 0;
    if (parse_number(trimmed, value) == NumberError::not_a_number) {
      kind_ = Kind::text;
      codes_.assign(missing_so_far_, -1);
    } else {
      kind_ = Kind::numbers;
      numbers_.assign(missing_so_far_, missing_number);
    }
  }
  if (kind_ == Kind::numbers) {
    if (!is_missing) return append_number(trimmed);
    numbers_.push_back(missing_number);
  } else {
    if (!is_missing) return append_text(cell);
    codes_.push_back(-1);
  }
  return {};
}

std::string CsvColumn::append_number(std::string_view cell) {
  double value = 0;
  switch (parse_number(cell, value)) {
    case NumberError::none:
      numbers_.push_back(value);
      return {};
    case NumberError::not_a_number:
      return advise(cell, cell.empty() ? "is empty, not a number" : "is not a number");
    case NumberError::out_of_range:
      return advise(cell, "is larger than any double");
  }
  return {};
}

std::string CsvColumn::advise(std::string_view cell, std::string_view problem) const {
  const bool comma = is_number_with_comma(trim(cell));
  return fmt::format("{} {}; {}, or read the column as text with --text {}", show(cell),
                     comma ? "has a decimal comma" : problem,
                     comma ? "write numbers with a decimal point" : "correct the cell", shell_word(name_));
}

std::string CsvColumn::append_text(std::string_view cell) {
  auto level = levels_.find(cell);
  if (level == levels_.end()) {
    if (!is_clean_utf8(cell)) return fmt::format("{} is not UTF-8 text; convert the file to UTF-8", show(cell));
    if (levels_.size() == static_cast<std::size_t>(std::numeric_limits<std::int32_t>::max())) {
      return "the column has more than 2^31 distinct texts; leave it out";
    }
    level = levels_.emplace(std::string(cell), static_cast<std::int32_t>(levels_.size())).first;
  }
  codes_.push_back(level->second);
  return {};
}

std::string CsvColumn::mostly_numbers(std::size_t& row) const {
  if (kind_ != Kind::text || requested_text_) return {};
  std::vector<bool> numeric(levels_.size());
  std::string_view first;
  for (const auto& [level, code] : levels_) {
    numeric[static_cast<std::size_t>(code)] = is_like_number(trim(level));
    if (code == 0) first = level;
  }
  std::size_t present = 0, numbers = 0;
  for (const std::int32_t code : codes_) {
    if (code < 0) continue;
    ++present;
    if (numeric[static_cast<std::size_t>(code)]) ++numbers;
  }
  if (2 * numbers <= present) return {};
  row = missing_so_far_ + 1;
  return advise(first, "is not a number, but most cells of the column are");
}

Column CsvColumn::finish() {
  Column column;
  column.name = name_;
  column.text = kind_ == Kind::text;
  if (column.text) {
    codes_.shrink_to_fit();
    auto codes = std::make_shared<const std::vector<std::int32_t>>(std::move(codes_));
    column.codes = *codes;
    column.owner = std::move(codes);
    column.levels.resize(levels_.size());
    while (!levels_.empty()) {
      auto node = levels_.extract(levels_.begin());
      column.levels[static_cast<std::size_t>(node.mapped())] = std::move(node.key());
    }
    return column;
  }
  if (kind_ == Kind::undecided) numbers_.assign(missing_so_far_, missing_number);
  numbers_.shrink_to_fit();
  auto numbers = std::make_shared<const std::vector<double>>(std::move(numbers_));
  column.doubles = *numbers;
  column.owner = std::move(numbers);
  return column;
}

}  // namespace jensen::io
