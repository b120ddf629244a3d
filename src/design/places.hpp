#pragma once
/// \file Numbers the distinct values of a list.

#include <cstdint>
#include <vector>

namespace jensen {

template <class T>
struct Places {
  std::vector<T> distinct;          ///< ascending
  std::vector<std::int32_t> place;  ///< of each value among them
};

/// T: double (no NaN; 0 and -0 are one value) or std::int64_t. Whole numbers close together, as identifiers are, are
/// counted in a table in linear time; others are sorted.
template <class T>
Places<T> find_places(const std::vector<T>& values);

}  // namespace jensen
