#include "cli/output_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/commands.hpp"
#include "jensen/errors.hpp"

namespace jensen::cli {

namespace fs = std::filesystem;

namespace {

/// A pipe, a device, a socket: nothing that a new file could take the place of.
bool is_special(const fs::path& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

/// So that the new name outlives a crash, where the directory can be opened.
void sync_directory(const fs::path& directory) {
  const int descriptor = open(directory.empty() ? "." : directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  close(descriptor);
}

}  // namespace

void check_output_file(const fs::path& path, bool replace, std::string_view option) {
  if (path == "-") return;
  const auto cannot = [&](const std::string& why, int error) {
    throw InputError(
        fmt::format("cannot write {}: {} ({}); choose another {}", path.string(), why, std::strerror(error), option));
  };
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    throw InputError(fmt::format("{} is a directory; give {} the name of a file", path.string(), option));
  }
  if (is_special(path)) {
    if (access(path.c_str(), W_OK) != 0) cannot("it is not writable", errno);
    return;
  }
  const bool exists = fs::exists(path, ignored);
  if (!exists && fs::is_symlink(fs::symlink_status(path, ignored))) {
    throw InputError(fmt::format("{} is a link to nothing; remove it, or choose another {}", path.string(), option));
  }
  if (!replace && exists) {
    throw InputError(fmt::format("{} exists; add --force to replace it", path.string()));
  }
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, ignored)) {
    throw InputError(
        fmt::format("cannot write {}: {} is no directory; create it first", path.string(), folder.string()));
  }
  const fs::path real_folder = exists ? fs::canonical(path, ignored).parent_path() : folder;
  if (access(real_folder.c_str(), W_OK) != 0) cannot(real_folder.string(), errno);
}

OutputFile::OutputFile(const fs::path& path) : shown_(path), target_(path) {
  if (path == "-") {
    shown_ = "the standard output";
    file_ = stdout;
    return;
  }
  if (is_special(path)) {
    file_ = std::fopen(path.c_str(), "wb");
  } else {
    std::error_code ignored;
    if (fs::is_symlink(fs::symlink_status(path, ignored))) target_ = fs::canonical(path, ignored);
    temporary_ = target_;
    temporary_ += fmt::format(".{}.part", getpid());
    file_ = std::fopen(temporary_.c_str(), "wbx");
  }
  if (!file_) throw RunFailure(fmt::format("cannot write {} ({})", shown_.string(), std::strerror(errno)));
}

OutputFile::~OutputFile() {
  if (!file_ || is_stdout()) return;
  std::fclose(file_);
  std::error_code ignored;
  if (!temporary_.empty()) fs::remove(temporary_, ignored);
}

void OutputFile::commit() {
  bool complete = std::fflush(file_) == 0 && std::ferror(file_) == 0;
  if (!temporary_.empty()) complete = complete && (fsync(fileno(file_)) == 0 || errno == EINVAL || errno == ENOSYS);
  std::string problem = complete ? "" : std::strerror(errno);
  if (!is_stdout() && std::fclose(file_) != 0 && problem.empty()) problem = std::strerror(errno);
  file_ = nullptr;
  std::error_code error;
  if (problem.empty() && !temporary_.empty()) fs::rename(temporary_, target_, error);
  if (error) problem = error.message();
  if (problem.empty() && !temporary_.empty()) sync_directory(target_.parent_path());
  if (problem.empty()) return;
  if (!temporary_.empty()) fs::remove(temporary_, error);
  throw RunFailure(fmt::format("cannot write {} ({}); {}", shown_.string(), problem,
                               temporary_.empty() ? "what is there is not complete" : "nothing was written"));
}

}  // namespace jensen::cli
