#include "cli/stop_signals.hpp"

#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is POSIX, not in <csignal>
#include <unistd.h>

#include <array>
#include <atomic>
#include <csignal>
#include <ctime>
#include <string_view>

#include "cli/commands.hpp"

namespace jensen::cli {
namespace {

constexpr std::array stop_signals = {SIGINT, SIGTERM, SIGHUP, SIGUSR1};

// Any thread may be the one that a signal interrupts.
std::atomic<bool> training = false;
std::atomic<bool> stop_asked = false;
std::atomic<double> first_asked = 0;  // seconds
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<double>::is_always_lock_free);

double seconds_now() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

void tell(std::string_view text) {
  // The return value can tell nothing that a signal handler could act on.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

extern "C" void on_stop_signal(int number) {
  if (!training) {
    tell("\njensen: stopped before the first step; nothing has changed, the same command starts again\n");
    _exit(exit_interrupted);
  }
  if (!stop_asked.exchange(true)) {
    first_asked = seconds_now();
    tell("\njensen: stopping; a checkpoint and the fit so far will be saved (a second signal ends at once)\n");
    return;
  }
  // One keystroke or one `timeout` may arrive twice, by way of the process and of its group: only a later one counts.
  if (first_asked == 0 || seconds_now() - first_asked < 0.5) return;
  std::signal(number, SIG_DFL);
  raise(number);
}

void handle_stop_signals(void (*handler)(int)) {
  struct sigaction action = {};
  sigemptyset(&action.sa_mask);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  for (const int number : stop_signals) {
    struct sigaction before = {};
    sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);
  }
}

}  // namespace

StopSignals::StopSignals() { handle_stop_signals(on_stop_signal); }
StopSignals::~StopSignals() { handle_stop_signals(SIG_DFL); }
void StopSignals::training_begins() { training = true; }
bool StopSignals::asked() { return stop_asked; }

}  // namespace jensen::cli
