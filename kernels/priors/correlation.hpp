#pragma once
#include "density_value.hpp"
#include "math.hpp"

namespace jensen {

/// One canonical partial correlation p = tanh(a_0) of a correlation matrix with an LKJ prior, as a density of a_0:
/// (1 - p^2)^(b - 1) and the Jacobian 1 - p^2, so b log(1 - tanh(a_0)^2). constants: b.
///
/// Those of column k (from 0) of a q x q matrix have b = eta + (q - 2 - k) / 2, and the product over all of them is
/// det(R)^(eta - 1) over correlation matrices R (Lewandowski, Kurowicka & Joe 2009, "Generating random correlation
/// matrices based on vines and extended onion method", Journal of Multivariate Analysis 100). Left out for each:
/// -(2 b - 1) log 2 - log B(b, b).
struct LkjPartial : NothingShared {
  template <class R>
  static JENSEN_HD Value<R, 1> evaluate(const R* constants, R a, const Prepared<R>&) {
    const R b = constants[0];
    const R size = math::abs(a);
    const R e = math::exp(R(-2) * size);
    const R square = size * size;
    // 1 - tanh^2 = 1 / cosh^2; near 0 by log cosh and tanh's series, whose next terms are below single precision's ulp
    const bool near = size < R(0.0625);
    const R log_cosh =
        near ? square * (R(0.5) - square * (R(1) / R(12) - square * (R(1) / R(45) - square * R(17) / R(2520))))
             : size - R(0.69314718055994530942) + math::log1p_unit(e);
    const R t = near ? size * (R(1) - square * (R(1) / R(3) - square * (R(2) / R(15) - square * R(17) / R(315))))
                     : (R(1) - e) / (R(1) + e);
    return {R(-2) * b * log_cosh, {(a < R(0) ? R(2) : R(-2)) * b * t}};
  }
};

}  // namespace jensen
