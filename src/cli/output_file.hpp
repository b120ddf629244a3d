#pragma once
/// \file A file that the user asked for: refused early, written whole or not at all. "-" is the standard output.

#include <cstdio>
#include <filesystem>
#include <string_view>

namespace jensen::cli {

/// Throws InputError, naming the option, if `path` cannot become a new file: it exists (unless `replace`), is a
/// directory or a link to nothing, or its folder is missing or cannot be written. Pipes and devices are written to;
/// they exist always.
void check_output_file(const std::filesystem::path& path, bool replace, std::string_view option = "--out");

/// A file beside `path` that takes its name on commit(), then on the disk; without commit() it is removed. What is no
/// regular file (a pipe, a device, "-") is written to directly.
class OutputFile {
 public:
  /// Throws RunFailure.
  explicit OutputFile(const std::filesystem::path& path);
  ~OutputFile();
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;

  /// A failure shows at commit().
  void write(std::string_view bytes) { std::fwrite(bytes.data(), 1, bytes.size(), file_); }
  /// Throws RunFailure if anything written did not reach the file.
  void commit();

 private:
  bool is_stdout() const { return file_ == stdout; }

  std::filesystem::path shown_;      ///< as the user wrote it
  std::filesystem::path target_;     ///< with links followed
  std::filesystem::path temporary_;  ///< empty if written directly
  std::FILE* file_ = nullptr;
};

}  // namespace jensen::cli
