#include "io/csv_scanner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "jensen/errors.hpp"

namespace jensen::io {
namespace {

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::size_t first_buffer = std::size_t{1} << 20;
/// A record longer than this is a quote left open, or no table at all: stop before it eats the memory.
constexpr std::size_t max_record = std::size_t{1} << 26;

std::size_t index(char c) { return static_cast<unsigned char>(c); }

}  // namespace

std::string_view CsvCell::text() {
  if (doubled_quotes) {
    char* out = data;
    for (std::size_t i = 0; i < size; ++i) {
      *out++ = data[i];
      if (data[i] == '"') ++i;
    }
    size = static_cast<std::size_t>(out - data);
    doubled_quotes = false;
  }
  return {data, size};
}

CsvScanner::CsvScanner(InputFile& file, char separator)
    : file_(file), separator_(separator), buffer_(first_buffer + 1) {
  if (separator == '"' || separator == '\n' || separator == '\r') {
    throw InputError("a quote or an end of line cannot separate cells (CsvOptions::separator); use a comma or a tab");
  }
  ends_cell_[index(separator)] = ends_cell_[index('\n')] = ends_cell_[index('\r')] = true;
  buffer_[0] = '\n';
  refill();
  if (std::string_view(buffer_.data(), end_).starts_with(byte_order_mark)) begin_ = byte_order_mark.size();
}

std::string CsvScanner::where() const {
  return row_ == 0 ? fmt::format("{}: header", file_.name()) : fmt::format("{}: row {}", file_.name(), row_);
}

bool CsvScanner::next() {
  ++row_;
  for (;;) {
    if (begin_ == end_ && !refill()) return false;
    if (after_carriage_return_) {
      after_carriage_return_ = false;
      if (buffer_[begin_] == '\n') {
        ++begin_;
        continue;
      }
    }
    while (scan_record() == Outcome::more_needed) refill();
    if (!skip_blank_lines_ || !is_blank_line()) return true;
  }
}

CsvScanner::Outcome CsvScanner::scan_record() {
  cells_.clear();
  in_quotes_ = false;
  char* p = buffer_.data() + begin_;
  char* const end = buffer_.data() + end_;
  for (;;) {
    CsvCell cell;
    if (*p == '"' && p != end) {
      char* const start = ++p;
      cell.quoted = in_quotes_ = true;
      for (;;) {
        p = static_cast<char*>(std::memchr(p, '"', static_cast<std::size_t>(end - p)));
        if (p == nullptr) {
          if (file_ended_) fail_unclosed_quote();
          return Outcome::more_needed;
        }
        if (p + 1 == end && !file_ended_) return Outcome::more_needed;
        if (p + 1 == end || p[1] != '"') break;
        cell.doubled_quotes = true;
        p += 2;
      }
      in_quotes_ = false;
      cell.data = start;
      cell.size = static_cast<std::size_t>(p - start);
      ++p;
      if (p != end && !ends_cell_[index(*p)]) {
        throw FileError(fmt::format("{}, cell {}: text follows the closing quote; write a quote inside quotes twice",
                                    where(), cells_.size() + 1));
      }
    } else {
      cell.data = p;
      while (!ends_cell_[index(*p)]) ++p;
      cell.size = static_cast<std::size_t>(p - cell.data);
    }
    if (p == end && !file_ended_) return Outcome::more_needed;
    cells_.push_back(cell);
    if (p == end || *p != separator_) break;
    ++p;
  }
  if (p != end) {
    after_carriage_return_ = *p == '\r';
    ++p;
  }
  begin_ = static_cast<std::size_t>(p - buffer_.data());
  return Outcome::record;
}

bool CsvScanner::refill() {
  if (file_ended_) return false;
  std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
  end_ -= begin_;
  begin_ = 0;
  if (end_ + 1 == buffer_.size()) {
    if (end_ >= max_record) {
      if (in_quotes_) fail_unclosed_quote();
      throw FileError(fmt::format("{} is longer than {} MiB; is this a table in text?", where(), max_record >> 20));
    }
    buffer_.resize(2 * end_ + 1);
  }
  const std::size_t got = file_.read(buffer_.data() + end_, buffer_.size() - 1 - end_);
  end_ += got;
  buffer_[end_] = '\n';
  file_ended_ = got == 0;
  return got > 0;
}

bool CsvScanner::is_blank_line() const {
  if (cells_.size() != 1 || cells_[0].quoted) return false;
  return std::all_of(cells_[0].data, cells_[0].data + cells_[0].size, [](char c) { return c == ' ' || c == '\t'; });
}

void CsvScanner::fail_unclosed_quote() const {
  throw FileError(
      fmt::format("{}: a quote opened here is never closed; close it, or double it if it is part of a cell", where()));
}

}  // namespace jensen::io
