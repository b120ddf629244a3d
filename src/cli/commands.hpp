#pragma once
/// \file The verbs: what each is given, already checked for form, and the call that carries it out.

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "jensen/bench.hpp"
#include "jensen/train.hpp"

namespace jensen::cli {

enum ExitCode : int { exit_done = 0, exit_failed = 1, exit_bad_input = 2, exit_interrupted = 3 };

/// The work could not be finished although the input was right: a full disk, say. Ends the program with exit_failed.
class RunFailure : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// How often a run writes its checkpoint: by its steps or by the clock. Both 0: when it is stopped, and only then.
struct CheckpointInterval {
  std::int64_t steps = 0;
  double seconds = 0;
  std::string text;  ///< as the user wrote it
};

/// The table's file where --data is -.
constexpr const char* standard_input = "/dev/stdin";

struct TrainCommand {
  std::string formula, data, out;
  TrainOptions options;
  std::vector<std::string> text;
  char separator = ',';
  CheckpointInterval checkpoint_every;
  bool resume = false;  ///< wins over `force`, which gives a checkpoint up
  bool force = false, quiet = false, json = false;
};

struct SummaryCommand {
  std::string fit;
  bool all = false, json = false;
};

struct PredictCommand {
  std::string fit, data, out;
  std::vector<std::string> text;
  char separator = ',';
  PredictOptions options;
  bool force = false, quiet = false;
};

struct DrawsCommand {
  std::string fit, out;
  std::size_t count = 1000;
  std::uint64_t seed = 1;
  bool force = false, quiet = false;
};

struct FamiliesCommand {
  bool json = false;
};

struct PriorsCommand {
  bool json = false;
};

struct BenchCommand {
  BenchOptions options;
  std::string json;  ///< file for all numbers, "-" for the standard output, or empty
  bool force = false, quiet = false;
};

struct InfoCommand {
  bool json = false;
};

/// Text to be printed: --help or --version.
struct ShowCommand {
  std::string text;
};

/// Each returns an exit code, or throws what the library throws, or RunFailure.
int run(const TrainCommand& command);
int run(const SummaryCommand& command);
int run(const PredictCommand& command);
int run(const DrawsCommand& command);
int run(const FamiliesCommand& command);
int run(const PriorsCommand& command);
int run(const BenchCommand& command);
int run(const InfoCommand& command);
int run(const ShowCommand& command);

}  // namespace jensen::cli
