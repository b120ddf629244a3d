#pragma once
/// \file A prior of your own on its natural scale, as a density of the coordinate that terms see:
///
///     struct InverseGaussian {  // of mean 1 and shape 2
///       static constexpr int constants = 0;  // columns that it reads, up to 3: one number for each element
///       template <class T>
///       static JENSEN_HD T log_density(const auto* constants, const T& theta);
///     };
///
/// is compiled as jensen_add_density(TARGET HEADER .. TYPE jensen::OnPositive<InverseGaussian>), and given to a block
/// by TermModel::prior(block, jensen::density<jensen::OnPositive<InverseGaussian>>()). What holds for log_density() of
/// a density (jensen/density.hpp) holds here.

#include "jensen/density.hpp"

namespace jensen {

/// Of a real or increasing block: theta is the coordinate.
template <class Prior>
struct OnReal {
  static constexpr int arguments = 1;
  static constexpr int constants = Prior::constants;
  static constexpr bool prior = true;
  template <class T>
  static JENSEN_HD T log_density(const auto* c, const T* u) {
    return Prior::log_density(c, u[0]);
  }
};

/// Of a positive block: theta = exp(u), whose log derivative is u.
template <class Prior>
struct OnPositive {
  static constexpr int arguments = 1;
  static constexpr int constants = Prior::constants;
  static constexpr bool prior = true;
  template <class T>
  static JENSEN_HD T log_density(const auto* c, const T* u) {
    return Prior::log_density(c, math::exp(u[0])) + u[0];
  }
};

/// Of a block between 0 and 1: theta = 1 / (1 + exp(-u)), whose log derivative is log theta + log(1 - theta).
template <class Prior>
struct OnUnit {
  static constexpr int arguments = 1;
  static constexpr int constants = Prior::constants;
  static constexpr bool prior = true;
  template <class T>
  static JENSEN_HD T log_density(const auto* c, const T* u) {
    return Prior::log_density(c, math::logistic(u[0])) - math::softplus(u[0]) - math::softplus(-u[0]);
  }
};

}  // namespace jensen
