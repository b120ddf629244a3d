#include "model/prior_rows.hpp"

#include <algorithm>

namespace jensen {
namespace {

/// Of the predictor where every column has its mean, rather than zero.
bool is_centred(const Prior& prior) { return prior.target.starts_with("Intercept_centered"); }

}  // namespace

double unit_of_predictor(const ModelData& data, const PredictorData& p) { return p.infix.empty() ? data.eta_scale : 1; }

std::vector<double> raw_intercept_row(const ModelData& data, const PredictorData& p) {
  const double unit = unit_of_predictor(data, p);
  std::vector<double> row{unit};
  for (std::size_t j = 0; j < p.columns(); ++j) row.push_back(-unit * p.center[j] / p.scale[j]);
  return row;
}

std::vector<PriorRow> prior_rows(const ModelData& data, const PredictorData& p, const PredictorPriors& priors) {
  const std::size_t c = p.coefficients();
  std::vector<PriorRow> rows;
  if (p.design == nullptr) {
    if (c == 1) rows.push_back({priors.intercept, support_of(p.link), {1.0}, 0});
    return rows;
  }
  const double unit = unit_of_predictor(data, p);
  if (p.intercept && data.thresholds == 0) {
    PriorRow row{priors.intercept, Support::real, raw_intercept_row(data, p), p.infix.empty() ? data.eta_center : 0};
    if (is_centred(row.prior)) std::fill(row.row.begin() + 1, row.row.end(), 0.0);
    rows.push_back(std::move(row));
  }
  const std::size_t first = p.intercept ? 1 : 0;
  for (std::size_t j = 0; j < priors.coefficients.size(); ++j) {
    PriorRow row{priors.coefficients[j], Support::real, std::vector<double>(c), 0};
    row.row[first + j] = unit / p.scale[j];
    rows.push_back(std::move(row));
  }
  return rows;
}

std::vector<PriorRow> threshold_rows(const ModelData& data, const ResolvedPriors& priors) {
  std::vector<PriorRow> rows;
  for (std::size_t k = 0; k < data.thresholds; ++k) {
    PriorRow row{priors.thresholds[k], Support::real, raw_intercept_row(data, data.predictors.front()), 0};
    if (is_centred(row.prior)) std::fill(row.row.begin() + 1, row.row.end(), 0.0);
    for (double& value : row.row) value = -value;
    row.row.resize(row.row.size() + data.thresholds - 1);
    if (k > 0) row.row[row.row.size() - data.thresholds + k] = 1;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace jensen
