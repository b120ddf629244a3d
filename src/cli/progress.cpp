#include "cli/progress.hpp"

#include <fmt/format.h>
#include <signal.h>  // NOLINT(modernize-deprecated-headers): sigaction is POSIX, not in <csignal>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <span>
#include <string_view>

#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace jensen::cli {
namespace {

constexpr std::size_t most_prior_lines = 20;

volatile sig_atomic_t stop_asked = 0;

timespec first_asked;

extern "C" void on_stop_signal(int number) {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  if (stop_asked != 0) {
    // One keystroke or one `timeout` may arrive twice, by way of the process and of its group: only a later one counts.
    const double waited = static_cast<double>(now.tv_sec - first_asked.tv_sec) +
                          1e-9 * static_cast<double>(now.tv_nsec - first_asked.tv_nsec);
    if (waited < 0.5) return;
    std::signal(number, SIG_DFL);
    raise(number);
    return;
  }
  first_asked = now;
  stop_asked = 1;
  constexpr std::string_view text = "\njensen: stopping; the fit so far will be saved (Ctrl-C again ends at once)\n";
  // The return value can tell nothing that a signal handler could act on.
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, text.data(), text.size());
}

void handle_stop_signals(bool ours) {
  struct sigaction action = {};
  sigemptyset(&action.sa_mask);
  action.sa_handler = ours ? on_stop_signal : SIG_DFL;
  action.sa_flags = SA_RESTART;
  for (const int number : {SIGINT, SIGTERM}) {
    struct sigaction before = {};
    sigaction(number, nullptr, &before);
    if (before.sa_handler != SIG_IGN) sigaction(number, &action, nullptr);  // nohup and the like stay in force
  }
}

/// "16 coefficients, 3 parameters of groups".
std::string count_parameters(const std::vector<Parameter>& parameters) {
  const auto of = [&parameters](ParameterClass kind) { return std::ranges::count(parameters, kind, &Parameter::kind); };
  const auto counted = [](std::int64_t count, std::string_view what) {
    return fmt::format("{} {}{}", grouped(count), what, count == 1 ? "" : "s");
  };
  std::string text = counted(of(ParameterClass::population), "coefficient");
  if (const auto groups = of(ParameterClass::group); groups > 0) {
    text += ", " + counted(groups, "parameter") + " of groups";
  }
  return text;
}

}  // namespace

std::string progress_line(const Progress& report, std::size_t columns) {
  const std::string left = duration(report.seconds_left);
  const std::string step = report.steps > 0 ? fmt::format("step {}/{}", grouped(report.step), grouped(report.steps))
                                            : fmt::format("step {}", grouped(report.step));
  const std::string elbo = fmt::format("  ELBO {}", with_error(report.elbo, report.elbo_se));
  const std::string rate = fmt::format("  {} rows/s", scaled(report.rows_per_second));
  const std::string time = left.empty() ? "" : fmt::format("  {} left", left);
  for (const std::string& line : {step + elbo + rate + time, step + elbo + time, step + elbo, step}) {
    if (line.size() <= columns) return line;
  }
  return step.substr(0, columns);
}

ProgressPrinter::ProgressPrinter(bool quiet) : quiet_(quiet), terminal_(is_terminal(stderr)), start_(Clock::now()) {}

ProgressPrinter::~ProgressPrinter() { finish(); }

bool ProgressPrinter::interrupted() { return stop_asked != 0; }

void ProgressPrinter::started(const RunDescription& run) {
  handle_stop_signals(true);
  start_ = Clock::now();
  if (quiet_) return;
  const TrainOptions& options = run.options;
  std::string text = fmt::format("device: {}\n", run.device);
  text += fmt::format("data:   {} rows used", grouped(run.rows));
  if (run.rows_dropped > 0) text += fmt::format(" ({} dropped for missing values)", grouped(run.rows_dropped));
  text += fmt::format(", {}\n", count_parameters(run.parameters));
  text += fmt::format("run:    {} guide, {} samples and {} rows a step, seed {}\n", to_string(options.guide),
                      options.samples, grouped(options.batch), options.seed);
  const char* label = "priors: ";
  const std::size_t shown = std::min(options.priors.size(), most_prior_lines);
  for (const Prior& prior : std::span(options.priors).first(shown)) {
    text += fmt::format("{}{}\n", label, printable(to_string(prior)));
    label = "        ";
  }
  if (shown < options.priors.size()) {
    text += fmt::format("        ... and {} more, in config.toml\n", options.priors.size() - shown);
  }
  for (const std::string& note : run.notes) text += fmt::format("note:   {}\n", printable(note));
  std::fputs(text.c_str(), stderr);
}

bool ProgressPrinter::progress(const Progress& report) {
  using std::chrono::duration_cast;
  const Clock::time_point now = Clock::now();
  // On a terminal at most ten times a second; elsewhere at most every five, and about twenty lines in all.
  std::chrono::duration<double> pause(0.1);
  if (!terminal_) {
    const double elapsed = std::chrono::duration<double>(now - start_).count();
    const double total = elapsed + (std::isfinite(report.seconds_left) ? std::max(report.seconds_left, 0.0) : 0.0);
    pause = std::chrono::duration<double>(std::max(5.0, total / 20));
  }
  unwritten_ = report;
  if (!last_written_ || now - *last_written_ >= pause) {
    terminal_ ? live_line(report) : plain_line(report);
    last_written_ = now;
  }
  return !interrupted();
}

void ProgressPrinter::live_line(const Progress& report) {
  if (quiet_ || interrupted()) return;
  // The last column stays free: a full line would wrap on some terminals.
  say("\r{}\x1b[K", progress_line(report, terminal_columns(stderr) - 1));
  std::fflush(stderr);
  line_open_ = true;
  unwritten_.reset();
}

void ProgressPrinter::plain_line(const Progress& report) {
  if (quiet_) return;
  say("{}\n", progress_line(report, 200));
  unwritten_.reset();
}

void ProgressPrinter::finish() {
  handle_stop_signals(false);
  if (unwritten_) terminal_ ? live_line(*unwritten_) : plain_line(*unwritten_);
  unwritten_.reset();
  if (line_open_ && !interrupted()) std::fputc('\n', stderr);
  line_open_ = false;  // the signal handler has ended the line if it was interrupted
}

}  // namespace jensen::cli
