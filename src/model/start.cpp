#include "model/start.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>
#include <utility>

#include "model/prior_density.hpp"

namespace jensen {
namespace {

double share_of_zeros(const ModelData& data) {
  const auto zeros = static_cast<double>(std::ranges::count(data.response, 0.0));
  const auto n = static_cast<double>(data.size());
  return (zeros + 0.5) / (n + 1);
}

/// Share of responses in category k or below.
double share_up_to(const ModelData& data, std::size_t k) {
  const auto below =
      static_cast<double>(std::ranges::count_if(data.response, [&](double y) { return y <= static_cast<double>(k); }));
  return (below + 0.5) / (static_cast<double>(data.size()) + 1);
}

/// A first guess of a predictor's intercept.
double first_guess(const ModelData& data, const PredictorData& p) {
  if (p.parameter == "sigma") return std::log(data.response_sd > 0 ? 0.7 * data.response_sd : 1.0);
  if (p.parameter == "nu" || p.parameter == "phi") return std::log(10.0);
  if (p.parameter == "hu") return logit(share_of_zeros(data));
  if (p.parameter == "zi") return logit(0.5 * share_of_zeros(data));
  if (!p.infix.empty()) return 0;  // shape; categories
  if (data.thresholds > 0) return -logit(share_up_to(data, 0));
  if (data.link == Link::log) return std::log(std::max(data.response_mean, 1e-10)) - p.offset_share();
  if (data.link == Link::identity) return 0;
  const double mean = std::clamp(data.response_mean, 1e-3, 1 - 1e-3);
  return data.link == Link::cloglog ? std::log(-std::log1p(-mean))
                                    : (data.link == Link::probit ? 0.6 : 1) * logit(mean);
}

/// Where a uniform prior's density ends, on the scale of row . theta + shift; else nowhere.
std::pair<double, double> ends_of(const PriorRow& row) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  if (row.prior.kind != PriorKind::uniform) return {-infinity, infinity};
  const double low = row.prior.arguments[0], high = row.prior.arguments[1];
  if (row.support == Support::positive) return {std::log(low), std::log(high)};
  if (row.support == Support::unit) return {logit(low), logit(high)};
  return {low, high};
}

/// What stands for a prior in the search. The horseshoe's scales are no part of it: a normal of the slab's size.
/// Newton's steps have no use for laplace's kink, whose curvature is none or endless: a logistic one of the same
/// variance.
Prior searched(const Prior& prior) {
  const std::vector<double>& arguments = prior.arguments;
  if (prior.kind == PriorKind::horseshoe) return {prior.target, PriorKind::normal, {0, arguments.back()}};
  if (prior.kind != PriorKind::laplace) return prior;
  return {prior.target, PriorKind::logistic, {arguments[0], std::sqrt(6.0) / std::numbers::pi * arguments[1]}};
}

FunctionalPrior functional(const PriorRow& row) {
  const Prior prior = searched(row.prior);
  const auto [low, high] = ends_of(row);
  return {density_of(prior.kind, row.support), constants_of(prior, row.support), row.row, row.shift, low, high};
}

bool is_term(const PriorRow& row) { return row.prior.kind != PriorKind::flat || row.support != Support::real; }

/// Moves theta to where the prior has a density, a tenth of the distance between its ends from either, at most 1.
void move_within(const PriorRow& row, std::vector<double>& theta) {
  const auto [low, high] = ends_of(row);
  const double at = dot(row.row, theta) + row.shift;
  if (at > low && at < high) return;
  const double margin = std::min(0.1 * (high - low), 1.0);
  const double step = (std::clamp(at, low + margin, high - margin) - at) / dot(row.row, row.row);
  for (std::size_t j = 0; j < theta.size(); ++j) theta[j] += step * row.row[j];
}

ModeBlock make_block(const ModelData& data, const PredictorData& p, const PredictorPriors& priors) {
  ModeBlock block;
  block.name = p.parameter;
  for (std::size_t j = 0; j < p.coefficients(); ++j) {
    block.columns.push_back(p.design == nullptr ? p.parameter : coefficient_name(p, j));
  }
  block.feeds.push_back({p.argument, [&data, &p](std::int64_t begin, std::int64_t count, double* out) {
                           data.standardised(p, begin, count, out);
                         }});
  block.start.assign(p.coefficients(), 0);
  if (p.intercept) block.start[0] = first_guess(data, p);
  for (const PriorRow& row : prior_rows(data, p, priors)) {
    if (is_term(row)) block.priors.push_back(functional(row));
    move_within(row, block.start);
  }
  if (p.design == nullptr && p.parameter == "sigma" && data.size() <= 2 * data.predictors.front().coefficients()) {
    // With hardly more rows than coefficients the residuals, which may all be zero, say nothing of sigma.
    block.priors.push_back({DensityKind::normal_prior, {block.start[0], 2, 0}, {1.0}, 0});
  }
  for (const GroupData& group : p.groups) {
    ModeGroup one;
    one.effects = static_cast<int>(group.effects());
    one.levels = static_cast<std::int64_t>(group.design->levels());
    one.level = group.level.data();
    one.covariates = group.covariates.empty() ? nullptr : group.covariates.data();
    one.correlated = group.design->correlated();
    one.in_head = group.in_head;
    for (const double sd : group.sd) one.sd_scale.push_back(1 / sd);
    block.groups.push_back(std::move(one));
  }
  return block;
}

ModeBlock make_threshold_block(const ModelData& data, const ResolvedPriors& priors) {
  ModeBlock block;
  block.name = "thresholds";
  const std::size_t count = data.thresholds - 1;
  for (std::size_t k = 0; k < count; ++k) {
    block.columns.push_back(priors.thresholds[k + 1].target);
    block.start.push_back(logit(share_up_to(data, k + 1)) - logit(share_up_to(data, 0)));
    FunctionalPrior weak{DensityKind::normal_prior, {0, 0.05, 0}, std::vector<double>(count), 0};
    weak.row[k] = 1;
    block.priors.push_back(std::move(weak));
  }
  for (const bool upper : {false, true}) {
    block.feeds.push_back({upper ? 2 : 1, [&data, upper](std::int64_t begin, std::int64_t rows, double* out) {
                             threshold_columns(data, upper, begin, rows, out);
                           }});
  }
  return block;
}

}  // namespace

std::vector<double> argument_offset(const ModelData& data, const PredictorData& p) {
  std::vector<double> offset = p.offset;
  const double unit = unit_of_predictor(data, p);
  for (double& value : offset) value /= unit;
  if (p.parameter != "sigma") return offset;
  if (!data.log_se.empty()) return data.log_se;
  if (data.eta_scale == 1) return offset;
  offset.resize(data.size(), 0);
  for (double& value : offset) value -= std::log(data.eta_scale);
  return offset;
}

void threshold_columns(const ModelData& data, bool upper, std::int64_t begin, std::int64_t count, double* out) {
  const std::size_t columns = data.thresholds - 1;
  for (std::int64_t i = 0; i < count; ++i) {
    double* row = out + static_cast<std::size_t>(i) * columns;
    std::fill(row, row + columns, 0.0);
    // Category y lies between thresholds y and y + 1; the first of all is 0 and has no column.
    const auto y = static_cast<std::size_t>(data.response[static_cast<std::size_t>(begin + i)]);
    const std::size_t threshold = upper ? y + 1 : y;
    if (threshold >= 2 && threshold <= data.thresholds) row[threshold - 2] = 1;
  }
}

Start find_start(const ModelData& data, const ResolvedPriors& priors) {
  ModeProblem problem;
  problem.rows = static_cast<std::int64_t>(data.size());
  problem.density = data.density;
  for (std::size_t c = 0; c < 3; ++c) {
    problem.constants[c] = data.constants[c].empty() ? nullptr : data.constants[c].data();
  }
  problem.weights = data.weights.empty() ? nullptr : data.weights.data();
  problem.arguments = data.thresholds > 0 ? 3 : static_cast<int>(data.predictors.size());
  std::vector<std::vector<double>> offsets;
  for (const PredictorData& p : data.predictors) offsets.push_back(argument_offset(data, p));
  for (const auto& offset : offsets) problem.offsets.push_back(offset.empty() ? nullptr : offset.data());
  problem.offsets.resize(static_cast<std::size_t>(problem.arguments), nullptr);

  std::vector<std::size_t> block_of;  // predictor of each block
  for (std::size_t i = 0; i < data.predictors.size(); ++i) {
    const PredictorData& p = data.predictors[i];
    if (p.coefficients() == 0 && p.groups.empty()) continue;
    block_of.push_back(i);
    problem.blocks.push_back(make_block(data, p, priors.predictors[i]));
  }
  if (data.thresholds > 1) problem.blocks.push_back(make_threshold_block(data, priors));

  std::vector<BlockNormal> normals = find_normals(problem);
  Start start;
  start.predictors.resize(data.predictors.size());
  for (std::size_t b = 0; b < block_of.size(); ++b) start.predictors[block_of[b]] = std::move(normals[b]);
  if (data.thresholds > 1) start.thresholds = std::move(normals.back());
  return start;
}

}  // namespace jensen
