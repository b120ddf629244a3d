#include "design/complete_rows.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "jensen/errors.hpp"
#include "show.hpp"

namespace jensen {
namespace {

[[noreturn]] void fail_infinite(const Table& table, const Column& column, std::size_t row) {
  throw InputError(fmt::format("{}: row {}, column {}: the value is infinite; mark it as missing or correct it",
                               table.source(), row + 1, show(column.name)));
}

[[noreturn]] void fail_code(const Table& table, const Column& column, std::size_t row) {
  throw InputError(fmt::format("{}: row {}, column {}: code {} has no text among the column's {} levels",
                               table.source(), row + 1, show(column.name), column.codes[row], column.levels.size()));
}

// Marks the rows where `column` is missing and returns the first, or the number of rows.
std::size_t mark_missing(const Table& table, const Column& column, std::vector<std::uint8_t>& incomplete) {
  std::size_t first = incomplete.size();
  const auto mark = [&](std::size_t row) {
    incomplete[row] = 1;
    first = std::min(first, row);
  };
  if (column.text) {
    const auto known = static_cast<std::int64_t>(column.levels.size());
    for (std::size_t row = 0; row < incomplete.size(); ++row) {
      if (column.codes[row] < 0) mark(row);
      if (column.codes[row] >= known) fail_code(table, column, row);
    }
    return first;
  }
  for (std::size_t row = 0; row < incomplete.size(); ++row) {
    const double value = column.number(row);
    if (std::isnan(value)) mark(row);
    if (std::isinf(value)) fail_infinite(table, column, row);
  }
  return first;
}

}  // namespace

CompleteRows find_complete_rows(const Table& table, const std::vector<std::string>& columns) {
  CompleteRows complete;
  complete.table_rows = table.rows();
  if (complete.table_rows > std::numeric_limits<std::uint32_t>::max()) {
    throw InputError(
        fmt::format("the table has {} rows ({}); at most 4294967295 can be used", table.rows(), table.source()));
  }
  std::vector<std::uint8_t> incomplete(table.rows(), 0);
  FirstMissing& first_missing = complete.first_missing;
  first_missing.row = table.rows();
  for (const std::string& name : columns) {
    const std::size_t first = mark_missing(table, table.at(name), incomplete);
    if (first < first_missing.row) first_missing = {first, name};
  }
  if (first_missing.column.empty()) first_missing.row = 0;
  for (std::size_t row = 0; row < incomplete.size(); ++row) {
    if (incomplete[row] == 0) complete.rows.push_back(static_cast<std::uint32_t>(row));
  }
  return complete;
}

}  // namespace jensen
