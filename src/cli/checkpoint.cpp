#include "cli/checkpoint.hpp"

#include <fmt/format.h>

#include "cli/text.hpp"
#include "jensen/errors.hpp"

namespace jensen::cli {

namespace fs = std::filesystem;

fs::path checkpoint_path(const std::string& out) {
  fs::path path = fs::path(out).lexically_normal();
  if (!path.has_filename()) path = path.parent_path();  // of "fit/"
  if (path.empty() || path == "." || path.filename() == "..") {
    path = fs::absolute(out).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
  }
  return path += ".checkpoint";
}

Checkpoint::Checkpoint(const TrainCommand& command)
    : path_(checkpoint_path(command.out)), every_(command.checkpoint_every) {
  const bool there = has_state(path_);
  if (command.resume && !there) {
    throw InputError(
        fmt::format("there is no {} to go on from (--resume); leave --resume out to start anew", path_.string()));
  }
  if (there && !command.resume && !command.force) {
    throw InputError(fmt::format(
        "{} is of a run that was interrupted; give --resume to go on with it, or --force to give it up and start anew",
        path_.string()));
  }
  if (!command.resume) return;
  try {
    resumed_ = load_state(path_);
  } catch (const FileError& error) {
    throw InputError(fmt::format("{} with --force in place of --resume", error.what()));
  }
}

void Checkpoint::begin(Trainer& trainer) {
  last_ = Clock::now();
  if (!resumed_) {
    if (has_state(path_)) remove_state(path_);
    return;
  }
  try {
    trainer.restore(resumed_->state);
  } catch (const OtherRunError& other) {
    throw InputError(
        fmt::format("{} is of another {} (--resume); give what it was started with, or start anew with --force in "
                    "place of --resume",
                    resumed_->path.string(), other.part()));
  }
  said_ = fmt::format("resume: step {}, from {}\n", grouped(trainer.steps()), resumed_->path.string());
  if (!resumed_->problem.empty()) {
    warning_ = fmt::format("{}; going on from {}, at step {}", resumed_->problem, resumed_->path.string(),
                           grouped(trainer.steps()));
  }
  resumed_.reset();
}

bool Checkpoint::due(const Trainer& trainer) const {
  if (every_.steps > 0) return trainer.steps() % every_.steps == 0;
  return every_.seconds > 0 && std::chrono::duration<double>(Clock::now() - last_).count() >= every_.seconds;
}

std::string Checkpoint::write(Trainer& trainer) {
  std::string problem;
  try {
    save_state(trainer.state(), path_);
  } catch (const FileError& error) {
    problem = error.what();
  }
  last_ = Clock::now();
  return problem;
}

std::string Checkpoint::remove() const {
  try {
    if (has_state(path_)) remove_state(path_);
  } catch (const FileError& error) {
    return error.what();
  }
  return {};
}

}  // namespace jensen::cli
