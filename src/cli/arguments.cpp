#include "cli/arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <limits>

#include "cli/config.hpp"
#include "cli/help.hpp"
#include "cli/values.hpp"
#include "jensen/errors.hpp"
#include "jensen/info.hpp"

namespace jensen::cli {
namespace {

constexpr const char* exit_codes =
    "Exit codes: 0 done; 1 failed while running; 2 bad usage or input; 130 stopped by Ctrl-C.";
constexpr std::uint64_t most_rows = std::numeric_limits<std::int64_t>::max();

/// The words after a verb as they were written. CLI11 splits and groups them; values are read below, so that a value
/// from config.toml passes the same door.
struct Words {
  std::string formula, family, data, out, fit, config;
  std::string guide = "auto", device = "auto", missing = "drop", optimizer = "adam", separator = ",";
  std::string seed = "1", threads = "0", samples, batch = "0", steps = "0", learning_rate, count = "1000";
  std::vector<std::string> priors, text;
  bool force = false, quiet = false, json = false;
};

CLI::Option* add(CLI::App& app, const std::string& name, std::string& value, const std::string& placeholder,
                 const std::string& group, const std::string& description) {
  return app.add_option(name, value, description)
      ->option_text(placeholder)
      ->group(group)
      ->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void add_repeated(CLI::App& app, const std::string& name, std::vector<std::string>& values,
                  const std::string& placeholder, const std::string& group, const std::string& description) {
  // One value each time, or the option would swallow the formula after it.
  app.add_option(name, values, description)->option_text(placeholder)->group(group)->allow_extra_args(false);
}

void add_flag(CLI::App& app, const std::string& name, bool& value, const std::string& group,
              const std::string& description) {
  app.add_flag(name, value, description)->group(group)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

CLI::App& add_verb(CLI::App& app, const std::string& name, const std::string& description, const std::string& usage,
                   const std::string& example) {
  CLI::App& verb = *app.add_subcommand(name, description);
  verb.formatter(std::make_shared<HelpFormatter>(usage));
  verb.footer(fmt::format("Example:\n{}\n\n{}", example, exit_codes));
  verb.set_help_flag("-h,--help", "Show this text")->group("Help");
  verb.allow_extras();  // so that an unknown option can be named together with the nearest known one
  return verb;
}

void add_data_options(CLI::App& verb, Words& words, const std::string& data) {
  add(verb, "--data", words.data, "FILE", "Data", data);
  add_repeated(verb, "--text", words.text, "COLUMN", "Data",
               "Read this column as text even if it looks like numbers; may be repeated");
  add(verb, "--sep", words.separator, "C", "Data", "Separator: one character, or the word tab (default: ,)");
}

void add_train(CLI::App& app, Words& words) {
  CLI::App& verb =
      add_verb(app, "train", "Fit a regression model to a table by stochastic variational inference.",
               "jensen train FORMULA --family F --data FILE --out DIR [options]\n"
               "       jensen train --config DIR/config.toml --out DIR2 [options]",
               "  jensen train 'delayed ~ 1 + distance + hour + carrier' --family bernoulli \\\n"
               "      --data flights.csv --prior 'b ~ normal(0, 2.5)' --out fit\n"
               "  jensen summary fit\n\n"
               "Ctrl-C stops the training and saves the fit so far; a second Ctrl-C ends the program at once.");
  add(verb, "FORMULA", words.formula, "", "Model",
      "Response and predictors as in R: 'y ~ 1 + x + f + a:b + offset(e)'; factor(x) makes numbers a factor; names "
      "with blanks go in backquotes");
  add(verb, "--family", words.family, "F", "Model", "Distribution of the response: gaussian, bernoulli or poisson");
  add_repeated(verb, "--prior", words.priors, "PRIOR", "Model",
               "Such as 'b ~ normal(0, 2.5)'; targets: b (all coefficients), b_NAME, Intercept, Intercept_centered, "
               "sigma; kinds: normal, student_t, cauchy, laplace, logistic, half_normal, half_student_t, half_cauchy, "
               "exponential, gamma, inverse_gamma, lognormal, uniform, beta, lkj, horseshoe, flat; may be repeated "
               "(default: weakly informative, scaled by the data)");
  add_data_options(verb, words, "Table with a header line: CSV, plain or gzipped");
  add(verb, "--na", words.missing, "HOW", "Data",
      "Rows with a missing value in a used column: drop leaves them out and counts them, error refuses them "
      "(default: drop)");
  add(verb, "--guide", words.guide, "KIND", "Inference",
      "Shape of the approximate posterior: auto, meanfield or fullrank (default: auto, which is fullrank up to 512 "
      "parameters)");
  add(verb, "--samples", words.samples, "S", "Inference", "Monte Carlo samples a step, 1 to 1024 (default: 14)");
  add(verb, "--batch", words.batch, "B", "Inference",
      "Rows a step (default: 0, which is all rows up to 16,384, else 8,192)");
  add(verb, "--steps", words.steps, "N", "Inference",
      "Steps to take (default: 0, which is until the fit settles, at most 32,000)");
  add(verb, "--lr", words.learning_rate, "R", "Inference",
      "First step size, in posterior standard deviations (default: 0.05)");
  add(verb, "--optimizer", words.optimizer, "NAME", "Inference", "Update rule: adam (default: adam)");
  add(verb, "--seed", words.seed, "N", "Run", "The same seed gives the same fit, for any --threads (default: 1)");
  add(verb, "--threads", words.threads, "N", "Run", "CPU threads (default: 0, which is all)");
  add(verb, "--device", words.device, "D", "Run", "auto, cpu or cuda (default: auto, a GPU if one is usable)");
  add(verb, "--config", words.config, "FILE", "Run",
      "Take what is not given here from this file: the config.toml of a fit repeats that fit");
  add(verb, "--out", words.out, "DIR", "Output", "New directory for the fit");
  add_flag(verb, "--force", words.force, "Output", "Replace the directory if it exists");
  add_flag(verb, "--quiet", words.quiet, "Output", "Say nothing but warnings and errors");
  add_flag(verb, "--json", words.json, "Output", "Print one JSON object on stdout at the end");
}

void add_other_verbs(CLI::App& app, Words& words) {
  CLI::App& summary = add_verb(app, "summary", "Show the posterior of a fit: mean, sd, 5 %, 50 % and 95 %.",
                               "jensen summary DIR [--json]", "  jensen summary fit");
  add(summary, "DIR", words.fit, "", "Fit", "Directory written by jensen train");
  add_flag(summary, "--json", words.json, "Output", "Print one JSON object instead of a table");

  CLI::App& predict = add_verb(
      app, "predict", "Predict the expected response of new rows: posterior mean, 5 % and 95 %.",
      "jensen predict DIR --data FILE --out FILE [options]", "  jensen predict fit --data new.csv --out pred.csv");
  add(predict, "DIR", words.fit, "", "Fit", "Directory written by jensen train");
  add_data_options(predict, words, "Table with the predictors; the response need not be there");
  add(predict, "--out", words.out, "FILE", "Output", "New CSV file: mean,q05,q95, a line a row");
  add_flag(predict, "--force", words.force, "Output", "Replace the file if it exists");
  add_flag(predict, "--quiet", words.quiet, "Output", "Say nothing but errors");

  CLI::App& draws = add_verb(app, "draws", "Write draws from the posterior of a fit, a column a parameter.",
                             "jensen draws DIR --out FILE [options]", "  jensen draws fit --num 4000 --out draws.csv");
  add(draws, "DIR", words.fit, "", "Fit", "Directory written by jensen train");
  add(draws, "--num", words.count, "N", "Run", "Number of draws (default: 1000)");
  add(draws, "--seed", words.seed, "N", "Run", "The same seed gives the same draws (default: 1)");
  add(draws, "--out", words.out, "FILE", "Output", "New CSV file; the header names the parameters");
  add_flag(draws, "--force", words.force, "Output", "Replace the file if it exists");
  add_flag(draws, "--quiet", words.quiet, "Output", "Say nothing but errors");

  CLI::App& info = add_verb(app, "info", "Show this build, the devices it can use and the files it reads and writes.",
                            "jensen info [--json]", "  jensen info");
  add_flag(info, "--json", words.json, "Output", "Print one JSON object instead of text");
}

std::vector<std::string> option_names(const CLI::App& app) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  return names;
}

/// What CLI11 could not place: a misspelt option, or a word too many.
void refuse_extras(const CLI::App& verb) {
  const std::vector<std::string> extras = verb.remaining();
  if (extras.empty()) return;
  const std::string help = (verb.get_parent() ? "jensen " : "") + verb.get_name() + " --help";
  for (const std::string& word : extras) {
    if (!word.starts_with("-")) continue;
    const std::string name = word.substr(0, word.find('='));
    throw InputError(
        fmt::format("unknown option {}{} ({} lists them)", name, did_you_mean(name, option_names(verb)), help));
  }
  throw InputError(fmt::format("unexpected word '{}'; put a formula in quotes, see {}", extras.front(), help));
}

/// Gives each option that the command line has not the value in the file.
void apply_config(CLI::App& verb, const std::string& path) {
  for (const ConfigItem& item : read_config(path)) {
    const auto fail = [&](const std::string& problem) {
      throw InputError(fmt::format("{}, line {}: {}", path, item.line, problem));
    };
    CLI::Option* option = verb.get_option_no_throw(item.key == "formula" ? "FORMULA" : "--" + item.key);
    if (!option || item.key == "config" || item.key == "help") {
      std::vector<std::string> keys = {"formula"};
      for (const std::string& name : option_names(verb)) keys.push_back(name.substr(2));
      fail(fmt::format("unknown key '{}'{}", item.key, did_you_mean(item.key, keys)));
    }
    const bool many = item.key == "prior" || item.key == "text";
    const bool flag = item.key == "force" || item.key == "quiet" || item.key == "json";
    if (item.list && !many) fail(fmt::format("'{}' takes one value, not a list", item.key));
    if (flag && item.values.front() != "true" && item.values.front() != "false") {
      fail(fmt::format("'{}' must be true or false", item.key));
    }
    if (option->count() > 0 || item.values.empty()) continue;
    option->add_result(item.values);
    option->run_callback();
  }
}

void require(const std::string& value, const std::string& what) {
  if (value.empty()) throw InputError(what);
}

TrainCommand train_command(const Words& words) {
  require(words.formula, "the formula is missing; write it in quotes after train: jensen train 'y ~ x' ...");
  require(words.family, "--family is missing; give gaussian, bernoulli or poisson");
  require(words.data, "--data is missing; give the file that holds the table");
  require(words.out, "--out is missing; give a new directory for the fit");
  if (words.missing != "drop" && words.missing != "error") {
    throw InputError(fmt::format("--na must be drop or error, not '{}'", words.missing));
  }
  if (words.optimizer != "adam") {
    throw InputError(fmt::format("--optimizer must be adam, not '{}'", words.optimizer));
  }
  TrainCommand command;
  command.formula = words.formula;
  command.family = words.family;
  command.data = words.data;
  command.out = words.out;
  command.priors = words.priors;
  command.text = words.text;
  command.guide = words.guide;
  command.device = words.device;
  command.missing = words.missing;
  command.separator = separator(words.separator);
  command.seed = whole_number("--seed", words.seed, 0, std::numeric_limits<std::uint64_t>::max(), "leave it out for 1");
  command.threads = static_cast<int>(whole_number("--threads", words.threads, 0, 4096, "0 takes all CPUs"));
  command.batch =
      static_cast<std::int64_t>(whole_number("--batch", words.batch, 0, most_rows, "0 chooses by the table's size"));
  command.steps =
      static_cast<std::int64_t>(whole_number("--steps", words.steps, 0, most_rows, "0 trains until the fit settles"));
  if (!words.samples.empty()) {
    command.samples = static_cast<int>(whole_number("--samples", words.samples, 1, 1024, "leave it out for 14"));
  }
  if (!words.learning_rate.empty()) {
    command.learning_rate = positive_number("--lr", words.learning_rate, "leave it out for 0.05");
  }
  command.force = words.force;
  command.quiet = words.quiet;
  command.json = words.json;
  return command;
}

Command command_of(const std::string& verb, const Words& words) {
  if (verb == "train") return train_command(words);
  if (verb == "info") return InfoCommand{words.json};
  require(words.fit,
          fmt::format("the fit is missing; give the directory that jensen train wrote: jensen {} DIR", verb));
  if (verb == "summary") return SummaryCommand{words.fit, words.json};
  if (verb == "predict") {
    require(words.data, "--data is missing; give the file that holds the rows to predict");
    require(words.out, "--out is missing; give a new file for the predictions");
    return PredictCommand{words.fit,   words.data, words.out, words.text, separator(words.separator),
                          words.force, words.quiet};
  }
  require(words.out, "--out is missing; give a new file for the draws");
  return DrawsCommand{
      words.fit,
      words.out,
      whole_number("--num", words.count, 1, 10'000'000, "leave it out for 1000"),
      whole_number("--seed", words.seed, 0, std::numeric_limits<std::uint64_t>::max(), "leave it out for 1"),
      words.force,
      words.quiet};
}

}  // namespace

Command parse_command_line(int argc, const char* const* argv) {
  Words words;
  CLI::App app("Jensen trains Bayesian regression models on large tables by stochastic variational inference.",
               "jensen");
  app.formatter(std::make_shared<HelpFormatter>("jensen VERB ...        jensen VERB --help"));
  app.footer(
      fmt::format("Example:\n  jensen train 'y ~ 1 + x' --family gaussian --data table.csv --out fit\n"
                  "  jensen summary fit\n\n{}",
                  exit_codes));
  app.set_help_flag("-h,--help", "Show this text")->group("Help");
  bool version = false;
  add_flag(app, "--version", version, "Help", "Show the version");
  add_train(app, words);
  add_other_verbs(app, words);
  // One verb: the words after it may then be names of verbs (a directory called "train").
  app.require_subcommand(0, 1);
  app.allow_extras();

  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto asked = app.get_subcommands();
    return ShowCommand{asked.empty() ? app.help() : asked.front()->help()};
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string what = error.what();
    throw InputError(fmt::format("{} needs a value; see jensen --help", what.substr(0, what.find(':'))));
  } catch (const CLI::ParseError& error) {
    throw InputError(fmt::format("{}; see jensen --help", error.what()));
  }
  if (version) return ShowCommand{fmt::format("jensen {}\n", build_info().version)};

  const auto verbs = app.get_subcommands();
  if (verbs.empty()) {
    const auto extras = app.remaining();
    if (extras.empty()) throw InputError("no verb; give train, summary, predict, draws or info (see jensen --help)");
    std::vector<std::string> names = option_names(app);
    for (const CLI::App* verb : app.get_subcommands({})) names.push_back(verb->get_name());
    throw InputError(fmt::format("unknown verb '{}'{} (jensen --help lists them)", extras.front(),
                                 did_you_mean(extras.front(), names)));
  }
  refuse_extras(app);
  refuse_extras(*verbs.front());
  if (!words.config.empty()) apply_config(*verbs.front(), words.config);
  return command_of(verbs.front()->get_name(), words);
}

}  // namespace jensen::cli
