#include "model/mixed_system.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "model/mode_rows.hpp"
#include "model/packed_cholesky.hpp"

namespace jensen {
namespace {

constexpr double least_pivot = 1e-11;  // of a column's diagonal
constexpr int most_iterations = 200;
constexpr int most_width = 8;                                // right-hand sides at once
constexpr std::size_t always_solved = 64;                    // columns for which A is solved ..
constexpr std::int64_t most_solved = 100'000'000;            // .. and rows x columns where there are more: a minute
constexpr std::size_t solved_with_head = 256;                // where groups are in the head it matters more: columns ..
constexpr std::int64_t most_solved_with_head = 200'000'000;  // .. and rows x columns

/// Whether A is solved for with several groups.
bool worth_solving(std::int64_t rows, std::size_t c, std::size_t head) {
  if (c > most_dense) return false;
  const std::int64_t cost = rows * static_cast<std::int64_t>(c);
  if (c <= always_solved || cost <= most_solved) return true;
  return head > 0 && c <= solved_with_head && cost <= most_solved_with_head;
}

/// (W_j + P)^-1 b in place.
void solve_level(const SystemGroup& g, std::int64_t j, double* b, int width) {
  packed_solve(g.group->effects, g.pivot.data() + j * packed_size(g.group->effects), b, width);
}

/// sum over levels of T_j^T v_j (C).
std::vector<double> pull_back(const SystemGroup& g, std::size_t c, const std::vector<double>& v) {
  std::vector<std::vector<double>> partial(usual_blocks, std::vector<double>(c));
  for_fixed_blocks(static_cast<std::int64_t>(v.size()), usual_blocks, [&](int b, std::int64_t begin, std::int64_t end) {
    std::vector<double>& sum = partial[size_of(b)];
    for (std::int64_t k = begin; k < end; ++k) {
      const double* t = g.coupling.data() + size_of(k) * c;
      for (std::size_t j = 0; j < c; ++j) sum[j] += t[j] * v[size_of(k)];
    }
  });
  for (std::size_t b = 1; b < partial.size(); ++b) {
    for (std::size_t j = 0; j < c; ++j) partial[0][j] += partial[b][j];
  }
  return partial[0];
}

/// out += sign * T theta
void push_forward(const SystemGroup& g, const std::vector<double>& theta, double sign, std::vector<double>& out) {
  const std::size_t c = theta.size();
  for_fixed_blocks(static_cast<std::int64_t>(out.size()), usual_blocks, [&](int, std::int64_t begin, std::int64_t end) {
    for (auto k = size_of(begin); k < size_of(end); ++k) {
      const double* t = g.coupling.data() + k * c;
      double sum = 0;
      for (std::size_t j = 0; j < c; ++j) sum += t[j] * theta[j];
      out[k] += sign * sum;
    }
  });
}

bool only_diagonal(const Matrix& m) { return m.rows != m.columns; }

std::vector<double> symmetric_product(const Matrix& upper, const std::vector<double>& x) {
  const std::size_t c = x.size();
  std::vector<double> y(c);
  if (only_diagonal(upper)) {
    for (std::size_t i = 0; i < c; ++i) y[i] = upper.values[i] * x[i];
    return y;
  }
  for (std::size_t i = 0; i < c; ++i) {
    y[i] += upper(i, i) * x[i];
    for (std::size_t j = i + 1; j < c; ++j) {
      y[i] += upper(i, j) * x[j];
      y[j] += upper(i, j) * x[i];
    }
  }
  return y;
}

/// (R^T R)^-1 b
std::vector<double> symmetric_solve(const Matrix& factor, std::vector<double> b) {
  if (!only_diagonal(factor)) return jensen::solve(factor, std::move(b));
  for (std::size_t i = 0; i < b.size(); ++i) b[i] /= factor.values[i] * factor.values[i];
  return b;
}

/// H v.
MixedVector apply(const MixedSystem& s, const MixedVector& v, int width) {
  MixedVector y{{}, {}};
  if (!v.theta.empty()) y.theta = symmetric_product(s.hessian, v.theta);
  for (std::size_t at = 0; at < s.groups.size(); ++at) {
    const SystemGroup& g = s.groups[at];
    const int q = g.group->effects;
    std::vector<double>& out = y.effects.emplace_back(v.effects[at].size());
    for_levels(*g.rows, [&](int, std::int64_t j) {
      const double* own = v.effects[at].data() + j * q * width;
      double* sum = out.data() + j * q * width;
      packed_multiply_add(q, g.information.data() + j * packed_size(q), own, sum, width);
      packed_multiply_add(q, g.precision.data(), own, sum, width);
      for (std::size_t h = 0; h < s.groups.size(); ++h) {
        if (h == at) continue;
        add_cross_products(s.cross[at][h], j, q, s.groups[h].group->effects, v.effects[h].data(), width, sum);
      }
    });
    if (v.theta.empty()) continue;
    push_forward(g, v.theta, 1, out);
    const std::vector<double> back = pull_back(g, v.theta.size(), v.effects[at]);
    for (std::size_t c = 0; c < back.size(); ++c) y.theta[c] += back[c];
  }
  return y;
}

/// The preconditioner's solution; with at most one group, H's own.
MixedVector precondition(const MixedSystem& s, MixedVector r, int width) {
  if (!r.theta.empty() && !s.groups.empty()) {
    const SystemGroup& g = s.groups[s.primary];
    std::vector<double> solved = r.effects[s.primary];
    for_levels(*g.rows, [&](int, std::int64_t j) { solve_level(g, j, solved.data() + j * g.group->effects, 1); });
    const std::vector<double> back = pull_back(g, r.theta.size(), solved);
    for (std::size_t c = 0; c < back.size(); ++c) r.theta[c] -= back[c];
  }
  if (!r.theta.empty()) {
    r.theta = symmetric_solve(s.factor, std::move(r.theta));
    if (!s.groups.empty()) push_forward(s.groups[s.primary], r.theta, -1, r.effects[s.primary]);
  }
  for (std::size_t at = 0; at < s.groups.size(); ++at) {
    const SystemGroup& g = s.groups[at];
    const std::int64_t stride = std::int64_t{g.group->effects} * width;
    for_levels(*g.rows, [&](int, std::int64_t j) { solve_level(g, j, r.effects[at].data() + j * stride, width); });
  }
  return r;
}

using Columns = std::array<double, most_width>;

/// a_m . b_m for each right-hand side m.
Columns dots(const MixedVector& a, const MixedVector& b, int width) {
  Columns total{};
  for (std::size_t c = 0; c < a.theta.size(); ++c) total[0] += a.theta[c] * b.theta[c];
  for (std::size_t at = 0; at < a.effects.size(); ++at) {
    const double *x = a.effects[at].data(), *y = b.effects[at].data();
    std::vector<Columns> partial(usual_blocks);
    for_fixed_blocks(static_cast<std::int64_t>(a.effects[at].size()) / width, usual_blocks,
                     [&](int block, std::int64_t begin, std::int64_t end) {
                       Columns sum{};
                       for (std::int64_t k = begin; k < end; ++k) {
                         for (int m = 0; m < width; ++m) sum[size_of(m)] += x[k * width + m] * y[k * width + m];
                       }
                       partial[size_of(block)] = sum;
                     });
    for (const Columns& p : partial) {
      for (std::size_t m = 0; m < total.size(); ++m) total[m] += p[m];
    }
  }
  return total;
}

/// a := keep_m a + factor_m b for each right-hand side m.
void combine(MixedVector& a, const Columns& keep, const Columns& factor, const MixedVector& b, int width) {
  for (std::size_t c = 0; c < a.theta.size(); ++c) a.theta[c] = keep[0] * a.theta[c] + factor[0] * b.theta[c];
  for (std::size_t at = 0; at < a.effects.size(); ++at) {
    double* x = a.effects[at].data();
    const double* y = b.effects[at].data();
    for_fixed_blocks(static_cast<std::int64_t>(a.effects[at].size()) / width, usual_blocks,
                     [&](int, std::int64_t begin, std::int64_t end) {
                       for (std::int64_t k = begin; k < end; ++k) {
                         for (int m = 0; m < width; ++m) {
                           x[k * width + m] =
                               keep[size_of(m)] * x[k * width + m] + factor[size_of(m)] * y[k * width + m];
                         }
                       }
                     });
  }
}

/// Preconditioned conjugate gradients (Hestenes & Stiefel 1952) for `width` right-hand sides side by side.
MixedVector conjugate_gradients(const MixedSystem& s, const MixedVector& b, int width, double tolerance) {
  Columns ones{}, zeros{};
  ones.fill(1);
  MixedVector x = b, residual = b;
  combine(x, zeros, zeros, b, width);
  MixedVector direction = precondition(s, b, width);
  Columns rho = dots(b, direction, width);
  const Columns first = rho;
  for (int iteration = 0; iteration < most_iterations; ++iteration) {
    const MixedVector image = apply(s, direction, width);
    const Columns steepness = dots(direction, image, width);
    Columns length{}, minus_length{}, next_share{};
    for (std::size_t m = 0; m < length.size(); ++m) {
      if (steepness[m] > 0) length[m] = rho[m] / steepness[m];
      minus_length[m] = -length[m];
    }
    combine(x, ones, length, direction, width);
    combine(residual, ones, minus_length, image, width);
    const MixedVector preconditioned = precondition(s, residual, width);
    const Columns next = dots(residual, preconditioned, width);
    bool done = true;
    for (std::size_t m = 0; m < next.size(); ++m) {
      done = done && next[m] <= tolerance * tolerance * first[m];
      next_share[m] = rho[m] > 0 ? next[m] / rho[m] : 0;
    }
    if (done) break;
    combine(direction, next_share, ones, preconditioned, width);
    rho = next;
  }
  return x;
}

}  // namespace

Matrix symmetric_matrix(std::size_t c) { return {c > most_dense ? 1 : c, c}; }

Cholesky symmetric_cholesky(const Matrix& h, double tolerance) {
  if (!only_diagonal(h)) return cholesky(h, tolerance);
  Cholesky result{h, h.columns};
  for (std::size_t j = h.columns; j-- > 0;) {
    if (!(h.values[j] > 0)) result.deficient = j;
    result.upper.values[j] = std::sqrt(h.values[j]);
  }
  return result;
}

Matrix expanded(const Matrix& factor) {
  if (!only_diagonal(factor)) return factor;
  Matrix full(factor.columns, factor.columns);
  for (std::size_t j = 0; j < factor.columns; ++j) full(j, j) = factor.values[j];
  return full;
}

void add_products(Matrix& h, const double* const* x, const double* const* y, int count) {
  const std::size_t c = h.columns;
  if (only_diagonal(h)) {
    for (int r = 0; r < count; ++r) {
      for (std::size_t j = 0; j < c; ++j) h.values[j] += x[r][j] * y[r][j];
    }
    return;
  }
  int r = 0;
  for (; r + 4 <= count; r += 4) {  // four at a time: each element is loaded and stored once for them
    const double *y0 = y[r], *y1 = y[r + 1], *y2 = y[r + 2], *y3 = y[r + 3];
    for (std::size_t j = 0; j < c; ++j) {
      const double x0 = x[r][j], x1 = x[r + 1][j], x2 = x[r + 2][j], x3 = x[r + 3][j];
      if (x0 == 0 && x1 == 0 && x2 == 0 && x3 == 0) continue;
      double* row = h.values.data() + j * c;
      for (std::size_t k = j; k < c; ++k) row[k] += (x0 * y0[k] + x1 * y1[k]) + (x2 * y2[k] + x3 * y3[k]);
    }
  }
  for (; r < count; ++r) {
    for (std::size_t j = 0; j < c; ++j) {
      const double factor = x[r][j];
      if (factor == 0) continue;
      double* row = h.values.data() + j * c;
      for (std::size_t k = j; k < c; ++k) row[k] += factor * y[r][k];
    }
  }
}

std::vector<double> SystemGroup::covariance() const {
  std::vector<double> root = precision, inverse(precision.size());
  packed_cholesky(group->effects, root.data());
  packed_inverse(group->effects, root.data(), inverse.data());
  return inverse;
}

void SystemGroup::factorise() {
  const int q = group->effects;
  pivot = information;
  for_levels(*rows, [&](int, std::int64_t j) {
    double* sum = pivot.data() + j * packed_size(q);
    for (int k = 0; k < packed_size(q); ++k) sum[k] += precision[size_of(k)];
    packed_cholesky(q, sum);
  });
}

void MixedSystem::factorise() {
  const std::size_t c = hessian.columns;
  for (std::size_t at = 0; at < groups.size(); ++at) {
    if (groups[at].group->levels > groups[primary].group->levels) primary = at;
    groups[at].factorise();
  }
  cross.clear();
  for (const SystemGroup& g : groups) {
    std::vector<CrossProducts>& with = cross.emplace_back();
    for (const SystemGroup& h : groups) {
      with.push_back(&g == &h ? CrossProducts{} : cross_products(*g.group, *g.rows, *h.group, curvature));
    }
  }
  reduced = hessian;
  if (!groups.empty()) {  // minus the squares of L^-1 T, level by level
    const SystemGroup& g = groups[primary];
    const int q = g.group->effects;
    const int blocks = static_cast<int>(std::clamp<std::size_t>(16'000'000 / (hessian.values.size() + 1), 1, 32));
    std::vector<Matrix> partial(size_of(blocks));
    for_fixed_blocks(g.group->levels, blocks, [&](int b, std::int64_t begin, std::int64_t end) {
      partial[size_of(b)] = symmetric_matrix(c);
      constexpr int most_rows = 64;
      std::vector<double> scaled(most_rows * c);
      std::vector<const double*> pointers;
      const auto flush = [&] {
        add_products(partial[size_of(b)], pointers.data(), pointers.data(), static_cast<int>(pointers.size()));
        pointers.clear();
      };
      for (std::int64_t j = begin; j < end; ++j) {
        if (static_cast<int>(pointers.size()) + q > most_rows) flush();
        double* out = scaled.data() + pointers.size() * c;
        const double* t = g.coupling.data() + size_of(j * q) * c;
        std::copy(t, t + size_of(q) * c, out);
        packed_forward(q, g.pivot.data() + j * packed_size(q), out, static_cast<int>(c));
        for (int k = 0; k < q; ++k) pointers.push_back(out + size_of(k) * c);
      }
      flush();
    });
    for (const Matrix& p : partial) {
      for (std::size_t k = 0; k < p.values.size(); ++k) reduced.values[k] -= p.values[k];
    }
  }
  Cholesky result = symmetric_cholesky(reduced, least_pivot);
  deficient = result.deficient;
  // `reduced` may have lost so many digits that it no longer shows what H_tt does.
  if (!groups.empty()) deficient = std::min(deficient, symmetric_cholesky(hessian, least_pivot).deficient);
  factor = std::move(result.upper);
}

MixedVector MixedSystem::solve(const MixedVector& b, double tolerance) const {
  if (groups.size() <= 1) return precondition(*this, b, 1);
  return conjugate_gradients(*this, b, 1, tolerance);
}

Elimination eliminate(const MixedSystem& system, double tolerance) {
  const std::size_t c = system.hessian.columns;
  Elimination result{system.reduced, {}, c <= most_dense};
  for (const SystemGroup& g : system.groups) result.coupling.push_back(g.coupling);
  if (system.groups.size() <= 1) return result;
  const auto rows = static_cast<std::int64_t>(system.groups[0].rows->order.size());
  if (!worth_solving(rows, c, system.head)) {
    result.complete = false;
    // Only the primary group follows the coefficients, exactly so given the others.
    for (std::size_t at = 0; at < system.groups.size(); ++at) {
      if (at != system.primary) std::fill(result.coupling[at].begin(), result.coupling[at].end(), 0.0);
    }
    return result;
  }
  Matrix follow(c, c);  // T^T A
  for (std::size_t first = 0; first < c; first += most_width) {
    const int width = static_cast<int>(std::min<std::size_t>(most_width, c - first));
    MixedVector b;
    for (const SystemGroup& g : system.groups) {
      std::vector<double>& out = b.effects.emplace_back(size_of(g.group->levels * g.group->effects * width));
      for (std::size_t k = 0; k < out.size(); ++k) {
        out[k] = -g.coupling[k / size_of(width) * c + first + k % size_of(width)];
      }
    }
    const MixedVector followed = conjugate_gradients(system, b, width, tolerance);
    for (std::size_t at = 0; at < system.groups.size(); ++at) {
      const SystemGroup& g = system.groups[at];
      const int q = g.group->effects;
      const std::vector<double>& a = followed.effects[at];
      std::vector<double> column(size_of(g.group->levels * q));
      for (int m = 0; m < width; ++m) {
        for (std::size_t k = 0; k < column.size(); ++k) column[k] = a[k * size_of(width) + size_of(m)];
        const std::vector<double> back = pull_back(g, c, column);
        for (std::size_t i = 0; i < c; ++i) follow(i, first + size_of(m)) += back[i];
      }
      for_levels(*g.rows, [&](int, std::int64_t j) {
        double scaled[max_effects * most_width] = {};
        const double* here = a.data() + j * q * width;
        packed_multiply_add(q, g.information.data() + j * packed_size(q), here, scaled, width);
        packed_multiply_add(q, g.precision.data(), here, scaled, width);
        for (int k = 0; k < q; ++k) {
          double* out = result.coupling[at].data() + size_of(j * q + k) * c + first;
          for (int m = 0; m < width; ++m) out[m] = -scaled[k * width + m];
        }
      });
    }
  }
  for (std::size_t i = 0; i < c; ++i) {
    for (std::size_t j = i; j < c; ++j) {
      result.schur(i, j) = system.hessian(i, j) + 0.5 * (follow(i, j) + follow(j, i));
    }
  }
  return result;
}

}  // namespace jensen
