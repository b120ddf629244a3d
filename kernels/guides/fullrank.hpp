#pragma once
#include <cmath>
#include <cstdint>

#include "guides/draws.hpp"
#include "guides/reference.hpp"
#include "math.hpp"

namespace jensen {

/// Full-rank normal: w = m + L eps, L lower triangular with positive diagonal.
///
/// lambda = [m (D), L packed by rows (D (D + 1) / 2)], the diagonal as its logarithm. Entropy: sum log L_ii
/// + D/2 log(2 pi e) (Kucukelbir et al. 2017, "Automatic differentiation variational inference", section 2.5).
struct Fullrank {
  int dimension;
  float reference;  ///< rho

  JENSEN_HD std::int64_t size() const { return dimension + static_cast<std::int64_t>(dimension) * (dimension + 1) / 2; }
  /// Operations to draw one coordinate.
  std::int64_t work() const { return dimension; }
  /// And to pull back one draw to one element of lambda.
  std::int64_t pull_back_work() const { return 1; }

  /// Position of row i of L in lambda.
  JENSEN_HD std::int64_t row(int i) const { return dimension + static_cast<std::int64_t>(i) * (i + 1) / 2; }

  /// The noise as it is.
  JENSEN_HD float spread(const float*, float eps, int) const { return eps; }

  JENSEN_HD float draw(const float* lambda, const float* eps, int i) const {
    const float* l = lambda + row(i);
    float sum = ::expf(l[i]) * eps[i];
    for (int j = 0; j < i; ++j) sum += l[j] * eps[j];
    return lambda[i] + sum;
  }

  /// L^-T eps, D of them: d log q / d m. See score.hpp.
  JENSEN_HD void score(const float* lambda, const float* eps, double* out) const {
    for (int i = dimension - 1; i >= 0; --i) {
      auto sum = static_cast<double>(eps[i]);
      for (int j = i + 1; j < dimension; ++j) sum -= static_cast<double>(lambda[row(j) + i]) * out[j];
      out[i] = sum / static_cast<double>(::expf(lambda[row(i) + i]));
    }
  }

  /// The closed form's sum over elements p .. p + count - 1 of lambda, at most N.
  template <int N>
  JENSEN_HD double closed_form(const float* lambda, std::int64_t p, int count) const {
    const auto rho = static_cast<double>(reference);
    double total = 0;
    for_stretches<N>(p, count, [&](int at, int n, int i, int j) {
      const float* value = lambda + p + at;
      const bool diagonal = i == j + n - 1;
      for (int k = 0; k < n - (diagonal ? 1 : 0); ++k) {
        total += closed_form_location(rho, static_cast<double>(value[k])).value;  // below the diagonal: the same square
      }
      if (diagonal) {
        const float last = value[n - 1];
        total += closed_form_log_scale(rho, static_cast<double>(last), static_cast<double>(math::exp(last)), 1).value;
      }
    });
    return total;
  }

  /// dELBO/dlambda of the same elements. [equation (5)]
  template <int N>
  JENSEN_HD void pull_back(const float* lambda, std::int64_t p, int count, const Draws& draws, double* g) const {
    const auto rho = static_cast<double>(reference);
    for_stretches<N>(p, count, [&](int at, int n, int i, int j) {
      const float* value = lambda + p + at;
      double sum[N] = {};
      draws.for_each([&](int s) {
        const double* gradient = draws.gradient(s);
        if (i < 0) {
          for (int k = 0; k < n; ++k) sum[k] += gradient[j + k];
        } else {
          const double along = gradient[i];
          const float* eps = draws.noise(s) + j;
          for (int k = 0; k < n; ++k) sum[k] += along * static_cast<double>(eps[k]);
        }
      });
      const double share = draws.share();
      for (int k = 0; k < n; ++k) {
        g[at + k] = share * sum[k] + closed_form_location(rho, static_cast<double>(value[k])).derivative;
      }
      if (i == j + n - 1) {
        const float last = value[n - 1];
        const auto scale = static_cast<double>(math::exp(last));
        g[at + n - 1] =
            share * sum[n - 1] * scale + closed_form_log_scale(rho, static_cast<double>(last), scale, 1).derivative;
      }
    });
  }

 private:
  /// f(first of the elements, their number, i, j) for the elements of m from j on (i = -1) and for those of each row i
  /// of L from column j on, among p .. p + count - 1.
  template <int N, class F>
  JENSEN_HD void for_stretches(std::int64_t p, int count, F f) const {
    int i = p < dimension ? -1 : row_of(p);
    auto j = static_cast<int>(i < 0 ? p : p - row(i));
    if constexpr (N == 1) {
      f(0, 1, i, j);
    } else {
      for (int at = 0; at < count; ++i, j = 0) {
        const int left = (i < 0 ? dimension : i + 1) - j;
        const int n = left < count - at ? left : count - at;
        f(at, n, i, j);
        at += n;
      }
    }
  }

  /// Row of L that element p of lambda (p >= D) is in: the inverse of row(). Square root, then corrected by one.
  JENSEN_HD int row_of(std::int64_t p) const {
    const std::int64_t q = p - dimension;
    auto i = static_cast<int>((::sqrt(8.0 * static_cast<double>(q) + 1.0) - 1.0) / 2.0);
    while (static_cast<std::int64_t>(i + 1) * (i + 2) / 2 <= q) ++i;
    while (static_cast<std::int64_t>(i) * (i + 1) / 2 > q) --i;
    return i;
  }
};

}  // namespace jensen
