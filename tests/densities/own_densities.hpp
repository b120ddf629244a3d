#pragma once
/// \file Densities as a user writes them, each also one of Jensen's own: what they leave out is the same.

#include "jensen/density.hpp"

namespace own {

/// PoissonLog.
struct PoissonByDuals {
  static constexpr int arguments = 1;
  static constexpr int constants = 2;  // y, log y
  template <class T>
  static JENSEN_HD T log_density(const auto* y, const T* a) {
    return y[0] * (a[0] - y[1]) - (jensen::math::exp(a[0]) - y[0]);
  }
};

/// The same with derivatives of its own.
struct AnalyticPoisson : jensen::NothingShared {
  static constexpr int constants = 2;
  template <class R>
  static JENSEN_HD jensen::Value<R, 1> evaluate(const R* y, R eta, const Prepared<R>&) {
    const R rate = jensen::math::exp(eta);
    return {y[0] * (eta - y[1]) - (rate - y[0]), {y[0] - rate}};
  }
};

/// Gaussian.
struct GaussianByDuals {
  static constexpr int arguments = 2;  // mu, log sigma
  static constexpr int constants = 1;
  static constexpr int prepared = 2;
  template <class T>
  static JENSEN_HD void prepare(const T* others, T* p) {
    p[0] = others[0];
    p[1] = jensen::math::exp(-others[0]);
  }
  template <class T>
  static JENSEN_HD T log_density(const auto* y, const T& mu, const T* p) {
    const T r = (y[0] - mu) * p[1];
    return -0.5F * r * r - p[0];
  }
};

/// NegativeBinomialLog.
struct NegativeBinomialByDuals {
  static constexpr int arguments = 2;  // log mu, log phi
  static constexpr int constants = 2;  // y, log y
  static constexpr int prepared = 3;
  template <class T>
  static JENSEN_HD void prepare(const T* others, T* p) {
    p[0] = others[0];
    p[1] = jensen::math::exp(others[0]);
    p[2] = p[1] * others[0] - jensen::math::lgamma(p[1]);
  }
  template <class T>
  static JENSEN_HD T log_density(const auto* y, const T& eta, const T* p) {
    const T total = y[0] + p[1];
    const T log_sum = jensen::math::log(jensen::math::exp(eta) + p[1]);
    return jensen::math::lgamma(total) + p[2] + y[0] * (eta - y[1] + 1.0F) - total * log_sum;
  }
};

/// StudentT.
struct StudentTByDuals {
  static constexpr int arguments = 3;  // mu, log sigma, log nu
  static constexpr int constants = 1;
  static constexpr int prepared = 3;
  template <class T>
  static JENSEN_HD void prepare(const T* others, T* p) {
    const T nu = jensen::math::exp(others[1]);
    p[0] = 0.5F * (nu + 1.0F);
    p[1] = jensen::math::exp(-others[0] - 0.5F * others[1]);
    p[2] = jensen::math::lgamma(p[0]) - jensen::math::lgamma(0.5F * nu) - 0.5F * others[1] - others[0] + 0.34657359F;
  }
  template <class T>
  static JENSEN_HD T log_density(const auto* y, const T& mu, const T* p) {
    const T t = (y[0] - mu) * p[1];
    return p[2] - p[0] * jensen::math::log1p(t * t);
  }
};

/// StudentT, nothing prepared.
struct UnpreparedStudentT {
  static constexpr int arguments = 3;
  static constexpr int constants = 1;
  template <class T>
  static JENSEN_HD T log_density(const auto* y, const T* a) {
    T p[3];
    StudentTByDuals::prepare(a + 1, p);
    return StudentTByDuals::log_density(y, a[0], p);
  }
};

/// NormalPrior; constants: location, 1 / scale.
struct NormalPriorByDuals {
  static constexpr bool prior = true;
  static constexpr int arguments = 1;
  static constexpr int constants = 2;
  template <class T>
  static JENSEN_HD T log_density(const auto* c, const T* a) {
    const T r = (a[0] - c[0]) * c[1];
    return -0.5F * r * r;
  }
};

/// No density, but most of what one may call, at arguments of order one.
struct ManyFunctions {
  static constexpr int arguments = 2;
  static constexpr int constants = 1;
  template <class T>
  static JENSEN_HD T log_density(const auto* y, const T* a) {
    namespace math = jensen::math;
    const T rate = math::exp(0.5F * a[0]) + 0.3F;
    const T gammas = math::lgamma(rate) - math::lgamma1p(rate) + math::digamma(rate) - 0.1F * math::trigamma(rate);
    const T normals = math::erf(a[0]) - math::erfc(a[1]) + math::normal_cdf(y[0] - a[1]) + math::log_normal_cdf(a[0]);
    const T periodic = math::sin(a[0]) * math::cos(a[1]) + math::atan(a[0]) - math::tanh(a[1]);
    const T rest = math::pow(rate, a[1]) - math::log_diff_exp(math::abs(a[0]) + 1.0F, a[1] * 0.1F);
    return gammas + normals + periodic + math::max(0.5F, rest) - math::min(1.0F, math::sqrt(rate));
  }
};

/// A mixture of two normals, labels summed out: means, log standard deviations, logit of the first one's share.
struct TwoNormals {
  static constexpr int arguments = 5;
  static constexpr int constants = 1;
  template <class T>
  static JENSEN_HD T log_density(const auto* y, const T* a) {
    const T r = (y[0] - a[0]) * jensen::math::exp(-a[2]);
    const T s = (y[0] - a[1]) * jensen::math::exp(-a[3]);
    const T first = -jensen::math::softplus(-a[4]) - 0.5F * r * r - a[2];
    const T second = -jensen::math::softplus(a[4]) - 0.5F * s * s - a[3];
    return jensen::math::log_sum_exp(first, second);
  }
};

}  // namespace own
