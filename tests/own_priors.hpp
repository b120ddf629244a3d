#pragma once
/// \file Priors as a user writes them, each also one of Jensen's own.

#include "jensen/own_prior.hpp"

namespace own {

/// normal(c[0], 1.5).
struct Normal {
  static constexpr int constants = 1;
  template <class T>
  static JENSEN_HD T log_density(const auto* c, const T& theta) {
    const T r = (theta - c[0]) * (1.0F / 1.5F);
    return -0.5F * r * r - 1.3244036F;  // log(1.5 sqrt(2 pi))
  }
};

/// exponential(2).
struct Exponential {
  static constexpr int constants = 0;
  template <class T>
  static JENSEN_HD T log_density(const auto*, const T& theta) {
    return 0.6931472F - 2.0F * theta;
  }
};

/// beta(2, 3).
struct Beta {
  static constexpr int constants = 0;
  template <class T>
  static JENSEN_HD T log_density(const auto*, const T& theta) {
    return 2.4849066F + jensen::math::log(theta) + 2.0F * jensen::math::log(1.0F - theta);  // log 12
  }
};

/// A row of a hierarchy: an effect and log tau. effect ~ Normal(0, tau)
struct EffectGivenScale {
  static constexpr bool prior = true;
  static constexpr int arguments = 2;
  static constexpr int constants = 0;
  template <class T>
  static JENSEN_HD T log_density(const auto*, const T* a) {
    const T r = a[0] * jensen::math::exp(-a[1]);
    return -0.5F * r * r - a[1] - 0.9189385F;
  }
};

}  // namespace own
