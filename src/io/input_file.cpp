#include "io/input_file.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "io/files.hpp"
#include "jensen/errors.hpp"

namespace jensen::io {

InputFile::InputFile(const std::filesystem::path& path) : name_(path.string()) {
  if (name_.empty()) throw FileError("the name of the file to read is empty; give a path");
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    throw FileError(fmt::format("{} is a directory; give a file in it", name_));
  }
  errno = 0;
  file_ = gzopen(path.c_str(), "rb");
  if (file_ == nullptr) {
    throw FileError(
        fmt::format("cannot open {} ({}); check its path and permissions", name_, error_text(errno ? errno : ENOMEM)));
  }
  gzbuffer(file_, 1U << 18);
}

InputFile::~InputFile() {
  if (file_ != nullptr) gzclose_r(file_);
}

std::size_t InputFile::read(char* out, std::size_t size) {
  // zlib counts in int.
  const auto asked = static_cast<unsigned>(std::min<std::size_t>(size, 1U << 30));
  errno = 0;
  const int got = gzread(file_, out, asked);
  if (got > 0) return static_cast<std::size_t>(got);
  const int system_error = errno;
  int code = Z_OK;
  const char* text = gzerror(file_, &code);
  if (code == Z_ERRNO) throw FileError(fmt::format("cannot read {} ({}); try again", name_, error_text(system_error)));
  // A gzip file cut short gives its bytes first and this code at the end.
  if (code == Z_BUF_ERROR) {
    throw FileError(fmt::format("{} ends too early (its gzip data is cut short); fetch or compress it again", name_));
  }
  if (got < 0 || (code != Z_OK && code != Z_STREAM_END)) {
    // zlib puts the path it was given before its own words.
    std::string_view detail = text;
    if (detail.starts_with(name_)) detail.remove_prefix(std::min(detail.size(), name_.size() + 2));
    throw FileError(fmt::format("{} is damaged (gzip: {}); fetch or compress it again", name_, detail));
  }
  return 0;
}

}  // namespace jensen::io
