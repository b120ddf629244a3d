#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "cli/checkpoint.hpp"
#include "cli/commands.hpp"
#include "cli/config.hpp"
#include "cli/fit_table.hpp"
#include "cli/output_lock.hpp"
#include "cli/progress.hpp"
#include "cli/report.hpp"
#include "cli/stop_signals.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"
#include "jensen/errors.hpp"
#include "jensen/io.hpp"
#include "jensen/trainer.hpp"

namespace jensen::cli {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t most_table_lines = 40;

Table read_table(const TrainCommand& command, const std::vector<std::string>& columns) {
  for (const std::string& name : command.text) {
    if (std::find(columns.begin(), columns.end(), name) == columns.end()) {
      throw InputError(fmt::format("--text {}: the formula uses no such column; remove it or correct its name", name));
    }
  }
  CsvOptions csv;
  csv.separator = command.separator;
  csv.columns = columns;
  csv.text_columns = command.text;
  return read_csv(command.data, csv);
}

/// Everything needed to run it again: what was chosen automatically is written as it was resolved.
std::string config_text(const TrainCommand& command, const Fit& fit) {
  std::vector<std::string> priors;
  for (const Prior& prior : fit.options.priors) priors.push_back(to_string(prior));
  std::string text = "# Repeat this fit: jensen train --config THIS_FILE --out NEW_DIR\n";
  const auto line = [&text](const std::string& key, const std::string& value) {
    text += fmt::format("{} = {}\n", key, value);
  };
  line("formula", toml_string(command.formula));
  line("family", toml_string(to_string(fit.options.family)));
  if (fit.options.link) line("link", toml_string(to_string(*fit.options.link)));
  for (const ParameterFormula& other : fit.options.formulas) {
    line("formula-" + other.parameter, toml_string(other.formula));
  }
  line("prior", toml_array(priors));
  line("data", toml_string(fs::absolute(command.data).string()));
  line("sep", toml_string(command.separator == '\t' ? "tab" : std::string(1, command.separator)));
  line("text", toml_array(command.text));
  line("na", toml_string(fit.options.missing == MissingPolicy::error ? "error" : "drop"));
  line("guide", toml_string(to_string(fit.options.guide)));
  line("parametrization", toml_string(to_string(fit.options.parametrization)));
  line("samples", std::to_string(fit.options.samples));
  line("batch", std::to_string(fit.options.batch));
  line("steps", std::to_string(command.options.steps));
  line("lr", fmt::format("{}", fit.options.learning_rate));
  line("optimizer", "\"adam\"");
  line("seed", std::to_string(fit.options.seed));
  line("threads", std::to_string(command.options.threads));
  line("device", toml_string(to_string(command.options.device)));
  line("storage", toml_string(to_string(fit.options.storage)));
  line("precision", toml_string(to_string(fit.options.precision)));
  line("checkpoint-every", toml_string(command.checkpoint_every.text));
  return text;
}

/// A word for the shell: quoted only if it needs to be.
std::string shell_word(const std::string& word) {
  const std::string plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@";
  if (!word.empty() && word.find_first_not_of(plain) == word.npos) return word;
  std::string out = "'";
  for (const char c : word) c == '\'' ? out += "'\\''" : out += c;
  return out + "'";
}

void print_result(const Fit& fit, const FitTables& tables) {
  say("\n{}\n", printable(fit.verdict.message));
  say("ELBO {}, {} in {:.4g} s ({} rows/s)\n\n", with_error(fit.elbo, fit.elbo_se), counted(fit.steps, "step"),
      fit.seconds, scaled(fit.rows_per_second));
  std::fputs(tables.text.c_str(), stderr);
}

void print_next_steps(const std::string& out, std::size_t parameters, const FitTables& tables) {
  const std::string dir = shell_word(out);
  if (tables.left_out > 0) {
    say("... and {} more: all {} are in {}\n", grouped(static_cast<std::int64_t>(tables.left_out)),
        grouped(static_cast<std::int64_t>(parameters)), shell_word((fs::path(out) / "summary.csv").string()));
  }
  say("\nsaved in {}; next:\n  jensen summary {}\n  jensen predict {} --data NEW.csv --out pred.csv\n", dir, dir, dir);
}

/// A fit is never lost to a disk that filled up meanwhile: it then goes to the temporary folder, if it can.
[[noreturn]] void save_elsewhere(const Fit& fit, const std::string& config, const FileError& problem) {
  std::string rescue;
  try {
    const fs::path folder = fs::temp_directory_path();
    for (int i = 1; rescue.empty() && i < 1000; ++i) {
      const fs::path candidate = folder / fmt::format("jensen-fit-{}", i);
      if (!fs::exists(candidate)) rescue = candidate.string();
    }
    save_fit(fit, config, rescue, false);
  } catch (const std::exception&) {
    throw RunFailure(fmt::format("the fit was not saved: {}", problem.what()));
  }
  throw RunFailure(fmt::format("{}; the fit is in {} instead", problem.what(), rescue));
}

/// The table is gone when this returns: training does not need it.
Trainer make_trainer(const TrainCommand& command, ProgressPrinter& progress) {
  progress.preparing("reading " + command.data);
  const Table table = read_table(command, formula_columns(command.formula, command.options.formulas));
  progress.preparing(counted(static_cast<std::int64_t>(table.rows()), "row") + " read; looking for a start");
  return {command.formula, table, command.options};
}

/// Steps until the run is over or was asked to stop. A checkpoint that cannot be written does not end it.
void take_steps(Trainer& trainer, Checkpoint& checkpoint, ProgressPrinter& progress) {
  bool warned = false;
  while (!trainer.done() && !StopSignals::asked()) {
    trainer.step();
    if (const Progress report = trainer.progress(); report.step == trainer.steps()) progress.progress(report);
    if (!checkpoint.due(trainer)) continue;
    const std::string problem = checkpoint.write(trainer);
    if (problem.empty() || warned) continue;
    progress.end_line();
    say("WARNING: no checkpoint at step {}: {}; training goes on.\n", grouped(trainer.steps()), problem);
    warned = true;
  }
}

/// `problem`: why there is no checkpoint.
int end_stopped(const TrainCommand& command, const Fit& fit, const std::string& problem) {
  const std::string stopped =
      fmt::format("stopped after {}; the fit so far is in {}", counted(fit.steps, "step"), command.out);
  if (!problem.empty()) throw RunFailure(fmt::format("{}, but there is no checkpoint of it: {}", stopped, problem));
  say("jensen: {}; go on with\n  jensen train --config {} --out {} --resume{}\n", stopped,
      shell_word((fs::path(command.out) / "config.toml").string()), shell_word(command.out),
      command.data == standard_input ? " < TABLE" : "");
  return exit_interrupted;
}

}  // namespace

int run(const TrainCommand& command) {
  std::signal(SIGPIPE, SIG_IGN);  // a reader of the progress that goes away does not take the fit with it
  StopSignals signals;
  const bool replace = command.force || command.resume;
  const fs::path lock_file = checkpoint_path(command.out) += ".lock";
  { const OutputLock before_the_table_is_read(lock_file); }
  Checkpoint checkpoint(command);
  check_writable(command.out, replace);

  ProgressPrinter progress(command.quiet);
  Trainer trainer = make_trainer(command, progress);
  progress.started(trainer.description());
  const OutputLock lock(lock_file);  // from where on a signal no longer ends the program at once
  checkpoint.begin(trainer);
  if (!checkpoint.warning().empty()) say("WARNING: {}.\n", checkpoint.warning());
  if (!command.quiet) say("{}", checkpoint.said());
  signals.training_begins();
  take_steps(trainer, checkpoint, progress);
  const bool stopped = !trainer.done();
  const std::string problem = stopped ? checkpoint.write(trainer) : "";
  const Fit fit = trainer.fit();
  progress.finish();

  const std::vector<ParameterSummary> parameters = fit.summarize();
  const FitTableOptions shown{.columns = terminal_columns(stderr), .most = most_table_lines, .levels = false};
  const FitTables tables = fit_tables(fit, parameters, shown);
  const bool usable = !command.quiet && !fit.verdict.failed;  // of one that failed there is nothing to be used
  if (usable) print_result(fit, tables);
  const std::string config = config_text(command, fit);
  try {
    save_fit(fit, config, command.out, replace);
  } catch (const FileError& failure) {
    save_elsewhere(fit, config, failure);
  }
  const std::string left = stopped ? "" : checkpoint.remove();
  if (!left.empty()) say("WARNING: {}.\n", left);
  if (usable) print_next_steps(command.out, parameters.size(), tables);
  if (!fit.verdict.failed) warn(fit);
  if (command.json) std::fputs(fit_json(fit, parameters, command.out, false).c_str(), stdout);

  if (stopped) return end_stopped(command, fit, problem);
  if (fit.verdict.failed) {
    throw RunFailure(fmt::format("{} (the last good state is in {})", fit.verdict.message, command.out));
  }
  return exit_done;
}

}  // namespace jensen::cli
