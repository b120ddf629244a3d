#pragma once
#include <cstdint>

#include "guides/draws.hpp"
#include "guides/reference.hpp"

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

  JENSEN_HD ClosedForm closed_form(const float* lambda, std::int64_t p) const {
    const auto rho = static_cast<double>(reference);
    const auto value = static_cast<double>(lambda[p]);
    if (p < dimension) return closed_form_location(rho, value);
    double length = basis == nullptr ? 1 : 0;
    for (int i = 0; i <= p - dimension && basis != nullptr; ++i) {
      const auto b = static_cast<double>(basis[static_cast<std::int64_t>(i) * dimension + (p - dimension)]);
      length += b * b;
    }
    return closed_form_log_scale(rho, value, static_cast<double>(::expf(lambda[p])), length);
  }

  /// dELBO/dlambda_p: the draws' gradients pulled back, plus the closed form's. [equation (5)]
  JENSEN_HD double pull_back(const float* lambda, std::int64_t p, const Draws& draws) const {
    const double exact = closed_form(lambda, p).derivative;
    if (p < dimension) return exact + draws.mean([&](int s) { return draws.gradient(s)[p]; });
    const auto j = static_cast<int>(p) - dimension;
    const auto scale = static_cast<double>(::expf(lambda[p]));
    return exact + draws.mean([&](int s) {
      double along = 0;  // (basis^T g)_j
      if (basis == nullptr) {
        along = draws.gradient(s)[j];
      } else {
        for (int i = 0; i <= j; ++i) {
          along += static_cast<double>(basis[static_cast<std::int64_t>(i) * dimension + j]) * draws.gradient(s)[i];
        }
      }
      return along * scale * static_cast<double>(draws.noise(s)[j]);
    });
  }
};

}  // namespace jensen
