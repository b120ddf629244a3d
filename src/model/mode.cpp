#include "model/mode.hpp"

#include <algorithm>
#include <cmath>

#include "jensen/errors.hpp"
#include "model/group_chain.hpp"
#include "model/group_covariance.hpp"
#include "model/head_system.hpp"
#include "model/information_slopes.hpp"
#include "model/level_shape.hpp"
#include "model/mode_block.hpp"
#include "model/nearest_normal.hpp"
#include "model/packed_cholesky.hpp"
#include "model/thin_problem.hpp"

namespace jensen {
namespace {

constexpr int most_sweeps = 60;
/// Where a search ends: no block further from its mode than the square root of this in posterior sds, no sd moving by
/// more than this share of itself.
struct Stop {
  double decrement, log_sd;
};
constexpr Stop settled_stop{1e-4, 0.01};
constexpr Stop near_stop{1e-2, 0.05};
constexpr double elimination_tolerance = 1e-8;
constexpr std::int64_t usual_rows = 65536;
constexpr std::int64_t most_hessian_products = 2'000'000'000;  // rows x C^2 in one Hessian: about a second on one core
constexpr std::int64_t least_rows_each = 32;                   // for each coefficient, for each level
constexpr std::int64_t few_rows_each = 4;                      // for each coefficient
constexpr std::int64_t most_spread_products = 200'000'000;     // rows x C^2: a tenth of a second or so a sweep
constexpr std::int64_t worth_thinning = 4;  // so many times enough rows: with groups, first a search on enough

/// With so many rows a search takes a second or so, and finds what is near enough.
std::int64_t enough_rows(const ModeProblem& problem) {
  std::int64_t columns = 1, levels = 0;
  for (const ModeBlock& block : problem.blocks) {
    columns = std::max(columns, static_cast<std::int64_t>(block.columns.size()));
    for (const ModeGroup& group : block.groups) levels += group.levels;
  }
  return std::max(std::min(usual_rows, most_hessian_products / (columns * columns)),
                  least_rows_each * (columns + levels));
}

bool has_groups(const ModeProblem& problem) {
  return std::ranges::any_of(problem.blocks, [](const ModeBlock& block) { return !block.groups.empty(); });
}

/// Whether rows' curvature depends on the argument.
bool is_curved(const ModeProblem& problem) { return problem.density != DensityKind::gaussian; }

/// The conditional sds of the rows' effects, in the argument that they feed.
std::vector<double> conditional_sd(const MixedSystem& system, std::int64_t rows) {
  std::vector<double> spread(size_of(rows));
  for (const SystemGroup& g : system.groups) add_conditional_variance(g, spread);
  for (double& s : spread) s = std::sqrt(s);
  return spread;
}

/// Whether there are so few rows that a block's coefficients fit them visibly too well, and their sds cost little.
bool fits_too_well(const ModeBlock& block, std::int64_t rows) {
  const auto c = static_cast<std::int64_t>(block.columns.size());
  return block.groups.empty() && block.feeds.size() == 1 && rows <= few_rows_each * c &&
         rows * c * c <= most_spread_products;
}

/// The sds of what a block's coefficients add to the argument that they feed: |x_i R^-1|.
std::vector<double> coefficient_sd(const MixedSystem& system, const ModeRows& rows, std::size_t block) {
  const Matrix inverse = inverse_upper(expanded(system.factor));
  const std::size_t n = size_of(rows.count()), c = inverse.rows;
  std::vector<double> buffer(n * c), spread(n);
  std::vector<float> v(n * c);
  multiply_upper(rows.design(block, 0, 0, rows.count(), buffer.data()), n, inverse, v.data());
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < c; ++k)
      spread[i] += static_cast<double>(v[i * c + k]) * static_cast<double>(v[i * c + k]);
    spread[i] = std::sqrt(spread[i]);
  }
  return spread;
}

BlockNormal result_of(const ModeProblem& problem, ModeRows& rows, std::size_t index, BlockState& state) {
  BlockSystem at = factorised_system(problem, rows, index, state);
  GuideElimination elimination = eliminate_for_guide(at.system, elimination_tolerance);
  BlockNormal result;
  const Cholesky root = symmetric_cholesky(elimination.schur, 0);
  result.upper = expanded(root.deficient == state.theta.size() ? root.upper : at.system.factor);
  result.inverse = inverse_upper(result.upper);
  result.head_precision = std::move(elimination.precision);
  InformationSlopes slopes;
  std::vector<double> by_argument;
  HigherDerivatives higher;
  if (!at.system.groups.empty()) {
    if (is_curved(problem)) higher = rows.higher_derivatives(index);
    slopes = information_slopes(at.system);
    by_argument = curvature_slopes(problem, rows, index, at.local.curvature[0]);
  }
  for (std::size_t g = 0; g < at.system.groups.size(); ++g) {
    SystemGroup& group = at.system.groups[g];
    const int q = group.group->effects;
    GroupMode& out = result.groups.emplace_back();
    std::vector<double> location = std::move(at.slope[g]);
    const std::vector<double> own = higher.third.empty() ? std::vector<double>() : group.information;
    if (at.system.groups.size() > 1) {
      group.information = std::move(elimination.information[g]);
      group.factorise();
      std::fill(location.begin(), location.end(), 0.0);  // at the mode the slope is P u
      for_levels(*group.rows, [&](int, std::int64_t j) {
        packed_multiply_add(q, group.precision.data(), state.effects[g].data() + j * q, location.data() + j * q);
      });
    }
    for_levels(*group.rows, [&](int, std::int64_t j) {
      packed_multiply_add(q, group.information.data() + j * packed_size(q), state.effects[g].data() + j * q,
                          location.data() + j * q);
    });
    if (!elimination.pivot[g].empty()) group.pivot = std::move(elimination.pivot[g]);
    CovarianceScales scales = covariance_scales(group, state.factor[g]);
    out.information = to_float(group.information);
    out.location = to_float(location);
    if (!higher.third.empty() && !in_head(at.system, g)) {
      out.shape = level_shape(group, state.factor[g], state.effects[g], out.information, own, higher);
    }
    out.coupling = to_float(elimination.coupling[g]);
    out.log_sd_scale = std::move(scales.log_sd);
    out.cor_scale = std::move(scales.cor);
    out.followed = std::move(elimination.followed[g]);
    for (const double slope : by_argument) out.by_argument.push_back(slopes.by_curvature[g] * slope);
    out.by_log_sd = std::move(slopes.by_log_sd[g]);
    out.share_of_sd = std::move(elimination.shares[g]);
    out.factor = std::move(state.factor[g]);
    out.effects = std::move(state.effects[g]);
  }
  result.mean = std::move(state.theta);
  return result;
}

/// The search on all rows of a problem, which must outlive it.
class Search {
 public:
  Search(const ModeProblem& problem, bool nearest) : problem_(problem), nearest_(nearest) {
    for (std::size_t b = 0; b < problem.blocks.size(); ++b) states_.emplace_back(problem, b);
  }

  /// Goes on from where another one ends, on other rows of the same blocks.
  void start_from(Search&& other) {
    other.run(near_stop);
    for (std::size_t b = 0; b < states_.size(); ++b) {
      states_[b].theta = std::move(other.states_[b].theta);
      states_[b].effects = std::move(other.states_[b].effects);
      states_[b].factor = std::move(other.states_[b].factor);
    }
  }

  std::vector<BlockNormal> normals() {
    ModeRows rows = run(settled_stop);
    std::vector<BlockNormal> result;
    for (std::size_t b = 0; b < states_.size(); ++b) {
      BlockNormal& normal = result.emplace_back(result_of(problem_, rows, b, states_[b]));
      if (nearest_ && problem_.blocks[b].groups.empty()) find_nearest_normal(problem_, rows, b, normal);
    }
    return result;
  }

 private:
  ModeRows run(const Stop& stop) {
    ModeRows rows(problem_);
    rows.over_own = nearest_ && is_curved(problem_);
    std::vector<std::vector<CovarianceStep>> histories;
    for (std::size_t b = 0; b < states_.size(); ++b) {
      histories.emplace_back(problem_.blocks[b].groups.size());
      place(problem_, rows, b, states_[b]);
    }
    for (int sweep = 0; sweep < most_sweeps; ++sweep) {
      bool settled = true;
      for (std::size_t b = 0; b < states_.size(); ++b) {
        NewtonStep step = newton_step(problem_, rows, b, states_[b]);
        settled = settled && step.decrement <= stop.decrement;
        MixedSystem& system = step.at.system;
        std::vector<double>& spread = rows.spread[size_of(problem_.blocks[b].feeds[0].argument)];
        if (states_.size() > 1 && fits_too_well(problem_.blocks[b], rows.count())) {
          spread = coefficient_sd(system, rows, b);
        }
        if (system.groups.empty()) continue;
        if (states_.size() > 1 || rows.over_own) spread = conditional_sd(system, rows.count());
        std::vector<std::vector<double>> pivots;
        if (system.groups.size() > 1) pivots = marginal_pivots(system, chain_groups(system));
        for (std::size_t g = 0; g < system.groups.size(); ++g) {
          if (!pivots.empty()) system.groups[g].pivot = std::move(pivots[g]);
          const double moved =
              covariance_step(system.groups[g], states_[b].effects[g], states_[b].factor[g], histories[b][g]);
          settled = settled && moved < stop.log_sd;
        }
      }
      if (settled) break;
    }
    for (std::size_t b = 0; b < states_.size(); ++b) newton_step(problem_, rows, b, states_[b]);  // given the last B
    return rows;
  }

  const ModeProblem& problem_;
  bool nearest_;
  std::vector<BlockState> states_;
};

/// `nearest`: see find_normals().
std::vector<BlockNormal> search(const ModeProblem& problem, bool nearest) {
  const std::int64_t enough = enough_rows(problem);
  if (!has_groups(problem)) {
    if (enough >= problem.rows) return Search(problem, nearest).normals();
    const ThinProblem thin(problem, enough);
    return Search(thin.problem(), nearest).normals();
  }
  Search whole(problem, nearest);
  if (worth_thinning * enough < problem.rows) {
    const ThinProblem thin(problem, enough);
    whole.start_from(Search(thin.problem(), nearest));
  }
  return whole.normals();
}

}  // namespace

std::int64_t head_effects(const ModeBlock& block) {
  std::int64_t inside = 0;
  bool all = true;
  for (const ModeGroup& g : block.groups) {
    if (g.in_head) inside += g.levels * g.effects;
    all = all && g.in_head;
  }
  return all ? 0 : inside;
}

std::vector<BlockNormal> find_mode(const ModeProblem& problem) { return search(problem, false); }

std::vector<BlockNormal> find_normals(const ModeProblem& problem) { return search(problem, true); }

}  // namespace jensen
