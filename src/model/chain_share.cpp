#include "model/chain_share.hpp"

#include <algorithm>
#include <cmath>

#include "model/packed_cholesky.hpp"

namespace jensen {
namespace {

constexpr double solve_tolerance = 1e-4;        // a percent of an sd is of no use here
constexpr std::int64_t most_solved = 16;        // levels whose variance is solved for, evenly spaced
constexpr std::int64_t most_levels = 1000;      // that are looked at for what follows from the coefficients
constexpr std::size_t most_coefficients = 512;  // likewise

/// Means over some levels of the variance of effect k given the coefficients: of the chain, and (H_uu^-1)_jk,jk.
struct Variances {
  double chain = 0, exact = 0;
};
Variances variances(const MixedSystem& system, std::size_t at, int k, const std::vector<double>& pivot) {
  const ModeGroup& group = *system.groups[at].group;
  const int q = group.effects;
  const std::int64_t count = std::min(group.levels, most_solved);
  MixedVector unit;
  for (const SystemGroup& g : system.groups) unit.effects.emplace_back(size_of(g.group->levels * g.group->effects));
  Variances mean;
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t j = group.levels * i / count;
    double own[max_effects] = {};
    own[k] = 1;
    packed_solve(q, pivot.data() + j * packed_size(q), own);
    mean.chain += own[k] / static_cast<double>(count);
    const std::size_t place = size_of(j * q + k);
    unit.effects[at][place] = 1;
    mean.exact += system.solve(unit, solve_tolerance).effects[at][place] / static_cast<double>(count);
    unit.effects[at][place] = 0;
  }
  return mean;
}

/// The mean over levels of what the coefficients' uncertainty adds to the variance of effect k: A_j S^-1 A_j^T.
double variance_by_coefficients(const SystemGroup& g, const std::vector<double>& coupling, const Matrix& schur, int k) {
  const std::size_t c = schur.columns;
  if (c == 0 || c > most_coefficients) return 0;
  const Cholesky root = symmetric_cholesky(schur, 0);
  if (root.deficient < c) return 0;
  const int q = g.group->effects;
  const std::int64_t every = std::max<std::int64_t>(g.group->levels / most_levels, 1);
  double sum = 0;
  std::int64_t count = 0;
  for (std::int64_t j = 0; j < g.group->levels; j += every, ++count) {
    const double* t = coupling.data() + size_of(j * q) * c;
    std::vector<double> follow(t, t + size_of(q) * c);
    packed_solve(q, g.pivot.data() + j * packed_size(q), follow.data(), static_cast<int>(c));
    const auto row = follow.begin() + static_cast<std::ptrdiff_t>(size_of(k) * c);
    const std::vector<double> a(row, row + static_cast<std::ptrdiff_t>(c));
    sum += dot(a, solve(root.upper, a));
  }
  return sum / static_cast<double>(count);
}

}  // namespace

std::vector<std::vector<double>> shares_of_sd(const MixedSystem& system, const Elimination& elimination,
                                              const std::vector<std::vector<double>>& pivots) {
  std::vector<std::vector<double>> shares;
  for (std::size_t at = 0; at < system.groups.size(); ++at) {
    const SystemGroup& g = system.groups[at];
    std::vector<double>& share = shares.emplace_back(size_of(g.group->effects), 1.0);
    for (int k = 0; k < g.group->effects && system.groups.size() > 1; ++k) {
      const auto [chain, exact] = variances(system, at, k, pivots[at]);
      const double shared = variance_by_coefficients(g, elimination.coupling[at], elimination.schur, k);
      share[size_of(k)] = std::min(std::sqrt((chain + shared) / (exact + shared)), 1.0);
    }
  }
  return shares;
}

}  // namespace jensen
