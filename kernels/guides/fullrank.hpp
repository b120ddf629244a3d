#pragma once
#include <cmath>
#include <cstdint>

#include "guides/draws.hpp"
#include "guides/reference.hpp"

namespace jensen {

/// Full-rank normal: w = m + L eps, L lower triangular with positive diagonal.
///
/// lambda = [m (D), L packed by rows (D (D + 1) / 2)], the diagonal as its logarithm. Entropy: sum log L_ii
/// + D/2 log(2 pi e) (Kucukelbir et al. 2017, "Automatic differentiation variational inference", section 2.5).
struct Fullrank {
  int dimension;
  float reference;  ///< rho

  JENSEN_HD std::int64_t size() const { return dimension + static_cast<std::int64_t>(dimension) * (dimension + 1) / 2; }
  std::int64_t work() const { return dimension; }

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

  JENSEN_HD ClosedForm closed_form(const float* lambda, std::int64_t p) const {
    const auto rho = static_cast<double>(reference);
    const auto value = static_cast<double>(lambda[p]);
    const int i = p < dimension ? 0 : row_of(p);
    if (p < dimension || p != row(i) + i) return closed_form_location(rho, value);  // off the diagonal: the same square
    return closed_form_log_scale(rho, value, static_cast<double>(::expf(lambda[p])), 1);
  }

  JENSEN_HD double pull_back(const float* lambda, std::int64_t p, const Draws& draws) const {
    const double exact = closed_form(lambda, p).derivative;
    if (p < dimension) return exact + draws.mean([&](int s) { return draws.gradient(s)[p]; });
    const int i = row_of(p);
    const auto j = static_cast<int>(p - row(i));
    const double along =
        draws.mean([&](int s) { return draws.gradient(s)[i] * static_cast<double>(draws.noise(s)[j]); });
    return exact + (i == j ? along * static_cast<double>(::expf(lambda[p])) : along);
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
