#include "model/information_slopes.hpp"

#include <algorithm>
#include <cmath>

#include "model/group_chain.hpp"
#include "model/head_system.hpp"
#include "model/packed_cholesky.hpp"

namespace jensen {
namespace {

constexpr double log_sd_step = 0.1;     // about the posterior sd of a log sd
constexpr double argument_step = 0.05;  // likewise of log sigma or log shape, in which the logarithm is a line
constexpr double held = 1e30;           // precision of an effect that is not integrated out

/// tr(W_j B B^T) of every level of a group: what the data say of it beside what the prior says.
std::vector<double> information_sizes(int q, const std::vector<double>& information,
                                      const std::vector<double>& covariance) {
  std::vector<double> sizes;
  for (std::size_t at = 0; at < information.size(); at += covariance.size()) {
    sizes.push_back(packed_trace(q, information.data() + at, covariance.data()));
  }
  return sizes;
}

/// The mean of (log above - log below) / (2 step), a level's weight the square of the share that the data have in its
/// precision.
double mean_slope(int q, const std::vector<double>& above, const std::vector<double>& below, double step) {
  double sum = 0, weights = 0;
  for (std::size_t j = 0; j < above.size(); ++j) {
    if (!(above[j] > 0 && below[j] > 0)) continue;
    const double size = std::sqrt(above[j] * below[j]);
    const double weight = size / (q + size) * size / (q + size);
    sum += weight * (std::log(above[j]) - std::log(below[j])) / (2 * step);
    weights += weight;
  }
  return weights > 0 ? sum / weights : 0;
}

/// P of the covariance B B^T where the log sd of effect k is `moved` from where it is.
std::vector<double> moved_precision(int q, std::vector<double> precision, int k, double moved) {
  for (int l = 0; l < q; ++l) {
    precision[size_of(packed(std::max(k, l), std::min(k, l)))] *= std::exp(k == l ? -2 * moved : -moved);
  }
  return precision;
}

}  // namespace

InformationSlopes information_slopes(MixedSystem& system) {
  const std::size_t count = system.groups.size();
  InformationSlopes result{std::vector<double>(count, 1.0), {}};
  std::vector<std::vector<double>> precision, covariance;
  std::vector<std::int64_t> levels;
  for (std::size_t at = 0; at < count; ++at) {
    SystemGroup& g = system.groups[at];
    precision.push_back(g.precision);
    covariance.push_back(g.covariance());
    levels.push_back(g.group->levels);
    auto& by_group = result.by_log_sd.emplace_back();
    for (const SystemGroup& h : system.groups) by_group.emplace_back(size_of(h.group->effects));
    for (int k = 0; k < g.group->effects && in_head(system, at); ++k) g.precision[size_of(packed(k, k))] = held;
  }
  const std::size_t smallest = chain_order(levels).front();  // integrated out of none
  for (std::size_t h = 0; h < count; ++h) {
    SystemGroup& moving = system.groups[h];
    if (h == smallest || in_head(system, h)) continue;
    for (int k = 0; k < moving.group->effects; ++k) {
      moving.precision = moved_precision(moving.group->effects, precision[h], k, log_sd_step);
      const GroupChain above = chain_groups(system);
      moving.precision = moved_precision(moving.group->effects, precision[h], k, -log_sd_step);
      const GroupChain below = chain_groups(system);
      moving.precision = precision[h];
      for (std::size_t g = 0; g < count; ++g) {
        if (g == h) continue;
        const int q = system.groups[g].group->effects;
        const double slope = mean_slope(q, information_sizes(q, above.information[g], covariance[g]),
                                        information_sizes(q, below.information[g], covariance[g]), log_sd_step);
        result.by_log_sd[g][h][size_of(k)] = slope;
        result.by_curvature[g] += 0.5 * slope;  // d log P / d log sd = -2
      }
    }
  }
  for (std::size_t g = 0; g < count; ++g) system.groups[g].precision = std::move(precision[g]);
  return result;
}

std::vector<double> curvature_slopes(const ModeProblem& problem, ModeRows& rows, std::size_t block,
                                     const std::vector<double>& curvature) {
  std::vector<double> slopes(size_of(problem.arguments));
  const std::vector<std::vector<double>> step(1, std::vector<double>(size_of(rows.count()), 1.0));
  const auto total = [](const std::vector<double>& of_rows) {
    double sum = 0;
    for (const double w : of_rows) sum += std::max(w, 0.0);
    return sum;
  };
  const double here = total(curvature);
  const auto feeds = [&](std::size_t b, std::size_t argument) {
    return std::ranges::any_of(problem.blocks[b].feeds,
                               [&](const ModeBlock::Feed& feed) { return size_of(feed.argument) == argument; });
  };
  for (std::size_t other = 0; other < problem.blocks.size(); ++other) {
    const ModeBlock& moving = problem.blocks[other];
    const auto argument = size_of(moving.feeds.front().argument);
    if (other == block || moving.feeds.size() != 1 || feeds(block, argument)) continue;
    rows.move(other, step, argument_step);
    const RowDerivatives local = rows.derivatives(block);
    rows.move(other, step, -argument_step);
    const double there = total(local.curvature[0]);
    if (here > 0 && there > 0) slopes[argument] = std::log(there / here) / argument_step;
  }
  return slopes;
}

}  // namespace jensen
