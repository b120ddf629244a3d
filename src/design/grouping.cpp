#include "design/grouping.hpp"

#include <fmt/format.h>

#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include "design/places.hpp"
#include "jensen/errors.hpp"
#include "show.hpp"

namespace jensen {
namespace {

// Combines `index` with one more factor whose levels are `levels`. A pair's key orders by the first, then the second.
void cross(GroupIndex& index, const CodedFactor& factor, const std::vector<std::string>& levels,
           std::span<const std::uint32_t> rows) {
  const auto width = static_cast<std::int64_t>(levels.size());
  std::vector<std::int64_t> keys(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const std::int32_t code = factor.codes[rows[i]];
    keys[i] = index.level_of_row[rows[i]] * width + factor.ranks[static_cast<std::size_t>(code)];
  }
  const Places<std::int64_t> places = find_places(keys);
  std::vector<std::string> labels;
  labels.reserve(places.distinct.size());
  for (const std::int64_t pair : places.distinct) {
    labels.push_back(index.labels[static_cast<std::size_t>(pair / width)] + "_" +
                     levels[static_cast<std::size_t>(pair % width)]);
  }
  for (std::size_t i = 0; i < rows.size(); ++i) index.level_of_row[rows[i]] = places.place[i];
  index.labels = std::move(labels);
}

}  // namespace

GroupIndex index_groups(std::vector<CodedFactor>& factors, std::span<const std::uint32_t> rows,
                        std::size_t table_rows) {
  GroupIndex index;
  index.level_of_row.assign(table_rows, -1);
  for (std::size_t f = 0; f < factors.size(); ++f) {
    CodedFactor& factor = factors[f];
    std::vector<std::string> levels = rank_codes(factor);
    if (f > 0) {
      cross(index, factor, levels, rows);
      continue;
    }
    for (const std::uint32_t row : rows) {
      index.level_of_row[row] = factor.ranks[static_cast<std::size_t>(factor.codes[row])];
    }
    index.labels = std::move(levels);
  }
  return index;
}

void check_group(const std::string& name, const GroupIndex& index, const std::string& source) {
  if (index.labels.size() < 2) {
    throw InputError(
        fmt::format("group {} has only the level {} in the complete rows ({}); remove its term from the formula",
                    show(name), show(index.labels.empty() ? "" : index.labels.front()), source));
  }
  std::unordered_set<std::string_view> seen;
  seen.reserve(index.labels.size());
  for (const std::string& label : index.labels) {
    if (seen.insert(label).second) continue;
    throw InputError(
        fmt::format("group {} has two levels that would be called {} ({}); rename one of them in the table", show(name),
                    show(label), source));
  }
}

void match_group(GroupIndex& index, const std::vector<std::string>& labels) {
  std::unordered_map<std::string_view, std::int32_t> place_of;
  place_of.reserve(labels.size());
  for (const std::string& label : labels) place_of.emplace(label, static_cast<std::int32_t>(place_of.size()));
  std::vector<std::int32_t> place(index.labels.size(), -1);
  for (std::size_t level = 0; level < place.size(); ++level) {
    const auto found = place_of.find(index.labels[level]);
    if (found != place_of.end()) {
      place[level] = found->second;
    } else {
      place[level] = -1 - static_cast<std::int32_t>(index.new_labels.size());
      index.new_labels.push_back(index.labels[level]);
    }
  }
  for (std::int32_t& level : index.level_of_row) {
    if (level >= 0) level = place[static_cast<std::size_t>(level)];
  }
  index.labels = labels;
}

}  // namespace jensen
