#pragma once
/// \file Mean, sd and quantiles of a list of draws.

#include <span>

namespace jensen {

struct DrawSummary {
  double mean, sd, q05, q50, q95;
};

/// Quantiles are R's default (type 7). The draws are put in another order. NaN throughout if one of them is NaN.
DrawSummary summarize_draws(std::span<double> draws);

}  // namespace jensen
