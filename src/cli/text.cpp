#include "cli/text.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace jensen::cli {

std::string grouped(std::int64_t count) {
  std::string out = std::to_string(count);
  const std::ptrdiff_t first = count < 0 ? 1 : 0;
  for (auto at = static_cast<std::ptrdiff_t>(out.size()) - 3; at > first; at -= 3) out.insert(out.begin() + at, ',');
  return out;
}

std::string counted(std::int64_t count, std::string_view noun) {
  return fmt::format("{} {}{}", grouped(count), noun, count == 1 ? "" : "s");
}

std::string scaled(double value) {
  if (!std::isfinite(value)) return "?";
  constexpr std::array<const char*, 5> units = {"", " k", " M", " G", " T"};
  std::size_t unit = 0;
  while (std::abs(value) >= 999.5 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  const double size = std::abs(value);
  return fmt::format("{:.{}f}{}", value, unit == 0 || size >= 99.95 ? 0 : size >= 9.995 ? 1 : 2, units[unit]);
}

std::string duration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e9) return "";
  const auto whole = static_cast<std::int64_t>(std::lround(seconds));
  const std::int64_t hours = whole / 3600, minutes = whole / 60 % 60;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{}:{:02}", minutes, whole % 60);
}

std::string with_error(double value, double error) {
  if (!std::isfinite(value) || !std::isfinite(error) || error <= 0)
    return fmt::format("{:.6g} +- {:.2g}", value, error);
  const int decimals = std::clamp(1 - static_cast<int>(std::floor(std::log10(error))), 0, 6);
  return fmt::format("{:.{}f} +- {:.{}f}", value, decimals, error, decimals);
}

std::size_t width(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte == 0x7F) c = '?';
  }
  return out;
}

std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows) {
  const std::size_t columns = rows.empty() ? 0 : rows.front().size();
  std::vector<std::string> lines(rows.size());
  for (std::size_t column = 0; column < columns; ++column) {
    // Digits after the point, point included; a header or a word counts as having none.
    const auto tail = [&](const std::vector<std::string>& row) {
      const auto point = column == 0 ? std::string::npos : row[column].find('.');
      return point == std::string::npos ? 0 : row[column].size() - point;
    };
    std::size_t left = 0, right = 0;
    for (std::size_t i = 1; i < rows.size(); ++i) right = std::max(right, tail(rows[i]));
    for (std::size_t i = 1; i < rows.size(); ++i) left = std::max(left, width(rows[i][column]) - tail(rows[i]));
    left = std::max(left + right, width(rows[0][column])) - right;
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const std::string& cell = rows[i][column];
      const std::size_t after = i == 0 ? 0 : right - tail(rows[i]);
      const std::size_t before = left + right - width(cell) - after;
      if (column > 0) lines[i] += "  ";
      lines[i] +=
          column == 0 ? cell + std::string(before, ' ') : std::string(before, ' ') + cell + std::string(after, ' ');
    }
  }
  for (std::string& line : lines) line.erase(line.find_last_not_of(' ') + 1);
  return lines;
}

namespace {

/// Bytes of the UTF-8 character at the start of `text`; 0 if there is none (RFC 3629).
std::size_t utf8_length(std::string_view text) {
  const auto byte = [&text](std::size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(text[i])); };
  const unsigned lead = byte(0);
  const std::size_t length = lead < 0x80   ? 1
                             : lead < 0xC2 ? 0
                             : lead < 0xE0 ? 2
                             : lead < 0xF0 ? 3
                             : lead < 0xF5 ? 4
                                           : 0;
  if (length == 0 || length > text.size()) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    if ((byte(i) & 0xC0) != 0x80) return 0;
  }
  if (length < 3) return length;
  const unsigned pair = (lead << 8) | byte(1);
  const bool overlong = pair < 0xE0A0 || (pair >= 0xF000 && pair < 0xF090);
  const bool surrogate = pair >= 0xEDA0 && pair < 0xEE00;
  return overlong || surrogate || pair >= 0xF490 ? 0 : length;
}

}  // namespace

std::string json_string(std::string_view text) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const char c = text.front();
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (c == '"' || c == '\\') {
      out += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      out += fmt::format("\\u{:04x}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + '"';
}

std::string json_number(double value) { return std::isfinite(value) ? fmt::format("{}", value) : "null"; }

}  // namespace jensen::cli
