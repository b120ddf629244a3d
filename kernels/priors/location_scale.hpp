#pragma once
#include "density_value.hpp"
#include "math.hpp"

namespace jensen {

/// Priors of a real parameter a_0; constants: location, 1 / scale, degrees of freedom (uniform: lower bound, 1 /
/// width). Normalising constants are left out (see Value). A Cauchy is Student's t with one degree of freedom.

struct NormalPrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const R r = (a - constants[0]) * constants[1];
    return {R(-0.5) * r * r, {-r * constants[1]}};
  }
};

struct StudentTPrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const R df = constants[2];
    const R r = (a - constants[0]) * constants[1];
    return {R(-0.5) * (df + R(1)) * math::log1p(r * r / df), {-(df + R(1)) * r * constants[1] / (df + r * r)}};
  }
};

/// -|r|: its slope is 0 at the location itself.
struct LaplacePrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const R r = (a - constants[0]) * constants[1];
    const R sign = r > R(0) ? R(1) : (r < R(0) ? R(-1) : R(0));
    return {-math::abs(r), {-sign * constants[1]}};
  }
};

/// -r - 2 log(1 + exp(-r)), even in r. Slope: -tanh(r / 2) / scale.
struct LogisticPrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const R r = (a - constants[0]) * constants[1];
    const R size = math::abs(r);
    const R e = math::exp(-size);
    // (1 - e) / (1 + e), but where 1 - e would cancel, from the odd series of tanh(size / 2)
    const R h = size * R(0.5);
    const R tanh = size < R(0.125) ? h - h * h * h * (R(1) / R(3) - h * h * (R(2) / R(15) - h * h * (R(17) / R(315))))
                                   : (R(1) - e) / (R(1) + e);
    return {-size - R(2) * math::log1p_unit(e), {(r < R(0) ? tanh : -tanh) * constants[1]}};
  }
};

/// 0 between the bounds, -infinity outside.
struct UniformPrior : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const R r = (a - constants[0]) * constants[1];
    const R inside = R(0) * r;  // NaN stays NaN
    return {r < R(0) || r > R(1) ? -math::infinity<R>() : inside, {R(0)}};
  }
};

}  // namespace jensen
