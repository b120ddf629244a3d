#pragma once
#include "jensen/own_prior.hpp"

/// Counts more or less spread than Poisson's: mean near mu, variance near mu / phi (Efron 1986, equations 2.10 and
/// 3.1, without the normalising factor, which is within a few percent of 1).
struct DoublePoisson {
  static constexpr int arguments = 2;  // eta = log mu, log phi
  static constexpr int constants = 2;  // y, log y (0 where y = 0)
  static constexpr int prepared = 2;

  template <class T>
  static JENSEN_HD void prepare(const T* others, T* p) {
    p[0] = 0.5F * others[0];
    p[1] = jensen::math::exp(others[0]);
  }
  template <class T>
  static JENSEN_HD T log_density(const auto* y, const T& eta, const T* p) {
    const T deviance = jensen::math::exp(eta) - y[0] - y[0] * (eta - y[1]);
    return p[0] - p[1] * deviance;
  }
};

/// Beta prime (1, 1) on phi, which 1 / phi has as well: no direction is preferred.
struct BetaPrime {
  static constexpr int constants = 0;
  template <class T>
  static JENSEN_HD T log_density(const auto*, const T& phi) {
    return -2.0F * jensen::math::log1p(phi);
  }
};
