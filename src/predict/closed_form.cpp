#include "predict/closed_form.hpp"

#include <algorithm>
#include <cmath>

#include "posterior/fit_shape.hpp"
#include "posterior/normal_expectation.hpp"
#include "predict/response_mean.hpp"

namespace jensen {
namespace {

constexpr std::size_t closed_form_rows = 1024;

/// E of the inverse link over eta ~ N(m, s).
double expected_mean(Link link, double m, double s) {
  switch (link) {
    case Link::log:
      return std::exp(m + s * s / 2);
    case Link::probit:
      return inverse_link(Link::probit, m / std::sqrt(1 + s * s));
    case Link::logit:
    case Link::cloglog:
      return normal_expectation(m, s, [link](double eta) { return inverse_link(link, eta); });
    case Link::identity:
    case Link::softmax:
      break;
  }
  return m;
}

}  // namespace

bool has_closed_form(const Fit& fit, PredictionKind kind) {
  if (!fit.groups.empty() || kind == PredictionKind::draws || fit.options.family == Family::categorical) return false;
  return kind == PredictionKind::link || mean_is_inverse_link(fit.options.family);
}

void predict_closed_form(const Fit& fit, const FitPredictors& predictors, Link link, bool times_trials,
                         double* values) {
  const BoundPredictor& predictor = predictors.means().front();
  const PredictorDesign& design = *predictor.design;
  const std::size_t k = design.columns();
  const std::size_t first = predictor.intercept ? 1 : 0;
  const std::size_t d = factor_columns(fit);
  const auto& rows = predictors.design().complete_rows();
  const auto blocks = static_cast<std::int64_t>((rows.size() + closed_form_rows - 1) / closed_form_rows);
#pragma omp parallel
  {
    std::vector<double> x(closed_form_rows * k);
    std::vector<double> along(d);
#pragma omp for schedule(static)
    for (std::int64_t b = 0; b < blocks; ++b) {
      const std::size_t begin = static_cast<std::size_t>(b) * closed_form_rows;
      const std::size_t count = std::min(closed_form_rows, rows.size() - begin);
      design.fill(std::span(rows).subspan(begin, count), x.data());
      for (std::size_t i = 0; i < count; ++i) {
        // eta = x . u is normal: mean x . mean, variance |factor^T x|^2
        const std::uint32_t row = rows[begin + i];
        double m = design.offset(row);
        std::ranges::fill(along, 0.0);
        for (std::size_t j = 0; j < first + k; ++j) {
          const double value = j < first ? 1.0 : x[i * k + j - first];
          if (value == 0) continue;
          const std::size_t place = predictor.places[j];
          m += value * fit.mean[place];
          const double* factor = fit.factor.data() + place * d;
          for (std::size_t c = 0; c < d; ++c) along[c] += value * factor[c];
        }
        double variance = 0;
        for (const double a : along) variance += a * a;
        const double s = std::sqrt(variance);
        const double trials = times_trials ? predictors.design().trials(row) : 1;
        double* out = values + std::size_t{row} * 3;
        out[0] = trials * expected_mean(link, m, s);
        out[1] = trials * inverse_link(link, m - normal_95 * s);
        out[2] = trials * inverse_link(link, m + normal_95 * s);
      }
    }
  }
}

}  // namespace jensen
