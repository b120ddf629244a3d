#include "jensen/catalogue.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "cli/commands.hpp"
#include "cli/text.hpp"

namespace jensen::cli {
namespace {

/// The names of `things`, joined.
template <class Things, class Name>
std::string join(const Things& things, std::string_view separator, Name name) {
  std::string out;
  for (const auto& thing : things) {
    if (!out.empty()) out += separator;
    out += name(thing);
  }
  return out;
}

constexpr auto itself = [](std::string_view name) { return name; };
constexpr auto named = [](auto value) { return to_string(value); };
constexpr auto quoted = [](std::string_view name) { return json_string(name); };
constexpr auto named_and_quoted = [](auto value) { return json_string(to_string(value)); };

/// What y may be, and what may follow it in a formula.
std::string response_of(const FamilyDescription& family) {
  std::string text(family.response);
  if (family.trials) text += ": y | trials(n)";
  if (family.censoring) text += ", perhaps censored: y | cens(c)";
  return text;
}

/// Columns of words, all to the left.
void print_columns(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::size_t> widths(rows.front().size());
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], width(row[i]));
  }
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) line += row[i] + std::string(widths[i] + 2 - width(row[i]), ' ');
    line.erase(line.find_last_not_of(' ') + 1);
    fmt::print("{}\n", line);
  }
}

}  // namespace

int run(const FamiliesCommand& command) {
  const std::vector<FamilyDescription> families = describe_families();
  if (command.json) {
    fmt::print("{{\"families\": [{}]}}\n", join(families, ", ", [](const FamilyDescription& f) {
                 return fmt::format(
                     "{{\"name\": {}, \"response\": {}, \"summary\": {}, \"links\": [{}], \"parameters\": [{}], "
                     "\"trials\": {}, \"censoring\": {}}}",
                     json_string(to_string(f.family)), json_string(f.response), json_string(f.summary),
                     join(f.links, ", ", named_and_quoted), join(f.parameters, ", ", quoted), f.trials, f.censoring);
               }));
    return exit_done;
  }
  std::vector<std::vector<std::string>> rows = {{"family", "links", "parameters", "response"}};
  for (const FamilyDescription& f : families) {
    rows.push_back({std::string(to_string(f.family)), join(f.links, ", ", named), join(f.parameters, ", ", itself),
                    response_of(f)});
  }
  print_columns(rows);
  fmt::print("\nThe first link is the default. A parameter may have predictors: --formula-sigma '1 + x'.\n");
  return exit_done;
}

int run(const PriorsCommand& command) {
  const std::vector<PriorDescription> priors = describe_priors();
  if (command.json) {
    fmt::print("{{\"priors\": [{}]}}\n", join(priors, ", ", [](const PriorDescription& p) {
                 return fmt::format(
                     "{{\"name\": {}, \"usage\": {}, \"arguments\": [{}], \"example\": {}, \"supports\": [{}], "
                     "\"targets\": [{}]}}",
                     json_string(to_string(p.kind)), json_string(p.usage), join(p.arguments, ", ", quoted),
                     json_string(p.example), join(p.supports, ", ", named_and_quoted), join(p.targets, ", ", quoted));
               }));
    return exit_done;
  }
  std::vector<std::vector<std::string>> rows = {{"prior", "support", "for"}};
  for (const PriorDescription& p : priors) {
    rows.push_back({p.usage, join(p.supports, ", ", named), join(p.targets, ", ", itself)});
  }
  print_columns(rows);
  fmt::print(
      "\nWrite --prior 'b ~ normal(0, 2.5)'. On positive parameters normal, student_t and cauchy of location 0 mean\n"
      "their halves.\n");
  return exit_done;
}

}  // namespace jensen::cli
