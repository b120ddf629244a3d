#include <fmt/format.h>

#include <algorithm>

#include "cli/help.hpp"
#include "cli/words.hpp"
#include "jensen/catalogue.hpp"

namespace jensen::cli {
namespace {

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

CLI::App& add_verb(CLI::App& app, const std::string& name, const std::string& description, const std::string& usage,
                   const std::string& example) {
  CLI::App& verb = *app.add_subcommand(name, description);
  verb.formatter(std::make_shared<HelpFormatter>(usage));
  verb.footer(fmt::format("Example:\n{}\n\n{}", example, exit_codes()));
  verb.set_help_flag("-h,--help", "Show this text")->group("Help");
  verb.allow_extras();  // so that an unknown option can be named together with the nearest known one
  return verb;
}

/// "a, b and c"
template <class Names>
std::string list_all(const Names& names) {
  std::string out;
  std::size_t left = names.size();
  for (const std::string_view name : names) {
    out += name;
    if (--left > 0) out += left == 1 ? " and " : ", ";
  }
  return out;
}

std::string family_names() {
  std::vector<std::string_view> names;
  for (const FamilyDescription& family : describe_families()) names.push_back(to_string(family.family));
  return list_all(names);
}

std::string link_names() {
  std::vector<std::string_view> names;
  for (const FamilyDescription& family : describe_families()) {
    for (const Link link : family.links) {
      if (std::ranges::find(names, to_string(link)) == names.end()) names.push_back(to_string(link));
    }
  }
  return list_all(names);
}

std::string prior_names() {
  std::vector<std::string_view> names;
  for (const PriorDescription& prior : describe_priors()) names.push_back(to_string(prior.kind));
  return list_all(names);
}

void add_data_options(CLI::App& verb, Words& words, const std::string& data) {
  add(verb, "--data", words.data, "FILE", "Data", data);
  add_repeated(verb, "--text", words.text, "COLUMN", "Data",
               "Read this column as text even if it looks like numbers; may be repeated");
  add(verb, "--sep", words.separator, "C", "Data", "Separator: one character, or the word tab (default: ,)");
}

void add_model_options(CLI::App& verb, Words& words) {
  add(verb, "FORMULA", words.formula, "", "Model",
      "Response and predictors as in R: 'y ~ 1 + x + f + a:b + offset(e) + (1 + x | g)'; factor(x) makes numbers a "
      "factor; names with blanks go in backquotes");
  add(verb, "--family", words.family, "F", "Model",
      fmt::format("Distribution of the response; jensen families tells them apart: {}", family_names()));
  add(verb, "--link", words.link, "L", "Model",
      fmt::format("Function that takes the mean to its predictors: {}, as the family has them (default: its first)",
                  link_names()));
  for (const std::string_view parameter : other_parameters()) {
    add(verb, fmt::format("--formula-{}", parameter), words.formulas[std::string(parameter)], "RHS", "Model",
        fmt::format("Predictors of {}: '1 + x + (1 | g)' (default: one number for all rows)", parameter));
  }
  add_repeated(verb, "--prior", words.priors, "PRIOR", "Model",
               fmt::format("Such as 'b ~ normal(0, 2.5)'; targets: b (all coefficients), b_NAME, Intercept, "
                           "Intercept_centered, sd and cor (of groups), sd_GROUP, {}; kinds, which jensen priors "
                           "tells apart: {}; may be repeated (default: weakly informative, scaled by the data)",
                           list_all(other_parameters()), prior_names()));
}

void add_inference_options(CLI::App& verb, Words& words) {
  add(verb, "--guide", words.guide, "KIND", "Inference",
      "Shape of the approximate posterior: auto, meanfield, fullrank or structured (a small normal for each level of a "
      "group, fullrank over the rest); default: auto, which is structured with groups, else fullrank up to 1,024 "
      "parameters");
  add(verb, "--parametrization", words.parametrization, "P", "Inference",
      "Coordinates of the levels of groups: auto, centered or noncentered (default: auto, which is level by level "
      "between the two)");
  add(verb, "--samples", words.samples, "S", "Inference", "Monte Carlo samples a step, 1 to 1024 (default: 14)");
  add(verb, "--batch", words.batch, "B", "Inference",
      "Rows a step (default: 0, which is all rows up to 16,384, else 8,192, and more with many levels)");
  add(verb, "--steps", words.steps, "N", "Inference",
      "Steps to take (default: 0, which is until the fit settles, at most 32,000)");
  add(verb, "--lr", words.learning_rate, "R", "Inference",
      "First step size, in posterior standard deviations (default: 0.05)");
  add(verb, "--optimizer", words.optimizer, "NAME", "Inference", "Update rule: adam (default: adam)");
}

void add_train(CLI::App& app, Words& words) {
  CLI::App& verb = add_verb(app, "train", "Fit a regression model to a table by stochastic variational inference.",
                            "jensen train FORMULA --family F --data FILE --out DIR [options]\n"
                            "       jensen train --config DIR/config.toml --out DIR2 [options]",
                            "  jensen train 'late ~ 1 + hour + distance + (1 | carrier)' --family bernoulli \\\n"
                            "      --data examples/data/flights.csv.gz --prior 'b ~ normal(0, 2.5)' --out fit\n"
                            "  jensen summary fit\n\n"
                            "Ctrl-C, SIGTERM, SIGHUP and SIGUSR1 stop the training, save the fit so far and a\n"
                            "checkpoint, DIR.checkpoint, and exit with 3; the same command with --resume goes\n"
                            "on, to the same bits. A second Ctrl-C ends the program at once; --resume then\n"
                            "goes on from the latest checkpoint.");
  add_model_options(verb, words);
  add_data_options(verb, words, "Table with a header line: CSV, plain or gzipped; - is the standard input");
  add(verb, "--na", words.missing, "HOW", "Data",
      "Rows with a missing value in a used column: drop leaves them out and counts them, error refuses them "
      "(default: drop)");
  add_inference_options(verb, words);
  add(verb, "--seed", words.seed, "N", "Run", "The same seed gives the same fit, for any --threads (default: 1)");
  add(verb, "--threads", words.threads, "N", "Run", "CPU threads (default: 0, which is all)");
  add(verb, "--device", words.device, "D", "Run", "auto, cpu or cuda (default: auto, a GPU if one is usable)");
  add(verb, "--storage", words.storage, "FORMAT", "Run",
      "How columns are kept while training: float32, or in half the memory float16 (11 bits) or bfloat16 (8 bits); the "
      "rounded table is then what is fitted, on any device (default: float32)");
  add(verb, "--precision", words.precision, "P", "Run",
      "Of the matrix products on a GPU: fp32, or tf32, faster and with factors of 11 bits (default: fp32)");
  add(verb, "--config", words.config, "FILE", "Run",
      "Take what is not given here from this file: the config.toml of a fit repeats that fit");
  add(verb, "--checkpoint-every", words.checkpoint_every, "N", "Run",
      "Write DIR.checkpoint every N steps, or every 30s, 10m or 2h; 0: only when stopped by a signal (default: 10m)");
  add_flag(verb, "--resume", words.resume, "Run",
           "Go on from DIR.checkpoint with the bits of a run that was never interrupted");
  add(verb, "--out", words.out, "DIR", "Output", "New directory for the fit");
  add_flag(verb, "--force", words.force, "Output",
           "Replace the directory if it exists, and give up the checkpoint of a run that was interrupted");
  add_flag(verb, "--quiet", words.quiet, "Output", "Say nothing but warnings and errors");
  add_flag(verb, "--json", words.json, "Output", "Print one JSON object on stdout at the end");
}

void add_fit(CLI::App& verb, Words& words) {
  add(verb, "DIR", words.fit, "", "Fit", "Directory written by jensen train");
}

void add_file_output(CLI::App& verb, Words& words, const std::string& what) {
  add(verb, "--out", words.out, "FILE", "Output", fmt::format("New CSV file, or - for stdout: {}", what));
  add_flag(verb, "--force", words.force, "Output", "Replace the file if it exists");
  add_flag(verb, "--quiet", words.quiet, "Output", "Say nothing but warnings and errors");
}

void add_summary(CLI::App& app, Words& words) {
  CLI::App& verb = add_verb(app, "summary", "Show the posterior of a fit: mean, sd, 5 %, 50 % and 95 %.",
                            "jensen summary DIR [--all] [--json]", "  jensen summary fit");
  add_fit(verb, words);
  add_flag(verb, "--all", words.all, "Output", "Show the effects of every level of every group too");
  add_flag(verb, "--json", words.json, "Output", "Print one JSON object with everything instead of tables");
}

void add_predict(CLI::App& app, Words& words) {
  CLI::App& verb = add_verb(app, "predict", "Predict new rows: the mean over the posterior, 5 % and 95 %.",
                            "jensen predict DIR --data FILE --out FILE [options]",
                            "  jensen predict fit --data examples/data/flights.csv.gz --out pred.csv");
  add_fit(verb, words);
  add_data_options(verb, words, "Table with the predictors, or -; the response need not be there");
  add(verb, "--kind", words.kind, "KIND", "Prediction",
      "response: the expected response, or the probability of each category; link: the linear predictor of the mean; "
      "draws: new responses (default: response)");
  add(verb, "--new-levels", words.new_levels, "HOW", "Prediction",
      "A level of a group that training had not: error refuses it, sample draws its effects from the group's "
      "distribution (default: error)");
  add(verb, "--draws", words.prediction_draws, "N", "Prediction",
      "Draws of the posterior (default: 1000 where draws are needed, and 1 for --kind draws)");
  add(verb, "--seed", words.seed, "N", "Prediction", "The same seed gives the same predictions (default: 1)");
  add_file_output(verb, words, "mean,q05,q95, a line a row; with categories mean_LEVEL, ...; of draws draw_1, ...");
}

void add_draws(CLI::App& app, Words& words) {
  CLI::App& verb = add_verb(app, "draws", "Write draws from the posterior of a fit, a column a parameter.",
                            "jensen draws DIR --out FILE [options]", "  jensen draws fit --num 4000 --out draws.csv");
  add_fit(verb, words);
  add(verb, "--num", words.count, "N", "Run", "Number of draws (default: 1000)");
  add(verb, "--seed", words.seed, "N", "Run", "The same seed gives the same draws (default: 1)");
  add_file_output(verb, words, "the header names the parameters");
}

void add_bench(CLI::App& app, Words& words) {
  CLI::App& verb =
      add_verb(app, "bench", "Measure how fast this device evaluates and trains, and how far that is from its limits.",
               "jensen bench [--suite quick|full] [options]\n"
               "       jensen bench --rows N --cols D --family F [options]",
               "  jensen bench --device cpu --json bench.json\n"
               "  jensen bench --rows 1000000 --cols 100 --family poisson --samples 1,64\n\n"
               "Data is made on the device from the seed. Each result is compared with double\n"
               "precision first; what is wrong is not timed.");
  add(verb, "--suite", words.suite, "SUITE", "Cases",
      "quick: seven shapes, reduced to about a minute on two cores; full: the same as large as the data sets they are "
      "named after, which takes minutes on a GPU and far longer on a few cores (default: quick)");
  add(verb, "--rows", words.rows, "N", "Cases", "One case of your own instead: its rows (default: 1000000)");
  add(verb, "--cols", words.columns, "D", "Cases", "Its columns, 1 to 16384 (default: 28)");
  add(verb, "--levels", words.levels, "N", "Cases", "Levels of a group with an intercept each (default: 0, no group)");
  add(verb, "--family", words.family, "F", "Cases",
      fmt::format("Distribution of its response: {} (default: bernoulli)", family_names()));
  add(verb, "--samples", words.samples, "S", "Cases",
      "Monte Carlo samples of a pass, 1 to 1024, or several: 1,8,64 (default: 1,8,64)");
  add(verb, "--guide", words.guide, "KIND", "Cases",
      "Shape of the approximate posterior in training steps: auto, meanfield, fullrank or structured (default: auto, "
      "as "
      "train takes it)");
  add(verb, "--repeats", words.repeats, "N", "Run",
      "Repeats of each measurement (default: 15, of the quick suite 9, and fewer of what takes long)");
  add(verb, "--seed", words.seed, "N", "Run", "The same seed gives the same data, for any --threads (default: 1)");
  add(verb, "--threads", words.threads, "N", "Run", "CPU threads (default: 0, which is all)");
  add(verb, "--device", words.device, "D", "Run", "auto, cpu or cuda (default: auto, a GPU if one is usable)");
  add(verb, "--json", words.json_file, "FILE", "Output",
      "New file for all numbers as one JSON object, or - for stdout; the table then goes to stderr");
  add_flag(verb, "--force", words.force, "Output", "Replace the file if it exists");
  add_flag(verb, "--quiet", words.quiet, "Output", "Say nothing but the table, warnings and errors");
}

void add_list(CLI::App& app, Words& words, const std::string& name, const std::string& description) {
  CLI::App& verb =
      add_verb(app, name, description, fmt::format("jensen {} [--json]", name), fmt::format("  jensen {}", name));
  add_flag(verb, "--json", words.json, "Output", "Print one JSON object instead of text");
}

}  // namespace

std::string exit_codes() {
  return "Exit codes: 0 done; 1 failed while running; 2 bad usage or input;\n            3 stopped by a signal.";
}

void add_flag(CLI::App& app, const std::string& name, bool& value, const std::string& group,
              const std::string& description) {
  app.add_flag(name, value, description)->group(group)->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
}

void add_verbs(CLI::App& app, Words& words) {
  add_train(app, words);
  add_summary(app, words);
  add_predict(app, words);
  add_draws(app, words);
  add_bench(app, words);
  add_list(app, words, "families", "List the families of responses: what y may be, links, further parameters.");
  add_list(app, words, "priors", "List the distributions of priors: arguments, support, parameters they suit.");
  add_list(app, words, "info", "Show this build, the devices it can use and the files it reads and writes.");
}

}  // namespace jensen::cli
