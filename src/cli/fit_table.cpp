#include "cli/fit_table.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/text.hpp"

namespace jensen::cli {
namespace {

struct Row {
  std::string label;
  ParameterSummary summary;
};

struct Section {
  std::string title;  ///< lines above the header
  std::vector<Row> rows;
};

/// The decimals that give `sd` three significant digits: digits beyond them mean nothing for the mean either.
std::vector<std::string> cells(const ParameterSummary& p) {
  const double size = std::max({std::abs(p.mean), std::abs(p.q05), std::abs(p.q95), p.sd});
  const bool plain = std::isfinite(size) && size < 1e7 && p.sd >= 1e-4;
  const int decimals = plain ? std::clamp(2 - static_cast<int>(std::floor(std::log10(p.sd))), 0, 6) : 0;
  // Where that is not to be written plainly: four digits, and those that `sd` is below the largest value.
  const double ratio = p.sd > 0 && std::isfinite(size) ? size / p.sd : 1;
  const int digits = std::clamp(3 + static_cast<int>(std::floor(std::log10(ratio))), 4, 15);
  std::vector<std::string> out = {""};
  for (const double value : {p.mean, p.sd, p.q05, p.q50, p.q95}) {
    out.push_back(plain ? fmt::format("{:.{}f}", value, decimals)
                        : fmt::format("{:.{}g}", value, value == p.sd ? 4 : digits));
  }
  return out;
}

std::size_t correlations(const GroupPosterior& group) {
  const std::size_t q = group.effects.size();
  return group.first_correlation == 0 ? 0 : q * (q - 1) / 2;
}

/// The effect as in the name of its sd, sd_g__x: brms's name of it, which says the predictor too (sigma_x).
std::string effect_label(const GroupPosterior& group, const ParameterSummary& sd) {
  const std::string before = "sd_" + group.group + "__";
  return sd.name.starts_with(before) ? sd.name.substr(before.size()) : sd.name;
}

std::vector<Row> group_rows(const GroupPosterior& group, const std::vector<ParameterSummary>& parameters) {
  std::vector<std::string> labels;
  std::vector<Row> rows;
  for (std::size_t i = 0; i < group.effects.size(); ++i) {
    const ParameterSummary& sd = parameters[group.first_sd + i];
    labels.push_back(effect_label(group, sd));
    rows.push_back({fmt::format("sd({})", labels.back()), sd});
  }
  if (correlations(group) == 0) return rows;
  std::size_t at = group.first_correlation;
  for (std::size_t i = 1; i < labels.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      rows.push_back({fmt::format("cor({},{})", labels[j], labels[i]), parameters[at++]});
    }
  }
  return rows;
}

/// A group may have terms in several predictors, or several in one: they share a table.
std::vector<Section> group_sections(const Fit& fit, const std::vector<ParameterSummary>& parameters) {
  std::vector<Section> sections;
  std::vector<std::string> seen;
  for (const std::size_t g : fit.groups_in_order()) {
    const GroupPosterior& group = fit.groups[g];
    auto place = static_cast<std::size_t>(std::ranges::find(seen, group.group) - seen.begin());
    if (place == seen.size()) {
      seen.push_back(group.group);
      sections.push_back({fmt::format("~{} (Number of levels: {})\n", printable(group.group), group.levels), {}});
    }
    std::ranges::move(group_rows(group, parameters), std::back_inserter(sections[place].rows));
  }
  if (!sections.empty()) sections.front().title.insert(0, "Group-Level Effects:\n");
  return sections;
}

std::vector<Section> level_sections(const Fit& fit) {
  std::vector<Section> sections;
  const std::vector<ParameterSummary> levels = fit.summarize_levels();
  std::size_t at = 0;
  for (const std::size_t g : fit.groups_in_order()) {
    const GroupPosterior& group = fit.groups[g];
    const std::string of = group.parameter == "mu" ? "" : " of " + printable(group.parameter);
    Section section{
        fmt::format("{}~{}{}\n", sections.empty() ? "Effects of Each Level:\n" : "", printable(group.group), of), {}};
    for (const std::size_t end = at + group.levels * group.effects.size(); at < end; ++at) {
      section.rows.push_back({levels[at].name, levels[at]});
    }
    sections.push_back(std::move(section));
  }
  return sections;
}

Section class_section(const Fit& fit, const std::vector<ParameterSummary>& parameters, ParameterClass kind,
                      const std::string& title) {
  Section section{title, {}};
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    if (fit.parameters[i].kind != kind) continue;
    const std::string& name = parameters[i].name;
    const bool coefficient = kind == ParameterClass::population && name.starts_with("b_");
    section.rows.push_back({coefficient ? name.substr(2) : name, parameters[i]});
  }
  return section;
}

/// All sections with their columns under one another. A label that would push the numbers beyond the terminal's edge
/// stands on the line before them.
std::string lay_out(const std::vector<Section>& sections, std::size_t columns) {
  constexpr std::size_t narrowest = 12;  // of the column of names
  std::vector<std::vector<std::string>> rows = {{"", "mean", "sd", "5%", "50%", "95%"}};
  for (const Section& section : sections) {
    for (const Row& row : section.rows) rows.push_back(cells(row.summary));
  }
  std::size_t numbers = 0;
  for (const std::string& line : aligned(rows)) numbers = std::max(numbers, line.size());
  const std::size_t room = columns == 0 ? std::string::npos : std::max(narrowest, columns - std::min(columns, numbers));

  std::vector<std::string> above(rows.size());  // labels on lines of their own
  std::size_t at = 1;
  for (const Section& section : sections) {
    for (const Row& row : section.rows) {
      const std::string label = printable(row.label);
      (width(label) <= room ? rows[at].front() : above[at]) = label;
      ++at;
    }
  }
  rows.front().front() = "name";
  const std::vector<std::string> lines = aligned(rows);
  std::string out;
  at = 1;
  for (const Section& section : sections) {
    out += (out.empty() ? "" : "\n") + section.title + lines.front() + '\n';
    for (std::size_t i = 0; i < section.rows.size(); ++i, ++at) {
      if (!above[at].empty()) out += above[at] + '\n';
      out += lines[at] + '\n';
    }
  }
  return out;
}

}  // namespace

FitTables fit_tables(const Fit& fit, const std::vector<ParameterSummary>& parameters, const FitTableOptions& options) {
  std::vector<Section> sections = {
      class_section(fit, parameters, ParameterClass::population, "Population-Level Effects:\n")};
  std::ranges::move(group_sections(fit, parameters), std::back_inserter(sections));
  sections.push_back(class_section(fit, parameters, ParameterClass::family, "Family Specific Parameters:\n"));
  if (options.levels) std::ranges::move(level_sections(fit), std::back_inserter(sections));
  std::erase_if(sections, [](const Section& section) { return section.rows.empty(); });

  FitTables tables;
  for (Section& section : sections) {
    if (options.most == 0 || section.rows.size() <= options.most) continue;
    tables.left_out += section.rows.size() - options.most;
    section.rows.resize(options.most);
  }
  tables.text = lay_out(sections, options.columns);
  return tables;
}

std::vector<std::string> groups_of_parameters(const Fit& fit) {
  std::vector<std::string> groups(fit.parameters.size());
  for (const GroupPosterior& group : fit.groups) {
    for (std::size_t i = 0; i < group.effects.size(); ++i) groups[group.first_sd + i] = group.group;
    for (std::size_t i = 0; i < correlations(group); ++i) groups[group.first_correlation + i] = group.group;
  }
  return groups;
}

std::vector<std::string> groups_of_levels(const Fit& fit) {
  std::vector<std::string> groups;
  for (const std::size_t g : fit.groups_in_order()) {
    const GroupPosterior& group = fit.groups[g];
    groups.insert(groups.end(), group.levels * group.effects.size(), group.group);
  }
  return groups;
}

}  // namespace jensen::cli
