#pragma once
/// \file Splits CSV text into records and cells, in place in one buffer.

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "io/input_file.hpp"

namespace jensen::io {

/// One cell, still in the scanner's buffer: valid until the next record is read.
struct CsvCell {
  char* data = nullptr;
  std::size_t size = 0;
  bool quoted = false;
  bool doubled_quotes = false;  ///< some quotes inside are doubled still

  /// The cell's text; the first call undoubles its quotes in place.
  std::string_view text();
};

/// Reads records as RFC 4180 has them, and a little more: a line ends with LF, CRLF or CR, the last one with the file.
///
/// Quotes count only where a cell begins with one. The buffer grows to hold the longest record, no further.
class CsvScanner {
 public:
  CsvScanner(InputFile& file, char separator);

  /// Reads the next record into cells(); false at the end of the file. Throws FileError.
  bool next();
  std::vector<CsvCell>& cells() { return cells_; }
  /// Index of the record in cells(): 0 for the header, so that rows count from 1. Skipped lines do not count.
  std::int64_t row() const { return row_; }
  /// Whether lines of nothing but blanks are skipped (the default) or are records of one cell.
  void skip_blank_lines(bool skip) { skip_blank_lines_ = skip; }
  /// "flights.csv: row 7", or "flights.csv: header".
  std::string where() const;

 private:
  enum class Outcome { record, more_needed };

  Outcome scan_record();
  bool refill();
  bool is_blank_line() const;
  [[noreturn]] void fail_unclosed_quote() const;

  InputFile& file_;
  char separator_;
  std::array<bool, 256> ends_cell_{};
  std::vector<char> buffer_;
  std::size_t begin_ = 0;  ///< of the record being read
  std::size_t end_ = 0;    ///< of the bytes read; buffer_[end_] is always a line feed, to stop the inner loop
  bool file_ended_ = false;
  bool after_carriage_return_ = false;
  bool in_quotes_ = false;  ///< where the latest scan stopped
  bool skip_blank_lines_ = true;
  std::int64_t row_ = -1;
  std::vector<CsvCell> cells_;
};

}  // namespace jensen::io
