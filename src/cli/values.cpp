#include "cli/values.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <numeric>

#include "jensen/errors.hpp"

namespace jensen::cli {

std::uint64_t whole_number(std::string_view option, std::string_view text, std::uint64_t low, std::uint64_t high,
                           std::string_view hint) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < low || value > high) {
    throw InputError(
        fmt::format("{} must be a whole number from {} to {}, not '{}'; {}", option, low, high, text, hint));
  }
  return value;
}

CheckpointInterval checkpoint_interval(std::string_view option, const std::string& text) {
  constexpr std::uint64_t most = 1'000'000'000'000;
  const double unit = text.ends_with('s') ? 1 : text.ends_with('m') ? 60 : text.ends_with('h') ? 3600 : 0;
  const std::string number = unit > 0 ? text.substr(0, text.size() - 1) : text;
  const std::uint64_t count = whole_number(
      option, number, 0, most, "give a number of steps, or a time such as 30s, 10m or 2h; 0 is only when stopped");
  if (unit > 0) return {0, unit * static_cast<double>(count), text};
  return {static_cast<std::int64_t>(count), 0, text};
}

char separator(std::string_view text) {
  if (text == "tab" || text == "\\t") return '\t';
  const bool one_byte = text.size() == 1 && static_cast<unsigned char>(text[0]) < 0x80;
  if (!one_byte || text == "\"" || text == "\n" || text == "\r") {
    throw InputError(fmt::format("--sep must be one character or the word tab, not '{}'; try --sep ';'", text));
  }
  return text[0];
}

namespace {

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({changed, row[j] + 1, row[j + 1] + 1});
    }
  }
  return row.back();
}

}  // namespace

std::string did_you_mean(std::string_view word, const std::vector<std::string>& words) {
  const std::string* nearest = nullptr;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : words) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance < least && distance < candidate.size()) {
      least = distance;
      nearest = &candidate;
    }
  }
  return nearest ? fmt::format("; did you mean '{}'?", *nearest) : std::string();
}

}  // namespace jensen::cli
