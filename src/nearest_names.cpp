#include "nearest_names.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include "show.hpp"

namespace jensen {
namespace {

constexpr std::size_t max_suggested = 3;
constexpr std::size_t max_listed = 12;

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(), [](char c) { return lower(c); });
  return out;
}

/// Edits (a byte replaced, put in, left out, or swapped with its neighbour) from `a` to `b`.
std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), row(b.size() + 1), next(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 0; i < a.size(); ++i) {
    next[0] = i + 1;
    for (std::size_t j = 0; j < b.size(); ++j) {
      next[j + 1] = std::min({row[j] + (a[i] == b[j] ? 0 : 1), row[j + 1] + 1, next[j] + 1});
      if (i > 0 && j > 0 && a[i] == b[j - 1] && a[i - 1] == b[j])
        next[j + 1] = std::min(next[j + 1], before[j - 1] + 1);
    }
    std::swap(before, row);
    std::swap(row, next);
  }
  return row.back();
}

std::string join(std::span<const std::string> names, std::string_view last_separator) {
  std::string out;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (i > 0) out += i + 1 == names.size() ? last_separator : ", ";
    out += show(names[i]);
  }
  return out;
}

}  // namespace

std::vector<std::string> nearest_names(std::string_view name, std::span<const std::string> names) {
  const std::string wanted = lower(name);
  const std::size_t limit = std::max<std::size_t>(1, wanted.size() / 3);
  std::vector<std::pair<std::size_t, std::size_t>> near;  // distance, index
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::size_t size = names[i].size();
    if (size == 0 || size > wanted.size() + limit || wanted.size() > size + limit) continue;
    const std::size_t distance = edit_distance(wanted, lower(names[i]));
    if (distance <= limit && distance < std::max(size, wanted.size())) near.emplace_back(distance, i);
  }
  std::sort(near.begin(), near.end());
  if (near.size() > max_suggested) near.resize(max_suggested);
  std::vector<std::string> out;
  for (const auto& [distance, index] : near) out.push_back(names[index]);
  return out;
}

std::string suggest_names(std::string_view name, std::span<const std::string> names, std::string_view what) {
  const std::vector<std::string> near = nearest_names(name, names);
  if (!near.empty()) return fmt::format("did you mean {}?", join(near, " or "));
  if (names.empty()) return fmt::format("it has no {}", what);
  if (names.size() <= max_listed) return fmt::format("its {} are {}", what, join(names, ", "));
  return fmt::format("its {} begin {}, ...", what, join(names.first(max_listed), ", "));
}

}  // namespace jensen
