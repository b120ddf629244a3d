#pragma once
/// \file One run at a time writes to one output folder.

#include <filesystem>

namespace jensen::cli {

/// Held while it lives, and let go by the system if the process is killed. Where the file system has no locks, none is.
class OutputLock {
 public:
  /// Throws InputError if another process holds the lock on `file`, which is made beside what it protects.
  explicit OutputLock(std::filesystem::path file);
  ~OutputLock();
  OutputLock(const OutputLock&) = delete;
  OutputLock& operator=(const OutputLock&) = delete;

 private:
  std::filesystem::path file_;
  int descriptor_ = -1;
};

}  // namespace jensen::cli
