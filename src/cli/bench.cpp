#include "jensen/bench.hpp"

#include <fmt/format.h>

#include <cstdio>
#include <iterator>
#include <utility>

#include "cli/bench_json.hpp"
#include "cli/commands.hpp"
#include "cli/output_file.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"

namespace jensen::cli {
namespace {

constexpr std::size_t table_columns = 100;

/// Microseconds, milliseconds or seconds, as suits a time.
struct TimeUnit {
  double per_second;
  const char* name;
};
TimeUnit unit_of(double seconds) {
  if (seconds < 1e-3) return {1e6, "us"};
  return seconds < 1 ? TimeUnit{1e3, "ms"} : TimeUnit{1, "s"};
}

/// Three digits, or all before the point.
std::string short_number(double value) {
  return value < 999.5 ? fmt::format("{:.3g}", value) : fmt::format("{:.0f}", value);
}

/// 12.3 us, 4.56 ms
std::string time_text(double seconds) {
  const TimeUnit unit = unit_of(seconds);
  return fmt::format("{} {}", short_number(unit.per_second * seconds), unit.name);
}

std::string percent(double fraction) {
  const double value = 100 * fraction;
  return fmt::format("{:.{}f} %", value, value < 0.995 ? 1 : 0);
}

/// Of a number that may be far below 1.
std::string rate_text(double value) { return value < 999.5 ? fmt::format("{:.3g}", value) : scaled(value); }

/// 4.51 to 4.62 ms
std::string spread(const BenchTime& t) {
  const TimeUnit unit = unit_of(t.median);
  return fmt::format("{} to {} {}", short_number(unit.per_second * t.low), short_number(unit.per_second * t.high),
                     unit.name);
}

std::string head_text(const BenchResult& r) {
  std::string text = r.device == DeviceKind::cuda
                         ? fmt::format("device: {}, CUDA driver {}, runtime {}\n", printable(r.device_name),
                                       r.cuda_driver, r.cuda_runtime)
                         : fmt::format("device: cpu, {}, {} thread{}\n", r.isa, r.threads, r.threads == 1 ? "" : "s");
  if (r.device == DeviceKind::cpu && r.threads > r.processors) {
    text += fmt::format("        more threads than processors ({}): limits and times say little\n", r.processors);
  }
  text += fmt::format("build:  Jensen {}, commit {}, {}, CUDA {}\n", r.build.version, r.build.commit, r.build.compiler,
                      r.build.cuda);
  const BenchLimits& l = r.limits;
  text +=
      fmt::format("limits: read {}B/s, copy {}B/s, {}FLOP/s in single precision{}\n", scaled(l.read_bandwidth),
                  scaled(l.copy_bandwidth), scaled(l.fp32_rate),
                  l.matrix_kind == "fp32" ? "" : fmt::format(", {}FLOP/s {}", scaled(l.matrix_rate), l.matrix_kind));
  return text;
}

std::string title_of(const BenchCaseResult& c) {
  const BenchProblem& p = c.problem;
  std::string text = fmt::format("{}: {} x {}", p.name, grouped(p.rows), p.columns);
  if (p.levels > 0) text += fmt::format(", {}", counted(p.levels, "level"));
  text += fmt::format(", {}, {} guide", counted(c.parameters, "parameter"), c.guide);
  if (p.rows < c.rows_wanted) {
    text += fmt::format("\n  memory is short: {} instead of {}", counted(p.rows, "row"), grouped(c.rows_wanted));
  }
  return text;
}

std::string pass_table(const BenchCaseResult& c) {
  std::string text = fmt::format("  {:>4}{:>10}{:>15}{:>9}{:>10}  {:<11}{:>8}{:>10}  {}\n", "S", "rows/s",
                                 "row-samples/s", "B/s", "FLOP/s", "limit", "of it", "median", "quartiles");
  for (const BenchPass& p : c.passes) {
    const std::string_view limit = p.in_cache && p.limit == BenchLimit::memory ? "cache" : to_string(p.limit);
    text += fmt::format("  {:>4}{:>10}{:>15}{:>9}{:>10}  {:<11}{:>8}{:>10}  {}\n", p.samples, scaled(p.rows_per_second),
                        scaled(p.row_samples_per_second), scaled(p.bytes_per_second), scaled(p.operations_per_second),
                        limit, percent(p.fraction), time_text(p.time.median), spread(p.time));
  }
  return text;
}

/// Stages with their shares, as many as make 95 %, wrapped.
std::string stage_lines(const BenchSteps& s) {
  constexpr const char* indent = "        ";
  std::string text, line = indent;
  double shown = 0, all = 0;
  for (const BenchStage& stage : s.stages) all += stage.seconds;
  const auto put = [&](std::string_view name, double seconds) {
    const std::string item = fmt::format("{} {}", name, percent(seconds / s.staged_seconds));
    const bool first = line == indent;
    if (!first && line.size() + 2 + item.size() + 1 > table_columns) {  // a comma may follow
      text += line + ",\n";
      line = indent + item;
    } else {
      line += (first ? "" : ", ") + item;
    }
  };
  for (const BenchStage& stage : s.stages) {
    if (shown > 0.95 * s.staged_seconds) break;
    put(stage.name, stage.seconds);
    shown += stage.seconds;
  }
  if (all > shown) put("other stages", all - shown);
  if (s.staged_seconds - all > 5e-4 * s.staged_seconds) put("between stages", s.staged_seconds - all);
  return text + line + "\n";
}

std::string step_table(const BenchCaseResult& c) {
  std::string text = fmt::format("  {:>4}{:>13}{:>12}{:>15}{:>10}  {}\n", "S", "rows a step", "steps/s",
                                 "row-samples/s", "a step", "quartiles");
  for (const BenchSteps& s : c.steps) {
    text +=
        fmt::format("  {:>4}{:>13}{:>12}{:>15}{:>10}  {}\n", s.samples, grouped(s.batch), rate_text(s.steps_per_second),
                    scaled(s.row_samples_per_second), time_text(s.time.median), spread(s.time));
    text += stage_lines(s);
  }
  return text;
}

std::string case_table(const BenchCaseResult& c) {
  std::string text = "\n" + title_of(c) + "\n";
  if (!c.passes.empty()) text += "  one pass of value and gradient over all rows\n" + pass_table(c);
  if (!c.steps.empty()) text += "  training steps, and where their time goes\n" + step_table(c);
  if (!c.refused.empty()) text += fmt::format("  not timed further: {}\n", c.refused);
  return text;
}

/// Says on stderr what is being measured (on a terminal one line that renews itself, elsewhere a line each), and shows
/// each case as soon as it is over. `note`, if not empty, is said before the first of it.
class BenchPrinter : public BenchObserver {
 public:
  BenchPrinter(bool quiet, std::FILE* table, std::string note)
      : quiet_(quiet), terminal_(is_terminal(stderr)), table_(table), note_(std::move(note)) {}
  ~BenchPrinter() override { close_line(); }
  BenchPrinter(const BenchPrinter&) = delete;
  BenchPrinter& operator=(const BenchPrinter&) = delete;

  void measuring(const std::string& what, int done, int all) override {
    if (quiet_) return;
    if (!note_.empty()) say("note: {}\n", std::exchange(note_, ""));
    const std::string line = fmt::format("{}/{}  {}", done + 1, all, printable(what));
    if (!terminal_) {
      say("{}\n", line);
      return;
    }
    say("\r{}\x1b[K", line.substr(0, terminal_columns(stderr) - 1));
    std::fflush(stderr);
    open_ = true;
  }
  void limits_measured(const BenchResult& result) override { show(head_text(result)); }
  void case_measured(const BenchCaseResult& result) override { show(case_table(result)); }

 private:
  void show(const std::string& text) {
    close_line();
    std::fputs(text.c_str(), table_);
    std::fflush(table_);
  }
  void close_line() {
    if (open_) say("\r\x1b[K");
    open_ = false;
  }

  bool quiet_, terminal_, open_ = false;
  std::FILE* table_;
  std::string note_;
};

}  // namespace

int run(const BenchCommand& command) {
  if (!command.json.empty()) check_output_file(command.json, command.force, "--json");
  std::string note;
  if (command.options.device == DeviceKind::automatic && build_info().cuda != "none") {
    const std::string reason = cuda_unavailable_reason();
    if (!reason.empty()) note = fmt::format("no GPU is used: {}", reason);
  }
  BenchPrinter printer(command.quiet, command.json == "-" ? stderr : stdout, note);
  const BenchResult result = bench(command.options, &printer);
  if (!command.json.empty()) {
    OutputFile file(command.json);
    file.write(bench_json(result));
    file.commit();
  }
  for (const BenchCaseResult& c : result.cases) {
    if (!c.refused.empty()) throw RunFailure(fmt::format("{}: {}", c.problem.name, c.refused));
  }
  return exit_done;
}

}  // namespace jensen::cli
