#pragma once
/// \file A small table for tests.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "jensen/table.hpp"

namespace jensen {

/// A table that owns its cells.
class Cells {
 public:
  explicit Cells(std::string source = "train.csv") : table_(std::move(source)) {}

  Cells& numbers(const std::string& name, const std::vector<double>& values) {
    const auto owner = std::make_shared<std::vector<double>>(values);
    Column column;
    column.name = name;
    column.doubles = *owner;
    column.owner = owner;
    table_.add(std::move(column));
    return *this;
  }

  Cells& floats(const std::string& name, const std::vector<float>& values) {
    const auto owner = std::make_shared<std::vector<float>>(values);
    Column column;
    column.name = name;
    column.floats = *owner;
    column.owner = owner;
    table_.add(std::move(column));
    return *this;
  }

  /// Levels in order of appearance, which is not their order in the design; "" is missing.
  Cells& text(const std::string& name, const std::vector<std::string>& values) {
    const auto owner = std::make_shared<std::vector<std::int32_t>>();
    Column column;
    column.name = name;
    column.text = true;
    for (const std::string& value : values) {
      const auto found = std::ranges::find(column.levels, value);
      owner->push_back(value.empty() ? -1 : static_cast<std::int32_t>(found - column.levels.begin()));
      if (!value.empty() && found == column.levels.end()) column.levels.push_back(value);
    }
    column.codes = *owner;
    column.owner = owner;
    table_.add(std::move(column));
    return *this;
  }

  const Table& table() const { return table_; }

 private:
  Table table_;
};

}  // namespace jensen
