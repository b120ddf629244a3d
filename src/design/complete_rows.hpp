#pragma once
/// \file Which rows of a table have a value in every column that is used.

#include <cstdint>
#include <string>
#include <vector>

#include "jensen/table.hpp"

namespace jensen {

/// First incomplete row (from 0) and the column that is missing there; column empty if there is none.
struct FirstMissing {
  std::size_t row = 0;
  std::string column;
};

struct CompleteRows {
  std::vector<std::uint32_t> rows;  ///< from 0, ascending
  std::size_t table_rows = 0;
  FirstMissing first_missing;
};

/// Throws InputError: no such column, a value that is infinite, a code without a level, too many rows to number.
CompleteRows find_complete_rows(const Table& table, const std::vector<std::string>& columns);

}  // namespace jensen
