#include <fmt/format.h>

#include <system_error>

#include "io/files.hpp"
#include "jensen/errors.hpp"
#include "jensen/io.hpp"
#include "jensen/trainer.hpp"

namespace jensen {
namespace {

namespace fs = std::filesystem;
using io::TemporaryPath;

fs::path previous_of(fs::path path) { return path += ".previous"; }

bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(path, ignored);
}

/// Empty: `bytes` is now what the file holds, and is whole.
std::string problem_of(const fs::path& path, std::string& bytes) {
  try {
    bytes = io::read_file(path);
  } catch (const FileError& error) {
    return error.what();
  }
  if (state_is_whole(std::as_bytes(std::span(bytes)))) return {};
  return fmt::format("{} is damaged (cut short, or changed since it was written)", path.string());
}

void rename_or_throw(const fs::path& from, const fs::path& to, const fs::path& shown) {
  std::error_code error;
  fs::rename(from, to, error);
  if (error) throw FileError(fmt::format("cannot write {} ({}); write elsewhere", shown.string(), error.message()));
}

}  // namespace

void save_state(std::span<const std::byte> state, const fs::path& path) {
  const fs::path target = fs::absolute(path).lexically_normal();
  std::error_code ignored;
  fs::create_directories(target.parent_path(), ignored);  // where it cannot, the next line says why
  TemporaryPath made(target, TemporaryPath::Kind::file);
  io::write_file(made.path(), {reinterpret_cast<const char*>(state.data()), state.size()}, path.string());
  // A damaged file must not push out the whole one before it.
  std::string bytes;
  if (is_there(target) && problem_of(target, bytes).empty()) rename_or_throw(target, previous_of(target), path);
  rename_or_throw(made.path(), target, path);
  made.keep();
  io::sync_directory(target.parent_path());
}

SavedState load_state(const fs::path& path) {
  std::string problem;
  for (const fs::path& file : {path, previous_of(path)}) {
    if (!is_there(file)) continue;
    std::string bytes;
    const std::string found = problem_of(file, bytes);
    if (found.empty()) {
      const auto state = std::as_bytes(std::span(bytes));
      return {{state.begin(), state.end()}, file, problem};
    }
    problem += (problem.empty() ? "" : ", and ") + found;
  }
  if (problem.empty()) {
    problem = fmt::format("there is no {}, nor {}", path.string(), previous_of(path).string());
  }
  throw FileError(problem + "; start anew");
}

bool has_state(const fs::path& path) { return is_there(path) || is_there(previous_of(path)); }

void remove_state(const fs::path& path) {
  const fs::path target = fs::absolute(path).lexically_normal();
  TemporaryPath::remove_leftovers(target);  // first: while a state is there, this will be called again
  for (const fs::path& file : {target, previous_of(target)}) {
    std::error_code error;
    fs::remove(file, error);
    if (error) {
      throw FileError(fmt::format("cannot remove {} ({}); remove it by hand", file.string(), error.message()));
    }
  }
  io::sync_directory(target.parent_path());
}

}  // namespace jensen
