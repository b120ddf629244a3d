#include "io/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <memory>
#include <system_error>

#include "jensen/errors.hpp"

namespace jensen::io {
namespace {

namespace fs = std::filesystem;

struct CloseFile {
  void operator()(std::FILE* file) const { std::fclose(file); }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

/// To the disk, where `descriptor` is of something that has one: pipes, devices and some file systems have not.
bool sync(int descriptor) { return fsync(descriptor) == 0 || errno == EINVAL || errno == ENOSYS || errno == ENOTSUP; }

std::string temporary_prefix(const fs::path& target) { return fmt::format(".{}.", target.filename().string()); }

}  // namespace

std::string error_text(int error) { return std::generic_category().message(error); }

std::string read_file(const fs::path& path) {
  const File file(std::fopen(path.c_str(), "rb"));
  if (!file)
    throw FileError(fmt::format("cannot open {} ({}); check its permissions", path.string(), error_text(errno)));
  std::string bytes;
  constexpr std::size_t chunk = std::size_t{1} << 20;
  for (;;) {
    const std::size_t old_size = bytes.size();
    bytes.resize(old_size + chunk);
    errno = 0;
    const std::size_t got = std::fread(bytes.data() + old_size, 1, chunk, file.get());
    bytes.resize(old_size + got);
    if (std::ferror(file.get())) {
      throw FileError(fmt::format("cannot read {} ({}); try again", path.string(), error_text(errno)));
    }
    if (got < chunk) return bytes;
  }
}

void write_file(const fs::path& path, std::string_view bytes, const std::string& shown) {
  File file(std::fopen(path.c_str(), "wb"));
  if (!file) throw FileError(fmt::format("cannot write {} ({}); write elsewhere", shown, error_text(errno)));
  // What the disk has no room for may show only when the last buffer goes out.
  const bool written = std::fwrite(bytes.data(), 1, bytes.size(), file.get()) == bytes.size() &&
                       std::fflush(file.get()) == 0 && sync(fileno(file.get()));
  const int write_error = errno;
  const bool closed = std::fclose(file.release()) == 0;
  if (!written || !closed) {
    throw FileError(fmt::format("cannot write {} ({}); make room or write elsewhere", shown,
                                error_text(written ? errno : write_error)));
  }
}

void sync_directory(const fs::path& directory) {
  const int descriptor = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  const bool synced = sync(descriptor);
  const int error = errno;
  close(descriptor);
  if (!synced) {
    throw FileError(fmt::format("cannot bring {} to the disk ({}); make room or write elsewhere", directory.string(),
                                error_text(error)));
  }
}

fs::path resolve(const fs::path& path) {
  std::error_code error;
  fs::path out = fs::weakly_canonical(fs::absolute(path), error);
  if (error) out = fs::absolute(path, error).lexically_normal();
  return out.has_filename() || !out.has_parent_path() ? out : out.parent_path();
}

TemporaryPath::TemporaryPath(const fs::path& target, Kind kind) {
  for (int attempt = 0;; ++attempt) {
    const fs::path path =
        target.parent_path() / fmt::format("{}{}-{}.tmp", temporary_prefix(target), getpid(), attempt);
    std::error_code error;
    if (kind == Kind::directory) {
      if (!fs::create_directory(path, error) && !error) continue;
    } else if (kind == Kind::unused) {
      if (fs::exists(fs::symlink_status(path, error))) continue;
      error.clear();
    } else {
      const int descriptor = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
      if (descriptor < 0 && errno == EEXIST) continue;
      if (descriptor < 0) {
        error.assign(errno, std::generic_category());
      } else {
        close(descriptor);
      }
    }
    if (error) {
      throw FileError(fmt::format("cannot write in {} ({}); write elsewhere, or make it writable",
                                  target.parent_path().string(), error.message()));
    }
    path_ = path;
    return;
  }
}

void TemporaryPath::remove_leftovers(const fs::path& target) {
  const std::string prefix = temporary_prefix(target);
  std::error_code ignored;
  for (const fs::directory_entry& entry : fs::directory_iterator(target.parent_path(), ignored)) {
    const std::string name = entry.path().filename().string();
    const std::string_view number = std::string_view(name).substr(std::min(prefix.size(), name.size()));
    // PID-ATTEMPT.tmp, and nothing that somebody else may have named.
    const bool ours = name.starts_with(prefix) && number.ends_with(".tmp") &&
                      number.find_first_not_of("0123456789-") == number.size() - 4;
    if (ours && entry.is_regular_file(ignored)) fs::remove(entry.path(), ignored);
  }
}

TemporaryPath::~TemporaryPath() {
  if (path_.empty()) return;
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

}  // namespace jensen::io
