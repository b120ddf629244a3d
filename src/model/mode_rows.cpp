#include "model/mode_rows.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <stdexcept>

#include "model/fixed_blocks.hpp"

namespace jensen {
namespace {

constexpr std::int64_t most_kept = 128 << 20;  // doubles of all designs kept: 1 GiB
constexpr std::size_t most_arguments = 16;
constexpr double least_curvature = 1e-12;
constexpr double least_spread = 0.03;      // a narrower one moves an expectation by its square, less than 1e-3
constexpr double least_own_spread = 0.15;  // or curvature by half its square, a percent

}  // namespace

ModeRows::ModeRows(const ModeProblem& problem) : problem_(problem) {
  bool fits = problem.arguments >= 1 && static_cast<std::size_t>(problem.arguments) <= most_arguments;
  for (const ModeBlock& block : problem.blocks) fits = fits && block.feeds.size() <= most_feeds;
  if (!fits) throw std::logic_error("a density's arguments, or a block's feeds, are too many");
  const auto arguments = static_cast<std::size_t>(problem.arguments);
  spread.resize(arguments);
  argument_.assign(arguments, std::vector<double>(size_of(problem.rows)));
  for (std::size_t k = 0; k < problem.offsets.size(); ++k) {
    if (problem.offsets[k] == nullptr) continue;
    std::copy(problem.offsets[k], problem.offsets[k] + problem.rows, argument_[k].begin());
  }
  std::int64_t room = most_kept;
  for (const ModeBlock& block : problem.blocks) {
    const auto c = static_cast<std::int64_t>(block.columns.size());
    std::vector<std::vector<double>>& kept = kept_.emplace_back(block.feeds.size());
    for (std::size_t k = 0; k < block.feeds.size(); ++k) {
      if (c == 0 || problem.rows * c > room) continue;
      room -= problem.rows * c;
      kept[k].resize(size_of(problem.rows * c));
      for_fixed_blocks(problem.rows, usual_blocks, [&](int, std::int64_t begin, std::int64_t end) {
        if (begin < end) block.feeds[k].fill(begin, end - begin, kept[k].data() + begin * c);
      });
    }
  }
}

const double* ModeRows::design(std::size_t block, std::size_t feed, std::int64_t begin, std::int64_t count,
                               double* buffer) const {
  const std::vector<double>& kept = kept_[block][feed];
  if (!kept.empty() || problem_.blocks[block].columns.empty()) {
    return kept.data() + begin * static_cast<std::int64_t>(problem_.blocks[block].columns.size());
  }
  problem_.blocks[block].feeds[feed].fill(begin, count, buffer);
  return buffer;
}

void ModeRows::constants(std::int64_t i, double* out) const {
  for (std::size_t k = 0; k < problem_.constants.size(); ++k) {
    out[k] = problem_.constants[k] == nullptr ? 0.0 : problem_.constants[k][i];
  }
}

std::vector<ModeRows::Node> ModeRows::nodes(std::size_t block) const {
  std::vector<Node> spread_out;
  for (std::size_t k = 0; k < spread.size(); ++k) {
    const auto argument = static_cast<int>(k);
    bool own = false;
    for (const ModeBlock::Feed& feed : problem_.blocks[block].feeds) own = own || feed.argument == argument;
    if (spread[k].empty() || (own && !over_own)) continue;
    const double least = own ? least_own_spread : least_spread;
    spread_out.insert(spread_out.end(), {{argument, 1.0, least}, {argument, -1.0, least}});
  }
  // Cubature of degree 3 for m normal variables: the 2 m points at distance sqrt(m) along the axes, equally weighted.
  for (Node& node : spread_out) node.distance *= std::sqrt(static_cast<double>(spread_out.size()) / 2);
  if (spread_out.empty()) spread_out.push_back({0, 0.0, 0.0});
  return spread_out;
}

bool ModeRows::is_spread(const std::vector<Node>& at, std::size_t i) const {
  return std::ranges::any_of(at, [&](const Node& node) {
    return node.distance != 0 && spread[static_cast<std::size_t>(node.argument)][i] > node.least;
  });
}

RowDerivatives ModeRows::derivatives(std::size_t block) const {
  const std::vector<ModeBlock::Feed>& feeds = problem_.blocks[block].feeds;
  const std::size_t f = feeds.size();
  const std::size_t pairs = f * (f + 1) / 2;
  RowDerivatives result;
  result.slope.assign(f, std::vector<double>(size_of(problem_.rows)));
  result.curvature.assign(pairs, std::vector<double>(size_of(problem_.rows)));
  const std::vector<Node> spread_out = nodes(block), one{{0, 0.0, 0.0}};
  result.value = sum_fixed_blocks(problem_.rows, [&](std::int64_t row_index) {
    const auto i = size_of(row_index);
    const std::vector<Node>& at = is_spread(spread_out, i) ? spread_out : one;
    const double share = 1 / static_cast<double>(at.size());
    double value = 0, slope[most_feeds] = {}, curvature[most_feeds * (most_feeds + 1) / 2] = {};
    double c[3], a[most_arguments] = {}, d[most_arguments], above[most_arguments], below[most_arguments];
    constants(row_index, c);
    for (std::size_t k = 0; k < argument_.size(); ++k) a[k] = argument_[k][i];
    for (const Node& node : at) {
      const auto moved = static_cast<std::size_t>(node.argument);
      const double centre = a[moved];
      if (node.distance != 0) a[moved] += node.distance * spread[moved][i];
      value += share * evaluate_density(problem_.density, c, a, problem_.arguments, d);
      for (std::size_t k = 0; k < f; ++k) {
        const auto argument = static_cast<std::size_t>(feeds[k].argument);
        slope[k] += share * d[argument];
        const double here = a[argument];
        const double h = 1e-5 * std::max(1.0, std::abs(here));
        a[argument] = here + h;
        evaluate_density(problem_.density, c, a, problem_.arguments, above);
        a[argument] = here - h;
        evaluate_density(problem_.density, c, a, problem_.arguments, below);
        a[argument] = here;
        for (std::size_t l = 0; l < f; ++l) {  // each mixed derivative is the mean of its two differences
          const auto other = static_cast<std::size_t>(feeds[l].argument);
          const double minus_second = (below[other] - above[other]) / (2 * h);
          curvature[pair_index(std::min(k, l), std::max(k, l), f)] += share * (k == l ? 1.0 : 0.5) * minus_second;
        }
      }
      a[moved] = centre;
    }
    const double w = weight(row_index);
    for (std::size_t k = 0; k < f; ++k) result.slope[k][i] = w * slope[k];
    for (std::size_t p = 0; p < pairs; ++p) result.curvature[p][i] = w * curvature[p];
    return w * value;
  });
  return result;
}

HigherDerivatives ModeRows::higher_derivatives(std::size_t block) const {
  // Hermite's five nodes; with g = -f'' and t standard normal E g' = E t g / sd, E g'' = E (t^2 - 1) g / sd^2.
  constexpr double nodes[] = {0, -1.355626179974266, 1.355626179974266, -2.856970013872806, 2.856970013872806};
  constexpr double weights[] = {8.0 / 15, 0.2220759220056126, 0.2220759220056126, 0.01125741132772069,
                                0.01125741132772069};
  const auto argument = size_of(problem_.blocks[block].feeds[0].argument);
  HigherDerivatives result{std::vector<double>(size_of(problem_.rows)), std::vector<double>(size_of(problem_.rows))};
  for_fixed_blocks(problem_.rows, usual_blocks, [&](int, std::int64_t begin, std::int64_t end) {
    for (auto i = size_of(begin); i < size_of(end); ++i) {
      const double known = spread[argument].empty() ? least_own_spread : spread[argument][i];
      if (known < least_spread) continue;
      double c[3], a[most_arguments] = {}, d[most_arguments];
      constants(static_cast<std::int64_t>(i), c);
      for (std::size_t k = 0; k < argument_.size(); ++k) a[k] = argument_[k][i];
      const auto slope = [&](double at) {
        a[argument] = at;
        evaluate_density(problem_.density, c, a, problem_.arguments, d);
        return d[argument];
      };
      const double centre = a[argument], h = 1e-5 * std::max(1.0, std::abs(centre));
      const double sd = std::max(least_own_spread, known);
      const double w = weight(static_cast<std::int64_t>(i));
      for (std::size_t node = 0; node < std::size(nodes); ++node) {
        const double t = nodes[node], at = centre + sd * t;
        const double curvature = w * weights[node] * (slope(at - h) - slope(at + h)) / (2 * h);
        result.third[i] += t * curvature / sd;
        result.fourth[i] += (t * t - 1) * curvature / (sd * sd);
      }
    }
  });
  return result;
}

double ModeRows::value(std::size_t block, const std::vector<std::vector<double>>& step, double length) const {
  const std::vector<ModeBlock::Feed>& feeds = problem_.blocks[block].feeds;
  const std::vector<Node> spread_out = nodes(block), one{{0, 0.0, 0.0}};
  return sum_fixed_blocks(problem_.rows, [&](std::int64_t row_index) {
    const auto i = size_of(row_index);
    const std::vector<Node>& at = is_spread(spread_out, i) ? spread_out : one;
    double value = 0, c[3], a[most_arguments] = {}, d[most_arguments];
    constants(row_index, c);
    for (std::size_t k = 0; k < argument_.size(); ++k) a[k] = argument_[k][i];
    for (std::size_t k = 0; k < feeds.size(); ++k) a[feeds[k].argument] += length * step[k][i];
    for (const Node& node : at) {
      const auto moved = static_cast<std::size_t>(node.argument);
      const double here = a[moved];
      if (node.distance != 0) a[moved] += node.distance * spread[moved][i];
      value += evaluate_density(problem_.density, c, a, problem_.arguments, d);
      a[moved] = here;
    }
    return weight(row_index) * value / static_cast<double>(at.size());
  });
}

void ModeRows::move(std::size_t block, const std::vector<std::vector<double>>& step, double length) {
  const std::vector<ModeBlock::Feed>& feeds = problem_.blocks[block].feeds;
  for (std::size_t k = 0; k < feeds.size(); ++k) {
    std::vector<double>& a = argument_[static_cast<std::size_t>(feeds[k].argument)];
    for_fixed_blocks(problem_.rows, usual_blocks, [&](int, std::int64_t begin, std::int64_t end) {
      for (auto i = size_of(begin); i < size_of(end); ++i) a[i] += length * step[k][i];
    });
  }
}

Expectation ModeRows::expectation(std::size_t block, std::int64_t i, double moved, double sd) const {
  const auto argument = static_cast<std::size_t>(problem_.blocks[block].feeds[0].argument);
  double c[3], a[most_arguments] = {}, d[most_arguments];
  constants(i, c);
  for (std::size_t k = 0; k < argument_.size(); ++k) a[k] = argument_[k][size_of(i)];
  const double centre = a[argument] + moved, w = weight(i);
  return expectation_over_normal(sd, [&](double t) {
    a[argument] = centre + t;
    const double value = evaluate_density(problem_.density, c, a, problem_.arguments, d);
    return std::pair{w * value, w * d[argument]};
  });
}

void make_semidefinite(RowDerivatives& local) {
  const std::size_t n = local.slope.size();
  const auto rows = static_cast<std::int64_t>(local.slope[0].size());
  for_fixed_blocks(rows, usual_blocks, [&](int, std::int64_t begin, std::int64_t end) {
    for (auto row = size_of(begin); row < size_of(end); ++row) {
      const auto entry = [&](std::size_t k, std::size_t l) -> double& {
        return local.curvature[pair_index(k, l, n)][row];
      };
      double root[most_feeds] = {};
      for (std::size_t k = 0; k < n; ++k) {
        double& diagonal = entry(k, k);
        if (!(diagonal > least_curvature)) diagonal = least_curvature;  // NaN too
        root[k] = std::sqrt(diagonal);
      }
      const auto clamp = [&](std::size_t k, std::size_t l, double centre, double reach) {
        const double r = entry(k, l) / (root[k] * root[l]);
        const double kept = std::isfinite(r) ? std::clamp(r, centre - reach, centre + reach) : centre;
        entry(k, l) = kept * root[k] * root[l];
        return kept;
      };
      if (n < 2) continue;
      const double first = clamp(0, 1, 0, 1);
      if (n < 3) continue;
      const double second = clamp(0, 2, 0, 1);
      clamp(1, 2, first * second, std::sqrt((1 - first * first) * (1 - second * second)));
    }
  });
}

}  // namespace jensen
