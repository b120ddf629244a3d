#include "model/group_chain.hpp"

#include <algorithm>
#include <numeric>

#include "model/packed_cholesky.hpp"

namespace jensen {
namespace {

constexpr std::int64_t most_pairs_each = 100;  // for each level of two groups

int effects_of(const MixedSystem& system, std::size_t g) { return system.groups[g].group->effects; }
std::int64_t levels_of(const MixedSystem& system, std::size_t g) { return system.groups[g].group->levels; }

/// The same with the levels of each row ascending.
CrossProducts sorted(const CrossProducts& cross, std::size_t block) {
  CrossProducts result{cross.start, {}, {}};
  result.level.reserve(cross.level.size());
  result.value.reserve(cross.value.size());
  std::vector<std::size_t> at;
  for (std::size_t j = 0; j + 1 < cross.start.size(); ++j) {
    at.resize(size_of(cross.start[j + 1] - cross.start[j]));
    std::iota(at.begin(), at.end(), size_of(cross.start[j]));
    std::ranges::sort(at, {}, [&](std::size_t pair) { return cross.level[pair]; });
    for (const std::size_t pair : at) {
      result.level.push_back(cross.level[pair]);
      const auto value = cross.value.begin() + static_cast<std::ptrdiff_t>(pair * block);
      result.value.insert(result.value.end(), value, value + static_cast<std::ptrdiff_t>(block));
    }
  }
  return result;
}

/// The pair (j, level) of sorted() rows; -1: they do not meet.
std::int64_t pair_of(const CrossProducts& cross, std::int64_t j, std::int32_t level) {
  const auto begin = cross.level.begin() + cross.start[size_of(j)],
             end = cross.level.begin() + cross.start[size_of(j) + 1];
  const auto found = std::lower_bound(begin, end, level);
  return found != end && *found == level ? found - cross.level.begin() : -1;
}

/// out (r x t) -= X^T Y, X: q x r, Y: q x t.
void subtract_product(int q, int r, int t, const double* x, const double* y, double* out) {
  for (int l = 0; l < q; ++l) {
    for (int a = 0; a < r; ++a) {
      for (int b = 0; b < t; ++b) out[a * t + b] -= x[l * r + a] * y[l * t + b];
    }
  }
}

/// Integrates out level j of group g: what that takes off the groups that it follows.
void integrate_level(const MixedSystem& system, std::size_t g, std::int64_t j, GroupChain& chain) {
  const int q = effects_of(system, g);
  const double* pivot = chain.pivot[g].data() + j * packed_size(q);
  for (std::size_t h = 0; h < system.groups.size(); ++h) {
    if (!chain.follows(g, h)) continue;
    const CrossProducts& with_h = chain.cross[g][h];
    const int r = effects_of(system, h);
    for (std::int64_t pair = with_h.start[size_of(j)]; pair < with_h.start[size_of(j) + 1]; ++pair) {
      const double* x = with_h.value.data() + pair * q * r;
      const std::int64_t l = with_h.level[size_of(pair)];
      double solved[max_effects * max_effects], own[max_effects * max_effects] = {};
      std::copy_n(x, q * r, solved);
      packed_solve(q, pivot, solved, r);
      subtract_product(q, r, r, x, solved, own);
      for (int a = 0; a < r; ++a) {
        for (int b = 0; b <= a; ++b) chain.information[h][size_of(l * packed_size(r) + packed(a, b))] += own[a * r + b];
      }
      for (std::size_t i = 0; i < system.groups.size(); ++i) {
        if (i == h || !chain.follows(g, i) || !chain.follows(h, i)) continue;
        const CrossProducts& with_i = chain.cross[g][i];
        const int t = effects_of(system, i);
        for (std::int64_t other = with_i.start[size_of(j)]; other < with_i.start[size_of(j) + 1]; ++other) {
          const std::int64_t tied = pair_of(chain.cross[h][i], l, with_i.level[size_of(other)]);
          if (tied < 0) continue;
          subtract_product(q, r, t, solved, with_i.value.data() + other * q * t,
                           chain.cross[h][i].value.data() + tied * r * t);
        }
      }
    }
  }
}

/// D's factor of group g from its information, which what was integrated out before has been taken off.
void factorise(const MixedSystem& system, std::size_t g, GroupChain& chain) {
  const int q = effects_of(system, g);
  const std::vector<double>& precision = system.groups[g].precision;
  chain.pivot[g].resize(chain.information[g].size());
  for_levels(*system.groups[g].rows, [&](int, std::int64_t j) {
    double* w = chain.information[g].data() + j * packed_size(q);
    double* pivot = chain.pivot[g].data() + j * packed_size(q);
    packed_semidefinite(q, w);
    for (int k = 0; k < packed_size(q); ++k) pivot[k] = w[k] + precision[size_of(k)];
    packed_cholesky(q, pivot);
  });
}

/// How a level follows those of one group: q x r for each of the pairs of its row.
using Slopes = std::vector<double>;

/// variance (q x q) += slope D^-1 slope^T.
void add_variance(int q, int r, const double* slope, const double* pivot, double* variance) {
  double turned[max_effects * max_effects];  // L^-1 slope^T, r x q
  for (int k = 0; k < q; ++k) {
    for (int a = 0; a < r; ++a) turned[a * q + k] = slope[k * r + a];
  }
  packed_forward(r, pivot, turned, q);
  for (int a = 0; a < r; ++a) {
    for (int k = 0; k < q; ++k) {
      for (int l = 0; l < q; ++l) variance[k * q + l] += turned[a * q + k] * turned[a * q + l];
    }
  }
}

/// The covariance (q x q) of level j of group g, integrated over the levels that it follows.
void level_covariance(const MixedSystem& system, const GroupChain& chain, std::size_t g, std::int64_t j,
                      std::vector<Slopes>& slopes, double* variance) {
  const int q = effects_of(system, g);
  double inverse[packed_size(max_effects)];
  const double* own = chain.pivot[g].data() + j * packed_size(q);
  packed_inverse(q, own, inverse);
  for (int k = 0; k < q; ++k) {
    for (int l = 0; l < q; ++l) variance[k * q + l] = inverse[k >= l ? packed(k, l) : packed(l, k)];
  }
  for (std::size_t h = 0; h < system.groups.size(); ++h) {
    if (!chain.follows(g, h)) continue;
    const CrossProducts& cross = chain.cross[g][h];
    const auto block = std::int64_t{q} * effects_of(system, h);
    const auto begin = cross.value.begin() + cross.start[size_of(j)] * block;
    slopes[h].assign(begin, cross.value.begin() + cross.start[size_of(j) + 1] * block);
    for (double& slope : slopes[h]) slope = -slope;
    for (std::size_t pair = 0; pair * size_of(block) < slopes[h].size(); ++pair) {
      packed_solve(q, own, slopes[h].data() + pair * size_of(block), effects_of(system, h));
    }
  }
  for (auto at = chain.order.rbegin(); at != chain.order.rend(); ++at) {  // larger groups pass theirs on
    const std::size_t h = *at;
    if (!chain.follows(g, h)) continue;
    const CrossProducts& cross = chain.cross[g][h];
    const int r = effects_of(system, h);
    for (std::int64_t pair = cross.start[size_of(j)]; pair < cross.start[size_of(j) + 1]; ++pair) {
      const std::int64_t l = cross.level[size_of(pair)];
      const double* slope = slopes[h].data() + (pair - cross.start[size_of(j)]) * q * r;
      const double* pivot = chain.pivot[h].data() + l * packed_size(r);
      add_variance(q, r, slope, pivot, variance);
      for (std::size_t i = 0; i < system.groups.size(); ++i) {
        if (!chain.follows(h, i) || !chain.follows(g, i)) continue;
        const CrossProducts& further = chain.cross[h][i];
        const int t = effects_of(system, i);
        for (std::int64_t next = further.start[size_of(l)]; next < further.start[size_of(l) + 1]; ++next) {
          const std::int64_t mine = pair_of(chain.cross[g][i], j, further.level[size_of(next)]);
          if (mine < 0) continue;
          double solved[max_effects * max_effects];
          std::copy_n(further.value.data() + next * r * t, r * t, solved);
          packed_solve(r, pivot, solved, t);
          double* to = slopes[i].data() + (mine - chain.cross[g][i].start[size_of(j)]) * q * t;
          for (int k = 0; k < q; ++k) {
            for (int a = 0; a < r; ++a) {
              for (int b = 0; b < t; ++b) to[k * t + b] -= slope[k * r + a] * solved[a * t + b];
            }
          }
        }
      }
    }
  }
}

}  // namespace

std::vector<std::size_t> chain_order(const std::vector<std::int64_t>& levels) {
  std::vector<std::size_t> order(levels.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::ranges::sort(
      order, [&](std::size_t a, std::size_t b) { return levels[a] != levels[b] ? levels[a] < levels[b] : a > b; });
  return order;
}

GroupChain chain_groups(const MixedSystem& system) {
  const std::size_t count = system.groups.size();
  GroupChain chain;
  std::vector<std::int64_t> levels;
  for (const SystemGroup& g : system.groups) levels.push_back(g.group->levels);
  chain.order = chain_order(levels);
  chain.pivot.resize(count);
  chain.cross.assign(count, std::vector<CrossProducts>(count));
  for (const SystemGroup& g : system.groups) chain.information.push_back(g.information);
  for (std::size_t at = 0; at < count; ++at) {
    for (std::size_t before = 0; before < at; ++before) {
      const std::size_t g = chain.order[at], h = chain.order[before];
      const CrossProducts& cross = system.cross[g][h];
      if (static_cast<std::int64_t>(cross.level.size()) >
          most_pairs_each * (levels_of(system, g) + levels_of(system, h))) {
        continue;
      }
      chain.cross[g][h] = sorted(cross, size_of(effects_of(system, g) * effects_of(system, h)));
    }
  }
  for (auto g = chain.order.rbegin(); g != chain.order.rend(); ++g) {
    factorise(system, *g, chain);
    for (std::int64_t j = 0; j < levels_of(system, *g); ++j) integrate_level(system, *g, j, chain);
  }
  return chain;
}

std::vector<std::vector<double>> marginal_pivots(const MixedSystem& system, const GroupChain& chain) {
  std::vector<std::vector<double>> pivots;
  for (std::size_t g = 0; g < system.groups.size(); ++g) {
    const int q = effects_of(system, g);
    std::vector<double>& out = pivots.emplace_back(chain.pivot[g].size());
    std::vector<std::vector<Slopes>> slopes(usual_blocks, std::vector<Slopes>(system.groups.size()));
    for_levels(*system.groups[g].rows, [&](int block, std::int64_t j) {
      double variance[max_effects * max_effects];
      level_covariance(system, chain, g, j, slopes[size_of(block)], variance);
      double packed_variance[packed_size(max_effects)];
      for (int k = 0; k < q; ++k) {
        for (int l = 0; l <= k; ++l) packed_variance[packed(k, l)] = variance[k * q + l];
      }
      packed_cholesky(q, packed_variance);
      double* pivot = out.data() + j * packed_size(q);
      packed_inverse(q, packed_variance, pivot);
      packed_cholesky(q, pivot);
    });
  }
  return pivots;
}

std::vector<std::vector<double>> chain_coupling(const MixedSystem& system, const GroupChain& chain,
                                                const Elimination& elimination) {
  if (!elimination.complete) return elimination.coupling;  // of the primary group alone, as the chain has it
  const std::size_t c = system.hessian.columns;
  std::vector<std::vector<double>> follow = elimination.coupling;  // -A = (W + P)^-1 times it
  for (std::size_t g = 0; g < system.groups.size(); ++g) {
    const int q = effects_of(system, g);
    for_levels(*system.groups[g].rows, [&](int, std::int64_t j) {
      packed_solve(q, system.groups[g].pivot.data() + j * packed_size(q), follow[g].data() + size_of(j * q) * c,
                   static_cast<int>(c));
    });
  }
  std::vector<std::vector<double>> coupling;
  for (std::size_t g = 0; g < system.groups.size(); ++g) {
    const int q = effects_of(system, g);
    std::vector<double>& out = coupling.emplace_back(follow[g].size());
    for_levels(*system.groups[g].rows, [&](int, std::int64_t j) {
      const auto width = static_cast<int>(c);
      const double* own = follow[g].data() + size_of(j * q) * c;
      double* to = out.data() + size_of(j * q) * c;
      packed_multiply_add(q, chain.information[g].data() + j * packed_size(q), own, to, width);
      packed_multiply_add(q, system.groups[g].precision.data(), own, to, width);
      for (std::size_t h = 0; h < system.groups.size(); ++h) {
        if (!chain.follows(g, h)) continue;
        add_cross_products(chain.cross[g][h], j, q, effects_of(system, h), follow[h].data(), width, to);
      }
    });
  }
  return coupling;
}

}  // namespace jensen
