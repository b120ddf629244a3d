#include "cli/help.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/terminal.hpp"

namespace jensen::cli {
namespace {

constexpr std::size_t least_width = 60, most_width = 100;
constexpr std::size_t text_column = 22;

/// `left`, then `text` wrapped between `indent` and the right edge: the terminal's, if it is one.
std::string two_columns(const std::string& left, const std::string& text, std::size_t indent) {
  const std::size_t columns = terminal_columns(stdout);
  const std::size_t width = columns == 0 ? most_width : std::clamp(columns, least_width, most_width);
  std::string out = left;
  std::size_t at = left.size();
  if (at > 0 && at + 1 > indent) {
    out += '\n';
    at = 0;
  }
  out.append(indent - std::min(at, indent), ' ');
  at = indent;
  bool first = true;
  for (const std::string& word : CLI::detail::split(text, ' ')) {
    if (!first && at + 1 + word.size() > width) {
      out += '\n' + std::string(indent, ' ');
      at = indent;
      first = true;
    }
    if (!first) out += ' ';
    out += word;
    at += word.size() + (first ? 0 : 1);
    first = false;
  }
  return out + '\n';
}

}  // namespace

std::string HelpFormatter::make_help(const CLI::App* app, std::string, CLI::AppFormatMode) const {
  std::string out = two_columns("", app->get_description(), 0);
  out += "\nUsage: " + usage_ + "\n";
  for (const CLI::App* verb : app->get_subcommands({})) {
    if (verb == app->get_subcommands({}).front()) out += "\nVerbs:\n";
    out += make_subcommand(verb);
  }
  std::vector<std::string> groups = app->get_groups();
  // CLI11 knows --help first; a reader wants it last.
  std::stable_partition(groups.begin(), groups.end(), [](const std::string& group) { return group != "Help"; });
  for (const std::string& group : groups) {
    std::string lines;
    for (const CLI::Option* option : app->get_options()) {
      if (option->get_group() == group) lines += make_option(option, option->get_positional());
    }
    if (!lines.empty()) out += fmt::format("\n{}:\n{}", group, lines);
  }
  return out + "\n" + make_footer(app);
}

std::string HelpFormatter::make_option(const CLI::Option* option, bool positional) const {
  std::string left = "  " + make_option_name(option, positional);
  if (!positional && !option->get_option_text().empty()) left += " " + option->get_option_text();
  return two_columns(left, option->get_description(), text_column);
}

std::string HelpFormatter::make_subcommand(const CLI::App* app) const {
  return two_columns("  " + app->get_name(), app->get_description(), 12);
}

}  // namespace jensen::cli
