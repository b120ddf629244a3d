#pragma once
/// \file One level's effects u (q of them) from its whitened coordinates v, given the group's covariance, and back.
///
/// A priori u ~ N(0, B B^T), B lower triangular. Near the mode the data say of u, given the population's coefficients,
/// exp(-1/2 u^T W u + r^T u). With t = B^-1 u, a priori N(0, I), the two together are normal:
///
///     M = I + B^T W B = K K^T,    t = K^-T (K^-1 B^T r + v),    u = B t,    v ~ N(0, I)
///
/// so in the coordinate v the conditional posterior is standard normal, exactly for a gaussian likelihood and nearly
/// for others, whatever the group's standard deviations are. What the data say depends on other parameters, sigma above
/// all: a factor c of both W and r follows them. A factor a of W alone is for what the curvature owes to where u is. A
/// level with many rows (W large) is thus centred, u = W^-1 r + W^-1/2 v; one with few (W near 0) is not, u = B v;
/// between, partially (Papaspiliopoulos, Roberts & Skold 2007, "A general framework for the parametrization of
/// hierarchical models").
///
/// A likelihood that is not gaussian makes the conditional posterior skew. With a skewness gamma_e != 0 of each
/// coordinate T(v) is in the place of v (Tukey's g transform of a standard normal, less its mean):
///
///     T(v)_e = (exp(gamma_e v_e - gamma_e^2 / 2) - 1) / gamma_e
///
/// What the level adds to the log joint in v, the Jacobian in it: log p(u | B) + log |du/dv| = -|t|^2 / 2 - log |K|
/// + sum_e (gamma_e v_e - gamma_e^2 / 2) - q/2 log(2 pi).

#include "host_device.hpp"
#include "math.hpp"

namespace jensen {

constexpr int max_effects = 8;

/// Lower triangle packed by rows: element (i, j), j <= i.
JENSEN_HD constexpr int packed(int i, int j) { return i * (i + 1) / 2 + j; }
JENSEN_HD constexpr int packed_size(int q) { return q * (q + 1) / 2; }

/// Derivatives by log c and by log a.
template <class R>
struct ScaleSlopes {
  R both, information;
};

/// Forward and reverse mode of the map for Q effects in the type R; a value on the stack of one thread.
template <class R, int Q>
struct LevelMap {
  static constexpr int size = packed_size(Q);
  R b[size];      ///< B
  R k[size];      ///< K
  R one_over[Q];  ///< of K_ii
  R y[Q];         ///< K^-1 B^T r
  R t[Q];
  R scale, information_scale;  ///< c, and c a
  R stretch[Q];                ///< dT/dv
  R skewed;                    ///< log |dT/dv|
  const float* skew;

  /// Factor of the prior's covariance, information W (packed; null: none), gamma (Q; null: T(v) = v), what multiplies W
  /// and r, and what W alone.
  JENSEN_HD void prepare(const R* factor, const float* w, const float* gamma = nullptr, R c = R(1), R a = R(1)) {
    scale = c;
    information_scale = c * a;
    skew = gamma;
    for (int i = 0; i < size; ++i) b[i] = factor[i];
    for (int i = 0; i < Q; ++i) {
      for (int j = 0; j <= i; ++j) k[packed(i, j)] = (i == j ? R(1) : R(0)) + (w == nullptr ? R(0) : product(w, i, j));
    }
    for (int j = 0; j < Q; ++j) {  // Cholesky in place
      for (int i = j; i < Q; ++i) {
        R sum = k[packed(i, j)];
        for (int l = 0; l < j; ++l) sum -= k[packed(i, l)] * k[packed(j, l)];
        k[packed(i, j)] = i == j ? math::sqrt(sum) : sum * one_over[j];
        if (i == j) one_over[j] = R(1) / k[packed(j, j)];
      }
    }
  }

  /// t and u from r (Q) and v (Q).
  JENSEN_HD void forward(const R* r, const R* v, R* u) {
    R turned[Q];
    skewed = R(0);
    for (int i = 0; i < Q; ++i) {
      turned[i] = v[i];
      if (skew == nullptr) continue;
      const R exponent = R(skew[i]) * v[i] - R(0.5F * skew[i] * skew[i]);
      const R less_one = math::expm1(exponent);
      skewed += exponent;
      stretch[i] = R(1) + less_one;
      turned[i] = less_one * R(1.0F / skew[i]);
    }
    affine(r, turned, u);
  }

  /// The same with T(v) in the place of v.
  JENSEN_HD void affine(const R* r, const R* v, R* u) {
    for (int i = 0; i < Q; ++i) {
      R c = R(0);  // (B^T r)_i
      for (int l = i; l < Q; ++l) c += b[packed(l, i)] * r[l];
      c = scale * c;
      for (int l = 0; l < i; ++l) c -= k[packed(i, l)] * y[l];
      y[i] = c * one_over[i];
    }
    for (int i = Q - 1; i >= 0; --i) {
      R h = y[i] + v[i];
      for (int l = i + 1; l < Q; ++l) h -= k[packed(l, i)] * t[l];
      t[i] = h * one_over[i];
    }
    for (int i = 0; i < Q; ++i) {
      u[i] = R(0);
      for (int l = 0; l <= i; ++l) u[i] += b[packed(i, l)] * t[l];
    }
  }

  /// -|t|^2 / 2 - log |K| + log |dT/dv|
  JENSEN_HD R log_density() const {
    R value = skewed;
    for (int i = 0; i < Q; ++i) value -= R(0.5) * t[i] * t[i] + math::log(k[packed(i, i)]);
    return value;
  }

  /// From u_bar = d l / d u of everything else: v_bar and r_bar (Q each), and adds to b_bar (packed), the derivatives
  /// of l + prior_share * log_density(). prior_share: 1, or 0 to leave the level's own density out.
  JENSEN_HD ScaleSlopes<R> reverse(const R* u_bar, const R* r, const float* w, R prior_share, R* v_bar, R* r_bar,
                                   R* b_bar) const {
    R h[Q], c[Q];
    for (int i = 0; i < Q; ++i) {  // h = K^-1 (B^T u_bar - t)
      R sum = -prior_share * t[i];
      for (int l = i; l < Q; ++l) sum += b[packed(l, i)] * u_bar[l];
      for (int l = 0; l < i; ++l) sum -= k[packed(i, l)] * h[l];
      h[i] = sum * one_over[i];
      v_bar[i] = skew == nullptr ? h[i] : h[i] * stretch[i] + prior_share * R(skew[i]);
    }
    for (int i = Q - 1; i >= 0; --i) {  // c = K^-T h
      R sum = h[i];
      for (int l = i + 1; l < Q; ++l) sum -= k[packed(l, i)] * c[l];
      c[i] = sum * one_over[i];
    }
    R by_r = R(0), by_w = R(0);  // r . r_bar and <W, W_bar>
    for (int i = 0; i < Q; ++i) {
      r_bar[i] = R(0);
      for (int l = 0; l <= i; ++l) r_bar[i] += b[packed(i, l)] * c[l];
      r_bar[i] = scale * r_bar[i];
      by_r += r[i] * r_bar[i];
      for (int l = 0; l <= i; ++l) b_bar[packed(i, l)] += u_bar[i] * t[l] + scale * r[i] * c[l];
    }
    if (w == nullptr) return {by_r, by_w};  // K is the identity
    R p[Q * Q];  // Phi(K^T K_bar): K_bar_ij = -t_i h_j - c_i y_j - [i = j] / K_ii, lower triangle
    for (int i = 0; i < Q; ++i) {
      for (int j = 0; j <= i; ++j) {
        R sum = R(0);
        for (int l = i; l < Q; ++l) {
          R bar = -t[l] * h[j] - c[l] * y[j];
          if (l == j) bar -= prior_share * one_over[l];
          sum += k[packed(l, i)] * bar;
        }
        p[i * Q + j] = i == j ? R(0.5) * sum : sum;
        p[j * Q + i] = i == j ? p[i * Q + j] : R(0);
      }
      by_w += p[i * Q + i];  // <W, W_bar> = <M - I, M_bar> = tr P - tr K^-T P K^-1
    }
    // M_bar = sym(K^-T P K^-1) (Murray 2016, "Differentiation of the Cholesky decomposition", equation 8)
    for (int j = 0; j < Q; ++j) {  // columns of K^-T P
      for (int i = Q - 1; i >= 0; --i) {
        R sum = p[i * Q + j];
        for (int l = i + 1; l < Q; ++l) sum -= k[packed(l, i)] * p[l * Q + j];
        p[i * Q + j] = sum * one_over[i];
      }
    }
    for (int i = 0; i < Q; ++i) {  // rows of that times K^-1
      for (int j = Q - 1; j >= 0; --j) {
        R sum = p[i * Q + j];
        for (int l = j + 1; l < Q; ++l) sum -= p[i * Q + l] * k[packed(l, j)];
        p[i * Q + j] = sum * one_over[j];
      }
    }
    for (int i = 0; i < Q; ++i) {  // B_bar += c a W B (M_bar + M_bar^T)
      by_w -= p[i * Q + i];
      R wb[Q];
      for (int j = 0; j < Q; ++j) {
        wb[j] = R(0);
        for (int l = j; l < Q; ++l) wb[j] += weight(w, i, l) * b[packed(l, j)];
        wb[j] = information_scale * wb[j];
      }
      for (int j = 0; j <= i; ++j) {
        for (int l = 0; l < Q; ++l) b_bar[packed(i, j)] += wb[l] * (p[l * Q + j] + p[j * Q + l]);
      }
    }
    return {by_r + by_w, by_w};
  }

 private:
  JENSEN_HD static R weight(const float* w, int i, int j) {
    return static_cast<R>(i >= j ? w[packed(i, j)] : w[packed(j, i)]);
  }
  /// c a (B^T W B)_ij
  JENSEN_HD R product(const float* w, int i, int j) const {
    R sum = R(0);
    for (int l = i; l < Q; ++l) {
      for (int m = j; m < Q; ++m) sum += b[packed(l, i)] * weight(w, l, m) * b[packed(m, j)];
    }
    return information_scale * sum;
  }
};

/// Calls f with an object whose `value` is q at compile time.
template <int Q>
struct EffectCount {
  static constexpr int value = Q;
};
template <class F>
JENSEN_HD void with_effects(int q, F&& f) {
  switch (q) {
    case 1:
      return f(EffectCount<1>{});
    case 2:
      return f(EffectCount<2>{});
    case 3:
      return f(EffectCount<3>{});
    case 4:
      return f(EffectCount<4>{});
    case 5:
      return f(EffectCount<5>{});
    case 6:
      return f(EffectCount<6>{});
    case 7:
      return f(EffectCount<7>{});
    default:
      return f(EffectCount<8>{});
  }
}

/// B = diag(sd) L, L the Cholesky factor of a correlation matrix given by its canonical partial correlations
/// tanh(a_ij), i > j, packed by rows without the diagonal (Lewandowski, Kurowicka & Joe 2009). All in log_sd (q) and a.
template <class R>
JENSEN_HD void covariance_factor(int q, const R* log_sd, const R* a, R* b) {
  int place = 0;
  for (int i = 0; i < q; ++i) {
    const R sd = math::exp(log_sd[i]);
    R rest = R(1);  // 1 - sum of the row's squares so far
    for (int j = 0; j < i; ++j, ++place) {
      const R z = a == nullptr ? R(0) : math::tanh(a[place]);
      b[packed(i, j)] = sd * z * math::sqrt(rest);
      rest *= R(1) - z * z;
    }
    b[packed(i, i)] = sd * math::sqrt(rest);
  }
}

/// Adds the pull-back of b_bar (packed) through covariance_factor() to log_sd_bar (q) and a_bar.
template <class R>
JENSEN_HD void covariance_factor_reverse(int q, const R* log_sd, const R* a, const R* b_bar, R* log_sd_bar, R* a_bar) {
  for (int i = 0; i < q; ++i) {
    const R sd = math::exp(log_sd[i]);
    const int row = i * (i - 1) / 2;
    R rest[max_effects];
    rest[0] = R(1);
    for (int j = 0; j < i; ++j) {
      const R z = a == nullptr ? R(0) : math::tanh(a[row + j]);
      rest[j + 1] = rest[j] * (R(1) - z * z);
    }
    R rest_bar = sd * b_bar[packed(i, i)] * R(0.5) / math::sqrt(rest[i]);
    log_sd_bar[i] += b_bar[packed(i, i)] * sd * math::sqrt(rest[i]);
    for (int j = i - 1; j >= 0; --j) {
      const R z = a == nullptr ? R(0) : math::tanh(a[row + j]);
      const R root = math::sqrt(rest[j]);
      const R bar = b_bar[packed(i, j)];
      log_sd_bar[i] += bar * sd * z * root;
      if (a != nullptr) a_bar[row + j] += (bar * sd * root - R(2) * z * rest[j] * rest_bar) * (R(1) - z * z);
      rest_bar = rest_bar * (R(1) - z * z) + bar * sd * z * R(0.5) / root;
    }
  }
}

}  // namespace jensen
