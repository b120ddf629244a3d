#pragma once
/// \file Values of options: numbers checked at the door, and the nearest word to a misspelt one.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "cli/commands.hpp"

namespace jensen::cli {

/// A whole number in [low, high]. `hint` ends the message: "--steps must be ..., not 'x'; HINT".
/// Throws InputError.
std::uint64_t whole_number(std::string_view option, std::string_view text, std::uint64_t low, std::uint64_t high,
                           std::string_view hint);
/// "500" steps, or a time: "30s", "10m", "2h"; 0 is never. Throws InputError.
CheckpointInterval checkpoint_interval(std::string_view option, const std::string& text);
/// One byte, or the word "tab". Throws InputError.
char separator(std::string_view text);

/// "; did you mean 'train'?" if one of `words` is close to `word`, else nothing.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& words);

}  // namespace jensen::cli
