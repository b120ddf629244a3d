#include "design/places.hpp"

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace jensen {
namespace {

template <class T>
bool close_together(const std::vector<T>& values, T least, T most) {
  const double room = 4 * static_cast<double>(values.size()) + 1024;
  // Up to 2^52 every whole number and every difference is a double.
  if (!(static_cast<double>(most) - static_cast<double>(least) < room)) return false;
  if constexpr (std::is_floating_point_v<T>) {
    return std::abs(least) < 0x1p51 && std::ranges::all_of(values, [](T value) { return value == std::floor(value); });
  }
  return true;
}

}  // namespace

template <class T>
Places<T> find_places(const std::vector<T>& values) {
  Places<T> result;
  if (values.empty()) return result;
  result.place.resize(values.size());
  const auto [least, most] = std::ranges::minmax(values);
  if (close_together(values, least, most)) {
    const auto at = [first = least](T value) { return static_cast<std::size_t>(value - first); };
    std::vector<std::int32_t> place_of(at(most) + 1, -1);
    for (const T value : values) place_of[at(value)] = 0;
    for (std::size_t i = 0; i < place_of.size(); ++i) {
      if (place_of[i] < 0) continue;
      place_of[i] = static_cast<std::int32_t>(result.distinct.size());
      result.distinct.push_back(least + static_cast<T>(i));
    }
    for (std::size_t i = 0; i < values.size(); ++i) result.place[i] = place_of[at(values[i])];
    return result;
  }
  result.distinct = values;
  std::ranges::sort(result.distinct);
  result.distinct.erase(std::unique(result.distinct.begin(), result.distinct.end()), result.distinct.end());
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(values.size()); ++i) {
    const auto found = std::ranges::lower_bound(result.distinct, values[static_cast<std::size_t>(i)]);
    result.place[static_cast<std::size_t>(i)] = static_cast<std::int32_t>(found - result.distinct.begin());
  }
  return result;
}

template Places<double> find_places(const std::vector<double>&);
template Places<std::int64_t> find_places(const std::vector<std::int64_t>&);

}  // namespace jensen
