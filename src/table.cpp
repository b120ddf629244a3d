#include "jensen/table.hpp"

#include <fmt/format.h>

#include <utility>

#include "jensen/errors.hpp"
#include "nearest_names.hpp"
#include "show.hpp"

namespace jensen {
namespace {

void check_storage(const Column& column, const std::string& source) {
  const int used = !column.doubles.empty() + !column.floats.empty() + !column.codes.empty();
  if (used > 1 || (column.text ? used == 1 && column.codes.empty() : !column.codes.empty())) {
    throw InputError(fmt::format(
        "column '{}' mixes kinds of storage ({}); set doubles, or floats, or (with text = true) codes and levels",
        column.name, source));
  }
  for (std::size_t row = 0; row < column.codes.size(); ++row) {
    if (column.codes[row] >= 0 && static_cast<std::size_t>(column.codes[row]) >= column.levels.size()) {
      throw InputError(fmt::format("row {}, column '{}': code {} has no level ({}); give each code from 0 its level",
                                   row + 1, column.name, column.codes[row], source));
    }
  }
}

}  // namespace

void Table::add(std::string name, std::span<const double> values) {
  Column column;
  column.name = std::move(name);
  column.doubles = values;
  add(std::move(column));
}

void Table::add(std::string name, std::span<const float> values) {
  Column column;
  column.name = std::move(name);
  column.floats = values;
  add(std::move(column));
}

void Table::add(std::string name, std::span<const std::int32_t> codes, std::vector<std::string> levels) {
  Column column;
  column.name = std::move(name);
  column.codes = codes;
  column.levels = std::move(levels);
  column.text = true;
  add(std::move(column));
}

void Table::add(Column column) {
  if (column.name.empty()) {
    throw InputError(fmt::format("column {} has an empty name ({}); name it", columns_.size() + 1, source_));
  }
  if (find(column.name) != nullptr) {
    throw InputError(fmt::format("there is a column '{}' already ({}); rename one", column.name, source_));
  }
  if (!columns_.empty() && column.rows() != rows()) {
    throw InputError(fmt::format("column '{}' has {} rows, those before have {} ({}); make them equally long",
                                 column.name, column.rows(), rows(), source_));
  }
  check_storage(column, source_);
  columns_.push_back(std::move(column));
}

const Column* Table::find(std::string_view name) const {
  for (const Column& column : columns_) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

const Column& Table::at(std::string_view name) const {
  if (const Column* column = find(name)) return *column;
  std::vector<std::string> names;
  for (const Column& column : columns_) names.push_back(column.name);
  throw InputError(fmt::format("no column {} ({}); {}", show(name), source_, suggest_names(name, names, "columns")));
}

}  // namespace jensen
