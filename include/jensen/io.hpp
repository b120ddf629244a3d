#pragma once
/// \file Files: tables in, fits out and in again. Library target jensen::io.

#include <cstddef>
#include <filesystem>
#include <iosfwd>
#include <span>
#include <string>
#include <vector>

#include "jensen/export.h"
#include "jensen/fit.hpp"
#include "jensen/table.hpp"
#include "jensen/train.hpp"

namespace jensen {

struct CsvOptions {
  char separator = ',';
  std::vector<std::string> columns;               ///< names to read; empty: all. A name the file has not is a FileError
  std::vector<std::string> optional_columns;      ///< names to read too if the file has them
  std::vector<std::string> text_columns;          ///< read as text even if they look like numbers
  std::vector<std::string> missing = {"", "NA"};  ///< cells that mean "missing"
};

/// Reads a comma-separated file with a header line, plain or gzipped (told by its first bytes, not its name).
///
/// Quotes as in RFC 4180, LF or CRLF, UTF-8 with or without a byte-order mark. A column whose first present cell
/// is a number is numeric; a later cell that is no number is an error naming row, column and cell, and so
/// is a first cell that is none where most of the column are. Only the
/// columns asked for are checked. Throws FileError.
JENSEN_API Table read_csv(const std::filesystem::path& path, const CsvOptions& options = {});

/// Writes config.toml, trace.csv, summary.csv and fit.h5 into `directory`, by way of a temporary directory beside
/// it that is renamed: either all is written or nothing, and it is on the disk on return. An existing directory is an
/// error unless `replace`.
/// `config` is the text of config.toml. Throws FileError.
JENSEN_API void save_fit(const Fit& fit, const std::string& config, const std::filesystem::path& directory,
                         bool replace);
/// Throws FileError if there is no such directory, before anything is computed. Creates nothing that stays.
JENSEN_API void check_writable(const std::filesystem::path& directory, bool replace);
JENSEN_API Fit load_fit(const std::filesystem::path& directory);

/// A training state out of a file.
struct SavedState {
  std::vector<std::byte> state;  ///< for Trainer::restore()
  std::filesystem::path path;    ///< where it was
  std::string problem;           ///< why it is not the newest: one sentence; empty: it is
};
/// Writes what Trainer::state() returned to `path`, on the disk on return, and keeps the whole state that was there as
/// `path`.previous: at any instant, that of a crash included, there is a whole state under one of the two names once
/// one has been written. Makes the directories above. Throws FileError; the states before are then still there.
JENSEN_API void save_state(std::span<const std::byte> state, const std::filesystem::path& path);
/// The newest whole state of `path` and `path`.previous. Throws FileError: neither is there, or is whole.
JENSEN_API SavedState load_state(const std::filesystem::path& path);
/// Whether load_state() would find a file, whole or not.
JENSEN_API bool has_state(const std::filesystem::path& path);
/// Removes both files, and what a killed save_state() has left. Throws FileError.
JENSEN_API void remove_state(const std::filesystem::path& path);

/// Prediction::columns, then a line a row, empty cells where a predictor is missing. Written whole or not at all.
JENSEN_API void write_prediction(const Prediction& prediction, const std::filesystem::path& path);
/// The same text into a stream, whose state says whether it went well.
JENSEN_API void write_prediction(const Prediction& prediction, std::ostream& out);

}  // namespace jensen
