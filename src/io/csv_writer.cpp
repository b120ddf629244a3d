#include "io/csv_writer.hpp"

#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "jensen/errors.hpp"

namespace jensen::io {

std::string csv_cell(std::string_view cell) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  const bool bare = !cell.empty() && cell.find_first_of(",\"\r\n") == std::string_view::npos &&
                    !is_blank(cell.front()) && !is_blank(cell.back());
  if (bare) return std::string(cell);
  std::string out = "\"";
  for (const char c : cell) {
    if (c == '"') out += c;
    out += c;
  }
  return out + '"';
}

std::string summary_csv(const Fit& fit) {
  std::string out = "name,mean,sd,q05,q50,q95\n";
  for (const std::vector<ParameterSummary>& part : {fit.summarize(), fit.summarize_levels()}) {
    for (const ParameterSummary& row : part) {
      fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{}\n", csv_cell(row.name), row.mean, row.sd, row.q05,
                     row.q50, row.q95);
    }
  }
  return out;
}

std::string trace_csv(const Fit& fit) {
  std::string out = "step,elbo,elbo_se,learning_rate,nonfinite\n";
  for (const TraceRow& row : fit.trace) {
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{}\n", row.step, row.elbo, row.elbo_se, row.learning_rate,
                   row.nonfinite);
  }
  return out;
}

std::string prediction_csv(const Prediction& prediction) {
  const std::size_t columns = prediction.columns.size();
  if (columns == 0 || prediction.values.size() % columns != 0) {
    throw InputError(fmt::format("a prediction of {} columns has {} values; give a value a column and row", columns,
                                 prediction.values.size()));
  }
  std::string out;
  for (std::size_t c = 0; c < columns; ++c) out += (c > 0 ? "," : "") + csv_cell(prediction.columns[c]);
  out += '\n';
  for (std::size_t i = 0; i < prediction.values.size(); ++i) {
    if (!std::isnan(prediction.values[i])) fmt::format_to(std::back_inserter(out), "{}", prediction.values[i]);
    out += i % columns + 1 == columns ? '\n' : ',';
  }
  return out;
}

}  // namespace jensen::io
