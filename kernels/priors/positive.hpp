#pragma once
#include "density_value.hpp"
#include "math.hpp"

namespace jensen {

/// Priors of a positive parameter theta = exp(a_0), as densities of a_0: the log Jacobian a_0 is in. constants: unused,
/// 1 / scale, degrees of freedom. Normalising constants are left out (see Value).

struct HalfNormalPrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const R r = math::exp(a) * constants[1];
    return {R(-0.5) * r * r + a, {R(1) - r * r}};
  }
};

struct HalfStudentTPrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const R df = constants[2];
    // log q, q = (theta / scale)^2 / df, because q itself overflows for a theta that a step too long may reach
    const R log_q = R(2) * (a + math::log(constants[1])) - math::log(df);
    const R e = math::exp_nonpositive(-math::abs(log_q));
    const R share = (log_q >= R(0) ? R(1) : e) / (R(1) + e);  // q / (1 + q)
    const R log1p_q = math::max(log_q, R(0)) + math::log1p_unit(e);
    return {R(-0.5) * (df + R(1)) * log1p_q + a, {R(1) - (df + R(1)) * share}};
  }
};

struct ExponentialPrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const R r = math::exp(a) * constants[1];
    return {a - r, {R(1) - r}};
  }
};

/// Flat on theta > 0: only the Jacobian.
struct FlatPositivePrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R*, R a, const Prepared<R>&) {
    return {a, {R(1)}};
  }
};

/// Flat on lower <= theta <= upper, -infinity outside; constants: log lower (may be -infinity), log upper.
struct UniformPositivePrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const bool outside = a < constants[0] || a > constants[1];
    return {outside ? -math::infinity<R>() : a, {outside ? R(0) : R(1)}};
  }
};

}  // namespace jensen
