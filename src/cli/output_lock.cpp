#include "cli/output_lock.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "jensen/errors.hpp"

namespace jensen::cli {
namespace {

/// Whether the open file is still the one of that name: its last holder may have removed it meanwhile.
bool is_there(int descriptor, const std::filesystem::path& file) {
  struct stat open = {}, named = {};
  return fstat(descriptor, &open) == 0 && stat(file.c_str(), &named) == 0 && open.st_dev == named.st_dev &&
         open.st_ino == named.st_ino;
}

}  // namespace

OutputLock::OutputLock(std::filesystem::path file) : file_(std::move(file)) {
  while (true) {
    descriptor_ = open(file_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (descriptor_ < 0) return;  // whether the folder can be written at all is told when it is
    if (flock(descriptor_, LOCK_EX | LOCK_NB) == 0) {
      if (is_there(descriptor_, file_)) return;
    } else if (errno == EWOULDBLOCK) {
      close(descriptor_);
      throw InputError(fmt::format(
          "another run is writing there ({} is locked); wait for its end, or give another --out", file_.string()));
    } else if (errno != EINTR) {
      return;
    }
    close(descriptor_);
  }
}

OutputLock::~OutputLock() {
  if (descriptor_ < 0) return;
  unlink(file_.c_str());
  close(descriptor_);
}

}  // namespace jensen::cli
