#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <sstream>
#include <system_error>

#include "cli/commands.hpp"
#include "cli/output_file.hpp"
#include "cli/report.hpp"
#include "cli/text.hpp"
#include "jensen/errors.hpp"
#include "jensen/io.hpp"

namespace jensen::cli {
namespace {

/// What training read as text is text here too, even if these rows look like numbers.
CsvOptions csv_options(const PredictCommand& command, const Fit& fit) {
  const PredictionColumns columns = prediction_columns(fit);
  CsvOptions csv;
  csv.separator = command.separator;
  csv.columns = columns.needed;
  csv.optional_columns = columns.optional;
  const auto read_as_text = [&csv](const std::string& name) {
    if (std::ranges::find(csv.text_columns, name) == csv.text_columns.end()) csv.text_columns.push_back(name);
  };
  for (const FactorLevels& factor : fit.design.factors) {
    if (factor.text) read_as_text(factor.column);
  }
  for (const GroupLevels& group : fit.design.groups) {
    for (const std::string& name : group.text_columns) read_as_text(name);
  }
  for (const std::string& name : command.text) {
    if (std::ranges::find(csv.columns, name) == csv.columns.end()) {
      throw InputError(fmt::format("--text {}: the fit uses no such column; remove it or correct its name", name));
    }
    read_as_text(name);
  }
  return csv;
}

/// Rows without a prediction, because a predictor is missing.
std::int64_t rows_left_empty(const Prediction& prediction) {
  std::int64_t empty = 0;
  for (std::size_t row = 0; row < prediction.rows(); ++row) {
    if (std::isnan(prediction.values[row * prediction.columns.size()])) ++empty;
  }
  return empty;
}

/// Rows with a prediction that is beyond what a number holds.
std::int64_t infinite_rows(const Prediction& prediction) {
  std::int64_t rows = 0;
  const std::size_t columns = prediction.columns.size();
  for (std::size_t row = 0; row < prediction.rows(); ++row) {
    const double* values = prediction.values.data() + row * columns;
    if (std::any_of(values, values + columns, [](double value) { return std::isinf(value); })) ++rows;
  }
  return rows;
}

}  // namespace

int run(const PredictCommand& command) {
  check_output_file(command.out, command.force);
  std::error_code none;  // files that are not there are not the same
  if (std::filesystem::is_regular_file(command.data, none) &&
      std::filesystem::equivalent(command.out, command.data, none)) {
    throw InputError(fmt::format("{} is the table that is read (--data); choose another --out", command.out));
  }
  const Fit fit = load_fit(command.fit);
  const Prediction prediction = predict(fit, read_csv(command.data, csv_options(command, fit)), command.options);
  OutputFile file(command.out);
  std::ostringstream text;
  write_prediction(prediction, text);
  file.write(text.view());
  file.commit();
  if (!command.quiet) {
    const std::int64_t empty = rows_left_empty(prediction);
    say("{} predicted", counted(static_cast<std::int64_t>(prediction.rows()) - empty, "row"));
    if (empty > 0) say(", {} left empty because a predictor is missing", grouped(empty));
    say("{}\n", saved_in(command.out));
  }
  if (const std::int64_t infinite = infinite_rows(prediction); infinite > 0) {
    say("WARNING: infinite predictions in {}, beyond what a number holds; check the predictors there.\n",
        counted(infinite, "row"));
  }
  warn(fit);
  return exit_done;
}

}  // namespace jensen::cli
