#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "cli/commands.hpp"
#include "cli/output_file.hpp"
#include "cli/text.hpp"
#include "jensen/errors.hpp"
#include "jensen/io.hpp"

namespace jensen::cli {
namespace {

/// What training read as text is text here too, even if these rows look like numbers.
CsvOptions csv_options(const PredictCommand& command, const Fit& fit) {
  CsvOptions csv;
  csv.separator = command.separator;
  csv.columns = formula_columns(fit.formula);
  csv.columns.erase(csv.columns.begin());  // the response
  for (const FactorLevels& factor : fit.factors) {
    if (factor.text) csv.text_columns.push_back(factor.column);
  }
  for (const std::string& name : command.text) {
    if (std::find(csv.columns.begin(), csv.columns.end(), name) == csv.columns.end()) {
      throw InputError(fmt::format("--text {}: the fit uses no such column; remove it or correct its name", name));
    }
    csv.text_columns.push_back(name);
  }
  return csv;
}

}  // namespace

int run(const PredictCommand& command) {
  check_output_file(command.out, command.force);
  const Fit fit = load_fit(command.fit);
  const Prediction prediction = predict(fit, read_csv(command.data, csv_options(command, fit)));
  try {
    write_prediction(prediction, command.out);
  } catch (const FileError& problem) {
    throw RunFailure(problem.what());
  }
  if (command.quiet) return exit_done;
  const auto missing = std::count_if(prediction.mean.begin(), prediction.mean.end(), [](double m) { return m != m; });
  say("{} rows predicted", grouped(static_cast<std::int64_t>(prediction.mean.size()) - missing));
  if (missing > 0) say(", {} left empty because a predictor is missing", grouped(missing));
  say("; saved in {}\n", command.out);
  return exit_done;
}

}  // namespace jensen::cli
