#include "model/shared_shift.hpp"

#include <algorithm>
#include <cmath>

#include "model/packed_cholesky.hpp"

namespace jensen {
namespace {

constexpr double solve_tolerance = 1e-4;        // a percent of an sd is of no use here
constexpr std::int64_t most_levels = 1000;      // that are looked at for what follows from the coefficients
constexpr std::size_t most_coefficients = 512;  // likewise

/// The mean over levels of the variance of effect k given the coefficients, other groups held: ((W_j + P)^-1)_kk.
double own_variance(const SystemGroup& g, int k) {
  const int q = g.group->effects;
  double sum = 0;
  for (std::int64_t j = 0; j < g.group->levels; ++j) {
    double unit[max_effects] = {};
    unit[k] = 1;
    packed_solve(q, g.pivot.data() + j * packed_size(q), unit);
    sum += unit[k];
  }
  return sum / static_cast<double>(g.group->levels);
}

/// The variance of the mean over levels of effect k given the coefficients: a^T H_uu^-1 a.
double variance_of_mean(const MixedSystem& system, std::size_t at, int k) {
  MixedVector a;
  for (const SystemGroup& g : system.groups) a.effects.emplace_back(size_of(g.group->levels * g.group->effects));
  const ModeGroup& group = *system.groups[at].group;
  const double share = 1 / static_cast<double>(group.levels);
  const auto place = [&](std::int64_t j) { return size_of(j * group.effects + k); };
  for (std::int64_t j = 0; j < group.levels; ++j) a.effects[at][place(j)] = share;
  const MixedVector solved = system.solve(a, solve_tolerance);
  double sum = 0;
  for (std::int64_t j = 0; j < group.levels; ++j) sum += share * solved.effects[at][place(j)];
  return sum;
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

std::vector<std::vector<double>> shares_of_sd(const MixedSystem& system, const Elimination& elimination) {
  std::vector<std::vector<double>> shares;
  for (std::size_t at = 0; at < system.groups.size(); ++at) {
    const SystemGroup& g = system.groups[at];
    std::vector<double>& share = shares.emplace_back(size_of(g.group->effects), 1.0);
    for (int k = 0; k < g.group->effects && system.groups.size() > 1; ++k) {
      const double own = own_variance(g, k);
      const double missed = std::max(variance_of_mean(system, at, k) - own / static_cast<double>(g.group->levels), 0.0);
      const double guide = own + variance_by_coefficients(g, elimination.coupling[at], elimination.schur, k);
      share[size_of(k)] = std::sqrt(guide / (guide + missed));
    }
  }
  return shares;
}

}  // namespace jensen
