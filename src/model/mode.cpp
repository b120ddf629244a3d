#include "model/mode.hpp"

#include <algorithm>
#include <cmath>

#include "jensen/errors.hpp"
#include "model/group_covariance.hpp"
#include "model/head_system.hpp"
#include "model/mode_block.hpp"
#include "model/packed_cholesky.hpp"

namespace jensen {
namespace {

constexpr int most_sweeps = 60;
constexpr double stop_log_sd = 0.01;
constexpr double stop_decrement = 1e-6;
constexpr double elimination_tolerance = 1e-8;

/// The conditional sds of the rows' effects, in the argument that they feed.
std::vector<double> conditional_sd(const MixedSystem& system, std::int64_t rows) {
  std::vector<double> spread(size_of(rows));
  for (const SystemGroup& g : system.groups) add_conditional_variance(g, spread);
  for (double& s : spread) s = std::sqrt(s);
  return spread;
}

BlockMode result_of(const ModeProblem& problem, const ModeRows& rows, std::size_t index, BlockState& state) {
  BlockSystem at = factorised_system(problem, rows, index, state);
  const HeadElimination elimination = head_effects(problem.blocks[index]) > 0
                                          ? eliminate_with_head(at.system, elimination_tolerance)
                                          : HeadElimination{eliminate(at.system, elimination_tolerance), {}};
  BlockMode result;
  const Cholesky root = symmetric_cholesky(elimination.schur, 0);
  result.upper = expanded(root.deficient == state.theta.size() ? root.upper : at.system.factor);
  result.inverse = inverse_upper(result.upper);
  for (std::size_t g = 0; g < at.system.groups.size(); ++g) {
    SystemGroup& group = at.system.groups[g];
    const int q = group.group->effects;
    GroupMode& out = result.groups.emplace_back();
    std::vector<double> location = std::move(at.slope[g]);
    if (!elimination.information.empty() && !elimination.information[g].empty()) {
      group.information = elimination.information[g];
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
    CovarianceScales scales = covariance_scales(group, state.factor[g]);
    out.information = to_float(group.information);
    out.location = to_float(location);
    out.coupling = to_float(elimination.coupling[g]);
    out.log_sd_scale = std::move(scales.log_sd);
    out.cor_scale = std::move(scales.cor);
    out.factor = std::move(state.factor[g]);
    out.effects = std::move(state.effects[g]);
  }
  result.mode = std::move(state.theta);
  return result;
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

std::vector<BlockMode> find_mode(const ModeProblem& problem) {
  ModeRows rows(problem);
  std::vector<BlockState> states;
  std::vector<std::vector<CovarianceStep>> histories;
  for (std::size_t b = 0; b < problem.blocks.size(); ++b) {
    states.emplace_back(problem, b);
    histories.emplace_back(problem.blocks[b].groups.size());
    place(problem, rows, b, states[b]);
  }
  for (int sweep = 0; sweep < most_sweeps; ++sweep) {
    bool settled = true;
    for (std::size_t b = 0; b < problem.blocks.size(); ++b) {
      const NewtonStep step = newton_step(problem, rows, b, states[b]);
      settled = settled && step.decrement <= stop_decrement;
      const MixedSystem& system = step.at.system;
      if (system.groups.empty()) continue;
      if (problem.blocks.size() > 1) {
        rows.spread[size_of(problem.blocks[b].feeds[0].argument)] = conditional_sd(system, rows.used());
      }
      for (std::size_t g = 0; g < system.groups.size(); ++g) {
        const double moved =
            covariance_step(system.groups[g], states[b].effects[g], states[b].factor[g], histories[b][g]);
        settled = settled && moved < stop_log_sd;
      }
    }
    if (settled) break;
  }
  for (std::size_t b = 0; b < problem.blocks.size(); ++b) newton_step(problem, rows, b, states[b]);  // given the last B
  std::vector<BlockMode> result;
  for (std::size_t b = 0; b < problem.blocks.size(); ++b) result.push_back(result_of(problem, rows, b, states[b]));
  return result;
}

}  // namespace jensen
