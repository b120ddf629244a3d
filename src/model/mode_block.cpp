#include "model/mode_block.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "jensen/errors.hpp"
#include "model/packed_cholesky.hpp"

namespace jensen {
namespace {

constexpr std::int64_t chunk = 64;  // rows of the design at a time
constexpr double least_decrement =
    1e-14;  // a step costs far less than the Hessian it came from: even small ones are made
constexpr double newton_tolerance = 1e-6;

/// y = sum over feeds l of curvature_kl x^(l), the row that x^(k) meets in the Hessian; x: feeds x stride.
void weigh(const std::vector<std::vector<double>>& curvature, std::size_t feeds, std::size_t k, std::size_t i,
           const double* const* x, std::size_t c, double* y) {
  std::fill(y, y + c, 0.0);
  for (std::size_t l = 0; l < feeds; ++l) {
    const double m = curvature[pair_index(std::min(k, l), std::max(k, l), feeds)][i];
    if (m == 0) continue;
    for (std::size_t j = 0; j < c; ++j) y[j] += m * x[l][j];
  }
}

/// The rows' share of H_tt and of the gradient in theta.
void add_rows(const ModeRows& rows, std::size_t block, const RowDerivatives& local, Matrix& hessian,
              std::vector<double>& gradient) {
  const std::size_t c = gradient.size(), feeds = local.slope.size();
  const int blocks = static_cast<int>(
      std::clamp<std::size_t>(16'000'000 / (hessian.values.size() + 1), 1, 32));  // partial sums: 128 MB
  std::vector<Matrix> partial(size_of(blocks));
  std::vector<std::vector<double>> slopes(size_of(blocks));
  for_fixed_blocks(rows.count(), blocks, [&](int b, std::int64_t begin, std::int64_t end) {
    Matrix& h = partial[size_of(b)] = symmetric_matrix(c);
    std::vector<double>& g = slopes[size_of(b)];
    g.resize(c);
    std::vector<std::vector<double>> buffer(feeds, std::vector<double>(size_of(chunk) * c));
    std::vector<double> weighed(feeds * size_of(chunk) * c);
    std::vector<const double*> x, y;
    for (std::int64_t first = begin; first < end; first += chunk) {
      const std::int64_t count = std::min(chunk, end - first);
      const double* design[most_feeds];
      for (std::size_t k = 0; k < feeds; ++k) design[k] = rows.design(block, k, first, count, buffer[k].data());
      x.clear();
      y.clear();
      for (std::int64_t r = 0; r < count; ++r) {
        const auto i = size_of(first + r);
        const double* here[most_feeds];
        for (std::size_t k = 0; k < feeds; ++k) here[k] = design[k] + size_of(r) * c;
        for (std::size_t k = 0; k < feeds; ++k) {
          double* out = weighed.data() + x.size() * c;
          weigh(local.curvature, feeds, k, i, here, c, out);
          for (std::size_t j = 0; j < c; ++j) g[j] += local.slope[k][i] * here[k][j];
          x.push_back(here[k]);
          y.push_back(out);
        }
      }
      add_products(h, x.data(), y.data(), static_cast<int>(x.size()));
    }
  });
  for (std::size_t b = 0; b < partial.size(); ++b) {
    for (std::size_t k = 0; k < hessian.values.size(); ++k) hessian.values[k] += partial[b].values[k];
    for (std::size_t j = 0; j < c; ++j) gradient[j] += slopes[b][j];
  }
}

/// The levels' share: W, T and the slopes.
void add_levels(const ModeRows& rows, std::size_t block, const RowDerivatives& local, std::size_t c, SystemGroup& g,
                std::vector<double>& slope) {
  const int q = g.group->effects;
  const std::size_t feeds = local.slope.size();
  g.information.assign(size_of(g.group->levels * packed_size(q)), 0.0);
  g.coupling.assign(size_of(g.group->levels * q) * c, 0.0);
  slope.assign(size_of(g.group->levels * q), 0.0);
#pragma omp parallel if (rows.count() > least_parallel)
  {
    std::vector<double> buffer(feeds * c), weighed(c);
#pragma omp for schedule(dynamic, 1)
    for (int b = 0; b < usual_blocks; ++b) {
      for (std::int64_t j = g.rows->blocks[size_of(b)]; j < g.rows->blocks[size_of(b) + 1]; ++j) {
        double* w = g.information.data() + j * packed_size(q);
        double* t = g.coupling.data() + size_of(j * q) * c;
        for (std::int64_t at = g.rows->start[size_of(j)]; at < g.rows->start[size_of(j) + 1]; ++at) {
          const std::int64_t i = g.rows->order[size_of(at)];
          const double* x[most_feeds];
          for (std::size_t k = 0; k < feeds; ++k) x[k] = rows.design(block, k, i, 1, buffer.data() + k * c);
          weigh(local.curvature, feeds, 0, size_of(i), x, c, weighed.data());
          for (int k = 0; k < q; ++k) {
            const double z = g.group->z(i, k);
            slope[size_of(j * q + k)] += z * local.slope[0][size_of(i)];
            const double zw = z * local.curvature[0][size_of(i)];
            for (int l = 0; l <= k; ++l) w[packed(k, l)] += zw * g.group->z(i, l);
            if (z == 0) continue;
            for (std::size_t column = 0; column < c; ++column) t[size_of(k) * c + column] += z * weighed[column];
          }
        }
      }
    }
  }
}

/// log density of a prior at the functional's value a, its slope and minus its second derivative, at least 0.
struct PriorLocal {
  double value, slope, curvature;
};
/// Of the logarithm of the distance to an end of a uniform prior, so small that a mode is moved by less than this times
/// its sd over that distance.
constexpr double barrier = 0.01;

PriorLocal prior_local(const FunctionalPrior& prior, double a) {
  double at[1 + most_shared] = {a}, d[1 + most_shared], above[1 + most_shared], below[1 + most_shared];
  const double value = evaluate_density(prior.density, prior.constants.data(), at, 1, d);
  const double h = 1e-5 * std::max(1.0, std::abs(a));
  at[0] = a + h;
  evaluate_density(prior.density, prior.constants.data(), at, 1, above);
  at[0] = a - h;
  evaluate_density(prior.density, prior.constants.data(), at, 1, below);
  PriorLocal local{value, d[0], std::max((below[0] - above[0]) / (2 * h), 0.0)};
  for (const auto& [end, sign] : {std::pair{prior.low, 1.0}, {prior.high, -1.0}}) {
    if (!std::isfinite(end)) continue;
    const double distance = sign * (a - end);
    local.value += distance > 0 ? barrier * std::log(distance) : -std::numeric_limits<double>::infinity();
    local.slope += sign * barrier / distance;
    local.curvature += barrier / (distance * distance);
  }
  return local;
}

double log_priors(const ModeBlock& block, const std::vector<double>& theta) {
  double total = 0;
  for (const FunctionalPrior& prior : block.priors) {
    total += prior_local(prior, dot(prior.row, theta) + prior.shift).value;
  }
  return total;
}

/// -1/2 u^T P u over all levels.
double log_effects(int q, const std::vector<double>& precision, const std::vector<double>& effects) {
  const double* u = effects.data();
  return sum_fixed_blocks(static_cast<std::int64_t>(effects.size()) / q, [&](std::int64_t j) {
    double scaled[max_effects] = {}, sum = 0;
    packed_multiply_add(q, precision.data(), u + j * q, scaled);
    for (int k = 0; k < q; ++k) sum += u[j * q + k] * scaled[k];
    return -0.5 * sum;
  });
}

/// What a step does to the arguments that the block feeds: for each feed, each row.
std::vector<std::vector<double>> moved_arguments(const ModeBlock& block, const ModeRows& rows, std::size_t index,
                                                 const MixedVector& step) {
  const std::size_t c = step.theta.size();
  std::vector<std::vector<double>> moved(block.feeds.size(), std::vector<double>(size_of(rows.count())));
  for_fixed_blocks(rows.count(), usual_blocks, [&](int, std::int64_t begin, std::int64_t end) {
    std::vector<double> buffer(size_of(chunk) * c);
    for (std::size_t k = 0; k < block.feeds.size(); ++k) {
      for (std::int64_t first = begin; first < end; first += chunk) {
        const std::int64_t count = std::min(chunk, end - first);
        const double* x = rows.design(index, k, first, count, buffer.data());
        for (std::int64_t r = 0; r < count; ++r) {
          double sum = 0;
          for (std::size_t j = 0; j < c; ++j) sum += x[size_of(r) * c + j] * step.theta[j];
          moved[k][size_of(first + r)] = sum;
        }
      }
    }
    for (std::size_t g = 0; g < block.groups.size(); ++g) {
      const ModeGroup& group = block.groups[g];
      for (std::int64_t i = begin; i < end; ++i) {
        const double* u = step.effects[g].data() + group.level[i] * std::int64_t{group.effects};
        for (int k = 0; k < group.effects; ++k) moved[0][size_of(i)] += u[k] * group.z(i, k);
      }
    }
  });
  return moved;
}

void add_scaled(std::vector<double>& a, double factor, const std::vector<double>& b) {
  for (std::size_t k = 0; k < a.size(); ++k) a[k] += factor * b[k];
}

BlockSystem block_system(const ModeProblem& problem, const ModeRows& rows, std::size_t index, const BlockState& state,
                         RowDerivatives local) {
  const ModeBlock& block = problem.blocks[index];
  const std::size_t c = state.theta.size();
  BlockSystem result;
  result.value = local.value;
  MixedSystem& system = result.system;
  system.hessian = symmetric_matrix(c);
  result.gradient.theta.assign(c, 0.0);
  add_rows(rows, index, local, system.hessian, result.gradient.theta);
  for (const FunctionalPrior& prior : block.priors) {
    const PriorLocal f = prior_local(prior, dot(prior.row, state.theta) + prior.shift);
    result.value += f.value;
    add_scaled(result.gradient.theta, f.slope, prior.row);
    std::vector<double> weighed = prior.row;
    for (double& w : weighed) w *= f.curvature;
    const double *x = prior.row.data(), *y = weighed.data();
    add_products(system.hessian, &x, &y, 1);
  }
  for (std::size_t g = 0; g < block.groups.size(); ++g) {
    const int q = block.groups[g].effects;
    SystemGroup& group = system.groups.emplace_back();
    group.group = &block.groups[g];
    group.rows = &state.rows[g];
    group.precision.resize(size_of(packed_size(q)));
    packed_inverse(q, state.factor[g].data(), group.precision.data());
    add_levels(rows, index, local, c, group, result.slope.emplace_back());
    result.value += log_effects(q, group.precision, state.effects[g]);
    std::vector<double>& gradient = result.gradient.effects.emplace_back(result.slope[g]);
    for_levels(state.rows[g], [&](int, std::int64_t j) {
      double scaled[max_effects] = {};
      packed_multiply_add(q, group.precision.data(), state.effects[g].data() + j * q, scaled);
      for (int k = 0; k < q; ++k) gradient[size_of(j * q + k)] -= scaled[k];
    });
  }
  result.local = std::move(local);
  system.curvature = result.local.curvature[0].data();
  return result;
}

}  // namespace

BlockState::BlockState(const ModeProblem& problem, std::size_t index) : theta(problem.blocks[index].start) {
  for (const ModeGroup& group : problem.blocks[index].groups) {
    const int q = group.effects;
    effects.emplace_back(size_of(group.levels * q));
    std::vector<double>& b = factor.emplace_back(size_of(packed_size(q)));
    for (int k = 0; k < q; ++k) b[size_of(packed(k, k))] = 0.3 * group.sd_scale[size_of(k)];
    rows.emplace_back(group.level, problem.rows, group.levels);
  }
}

void place(const ModeProblem& problem, ModeRows& rows, std::size_t index, const BlockState& state) {
  rows.move(index, moved_arguments(problem.blocks[index], rows, index, {state.theta, state.effects}), 1);
}

BlockSystem factorised_system(const ModeProblem& problem, const ModeRows& rows, std::size_t index,
                              const BlockState& state) {
  RowDerivatives local = rows.derivatives(index);
  const bool grouped = !problem.blocks[index].groups.empty();
  if (grouped) make_semidefinite(local);
  BlockSystem result = block_system(problem, rows, index, state, std::move(local));
  result.system.factorise();
  if (!grouped && result.system.deficient < state.theta.size()) {
    local = std::move(result.local);
    make_semidefinite(local);
    result = block_system(problem, rows, index, state, std::move(local));
    result.system.factorise();
  }
  if (!std::isfinite(result.value) ||
      !std::ranges::all_of(result.system.hessian.values, [](double h) { return std::isfinite(h); })) {
    throw InputError(
        "the log density is not finite where training starts (formula, --prior); check the size of the offset, and "
        "that the priors allow what the responses can have come from");
  }
  if (result.system.deficient < state.theta.size()) {
    throw InputError(
        fmt::format("column '{}' is a linear combination of the columns before it, or as good as one at the "
                    "coefficients that the priors allow, and its own prior is too weak to tell them apart (formula, "
                    "{}); remove a term, give b a prior, or widen a prior that excludes what the responses came from",
                    problem.blocks[index].columns[result.system.deficient], problem.blocks[index].name));
  }
  return result;
}

NewtonStep newton_step(const ModeProblem& problem, ModeRows& rows, std::size_t index, BlockState& state) {
  const ModeBlock& block = problem.blocks[index];
  NewtonStep result{factorised_system(problem, rows, index, state)};
  const MixedVector step = result.at.system.solve(result.at.gradient, newton_tolerance);
  result.decrement = dot(step.theta, result.at.gradient.theta);
  for (std::size_t g = 0; g < step.effects.size(); ++g) {
    result.decrement += dot(step.effects[g], result.at.gradient.effects[g]);
  }
  if (!(result.decrement > least_decrement)) return result;
  const std::vector<std::vector<double>> moved = moved_arguments(block, rows, index, step);
  double length = 1;
  for (int halving = 0; halving < 30; ++halving, length /= 2) {
    std::vector<double> theta = state.theta;
    add_scaled(theta, length, step.theta);
    double reached = rows.value(index, moved, length) + log_priors(block, theta);
    std::vector<std::vector<double>> effects = state.effects;
    for (std::size_t g = 0; g < effects.size(); ++g) {
      add_scaled(effects[g], length, step.effects[g]);
      reached += log_effects(block.groups[g].effects, result.at.system.groups[g].precision, effects[g]);
    }
    if (!(reached >= result.at.value - 1e-13 * std::abs(result.at.value))) continue;  // NaN too
    rows.move(index, moved, length);
    state.theta = std::move(theta);
    state.effects = std::move(effects);
    return result;
  }
  result.decrement = 0;  // as high as the arithmetic can tell
  return result;
}

}  // namespace jensen
