#include "cli/progress.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <span>
#include <string_view>

#include "cli/stop_signals.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace jensen::cli {
namespace {

constexpr std::size_t most_prior_lines = 20;

/// "16 coefficients, 3 parameters of groups".
std::string count_parameters(const std::vector<Parameter>& parameters) {
  const auto of = [&parameters](ParameterClass kind) { return std::ranges::count(parameters, kind, &Parameter::kind); };
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

ProgressPrinter::~ProgressPrinter() {
  erase_line();
  finish();
}

void ProgressPrinter::preparing(std::string_view what) {
  if (quiet_ || !terminal_) return;
  erase_line();
  const std::string line = printable(fmt::format("{} ..", what));
  say("{}", line.substr(0, terminal_columns(stderr) - 1));
  std::fflush(stderr);
  preparing_ = true;
}

void ProgressPrinter::erase_line() {
  if (preparing_) say("\r\x1b[K");
  preparing_ = false;
}

void ProgressPrinter::started(const RunDescription& run) {
  start_ = Clock::now();
  erase_line();
  if (quiet_) return;
  const TrainOptions& options = run.options;
  std::string text = fmt::format("device: {}\n", run.device);
  text += fmt::format("data:   {} used", counted(run.rows, "row"));
  if (run.rows_dropped > 0) text += fmt::format(" ({} dropped for missing values)", grouped(run.rows_dropped));
  text += fmt::format(", {}\n", count_parameters(run.parameters));
  text += fmt::format("run:    {} guide, {} and {} a step, seed {}\n", to_string(options.guide),
                      counted(options.samples, "sample"), counted(options.batch, "row"), options.seed);
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

void ProgressPrinter::progress(const Progress& report) {
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
}

void ProgressPrinter::end_line() {
  if (line_open_ && !StopSignals::asked()) std::fputc('\n', stderr);
  line_open_ = false;  // the signal handler has ended the line if the run was asked to stop
}

void ProgressPrinter::live_line(const Progress& report) {
  if (quiet_ || StopSignals::asked()) return;
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
  if (unwritten_) terminal_ ? live_line(*unwritten_) : plain_line(*unwritten_);
  unwritten_.reset();
  end_line();
}

}  // namespace jensen::cli
