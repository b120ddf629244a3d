#pragma once
/// \file Numbers and texts as a human or a JSON parser reads them.

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

namespace jensen::cli {

/// Prints to stderr. What cannot be shown is dropped: a full disk or a reader that went away must not end the work.
template <class... Arguments>
void say(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
  std::fputs(fmt::format(format, std::forward<Arguments>(arguments)...).c_str(), stderr);
}

/// 1,234,567
std::string grouped(std::int64_t count);
/// "1 row", "1,234,567 rows".
std::string counted(std::int64_t count, std::string_view noun);
/// "12.3 M", "980", "4.56 G": three significant digits.
std::string scaled(double value);
/// "0:07", "12:03", "1:00:59"; empty if not finite.
std::string duration(double seconds);
/// "-12345.6 +- 3.2": as many decimals as give the error two significant digits.
std::string with_error(double value, double error);
/// Characters of UTF-8 text, which is its width on a terminal but for wide scripts.
std::size_t width(std::string_view text);
/// Control characters become '?', so that a name from a file cannot drive the terminal.
std::string printable(std::string_view text);

/// A header and rows, padded: the first column to the left, the others aligned at their decimal points.
std::vector<std::string> aligned(const std::vector<std::vector<std::string>>& rows);

/// A JSON string, quotes included; bytes that are not UTF-8 become U+FFFD.
std::string json_string(std::string_view text);
/// The shortest number that reads back the same; null if it is not finite.
std::string json_number(double value);

}  // namespace jensen::cli
