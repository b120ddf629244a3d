#include "design/factor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "design/places.hpp"
#include "jensen/errors.hpp"
#include "show.hpp"
#include "text.hpp"

namespace jensen {
namespace {

CodedFactor code_text(const Column& column, std::span<const std::uint32_t> rows) {
  CodedFactor factor;
  factor.codes = column.codes;
  factor.owner = column.owner;
  factor.labels = column.levels;
  std::vector<bool> occurs(column.levels.size(), false);
  for (const std::uint32_t row : rows) occurs[static_cast<std::size_t>(column.codes[row])] = true;
  for (std::size_t code = 0; code < occurs.size(); ++code) {
    if (occurs[code]) factor.order.push_back(static_cast<std::int32_t>(code));
  }
  std::ranges::sort(factor.order, {}, [&](std::int32_t code) -> const std::string& {
    return column.levels[static_cast<std::size_t>(code)];
  });
  return factor;
}

CodedFactor code_numbers(const Column& column, std::span<const std::uint32_t> rows) {
  CodedFactor factor;
  const auto codes = std::make_shared<std::vector<std::int32_t>>(column.rows(), -1);
  factor.codes = *codes;
  factor.owner = codes;
  if (rows.empty()) return factor;
  std::vector<double> values(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) values[i] = column.number(rows[i]);
  const Places<double> places = find_places(values);
  for (std::size_t i = 0; i < rows.size(); ++i) (*codes)[rows[i]] = places.place[i];
  for (const double value : places.distinct) {
    factor.order.push_back(static_cast<std::int32_t>(factor.labels.size()));
    factor.labels.push_back(level_label(value));
  }
  return factor;
}

}  // namespace

CodedFactor code_column(const Column& column, std::span<const std::uint32_t> rows) {
  return column.text ? code_text(column, rows) : code_numbers(column, rows);
}

std::string level_label(double value) { return fmt::format("{}", value == 0 ? 0.0 : value); }

std::vector<std::string> rank_codes(CodedFactor& factor) {
  std::vector<std::string> levels;
  factor.ranks.assign(factor.labels.size(), -1);
  for (const std::int32_t code : factor.order) {
    const std::string& label = factor.labels[static_cast<std::size_t>(code)];
    if (levels.empty() || levels.back() != label) levels.push_back(label);
    factor.ranks[static_cast<std::size_t>(code)] = static_cast<std::int32_t>(levels.size()) - 1;
  }
  return levels;
}

FactorLevels learn_levels(CodedFactor& factor, const Column& column, const std::string& source) {
  FactorLevels learned{column.name, rank_codes(factor), column.text};
  if (learned.levels.size() < 2) {
    throw InputError(
        fmt::format("factor {} has only the level {} in the complete rows ({}); remove it from the "
                    "formula",
                    show(column.name), show(learned.levels.empty() ? "" : learned.levels.front()), source));
  }
  return learned;
}

bool match_levels(CodedFactor& factor, const std::vector<std::string>& levels) {
  std::unordered_map<std::string_view, std::int32_t> rank_of;
  rank_of.reserve(levels.size());
  for (const std::string& level : levels) rank_of.emplace(level, static_cast<std::int32_t>(rank_of.size()));
  factor.ranks.assign(factor.labels.size(), -1);
  bool all_known = true;
  for (const std::int32_t code : factor.order) {
    const auto found = rank_of.find(factor.labels[static_cast<std::size_t>(code)]);
    if (found == rank_of.end()) {
      all_known = false;
    } else {
      factor.ranks[static_cast<std::size_t>(code)] = found->second;
    }
  }
  return all_known;
}

void bind_levels(CodedFactor& factor, const FactorLevels& trained, std::span<const std::uint32_t> rows,
                 const std::string& source) {
  if (match_levels(factor, trained.levels)) return;
  const auto row = std::ranges::find_if(
      rows, [&](std::uint32_t r) { return factor.ranks[static_cast<std::size_t>(factor.codes[r])] < 0; });
  throw InputError(fmt::format(
      "{}: row {}, column {}: level {} was not in the training data ({}); remove the row "
      "or retrain",
      source, std::size_t{*row} + 1, show(trained.column),
      show(factor.labels[static_cast<std::size_t>(factor.codes[*row])]), list_some(trained.levels, 10, "levels")));
}

}  // namespace jensen
