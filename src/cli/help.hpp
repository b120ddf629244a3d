#pragma once
/// \file How `--help` reads: description, usage, options by group, example, exit codes; 100 columns wide.

#include <CLI/CLI.hpp>
#include <string>

namespace jensen::cli {

/// CLI11's layout without its type names; the usage line is given, everything else comes from the options.
class HelpFormatter : public CLI::Formatter {
 public:
  explicit HelpFormatter(std::string usage) : usage_(std::move(usage)) {}

  std::string make_help(const CLI::App* app, std::string name, CLI::AppFormatMode mode) const override;
  std::string make_option(const CLI::Option* option, bool positional) const override;
  std::string make_subcommand(const CLI::App* app) const override;

 private:
  std::string usage_;
};

}  // namespace jensen::cli
