#pragma once
/// \file The pieces of the method by themselves, for a loop or a check of the caller's own: transforms, a normal guide,
/// and how far a guide is from what it stands for.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "jensen/export.h"
#include "jensen/fit.hpp"
#include "jensen/model.hpp"

namespace jensen {

/// Parameters on their natural scales from their unconstrained coordinates u, as each one's Transform says. Throws
/// InputError: other sizes, an increment first, or correlations, which are a matrix and not numbers by themselves.
JENSEN_API std::vector<double> constrain(std::span<const Parameter> parameters, std::span<const double> u);
/// The way back. Throws InputError as above, and for a value that its transform does not reach.
JENSEN_API std::vector<double> unconstrain(std::span<const Parameter> parameters, std::span<const double> values);
/// log |d theta / d u| at u: what a density of theta is to be multiplied by to be one of u.
JENSEN_API double log_jacobian(std::span<const Parameter> parameters, std::span<const double> u);

/// N(mean, L L^T) over D coordinates: u = mean + L eps. [equation (1)]
class JENSEN_API NormalGuide {
 public:
  /// `factor`: D x D, row-major, lower triangular with a positive diagonal (what is above it is not read). Throws
  /// InputError.
  NormalGuide(std::vector<double> mean, std::vector<double> factor);

  std::size_t dimension() const { return mean_.size(); }
  const std::vector<double>& mean() const { return mean_; }
  const std::vector<double>& factor() const { return factor_; }
  /// `count` draws, a row of D each; the same for the same seed.
  std::vector<double> draw(std::size_t count, std::uint64_t seed) const;
  /// log q(u).
  double log_density(std::span<const double> u) const;
  double entropy() const;  ///< -E_q log q(u)

 private:
  std::vector<double> mean_, factor_;
};
/// The guide over the parameters of a fit, on their unconstrained scales: with groups, what is left of it when their
/// levels are integrated out.
JENSEN_API NormalGuide guide_of(const Fit& fit);

/// Pareto k-hat of importance ratios p/q: how heavy their tail is. Below 0.7 q may serve for importance sampling.
///
/// The shape of the generalised Pareto distribution fitted to the largest min(S / 5, 3 sqrt(S)) of S ratios
/// exp(log_ratio) (Vehtari, Simpson, Gelman, Yao & Gabry 2024, "Pareto smoothed importance sampling"). Ratios that are
/// not finite make it infinite; fewer than 25 give NaN.
JENSEN_API double pareto_khat(std::vector<double> log_ratio);

}  // namespace jensen
