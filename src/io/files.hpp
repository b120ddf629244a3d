#pragma once
/// \file Whole files, and temporary places to write them in. Every failure is a FileError.

#include <filesystem>
#include <string>
#include <string_view>

namespace jensen::io {

/// What an errno stands for.
std::string error_text(int error);

std::string read_file(const std::filesystem::path& path);
/// Creates or overwrites `path`; its bytes are on the disk on return. `shown` names it in messages: the path its user
/// knows.
void write_file(const std::filesystem::path& path, std::string_view bytes, const std::string& shown);

/// Brings what was created, renamed or removed in the directory to the disk, where it can be opened and knows how.
void sync_directory(const std::filesystem::path& directory);

/// `path` absolute, with links followed as far as it exists and no slash at its end.
std::filesystem::path resolve(const std::filesystem::path& path);

/// A hidden name beside `target` (so that a rename to it stays in one file system), removed with all in it at the end
/// unless it has been renamed away.
class TemporaryPath {
 public:
  enum class Kind { file, directory, unused };
  /// Creates an empty file or directory, or (unused) only finds a free name.
  TemporaryPath(const std::filesystem::path& target, Kind kind);
  ~TemporaryPath();
  TemporaryPath(const TemporaryPath&) = delete;
  TemporaryPath& operator=(const TemporaryPath&) = delete;

  /// Removes what killed programs have left of such files for `target`.
  static void remove_leftovers(const std::filesystem::path& target);

  const std::filesystem::path& path() const { return path_; }
  /// Gives up removing it.
  void keep() { path_.clear(); }

 private:
  std::filesystem::path path_;
};

}  // namespace jensen::io
