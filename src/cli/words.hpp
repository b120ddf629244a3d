#pragma once
/// \file The words after a verb as they were written, and the options that take them.

#include <CLI/CLI.hpp>
#include <map>
#include <string>
#include <vector>

namespace jensen::cli {

/// CLI11 splits and groups the words; values are read later, so that a value from config.toml passes the same door.
struct Words {
  std::string formula, family, link, data, out, fit, config;
  std::map<std::string, std::string> formulas;  ///< by parameter: what --formula-sigma and the like were given
  std::string guide = "auto", parametrization = "auto", device = "auto", missing = "drop", optimizer = "adam",
              separator = ",", storage = "float32", precision = "fp32";
  std::string seed = "1", threads = "0", samples, batch = "0", steps = "0", learning_rate, count = "1000",
              checkpoint_every = "10m";
  std::string kind = "response", new_levels = "error", prediction_draws;
  std::string suite, rows, columns, levels, repeats, json_file;  ///< of bench
  std::vector<std::string> priors, text;
  bool resume = false, force = false, quiet = false, json = false, all = false;
};

/// A flag without a value, given at most once or the last wins.
void add_flag(CLI::App& app, const std::string& name, bool& value, const std::string& group,
              const std::string& description);
/// Every verb with its options, examples and help. `words` must outlive `app`.
void add_verbs(CLI::App& app, Words& words);

/// The end of every help.
std::string exit_codes();

}  // namespace jensen::cli
