#pragma once
/// \file Turns the cells of one CSV column into numbers or coded text.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "jensen/table.hpp"

namespace jensen::io {

/// The spellings that mean "missing".
class MissingCells {
 public:
  explicit MissingCells(std::vector<std::string> spellings);
  /// `cell` has no blanks around it.
  bool contains(std::string_view cell) const;

 private:
  std::vector<std::string> spellings_;
  std::array<bool, 256> first_bytes_{};  ///< most cells are told apart by their first byte
  bool empty_ = false;
};

enum class NumberError { none, not_a_number, out_of_range };

/// Reads all of `cell` as a decimal number: a leading `+`, `inf` and `nan` (a missing value) count, blanks do not.
/// A number too small for a double is 0 or subnormal; one too large is out of range.
NumberError parse_number(std::string_view cell, double& value);

/// A column as it grows. Its first present cell decides whether it is numbers, unless it is text by request.
class CsvColumn {
 public:
  CsvColumn(std::string name, bool text);

  /// Adds the cell of the next row. Blanks around a number or a missing cell do not count; text keeps them. An empty
  /// string on success, else what is wrong with the cell and what to do about it.
  std::string append(std::string_view cell, const MissingCells& missing);
  const std::string& name() const { return name_; }
  /// For a column that became text by its first present cell although most of its cells are numbers: what is wrong with
  /// that cell. Else empty. `row` becomes that cell's row, from 1.
  std::string mostly_numbers(std::size_t& row) const;
  /// Moves the values out. A column without any present cell is numeric.
  Column finish();

 private:
  enum class Kind { undecided, numbers, text };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const { return std::hash<std::string_view>{}(text); }
  };

  std::string append_number(std::string_view cell);
  std::string append_text(std::string_view cell);
  std::string advise(std::string_view cell, std::string_view problem) const;

  std::string name_;
  Kind kind_;
  bool requested_text_;
  std::size_t missing_so_far_ = 0;  ///< rows before the kind was decided
  std::vector<double> numbers_;
  std::vector<std::int32_t> codes_;
  std::unordered_map<std::string, std::int32_t, Hash, std::equal_to<>> levels_;
};

}  // namespace jensen::io
