#pragma once
/// \file Named, typed columns: the caller's memory or a file's.

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "jensen/export.h"

namespace jensen {

/// One named column: numbers, or text stored as codes into a list of levels.
///
/// A column is a view. Exactly one of `doubles`, `floats` and `codes` is used; the memory belongs to the
/// caller and must outlive the column, unless `owner` keeps it alive.
struct Column {
  std::string name;
  std::span<const double> doubles;      ///< numbers; NaN is missing
  std::span<const float> floats;        ///< numbers; NaN is missing
  std::span<const std::int32_t> codes;  ///< text: index into `levels`; negative is missing
  std::vector<std::string> levels;      ///< distinct texts, in any order
  bool text = false;                    ///< true: `codes` and `levels` hold the column
  std::shared_ptr<const void> owner;    ///< keeps the memory alive; null for caller-owned memory

  std::size_t rows() const { return text ? codes.size() : (doubles.empty() ? floats.size() : doubles.size()); }
  /// Value of a numeric column at `row`, NaN if missing. Not for text columns.
  double number(std::size_t row) const { return doubles.empty() ? static_cast<double>(floats[row]) : doubles[row]; }
  bool missing(std::size_t row) const {
    if (text) return codes[row] < 0;
    const double value = number(row);
    return value != value;
  }
};

/// Columns of equal length. Rows are counted from 1 in messages, as in a file without its header line.
class JENSEN_API Table {
 public:
  Table() = default;
  /// `source` names the table in messages: a file's name, or whatever the caller calls it.
  explicit Table(std::string source) : source_(std::move(source)) {}

  /// Adds a view of the caller's numbers (NaN is missing). Throws InputError if the name is empty or taken,
  /// or if the length differs from that of the columns before.
  void add(std::string name, std::span<const double> values);
  void add(std::string name, std::span<const float> values);
  /// Adds a view of text given as codes into `levels`; a negative code is missing.
  void add(std::string name, std::span<const std::int32_t> codes, std::vector<std::string> levels);
  void add(Column column);

  std::size_t rows() const { return columns_.empty() ? 0 : columns_.front().rows(); }
  const std::vector<Column>& columns() const { return columns_; }
  /// Null if there is no such column.
  const Column* find(std::string_view name) const;
  /// Throws InputError naming the column, this table and its nearest column names.
  const Column& at(std::string_view name) const;
  const std::string& source() const { return source_; }

 private:
  std::vector<Column> columns_;
  std::string source_ = "table";
};

}  // namespace jensen
