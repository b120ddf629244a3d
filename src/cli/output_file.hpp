#pragma once
/// \file A file that the user asked for: refused early, written whole or not at all.

#include <cstdio>
#include <filesystem>
#include <memory>

namespace jensen::cli {

/// Throws InputError if `path` cannot become a new file: it exists (unless `replace`), is a directory, or its folder is
/// missing or cannot be written.
void check_output_file(const std::filesystem::path& path, bool replace);

/// A file beside `path` that takes its name on commit(); without commit() it is removed.
class OutputFile {
 public:
  /// Throws RunFailure.
  explicit OutputFile(std::filesystem::path path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  std::FILE* stream() { return file_; }
  /// Throws RunFailure if anything written did not reach the file.
  void commit();

 private:
  std::filesystem::path path_, temporary_;
  std::FILE* file_ = nullptr;
};

}  // namespace jensen::cli
