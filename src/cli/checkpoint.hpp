#pragma once
/// \file The checkpoint of a training run: two files beside its fit, out of which `--resume` goes on.

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "cli/commands.hpp"
#include "jensen/io.hpp"
#include "jensen/trainer.hpp"

namespace jensen::cli {

/// OUT.checkpoint beside the directory OUT; the one before it is OUT.checkpoint.previous.
std::filesystem::path checkpoint_path(const std::string& out);

class Checkpoint {
 public:
  /// Reads the one to resume from. Throws InputError: there is one, but neither --resume nor --force; or none that can
  /// be used, but --resume.
  explicit Checkpoint(const TrainCommand& command);

  /// Takes the trainer to where the checkpoint was, or removes one that --force gives up. What there is to say is in
  /// `said` and `warning`. Throws InputError: it is of another run.
  void begin(Trainer& trainer);
  /// Whether the interval has passed with the step just taken.
  bool due(const Trainer& trainer) const;
  /// Returns why it could not be written; empty if it was.
  std::string write(Trainer& trainer);
  /// Returns why the files could not be removed; empty if they were.
  std::string remove() const;

  const std::string& said() const { return said_; }        ///< a line about where it goes on; empty: from the start
  const std::string& warning() const { return warning_; }  ///< that it is not the newest; empty: it is
  std::string shown() const { return path_.string(); }

 private:
  using Clock = std::chrono::steady_clock;

  std::filesystem::path path_;
  CheckpointInterval every_;
  std::optional<SavedState> resumed_;
  std::string said_, warning_;
  Clock::time_point last_ = Clock::now();
};

}  // namespace jensen::cli
