#pragma once
/// \file What ends a run from outside: SIGINT (Ctrl-C), SIGTERM, SIGHUP, and SIGUSR1 as batch systems send it.

namespace jensen::cli {

/// Takes these signals while it lives, but those that the program was started to ignore (nohup). Until training begins
/// one ends the program at once, with a sentence and exit_interrupted, since there is nothing to save; from then on it
/// asks the run to stop, and a second one, half a second later or more, ends the program. One at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  void training_begins();
  /// The run was asked to stop.
  static bool asked();
};

}  // namespace jensen::cli
