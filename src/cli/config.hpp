#pragma once
/// \file config.toml: the subset of TOML that says how to repeat a run.
///
/// `key = value` a line, where value is a string, number, boolean or an array of those; comments; no sections.
/// CLI11 2.1's own reader cuts strings at '#' and knows no escapes, so it cannot hold a formula or a path.

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace jensen::cli {

struct ConfigItem {
  std::string key;
  std::vector<std::string> values;  ///< one, unless `list`; numbers and booleans as written
  bool list = false;
  int line = 0;  ///< from 1
};

/// `source` names the text in messages. Throws InputError naming source and line.
std::vector<ConfigItem> parse_config(std::string_view text, const std::string& source);
/// Throws FileError if the file cannot be read, InputError as above.
std::vector<ConfigItem> read_config(const std::filesystem::path& path);

/// A TOML basic string, quotes included; parse_config gives the same bytes back.
std::string toml_string(std::string_view text);
std::string toml_array(const std::vector<std::string>& texts);

}  // namespace jensen::cli
