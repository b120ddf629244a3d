#include "cli/arguments.hpp"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <limits>

#include "cli/config.hpp"
#include "cli/help.hpp"
#include "cli/values.hpp"
#include "cli/words.hpp"
#include "jensen/catalogue.hpp"
#include "jensen/errors.hpp"
#include "jensen/info.hpp"

namespace jensen::cli {
namespace {

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
  const std::string advice = verb.get_name() == "train" ? "put the formula in quotes" : "remove it";
  throw InputError(fmt::format("unexpected word '{}'; {}, see {}", extras.front(), advice, help));
}

[[noreturn]] void refuse_verb(const CLI::App& app, const std::string& word) {
  std::vector<std::string> names = option_names(app);
  for (const CLI::App* verb : app.get_subcommands({})) names.push_back(verb->get_name());
  throw InputError(fmt::format("unknown verb '{}'{} (jensen --help lists them)", word, did_you_mean(word, names)));
}

/// Gives each option that the command line has not the value in the file.
void apply_config(CLI::App& verb, const std::string& path) {
  for (const ConfigItem& item : read_config(path)) {
    const auto fail = [&](const std::string& problem) {
      throw InputError(fmt::format("{}, line {}: {}", path, item.line, problem));
    };
    CLI::Option* option = verb.get_option_no_throw(item.key == "formula" ? "FORMULA" : "--" + item.key);
    if (item.key == "config" || item.key == "help") {
      fail(fmt::format("'{}' is for the command line only; remove the line", item.key));
    }
    if (!option) {
      std::vector<std::string> keys = {"formula"};
      for (const std::string& name : option_names(verb)) {
        if (name != "--config" && name != "--help") keys.push_back(name.substr(2));
      }
      fail(fmt::format("unknown key '{}'{}", item.key, did_you_mean(item.key, keys)));
    }
    const bool many = item.key == "prior" || item.key == "text";
    const bool flag = item.key == "resume" || item.key == "force" || item.key == "quiet" || item.key == "json";
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

std::uint64_t seed_of(const Words& words) {
  return whole_number("--seed", words.seed, 0, std::numeric_limits<std::uint64_t>::max(), "leave it out for 1");
}

/// Every option of the library that has a word, by the door through which callers of the library set them.
TrainOptions train_options(const Words& words) {
  TrainOptions options;
  const auto set = [&options](std::string_view name, const std::string& word) { set_option(options, name, word); };
  const auto set_if_given = [&set](std::string_view name, const std::string& word) {
    if (!word.empty()) set(name, word);
  };
  set("family", words.family);
  set_if_given("link", words.link);
  for (const std::string_view parameter : other_parameters()) {  // in this order, whatever that of the words
    set_if_given(fmt::format("formula-{}", parameter), words.formulas.at(std::string(parameter)));
  }
  check_family(options);
  for (const std::string& prior : words.priors) set("prior", prior);
  set("guide", words.guide);
  set("parametrization", words.parametrization);
  set("device", words.device);
  set("na", words.missing);
  set("storage", words.storage);
  set("precision", words.precision);
  set("seed", words.seed);
  set("threads", words.threads);
  set_if_given("samples", words.samples);
  set("batch", words.batch);
  set("steps", words.steps);
  set_if_given("lr", words.learning_rate);
  set("optimizer", words.optimizer);
  return options;
}

/// The table's file; - is the standard input, as for other programs.
std::string table_file(const std::string& word) { return word == "-" ? standard_input : word; }

TrainCommand train_command(const Words& words) {
  require(words.formula, "the formula is missing; write it in quotes after train: jensen train 'y ~ x' ...");
  require(words.family, "--family is missing; jensen families lists them");
  require(words.data, "--data is missing; give the file that holds the table");
  require(words.out, "--out is missing; give a new directory for the fit");
  if (words.out == "-") throw InputError("--out - is the standard output, but a fit is a directory; give a new one");
  TrainCommand command;
  command.formula = words.formula;
  command.data = table_file(words.data);
  command.out = words.out;
  command.options = train_options(words);
  command.text = words.text;
  command.separator = separator(words.separator);
  command.checkpoint_every = checkpoint_interval("--checkpoint-every", words.checkpoint_every);
  command.resume = words.resume;
  command.force = words.force;
  command.quiet = words.quiet;
  command.json = words.json;
  return command;
}

PredictCommand predict_command(const Words& words) {
  require(words.data, "--data is missing; give the file that holds the rows to predict");
  require(words.out, "--out is missing; give a new file for the predictions, or - for stdout");
  PredictCommand command;
  command.fit = words.fit;
  command.data = table_file(words.data);
  command.out = words.out;
  command.text = words.text;
  command.separator = separator(words.separator);
  command.options.kind = parse_prediction_kind(words.kind);
  command.options.new_levels = parse_new_levels(words.new_levels);
  if (!words.prediction_draws.empty()) {
    command.options.draws = whole_number("--draws", words.prediction_draws, 1, 10'000'000, "leave it out for 1000");
  }
  command.options.seed = seed_of(words);
  command.force = words.force;
  command.quiet = words.quiet;
  return command;
}

DrawsCommand draws_command(const Words& words) {
  require(words.out, "--out is missing; give a new file for the draws, or - for stdout");
  const std::uint64_t count = whole_number("--num", words.count, 1, 10'000'000, "leave it out for 1000");
  return {words.fit, words.out, count, seed_of(words), words.force, words.quiet};
}

/// "1,8,64"
std::vector<int> sample_list(const std::string& text) {
  std::vector<int> samples;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(',', begin), text.size());
    samples.push_back(static_cast<int>(
        whole_number("--samples", text.substr(begin, end - begin), 1, 1024, "several are written 1,8,64")));
    begin = end + 1;
  }
  return samples;
}

BenchCommand bench_command(const Words& words) {
  BenchCommand command;
  BenchOptions& options = command.options;
  options.device = parse_device(words.device);
  const bool own = !words.rows.empty() || !words.columns.empty() || !words.levels.empty() || !words.family.empty();
  if (own && !words.suite.empty()) {
    throw InputError("--suite has its own cases; leave it out, or leave out --rows, --cols, --levels and --family");
  }
  if (!words.suite.empty()) options.suite = parse_bench_suite(words.suite);
  if (own) {
    BenchProblem problem;
    if (!words.family.empty()) problem.family = parse_family(words.family);
    if (!words.rows.empty()) {
      problem.rows = static_cast<std::int64_t>(
          whole_number("--rows", words.rows, 1, std::numeric_limits<std::uint32_t>::max(), "leave it out for 1000000"));
    }
    if (!words.columns.empty()) {
      problem.columns = static_cast<int>(whole_number("--cols", words.columns, 1, 16384, "leave it out for 28"));
    }
    if (!words.levels.empty()) {
      problem.levels = static_cast<std::int64_t>(
          whole_number("--levels", words.levels, 0, std::numeric_limits<std::uint32_t>::max(), "0 is no group"));
    }
    options.problem = problem;
  }
  if (!words.samples.empty()) options.samples = sample_list(words.samples);
  options.guide = parse_guide(words.guide);
  options.threads = static_cast<int>(whole_number("--threads", words.threads, 0, 4096, "0 takes all CPUs"));
  options.seed = seed_of(words);
  if (!words.repeats.empty()) {
    options.repeats = static_cast<int>(whole_number("--repeats", words.repeats, 1, 10'000, "leave it out for 15"));
  }
  command.json = words.json_file;
  command.force = words.force;
  command.quiet = words.quiet;
  return command;
}

Command command_of(const std::string& verb, const Words& words) {
  if (verb == "train") return train_command(words);
  if (verb == "bench") return bench_command(words);
  if (verb == "info") return InfoCommand{words.json};
  if (verb == "families") return FamiliesCommand{words.json};
  if (verb == "priors") return PriorsCommand{words.json};
  require(words.fit,
          fmt::format("the fit is missing; give the directory that jensen train wrote: jensen {} DIR", verb));
  if (verb == "summary") return SummaryCommand{words.fit, words.all, words.json};
  return verb == "predict" ? Command(predict_command(words)) : Command(draws_command(words));
}

}  // namespace

Command parse_command_line(int argc, const char* const* argv) {
  Words words;
  CLI::App app("Jensen trains Bayesian regression models on large tables by stochastic variational inference.",
               "jensen");
  app.formatter(std::make_shared<HelpFormatter>("jensen VERB ...        jensen VERB --help"));
  app.footer(
      fmt::format("Example:\n  jensen train 'late ~ 1 + hour' --family bernoulli \\\n"
                  "      --data examples/data/flights.csv.gz --out fit\n"
                  "  jensen summary fit\n\n{}",
                  exit_codes()));
  app.set_help_flag("-h,--help", "Show this text")->group("Help");
  bool version = false;
  add_flag(app, "--version", version, "Help", "Show the version");
  add_verbs(app, words);
  // One verb: the words after it may then be names of verbs (a directory called "train").
  app.require_subcommand(0, 1);
  app.allow_extras();

  const auto is_first = [&](const CLI::App* verb) { return argc > 1 && verb->get_name() == argv[1]; };
  const std::string help = std::ranges::any_of(app.get_subcommands({}), is_first)
                               ? fmt::format("jensen {} --help", argv[1])
                               : "jensen --help";
  try {
    app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    const auto asked = app.get_subcommands();
    if (asked.empty() && argv[1][0] != '-') refuse_verb(app, argv[1]);
    return ShowCommand{asked.empty() ? app.help() : asked.front()->help()};
  } catch (const CLI::ArgumentMismatch& error) {
    const std::string what = error.what();
    throw InputError(fmt::format("{} needs a value; see {}", what.substr(0, what.find(':')), help));
  } catch (const CLI::ParseError& error) {
    throw InputError(fmt::format("{}; see {}", error.what(), help));
  }
  if (version) return ShowCommand{fmt::format("jensen {}\n", build_info().version)};

  const auto verbs = app.get_subcommands();
  if (verbs.empty()) {
    const auto extras = app.remaining();
    if (extras.empty()) {
      throw InputError(
          "no verb; give train, summary, predict, draws, bench, families, priors or info (see jensen --help)");
    }
    refuse_verb(app, extras.front());
  }
  refuse_extras(app);
  refuse_extras(*verbs.front());
  if (!words.config.empty()) apply_config(*verbs.front(), words.config);
  return command_of(verbs.front()->get_name(), words);
}

}  // namespace jensen::cli
