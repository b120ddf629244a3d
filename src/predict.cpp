#include <fmt/format.h>

#include <algorithm>
#include <limits>

#include "jensen/errors.hpp"
#include "jensen/train.hpp"
#include "nearest_names.hpp"
#include "posterior/draw_summary.hpp"
#include "predict/closed_form.hpp"
#include "predict/random_response.hpp"
#include "predict/response_draws.hpp"
#include "show.hpp"
#include "text.hpp"

namespace jensen {
namespace {

constexpr std::size_t default_draws = 1000;
constexpr std::size_t block_rows = 256;

constexpr std::array<Named<PredictionKind>, 3> kinds{
    {{"response", PredictionKind::response}, {"link", PredictionKind::link}, {"draws", PredictionKind::draws}}};
constexpr std::array<Named<NewLevels>, 2> new_level_choices{
    {{"error", NewLevels::error}, {"sample", NewLevels::sample}}};

/// What follows mean, q05 and q95 in the columns' names: nothing, or the categories that are predicted.
std::vector<std::string> column_endings(const Fit& fit, PredictionKind kind) {
  const std::vector<std::string>& levels = fit.response_levels;
  const bool of_categories = fit.options.family == Family::categorical ||
                             (fit.options.family == Family::cumulative && kind == PredictionKind::response);
  if (!of_categories) return {""};
  std::vector<std::string> endings;
  for (const std::string& level : levels) endings.push_back("_" + level);
  // The first category's linear predictor is 0.
  if (kind == PredictionKind::link && !endings.empty()) endings.erase(endings.begin());
  return endings;
}

std::vector<std::string> column_names(const Fit& fit, PredictionKind kind, std::size_t draws) {
  std::vector<std::string> names;
  if (kind == PredictionKind::draws) {
    for (std::size_t s = 1; s <= draws; ++s) names.push_back(fmt::format("draw_{}", s));
    return names;
  }
  for (const std::string& ending : column_endings(fit, kind)) {
    for (const char* what : {"mean", "q05", "q95"}) names.push_back(what + ending);
  }
  return names;
}

Link link_of(const Fit& fit) { return fit.options.link.value_or(info_of(fit.options.family).links.front()); }

/// The row's values, by draws.
class RowPrediction {
 public:
  RowPrediction(const Fit& fit, const ResponseDraws& responses, const PredictOptions& options)
      : family_(fit.options.family), link_(link_of(fit)), responses_(responses), options_(options) {}

  /// Values of `rows[i]` to `out`. `work`: as many numbers as there are draws.
  void fill(std::span<const std::uint32_t> rows, std::size_t i, ResponseDraws::Scratch& scratch, std::span<double> work,
            double* out) const {
    switch (options_.kind) {
      case PredictionKind::link:
        responses_.fill_etas(rows, i, scratch);
        for (std::size_t m = 0; m * work.size() < scratch.etas.size(); ++m) {
          summarize(std::span(scratch.etas).subspan(m * work.size(), work.size()), out + 3 * m);
        }
        break;
      case PredictionKind::response:
        responses_.fill_parameters(rows, i, scratch);
        fill_response(scratch, work, out);
        break;
      case PredictionKind::draws:
        responses_.fill_parameters(rows, i, scratch);
        fill_draws(rows[i], scratch, out);
        break;
    }
  }

 private:
  static void summarize(std::span<double> draws, double* out) {
    const DrawSummary summary = summarize_draws(draws);
    out[0] = summary.mean, out[1] = summary.q05, out[2] = summary.q95;
  }

  void fill_response(const ResponseDraws::Scratch& scratch, std::span<double> work, double* out) const {
    const std::size_t categories = responses_.categories();
    for (std::size_t k = 0; k < categories; ++k) {
      for (std::size_t s = 0; s < work.size(); ++s) work[s] = scratch.probabilities[s * categories + k];
      summarize(work, out + 3 * k);
    }
    if (categories > 0) return;
    for (std::size_t s = 0; s < work.size(); ++s) work[s] = response_mean(family_, link_, scratch.parameters[s]);
    summarize(work, out);
  }

  void fill_draws(std::uint32_t row, const ResponseDraws::Scratch& scratch, double* out) const {
    const std::size_t categories = responses_.categories();
    for (std::size_t s = 0; s < responses_.count(); ++s) {
      ResponseNoise noise(options_.seed, row, static_cast<std::uint32_t>(s));
      out[s] = categories > 0
                   ? random_category(std::span(scratch.probabilities).subspan(s * categories, categories), noise)
                   : random_response(family_, link_, scratch.parameters[s], noise);
    }
  }

  Family family_;
  Link link_;
  const ResponseDraws& responses_;
  const PredictOptions& options_;
};

void predict_by_draws(const Fit& fit, const FitPredictors& predictors, const Table& table,
                      const PredictOptions& options, Prediction& out) {
  const std::size_t count =
      options.draws > 0 ? options.draws : (options.kind == PredictionKind::draws ? std::size_t{1} : default_draws);
  const ParameterDraws draws(fit, {options.seed, 0, count, false});
  const ResponseDraws responses(fit, predictors, draws, table, options.kind);
  const RowPrediction prediction(fit, responses, options);
  const std::size_t columns = out.columns.size();

  std::vector<std::uint32_t> rows = predictors.design().complete_rows();
  if (const GroupDesign* group = responses.sort_by()) {
    std::ranges::stable_sort(rows, {}, [&](std::uint32_t row) { return group->level(row); });
  }
  const auto blocks = static_cast<std::int64_t>((rows.size() + block_rows - 1) / block_rows);
#pragma omp parallel
  {
    ResponseDraws::Scratch scratch = responses.scratch();
    std::vector<double> work(count);
#pragma omp for schedule(dynamic)
    for (std::int64_t b = 0; b < blocks; ++b) {
      const std::size_t begin = static_cast<std::size_t>(b) * block_rows;
      const auto block = std::span<const std::uint32_t>(rows).subspan(begin, std::min(block_rows, rows.size() - begin));
      responses.load(block, scratch);
      for (std::size_t i = 0; i < block.size(); ++i) {
        prediction.fill(block, i, scratch, work, out.values.data() + block[i] * columns);
      }
    }
  }
}

}  // namespace

std::string_view to_string(PredictionKind kind) { return name_of(kinds, kind); }
PredictionKind parse_prediction_kind(std::string_view name) {
  return value_of(kinds, name, "kind of prediction", "--kind");
}

std::string_view to_string(NewLevels what) { return name_of(new_level_choices, what); }
NewLevels parse_new_levels(std::string_view name) {
  return value_of(new_level_choices, name, "choice for new levels", "--new-levels");
}

std::vector<double> Prediction::column(std::string_view name) const {
  const auto found = std::ranges::find(columns, name);
  if (found == columns.end()) {
    throw InputError(
        fmt::format("the prediction has no column {}; {}", show(name), suggest_names(name, columns, "columns")));
  }
  std::vector<double> out(rows());
  const auto place = static_cast<std::size_t>(found - columns.begin());
  for (std::size_t row = 0; row < out.size(); ++row) out[row] = values[row * columns.size() + place];
  return out;
}

Prediction predict(const Fit& fit, const Table& table, const PredictOptions& options) {
  const FitPredictors predictors(fit, table);
  if (options.new_levels == NewLevels::error) predictors.check_levels(table);
  Prediction out;
  out.columns = column_names(fit, options.kind, std::max<std::size_t>(options.draws, 1));
  out.values.assign(table.rows() * out.columns.size(), std::numeric_limits<double>::quiet_NaN());
  if (has_closed_form(fit, options.kind)) {
    const bool response = options.kind == PredictionKind::response;
    predict_closed_form(fit, predictors, response ? link_of(fit) : Link::identity,
                        response && fit.options.family == Family::binomial, out.values.data());
  } else {
    predict_by_draws(fit, predictors, table, options, out);
  }
  return out;
}

}  // namespace jensen
