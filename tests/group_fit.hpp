#pragma once
/// \file Fits made by hand whose groups' marginals are known, and z-scores of samples' moments.

#include <array>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>

#include "group_map.hpp"
#include "jensen/fit.hpp"

namespace jensen::testing {

/// z-score of a sample's mean.
inline double mean_z(std::span<const double> sample, double mean, double sd) {
  double sum = 0;
  for (const double x : sample) sum += x;
  const auto n = static_cast<double>(sample.size());
  return (sum / n - mean) / (sd / std::sqrt(n));
}
/// z-score of the covariance of two normal samples of known moments.
inline double covariance_z(std::span<const double> a, std::span<const double> b, double mean_a, double mean_b,
                           double var_a, double var_b, double covariance) {
  double sum = 0;
  for (std::size_t s = 0; s < a.size(); ++s) sum += (a[s] - mean_a) * (b[s] - mean_b);
  const auto n = static_cast<double>(a.size());
  return (sum / n - covariance) / std::sqrt((var_a * var_b + covariance * covariance) / n);
}

/// One group of q effects with everything at its mean but what the test sets.
inline Fit group_fit(std::size_t q, std::size_t levels) {
  Fit fit;
  fit.parameters = {{"b_Intercept", Transform::identity}};
  GroupPosterior group;
  group.group = "g";
  group.parameter = "mu";
  group.levels = levels;
  group.first_sd = 1;
  for (std::size_t e = 0; e < q; ++e) {
    group.effects.push_back(e == 0 ? "Intercept" : "x" + std::to_string(e));
    fit.parameters.push_back({"sd_g__" + group.effects.back(), Transform::exponential, ParameterClass::group});
  }
  if (q > 1) group.first_correlation = fit.parameters.size();
  for (std::size_t i = 0; i < q; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      fit.parameters.push_back(
          {"cor_g__" + group.effects[j] + "__" + group.effects[i], Transform::correlation, ParameterClass::group});
    }
  }
  group.first = fit.parameters.size();
  GroupLevels labels{"g", {}, {}};
  for (std::size_t j = 0; j < levels; ++j) labels.levels.push_back("L" + std::to_string(j));
  fit.design.groups = {labels};
  fit.mean.assign(fit.parameters.size() + levels * q, 0.0);
  fit.factor.assign(fit.parameters.size() * fit.parameters.size(), 0.0);
  const auto packed_q = static_cast<std::size_t>(packed_size(static_cast<int>(q)));
  group.scale.assign(levels * packed_q, 0.0F);
  for (std::size_t j = 0; j < levels; ++j) {
    for (std::size_t e = 0; e < q; ++e) {
      group.scale[j * packed_q + static_cast<std::size_t>(packed(static_cast<int>(e), static_cast<int>(e)))] = 1;
    }
  }
  fit.groups = {group};
  return fit;
}

// y_ij = b + u_j + noise of known sd: given b the data say of u_j exp(-w u^2 / 2 + r u), w = n_j / sigma^2, and r falls
// by w when b rises by 1. So u_j is normal with E = (l - w (m - b_0)) / M, Var = 1 / M + (w / M)^2 s^2, M = w + 1 /
// sd^2.
struct OneWay {
  static constexpr std::size_t levels = 5;
  static constexpr double sd = 0.8, m = 1.2, s = 0.3, origin = 1;
  std::array<double, levels> w{0, 0.5, 2, 8, 40}, l{0, 1, -1, 4, 10};
  Fit fit = group_fit(1, levels);
  OneWay() {
    fit.mean[0] = m;
    fit.mean[1] = std::log(sd);
    fit.factor[0] = s;
    GroupPosterior& group = fit.groups[0];
    group.coefficients = 1;
    group.origin = {origin};
    for (std::size_t j = 0; j < levels; ++j) {
      group.information.push_back(static_cast<float>(w[j]));
      group.location.push_back(static_cast<float>(l[j]));
      group.coupling.push_back(static_cast<float>(w[j]));
    }
  }
  double precision(std::size_t j) const { return w[j] + 1 / (sd * sd); }
  double mean(std::size_t j) const { return (l[j] - w[j] * (m - origin)) / precision(j); }
  double slope(std::size_t j) const { return -w[j] / precision(j); }
  double variance(std::size_t j) const { return 1 / precision(j) + slope(j) * slope(j) * s * s; }
};

}  // namespace jensen::testing
