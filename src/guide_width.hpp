#pragma once
/// \file Whether the guide is narrower than the posterior, by importance weights.

#include <cstddef>
#include <span>

#include "jensen/model.hpp"

namespace jensen {

struct GuideWidth {
  double sd_ratio = 1;        ///< the posterior's sd over the guide's, of the parameter where it is largest
  std::size_t parameter = 0;  ///< which
};

/// Of H parameters with coordinates u = mean + factor eps, factor F x F row-major, from n draws' noise (n x F) and
/// their log p/q (n; up to a constant). With t = (x - E x) / sd x under q, where x = exp(u) of positive parameters and
/// u of others, and weights w that sum to 1, in proportion to p/q but none above sqrt(n) times their mean (Ionides
/// 2008, "Truncated importance sampling"):
///
///     ratio^2 = 1 + sum_s (w_s - 1/n) (t_s^2 - 1) - (sum_s (w_s - 1/n) t_s)^2
///
/// The differences from equal weights leave no noise where p is q. sd_ratio is 1 unless the ratio is at least 1.1, and
/// above 1 by three standard errors; so it is of too few draws to tell. What the guide does not reach the weights do
/// not see: the true ratio is rather larger. Draws whose log p/q is not finite have no weight.
GuideWidth guide_width(std::span<const Parameter> parameters, std::span<const double> factor,
                       std::span<const float> noise, std::span<const double> log_ratio);

}  // namespace jensen
