#include "model/head_system.hpp"

#include <algorithm>
#include <optional>

#include "model/chain_share.hpp"
#include "model/mode_rows.hpp"
#include "model/packed_cholesky.hpp"

namespace jensen {
namespace {

/// Element (i, j), i <= j, of a symmetric_matrix().
double element(const Matrix& m, std::size_t i, std::size_t j) {
  if (m.rows == m.columns) return m(i, j);
  return i == j ? m.values[i] : 0;
}

void set_element(Matrix& m, std::size_t i, std::size_t j, double value) {
  if (m.rows == m.columns) m(i, j) = value;
  if (m.rows != m.columns && i == j) m.values[i] = value;
}

/// For each group the column of its first effect behind C coefficients, if it is in the head; the last: C + E.
std::vector<std::size_t> first_columns(const MixedSystem& s) {
  std::vector<std::size_t> first = {s.hessian.columns};
  for (const SystemGroup& g : s.groups) {
    first.push_back(first.back() + (g.group->in_head ? size_of(g.group->levels * g.group->effects) : 0));
  }
  return first;
}

/// out (q x stride) += what level j of a group has in common with the levels of one in the head, in their columns.
void add_cross(const MixedSystem& s, std::size_t at, std::int64_t j, std::size_t head, std::size_t first, double* out,
               std::size_t stride) {
  const CrossProducts& cross = s.cross[at][head];
  const auto q = size_of(s.groups[at].group->effects), r = size_of(s.groups[head].group->effects);
  for (auto pair = size_of(cross.start[size_of(j)]); pair < size_of(cross.start[size_of(j) + 1]); ++pair) {
    const double* value = cross.value.data() + pair * q * r;
    double* here = out + first + size_of(cross.level[pair]) * r;
    for (std::size_t k = 0; k < q; ++k) {
      for (std::size_t l = 0; l < r; ++l) here[k * stride + l] += value[k * r + l];
    }
  }
}

/// A head group's share of H over (theta, u_h): with itself, with theta, and with the head groups after it.
void add_head_group(const MixedSystem& s, const std::vector<std::size_t>& first, std::size_t at, Matrix& hessian) {
  const SystemGroup& g = s.groups[at];
  const int q = g.group->effects;
  const std::size_t c = first[0];
  for_levels(*g.rows, [&](int, std::int64_t j) {
    const std::size_t corner = first[at] + size_of(j * q);
    for (int k = 0; k < q; ++k) {
      for (int l = 0; l <= k; ++l) {
        const double w = g.information[size_of(j * packed_size(q) + packed(k, l))];
        set_element(hessian, corner + size_of(l), corner + size_of(k), w + g.precision[size_of(packed(k, l))]);
      }
      for (std::size_t i = 0; i < c; ++i) {
        set_element(hessian, i, corner + size_of(k), g.coupling[size_of(j * q + k) * c + i]);
      }
    }
    if (hessian.rows != hessian.columns) return;
    for (std::size_t h = at + 1; h < s.groups.size(); ++h) {
      if (s.groups[h].group->in_head) add_cross(s, at, j, h, first[h], &hessian(corner, 0), hessian.columns);
    }
  });
}

/// T over (theta, u_h) of a group that is not in the head: J x q x (C + E).
std::vector<double> widened_coupling(const MixedSystem& s, const std::vector<std::size_t>& first, std::size_t at) {
  const SystemGroup& g = s.groups[at];
  const int q = g.group->effects;
  const std::size_t c = first[0], n = first.back();
  std::vector<double> coupling(size_of(g.group->levels * q) * n);
  for_levels(*g.rows, [&](int, std::int64_t j) {
    double* out = coupling.data() + size_of(j * q) * n;
    for (int k = 0; k < q; ++k) std::copy_n(g.coupling.data() + size_of(j * q + k) * c, c, out + size_of(k) * n);
    for (std::size_t h = 0; h < s.groups.size(); ++h) {
      if (s.groups[h].group->in_head) add_cross(s, at, j, h, first[h], out, n);
    }
  });
  return coupling;
}

/// H over theta, all effects integrated out, how u_h follows theta (E x C), and S_hh (empty: not known).
struct Follow {
  Matrix schur, effects, own;
};

/// From S: S_tt - S_th S_hh^-1 S_ht and -S_hh^-1 S_ht; nothing if rounding has taken S_hh its definiteness.
std::optional<Follow> integrate_effects(const Matrix& s, std::size_t c) {
  const std::size_t n = s.columns, e = n - c;
  Matrix own(e, e);
  for (std::size_t i = 0; i < e; ++i) {
    for (std::size_t j = i; j < e; ++j) own(i, j) = own(j, i) = s(c + i, c + j);
  }
  const Cholesky root = cholesky(own, 0);
  if (root.deficient < e) return std::nullopt;
  Follow result{symmetric_matrix(c), Matrix(e, c), std::move(own)};
  for (std::size_t j = 0; j < c; ++j) {
    const std::vector<double> line = solve(root.upper, {s.row(j) + c, s.row(j) + n});
    for (std::size_t k = 0; k < e; ++k) result.effects(k, j) = -line[k];
    for (std::size_t i = 0; i <= j; ++i) {
      result.schur(i, j) = s(i, j);
      for (std::size_t k = 0; k < e; ++k) result.schur(i, j) -= s(i, c + k) * line[k];
    }
  }
  return result;
}

/// From the system where no group is in the head.
Follow follow_jointly(const MixedSystem& system, const std::vector<std::size_t>& first, double tolerance) {
  const std::size_t c = first[0];
  Elimination joint = eliminate(system, tolerance);
  Follow result{std::move(joint.schur), Matrix(first.back() - c, c), {}};
  for (std::size_t at = 0; at < system.groups.size(); ++at) {
    const SystemGroup& g = system.groups[at];
    if (!g.group->in_head) continue;
    const auto stride = static_cast<std::int64_t>(c) * g.group->effects;
    double* a = result.effects.values.data() + (first[at] - c) * c;
    for_levels(*g.rows, [&](int, std::int64_t j) {
      for (auto k = size_of(j * stride); k < size_of((j + 1) * stride); ++k) a[k] = -joint.coupling[at][k];
      packed_solve(g.group->effects, g.pivot.data() + j * packed_size(g.group->effects), a + j * stride,
                   static_cast<int>(c));
    });
  }
  return result;
}

}  // namespace

bool in_head(const MixedSystem& system, std::size_t group) {
  return system.groups[group].group->in_head &&
         std::ranges::any_of(system.groups, [](const SystemGroup& g) { return !g.group->in_head; });
}

MixedSystem head_system(const MixedSystem& system) {
  const std::vector<std::size_t> first = first_columns(system);
  MixedSystem result;
  result.head = first.back() - first[0];
  result.curvature = system.curvature;
  result.hessian = symmetric_matrix(first.back());
  for (std::size_t i = 0; i < first[0]; ++i) {
    for (std::size_t j = i; j < first[0]; ++j) set_element(result.hessian, i, j, element(system.hessian, i, j));
  }
  for (std::size_t at = 0; at < system.groups.size(); ++at) {
    const SystemGroup& g = system.groups[at];
    if (g.group->in_head) {
      add_head_group(system, first, at, result.hessian);
    } else {
      result.groups.push_back({g.group, g.rows, g.precision, g.information, widened_coupling(system, first, at), {}});
    }
  }
  result.factorise();
  return result;
}

namespace {

/// Of a system that has no group in the head.
GuideElimination eliminate_chain(const MixedSystem& system, double tolerance) {
  GuideElimination result;
  static_cast<Elimination&>(result) = eliminate(system, tolerance);
  GroupChain chain = chain_groups(system);
  result.pivot = marginal_pivots(system, chain);
  result.shares = shares_of_sd(system, result, result.pivot);
  result.coupling = chain_coupling(system, chain, result);
  result.information = std::move(chain.information);
  for (std::size_t g = 0; g < system.groups.size(); ++g) {
    std::vector<FollowedGroup>& followed = result.followed.emplace_back();
    for (std::size_t h = 0; h < system.groups.size(); ++h) {
      if (chain.follows(g, h)) followed.push_back({h, std::move(chain.cross[g][h])});
    }
  }
  return result;
}

GuideElimination eliminate_with_head(const MixedSystem& system, double tolerance) {
  const std::vector<std::size_t> first = first_columns(system);
  const std::size_t c = first[0];
  GuideElimination others = eliminate_chain(head_system(system), tolerance);
  std::optional<Follow> follow;
  if (others.complete) follow = integrate_effects(others.schur, c);
  if (!follow) follow = follow_jointly(system, first, tolerance);
  GuideElimination result;
  result.schur = std::move(follow->schur);
  result.precision = std::move(follow->own);
  std::vector<std::size_t> place;  // of the other groups
  for (std::size_t at = 0; at < system.groups.size(); ++at) {
    if (!system.groups[at].group->in_head) place.push_back(at);
  }
  std::size_t other = 0;
  for (std::size_t at = 0; at < system.groups.size(); ++at) {
    const SystemGroup& g = system.groups[at];
    const int q = g.group->effects;
    if (!g.group->in_head) {
      result.information.push_back(std::move(others.information[other]));
      result.pivot.push_back(std::move(others.pivot[other]));
      result.coupling.push_back(std::move(others.coupling[other]));
      result.shares.push_back(std::move(others.shares[other]));
      result.followed.push_back(std::move(others.followed[other]));
      for (FollowedGroup& f : result.followed.back()) f.group = place[f.group];
      ++other;
      continue;
    }
    result.pivot.emplace_back();
    result.followed.emplace_back();
    result.shares.emplace_back(size_of(q), 1.0);
    std::vector<double>& information = result.information.emplace_back(g.information.size());
    std::vector<double>& coupling = result.coupling.emplace_back(size_of(g.group->levels * q) * c);
    for_levels(*g.rows, [&](int, std::int64_t j) {
      double* w = information.data() + j * packed_size(q);
      const std::size_t corner = first[at] + size_of(j * q);
      for (int k = 0; k < q; ++k) {
        for (int l = 0; l <= k; ++l) {
          w[packed(k, l)] =
              element(others.schur, corner + size_of(l), corner + size_of(k)) - g.precision[size_of(packed(k, l))];
        }
      }
      packed_semidefinite(q, w);
      double* out = coupling.data() + size_of(j * q) * c;
      const double* a = follow->effects.row(corner - c);
      packed_multiply_add(q, w, a, out, static_cast<int>(c));
      packed_multiply_add(q, g.precision.data(), a, out, static_cast<int>(c));
      for (std::size_t k = 0; k < size_of(q) * c; ++k) out[k] = -out[k];
    });
  }
  return result;
}

}  // namespace

GuideElimination eliminate_for_guide(const MixedSystem& system, double tolerance) {
  const auto inside = std::ranges::count_if(system.groups, [](const SystemGroup& g) { return g.group->in_head; });
  const auto all = static_cast<std::ptrdiff_t>(system.groups.size());
  return inside == 0 || inside == all ? eliminate_chain(system, tolerance) : eliminate_with_head(system, tolerance);
}

}  // namespace jensen
