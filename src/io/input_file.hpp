#pragma once
/// \file A file to read from front to back, plain or gzipped.

#include <filesystem>
#include <string>

struct gzFile_s;

namespace jensen::io {

/// Bytes of a plain or gzipped file (told by its first bytes). Every failure is a FileError naming the file.
class InputFile {
 public:
  explicit InputFile(const std::filesystem::path& path);
  ~InputFile();
  InputFile(const InputFile&) = delete;
  InputFile& operator=(const InputFile&) = delete;

  /// Fills `out` with up to `size` bytes; returns how many, 0 only at the end.
  std::size_t read(char* out, std::size_t size);
  /// As the caller wrote it, for messages.
  const std::string& name() const { return name_; }

 private:
  std::string name_;
  gzFile_s* file_ = nullptr;
};

}  // namespace jensen::io
