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
  for (const ParameterSummary& row : fit.summarize()) {
    fmt::format_to(std::back_inserter(out), "{},{},{},{},{},{}\n", csv_cell(row.name), row.mean, row.sd, row.q05,
                   row.q50, row.q95);
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
  if (prediction.q05.size() != prediction.mean.size() || prediction.q95.size() != prediction.mean.size()) {
    throw InputError(fmt::format("a prediction has {} means, {} 5 % and {} 95 % quantiles; give one of each a row",
                                 prediction.mean.size(), prediction.q05.size(), prediction.q95.size()));
  }
  std::string out = "mean,q05,q95\n";
  const auto append = [&out](double value, char after) {
    if (!std::isnan(value)) fmt::format_to(std::back_inserter(out), "{}", value);
    out += after;
  };
  for (std::size_t row = 0; row < prediction.mean.size(); ++row) {
    append(prediction.mean[row], ',');
    append(prediction.q05[row], ',');
    append(prediction.q95[row], '\n');
  }
  return out;
}

}  // namespace jensen::io
