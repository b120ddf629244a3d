#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "io/csv_column.hpp"
#include "io/csv_scanner.hpp"
#include "io/input_file.hpp"
#include "jensen/errors.hpp"
#include "jensen/io.hpp"
#include "nearest_names.hpp"
#include "show.hpp"

namespace jensen {
namespace {

using io::CsvCell;
using io::CsvColumn;
using io::CsvScanner;

/// Refuses a header that no text file has, so that a spreadsheet or a database is not reported as odd columns.
void check_is_text(const std::string& file, const std::vector<std::string>& names) {
  if (names[0].starts_with("\xFF\xFE") || names[0].starts_with("\xFE\xFF")) {
    throw FileError(fmt::format("{} is in UTF-16; save it as UTF-8", file));
  }
  for (const std::string& name : names) {
    if (name.find('\0') != std::string::npos) {
      throw FileError(fmt::format("{} is not a text file; give a comma-separated file, plain or gzipped", file));
    }
  }
}

std::vector<std::string> header_names(CsvScanner& scanner, const std::string& file) {
  if (!scanner.next()) throw FileError(fmt::format("{} is empty; give a file with a header line and rows", file));
  std::vector<CsvCell>& cells = scanner.cells();
  std::vector<std::string> names;
  names.reserve(cells.size());
  for (CsvCell& cell : cells) names.emplace_back(cell.quoted ? cell.text() : trim(cell.text()));
  check_is_text(file, names);
  return names;
}

/// The columns to read, as indices into the header.
std::vector<std::size_t> choose_columns(const std::vector<std::string>& names, const CsvOptions& options,
                                        const std::string& file) {
  std::unordered_map<std::string_view, std::size_t> first_place;
  for (std::size_t i = 0; i < names.size(); ++i) first_place.emplace(names[i], i);
  const auto place_of = [&](const std::string& name) {
    const auto place = first_place.find(name);
    if (place == first_place.end() || name.empty()) {
      throw FileError(fmt::format("no column {} ({}); {}{}", show(name), file, suggest_names(name, names, "columns"),
                                  names.size() == 1 ? "; are its cells separated otherwise?" : ""));
    }
    return place->second;
  };
  for (const std::string& name : options.text_columns) place_of(name);

  std::vector<std::size_t> chosen;
  if (options.columns.empty()) {
    // Nobody can name an unnamed column (R writes its row numbers into one), so it is no part of the table.
    for (std::size_t i = 0; i < names.size(); ++i) {
      if (!names[i].empty()) chosen.push_back(i);
    }
    if (chosen.empty()) throw FileError(fmt::format("{} has a header without names; name its columns", file));
  } else {
    std::unordered_set<std::string_view> seen;
    for (const std::string& name : options.columns) {
      if (seen.insert(name).second) chosen.push_back(place_of(name));
    }
    for (const std::string& name : options.optional_columns) {
      if (first_place.contains(name) && seen.insert(name).second) chosen.push_back(place_of(name));
    }
  }
  std::unordered_set<std::string_view> wanted;
  for (const std::size_t place : chosen) wanted.insert(names[place]);
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::size_t first = first_place.at(names[i]);
    if (first != i && wanted.contains(names[i])) {
      throw FileError(
          fmt::format("columns {} and {} are both named {} ({}); rename one", first + 1, i + 1, show(names[i]), file));
    }
  }
  for (const std::size_t place : chosen) {
    if (!is_clean_utf8(names[place])) {
      throw FileError(fmt::format("the name of column {} is not UTF-8: {} ({}); convert the file to UTF-8", place + 1,
                                  show(names[place]), file));
    }
  }
  return chosen;
}

}  // namespace

/// A line of nothing but blanks is skipped, as R does; but in a file of one column it is a missing cell.
Table read_csv(const std::filesystem::path& path, const CsvOptions& options) {
  io::InputFile file(path);
  CsvScanner scanner(file, options.separator);
  const std::vector<std::string> names = header_names(scanner, file.name());
  scanner.skip_blank_lines(names.size() > 1);
  const std::vector<std::size_t> places = choose_columns(names, options, file.name());

  std::vector<CsvColumn> columns;
  columns.reserve(places.size());
  for (const std::size_t place : places) {
    const auto& texts = options.text_columns;
    columns.emplace_back(names[place], std::find(texts.begin(), texts.end(), names[place]) != texts.end());
  }
  const io::MissingCells missing(options.missing);
  std::int64_t rows = 0;
  while (scanner.next()) {
    std::vector<CsvCell>& cells = scanner.cells();
    if (cells.size() != names.size()) {
      throw FileError(fmt::format("{} has {} {}, the header has {}; correct the row, or quote cells with separators",
                                  scanner.where(), cells.size(), cells.size() == 1 ? "cell" : "cells", names.size()));
    }
    for (std::size_t i = 0; i < columns.size(); ++i) {
      const std::string problem = columns[i].append(cells[places[i]].text(), missing);
      if (!problem.empty()) {
        throw FileError(fmt::format("{}, column {}: {}", scanner.where(), show(columns[i].name()), problem));
      }
    }
    ++rows;
  }
  if (rows == 0) throw FileError(fmt::format("{} has a header but no rows; add rows", file.name()));

  Table table(file.name());
  for (CsvColumn& column : columns) {
    std::size_t row = 0;
    const std::string problem = column.mostly_numbers(row);
    if (!problem.empty()) {
      throw FileError(fmt::format("{}: row {}, column {}: {}", file.name(), row, show(column.name()), problem));
    }
    table.add(column.finish());
  }
  return table;
}

}  // namespace jensen
