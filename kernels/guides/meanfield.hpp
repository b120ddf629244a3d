#pragma once
#include <cstdint>

#include "guides/draws.hpp"
#include "guides/reference.hpp"
#include "math.hpp"

namespace jensen {

/// Mean-field normal in the coordinates u = basis^-1 w:   w = m + basis (exp(omega) . eps).
///
/// lambda = [m (D), omega (D)]. Entropy: sum omega + log |det basis| + D/2 log(2 pi e). The basis (null: the identity)
/// lets q be independent over the coefficients as the user names them while the optimiser moves m in coordinates
/// where the posterior is round; it is upper triangular, and what is stored below its diagonal is not read.
struct Meanfield {
  int dimension;
  const float* basis;  ///< D x D or null
  float reference;     ///< rho

  JENSEN_HD std::int64_t size() const { return 2 * static_cast<std::int64_t>(dimension); }
  /// Operations to draw one coordinate.
  std::int64_t work() const { return basis == nullptr ? 1 : dimension; }
  /// And to pull back one draw to one element of lambda.
  std::int64_t pull_back_work() const { return work(); }

  /// Noise j as draw() wants it: exp(omega_j) eps_j, taken once for all coordinates of w.
  JENSEN_HD float spread(const float* lambda, float eps, int j) const { return ::expf(lambda[dimension + j]) * eps; }

  /// Coordinate i of w. [equation (1)]
  JENSEN_HD float draw(const float* lambda, const float* spread_noise, int i) const {
    if (basis == nullptr) return lambda[i] + spread_noise[i];
    float sum = 0;
    const float* row = basis + static_cast<std::int64_t>(i) * dimension;
    for (int j = i; j < dimension; ++j) sum += row[j] * spread_noise[j];
    return lambda[i] + sum;
  }

  /// (basis diag(exp omega))^-T eps, D of them: d log q / d m. See score.hpp.
  JENSEN_HD void score(const float* lambda, const float* eps, double* out) const {
    for (int j = 0; j < dimension; ++j) {  // basis^T out = eps / exp(omega), from the first row on
      double sum = static_cast<double>(eps[j]) / static_cast<double>(::expf(lambda[dimension + j]));
      for (int i = 0; i < j && basis != nullptr; ++i) {
        sum -= static_cast<double>(basis[static_cast<std::int64_t>(i) * dimension + j]) * out[i];
      }
      out[j] = basis == nullptr ? sum : sum / static_cast<double>(basis[static_cast<std::int64_t>(j) * dimension + j]);
    }
  }

  /// The closed form's sum over elements p .. p + count - 1 of lambda, at most N.
  template <int N>
  JENSEN_HD double closed_form(const float* lambda, std::int64_t p, int count) const {
    const auto rho = static_cast<double>(reference);
    double total = 0;
    for_stretches<N>(p, count, [&](int at, int n, int j, bool scales) {
      double length[N];
      if (scales) squared_lengths<N>(j, n, length);
      for (int k = 0; k < n; ++k) {
        const float value = lambda[p + at + k];
        total += scales ? closed_form_log_scale(rho, static_cast<double>(value), static_cast<double>(math::exp(value)),
                                                length[k])
                              .value
                        : closed_form_location(rho, static_cast<double>(value)).value;
      }
    });
    return total;
  }

  /// dELBO/dlambda of the same elements: the draws' gradients pulled back, plus the closed form's. [equation (5)]
  template <int N>
  JENSEN_HD void pull_back(const float* lambda, std::int64_t p, int count, const Draws& draws, double* g) const {
    const auto rho = static_cast<double>(reference);
    for_stretches<N>(p, count, [&](int at, int n, int j, bool scales) {
      double sum[N] = {};
      draws.for_each([&](int s) {
        const double* gradient = draws.gradient(s);
        if (!scales) {
          for (int k = 0; k < n; ++k) sum[k] += gradient[j + k];
          return;
        }
        double along[N] = {};  // basis^T g
        for (int k = 0; k < n && basis == nullptr; ++k) along[k] = gradient[j + k];
        for (int i = 0; i < j + n && basis != nullptr; ++i) {
          const float* row = basis + static_cast<std::int64_t>(i) * dimension + j;
          for (int k = 0; k < n; ++k) along[k] += i <= j + k ? static_cast<double>(row[k]) * gradient[i] : 0.0;
        }
        const float* eps = draws.noise(s) + j;
        for (int k = 0; k < n; ++k) sum[k] += along[k] * static_cast<double>(eps[k]);
      });
      const double share = draws.share();
      double length[N];
      if (scales) squared_lengths<N>(j, n, length);
      for (int k = 0; k < n; ++k) {
        const float value = lambda[p + at + k];
        if (scales) {
          const auto scale = static_cast<double>(math::exp(value));
          g[at + k] = share * sum[k] * scale +
                      closed_form_log_scale(rho, static_cast<double>(value), scale, length[k]).derivative;
        } else {
          g[at + k] = share * sum[k] + closed_form_location(rho, static_cast<double>(value)).derivative;
        }
      }
    });
  }

 private:
  /// f(first of the elements, their number, the first one's coordinate, whether they are of omega) for the elements of
  /// m and for those of omega among p .. p + count - 1.
  template <int N, class F>
  JENSEN_HD void for_stretches(std::int64_t p, int count, F f) const {
    if constexpr (N == 1) {
      const bool scales = p >= dimension;
      f(0, 1, static_cast<int>(p) - (scales ? dimension : 0), scales);
    } else {
      const std::int64_t left = dimension - p;  // elements of m
      const int means = left <= 0 ? 0 : (left < count ? static_cast<int>(left) : count);
      if (means > 0) f(0, means, static_cast<int>(p), false);
      if (means < count) f(means, count - means, static_cast<int>(p + means) - dimension, true);
    }
  }
  /// Of columns j .. j + n - 1 of the basis.
  template <int N>
  JENSEN_HD void squared_lengths(int j, int n, double (&length)[N]) const {
    for (int k = 0; k < n; ++k) length[k] = basis == nullptr ? 1 : 0;
    for (int i = 0; i < j + n && basis != nullptr; ++i) {
      const float* row = basis + static_cast<std::int64_t>(i) * dimension + j;
      for (int k = 0; k < n; ++k) {
        const double b = i <= j + k ? static_cast<double>(row[k]) : 0.0;
        length[k] += b * b;
      }
    }
  }
};

}  // namespace jensen
