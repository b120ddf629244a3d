#include <fmt/format.h>

#include <algorithm>
#include <ostream>
#include <system_error>
#include <vector>

#include "io/csv_writer.hpp"
#include "io/files.hpp"
#include "io/fit_file.hpp"
#include "jensen/errors.hpp"
#include "jensen/io.hpp"

namespace jensen {
namespace {

namespace fs = std::filesystem;
using io::TemporaryPath;

/// The path as its user wrote it, with one slash at the end.
std::string show_directory(const fs::path& directory) {
  std::string text = directory.string();
  while (text.size() > 1 && text.ends_with('/')) text.pop_back();
  return text == "/" ? text : text + "/";
}

/// Whether deleting the directory can only delete a fit: it is empty, or has a fit.h5 and no directories in it.
bool may_be_replaced(const fs::path& directory) {
  bool has_fit = false;
  bool empty = true;
  for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name != "fit.h5" && name != "config.toml" && name != "summary.csv" && name != "trace.csv") return false;
    if (entry.symlink_status().type() == fs::file_type::directory) return false;
    has_fit = has_fit || name == "fit.h5";
    empty = false;
  }
  return has_fit || empty;
}

/// Throws FileError if `target` (what `shown` resolves to) exists and may not be replaced.
void check_target(const fs::path& target, const std::string& shown, bool replace) {
  const fs::file_status status = fs::status(target);
  if (!fs::exists(status)) {
    if (!fs::is_symlink(fs::symlink_status(target))) return;
    throw FileError(fmt::format("{} is a link to nothing (--out): remove it, or give another name", shown));
  }
  if (!fs::is_directory(status)) {
    throw FileError(fmt::format("{} exists and is not a directory (--out): give another name", shown));
  }
  if (!replace) {
    throw FileError(
        fmt::format("{} exists already (--out): give --force to replace it, or another name", show_directory(shown)));
  }
  if (!may_be_replaced(target)) {
    throw FileError(
        fmt::format("{} is not a fit, or holds more than a fit (--out): --force will not delete it; give "
                    "another name",
                    show_directory(shown)));
  }
}

fs::path nearest_existing_parent(const fs::path& target) {
  fs::path parent = target.parent_path();
  std::error_code ignored;
  while (parent.has_relative_path() && !fs::exists(parent, ignored)) parent = parent.parent_path();
  return parent;
}

/// Makes the directories above `target`; takes those it made away again at the end unless told to keep them.
class ParentDirectories {
 public:
  explicit ParentDirectories(const fs::path& target) {
    for (fs::path p = target.parent_path(); !fs::exists(p) && p.has_relative_path(); p = p.parent_path()) {
      made_.push_back(p);
    }
    fs::create_directories(target.parent_path());
  }
  ~ParentDirectories() {
    std::error_code ignored;
    for (const fs::path& p : made_) fs::remove(p, ignored);
  }
  ParentDirectories(const ParentDirectories&) = delete;
  ParentDirectories& operator=(const ParentDirectories&) = delete;
  void keep() { made_.clear(); }

 private:
  std::vector<fs::path> made_;  ///< innermost first
};

/// Puts `made` in the place of `target`. If that fails, what was there before is there again.
void move_into_place(TemporaryPath& made, const fs::path& target) {
  if (!fs::exists(target)) {
    fs::rename(made.path(), target);
    made.keep();
    return;
  }
  TemporaryPath old(target, TemporaryPath::Kind::unused);
  fs::rename(target, old.path());
  try {
    fs::rename(made.path(), target);
  } catch (const fs::filesystem_error&) {
    std::error_code ignored;
    fs::rename(old.path(), target, ignored);
    old.keep();
    throw;
  }
  made.keep();
}

/// Runs `body`; turns what the file system throws into one sentence about `shown`.
template <class Body>
void with_file_errors(const std::string& shown, Body body) {
  try {
    body();
  } catch (const fs::filesystem_error& error) {
    throw FileError(fmt::format("cannot write {} ({}: {}); write elsewhere, or make it writable", shown,
                                error.path1().string(), error.code().message()));
  }
}

void check_name(const fs::path& path) {
  if (path.empty()) throw FileError("the name of the output is empty (--out); give one");
}

}  // namespace

void check_writable(const fs::path& directory, bool replace) {
  check_name(directory);
  with_file_errors(show_directory(directory), [&] {
    const fs::path target = io::resolve(directory);
    check_target(target, directory.string(), replace);
    const fs::path parent = nearest_existing_parent(target);
    if (!fs::is_directory(parent)) {
      throw FileError(fmt::format("cannot make {} (--out): {} is not a directory; give another name",
                                  show_directory(directory), parent.string()));
    }
    const TemporaryPath probe(parent / target.filename(), TemporaryPath::Kind::directory);
  });
}

void save_fit(const Fit& fit, const std::string& config, const fs::path& directory, bool replace) {
  check_writable(directory, replace);
  const std::string shown = show_directory(directory);
  const std::string encoded = io::encode_fit(fit);
  with_file_errors(shown, [&] {
    const fs::path target = io::resolve(directory);
    ParentDirectories parents(target);
    TemporaryPath made(target, TemporaryPath::Kind::directory);
    const auto write = [&](const std::string& name, std::string_view bytes) {
      io::write_file(made.path() / name, bytes, shown + name);
    };
    write("config.toml", config);
    write("trace.csv", io::trace_csv(fit));
    write("summary.csv", io::summary_csv(fit));
    write("fit.h5", encoded);
    io::sync_directory(made.path());
    move_into_place(made, target);
    parents.keep();
    io::sync_directory(target.parent_path());
  });
}

Fit load_fit(const fs::path& directory) {
  const std::string shown = show_directory(directory);
  std::error_code error;
  const fs::file_status status = fs::status(directory, error);
  if (!fs::exists(status)) {
    throw FileError(fmt::format("there is no {} ({}); give the directory that train --out wrote", shown,
                                status.type() == fs::file_type::none ? error.message() : "no such directory"));
  }
  if (!fs::is_directory(status)) {
    throw FileError(
        fmt::format("{} is not a directory; give the directory that train --out wrote", directory.string()));
  }
  const fs::path file = directory / "fit.h5";
  if (!fs::is_regular_file(file, error)) {
    throw FileError(fmt::format("{} holds no fit.h5; give the directory that train --out wrote", shown));
  }
  return io::decode_fit(io::read_file(file), shown + "fit.h5");
}

void write_prediction(const Prediction& prediction, const fs::path& path) {
  check_name(path);
  const std::string text = io::prediction_csv(prediction);
  with_file_errors(path.string(), [&] {
    const fs::file_status status = fs::status(path);
    if (fs::is_directory(status) || !path.has_filename()) {
      throw FileError(fmt::format("{} is a directory (--out); give the name of a file", path.string()));
    }
    // A pipe or a device must be written to, not replaced.
    if (fs::exists(status) && !fs::is_regular_file(status)) return io::write_file(path, text, path.string());
    const fs::path target = io::resolve(path);
    TemporaryPath made(target, TemporaryPath::Kind::file);
    io::write_file(made.path(), text, path.string());
    fs::rename(made.path(), target);
    made.keep();
    io::sync_directory(target.parent_path());
  });
}

void write_prediction(const Prediction& prediction, std::ostream& out) { out << io::prediction_csv(prediction); }

}  // namespace jensen
