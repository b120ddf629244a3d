#pragma once
/// \file What a person sees while a fit runs: one live line on a terminal, a plain line now and then elsewhere.

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "jensen/train.hpp"

namespace jensen::cli {

/// Writes to stderr.
class ProgressPrinter {
 public:
  explicit ProgressPrinter(bool quiet);
  ~ProgressPrinter();
  ProgressPrinter(const ProgressPrinter&) = delete;
  ProgressPrinter& operator=(const ProgressPrinter&) = delete;

  /// On a terminal, until started(): what takes its time before there is anything to report.
  void preparing(std::string_view what);
  void started(const RunDescription& run);
  /// May be called as often as there are reports; shows some of them.
  void progress(const Progress& report);
  /// Something else is about to be said.
  void end_line();
  /// Shows the last report for good.
  void finish();

 private:
  using Clock = std::chrono::steady_clock;

  void erase_line();
  void live_line(const Progress& report);
  void plain_line(const Progress& report);

  bool quiet_;
  bool terminal_;
  bool line_open_ = false;  ///< a live line is on the screen, without its line end
  bool preparing_ = false;  ///< and so is what preparing() wrote
  Clock::time_point start_;
  std::optional<Clock::time_point> last_written_;
  std::optional<Progress> unwritten_;  ///< the latest report, if it has not been shown
};

/// One line about the training so far, cut to `columns` characters by leaving out its least important parts.
std::string progress_line(const Progress& report, std::size_t columns);

}  // namespace jensen::cli
