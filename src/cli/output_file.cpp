#include "cli/output_file.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/commands.hpp"
#include "jensen/errors.hpp"

namespace jensen::cli {

namespace fs = std::filesystem;

void check_output_file(const fs::path& path, bool replace) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) {
    throw InputError(fmt::format("{} is a directory; give --out the name of a file", path.string()));
  }
  if (!replace && fs::exists(path, ignored)) {
    throw InputError(fmt::format("{} exists; add --force to replace it", path.string()));
  }
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  if (!fs::is_directory(folder, ignored)) {
    throw InputError(
        fmt::format("cannot write {}: {} is no directory; create it first", path.string(), folder.string()));
  }
  if (access(folder.c_str(), W_OK) != 0) {
    throw InputError(fmt::format("cannot write {}: {} ({}); choose another --out", path.string(), folder.string(),
                                 std::strerror(errno)));
  }
}

OutputFile::OutputFile(fs::path path) : path_(std::move(path)) {
  temporary_ = path_;
  temporary_ += fmt::format(".{}.part", getpid());
  file_ = std::fopen(temporary_.c_str(), "wbx");
  if (!file_) throw RunFailure(fmt::format("cannot write {} ({})", path_.string(), std::strerror(errno)));
}

OutputFile::~OutputFile() {
  if (!file_) return;
  std::fclose(file_);
  std::error_code ignored;
  fs::remove(temporary_, ignored);
}

void OutputFile::commit() {
  const bool complete = std::fflush(file_) == 0 && std::ferror(file_) == 0;
  std::string problem = complete ? "" : std::strerror(errno);
  if (std::fclose(file_) != 0 && problem.empty()) problem = std::strerror(errno);
  file_ = nullptr;
  std::error_code error;
  if (problem.empty()) fs::rename(temporary_, path_, error);
  if (error) problem = error.message();
  if (problem.empty()) return;
  fs::remove(temporary_, error);
  throw RunFailure(fmt::format("cannot write {} ({}); nothing was written", path_.string(), problem));
}

}  // namespace jensen::cli
