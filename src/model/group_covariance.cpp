#include "model/group_covariance.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "model/packed_cholesky.hpp"

namespace jensen {
namespace {

constexpr double least_sd = 1e-3;  // in units of sd_scale
constexpr double most_move = 2;    // norm of the matrix whose exponential, nearly, multiplies the covariance

constexpr int most_packed = packed_size(max_effects);
using Packed = std::array<double, most_packed>;
/// Sums over the levels of a packed q x q matrix that f(j, out) adds to.
template <class F>
Packed sum_levels(const LevelRows& rows, F&& f) {
  std::vector<Packed> partial(usual_blocks, Packed{});
  for_levels(rows, [&](int b, std::int64_t j) { f(j, partial[size_of(b)].data()); });
  Packed total{};
  for (const Packed& p : partial) {
    for (std::size_t k = 0; k < total.size(); ++k) total[k] += p[k];
  }
  return total;
}

/// C = B^T S B or with S given by its Cholesky factor L: the posterior covariance of t = B^-1 u is
/// M^-1 = B^-1 (W + P)^-1 B^-T = (L^-1 B^-T)^T (L^-1 B^-T).
void whitened_covariance(int q, const double* pivot, const double* factor, double* out) {
  double columns[max_effects * max_effects] = {};  // B^-T, then L^-1 B^-T
  for (int i = 0; i < q; ++i) columns[i * q + i] = 1;
  packed_backward(q, factor, columns, q);
  packed_forward(q, pivot, columns, q);
  for (int i = 0; i < q; ++i) {
    for (int j = 0; j <= i; ++j) {
      double sum = 0;
      for (int l = 0; l < q; ++l) sum += columns[l * q + i] * columns[l * q + j];
      out[packed(i, j)] = sum;
    }
  }
}

/// (I + S / 4)^4, nearly exp(S) and positive definite for |S| < 4; S and the result packed.
Packed near_exponential(int q, const Packed& s) {
  double a[max_effects * max_effects];
  for (int i = 0; i < q; ++i) {
    for (int j = 0; j < q; ++j) a[i * q + j] = (i == j) + 0.25 * s[size_of(i >= j ? packed(i, j) : packed(j, i))];
  }
  for (int squaring = 0; squaring < 2; ++squaring) {
    double product[max_effects * max_effects] = {};
    for (int i = 0; i < q; ++i) {
      for (int l = 0; l < q; ++l) {
        for (int j = 0; j < q; ++j) product[i * q + j] += a[i * q + l] * a[l * q + j];
      }
    }
    std::copy(product, product + q * q, a);
  }
  Packed result{};
  for (int i = 0; i < q; ++i) {
    for (int j = 0; j <= i; ++j) result[size_of(packed(i, j))] = a[i * q + j];
  }
  return result;
}

/// B := B chol(G), both lower triangular, no sd below least_sd of its scale.
void multiply_factor(int q, const std::vector<double>& sd_scale, Packed g, std::vector<double>& factor) {
  packed_cholesky(q, g.data());
  for (int i = 0; i < q; ++i) {
    double square = 0;
    for (int j = 0; j <= i; ++j) {
      double sum = 0;  // column j of row i: later columns of B are still whole
      for (int l = j; l <= i; ++l) sum += factor[size_of(packed(i, l))] * g[size_of(packed(l, j))];
      factor[size_of(packed(i, j))] = sum;
      square += sum * sum;
    }
    const double least = least_sd * sd_scale[size_of(i)];
    if (square < least * least) {
      for (int j = 0; j <= i; ++j) factor[size_of(packed(i, j))] *= least / std::sqrt(square);
    }
  }
}

std::vector<double> sds(int q, const std::vector<double>& factor) {
  std::vector<double> sd(size_of(q));
  for (int i = 0; i < q; ++i) {
    for (int j = 0; j <= i; ++j) sd[size_of(i)] += factor[size_of(packed(i, j))] * factor[size_of(packed(i, j))];
    sd[size_of(i)] = std::sqrt(sd[size_of(i)]);
  }
  return sd;
}

}  // namespace

double covariance_step(const SystemGroup& group, const std::vector<double>& effects, std::vector<double>& factor,
                       CovarianceStep& history) {
  const ModeGroup& g = *group.group;
  const int q = g.effects;
  Packed gradient = sum_levels(*group.rows, [&](std::int64_t j, double* sum) {  // t t^T + M^-1 - I
    double t[max_effects], m[most_packed];
    for (int k = 0; k < q; ++k) t[k] = effects[size_of(j * q + k)];
    packed_forward(q, factor.data(), t);
    whitened_covariance(q, group.pivot.data() + j * packed_size(q), factor.data(), m);
    for (int k = 0; k < q; ++k) {
      for (int l = 0; l <= k; ++l) sum[packed(k, l)] += t[k] * t[l] + m[packed(k, l)] - (k == l);
    }
  });
  Packed information = sum_levels(*group.rows, [&](std::int64_t j, double* sum) {  // s_k s_l
    double m[most_packed];
    whitened_covariance(q, group.pivot.data() + j * packed_size(q), factor.data(), m);
    for (int k = 0; k < q; ++k) {
      for (int l = 0; l <= k; ++l) sum[packed(k, l)] += (1 - m[packed(k, k)]) * (1 - m[packed(l, l)]);
    }
  });
  Packed pull{};  // B^T diag(sd_scale)^-2 B
  for (int i = 0; i < q; ++i) {
    for (int k = 0; k <= i; ++k) {
      for (int l = 0; l <= k; ++l) {
        pull[size_of(packed(k, l))] += factor[size_of(packed(i, k))] * factor[size_of(packed(i, l))] /
                                       (g.sd_scale[size_of(i)] * g.sd_scale[size_of(i)]);
      }
    }
  }
  Packed step{};
  double norm = 0, turn = 0;
  for (int k = 0; k < q; ++k) {
    for (int l = g.correlated ? 0 : k; l <= k; ++l) {
      const auto at = size_of(packed(k, l));
      const double pulled = 0.5 * (pull[size_of(packed(k, k))] + pull[size_of(packed(l, l))]);
      step[at] = (gradient[at] + (k == l) - pull[at]) / (information[at] + std::max(1.0, pulled));
      norm += (k == l ? 1 : 2) * step[at] * step[at];
      if (!history.last.empty()) turn += step[at] * history.last[at];
    }
  }
  history.damping = turn < 0 ? 0.5 * history.damping : std::min(1.0, 1.2 * history.damping);
  history.last.assign(step.begin(), step.end());
  const double shrink = history.damping * std::min(1.0, most_move / std::sqrt(norm));
  double moved = 0;
  for (double& s : step) {
    moved = std::max(moved, 0.5 * std::abs(s));
    s *= shrink;
  }
  const std::vector<double> before = sds(q, factor);
  multiply_factor(q, g.sd_scale, near_exponential(q, step), factor);
  const std::vector<double> after = sds(q, factor);
  bool held = true;  // at the least sd nothing moves, whatever the gradient says
  for (std::size_t k = 0; k < after.size(); ++k) held = held && after[k] == before[k];
  return held ? 0 : moved;
}

void add_conditional_variance(const SystemGroup& group, std::vector<double>& variance) {
  const ModeGroup& g = *group.group;
  const int q = g.effects;
  for_levels(*group.rows, [&](int, std::int64_t j) {
    for (std::int64_t at = group.rows->start[size_of(j)]; at < group.rows->start[size_of(j) + 1]; ++at) {
      const std::int64_t i = group.rows->order[size_of(at)];
      double z[max_effects];
      for (int k = 0; k < q; ++k) z[k] = g.z(i, k);
      packed_forward(q, group.pivot.data() + j * packed_size(q), z);
      for (int k = 0; k < q; ++k) variance[size_of(i)] += z[k] * z[k];
    }
  });
}

CovarianceScales covariance_scales(const SystemGroup& group, const std::vector<double>& factor) {
  const int q = group.group->effects;
  const std::vector<double> sd = sds(q, factor);
  const Packed products = sum_levels(*group.rows, [&](std::int64_t j, double* sum) {
    double v[most_packed], s[max_effects];
    packed_inverse(q, group.pivot.data() + j * packed_size(q), v);
    for (int k = 0; k < q; ++k) s[k] = std::max(0.0, 1 - v[packed(k, k)] / (sd[size_of(k)] * sd[size_of(k)]));
    for (int k = 0; k < q; ++k) {
      for (int l = 0; l <= k; ++l) sum[packed(k, l)] += s[k] * s[l];
    }
  });
  CovarianceScales scales;
  for (int k = 0; k < q; ++k) {
    scales.log_sd.push_back(1 / std::sqrt(2 * products[size_of(packed(k, k))] + 1));
    for (int l = 0; l < k; ++l) scales.cor.push_back(1 / std::sqrt(products[size_of(packed(k, l))] + 1));
  }
  return scales;
}

}  // namespace jensen
