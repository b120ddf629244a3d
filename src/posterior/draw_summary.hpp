#pragma once
/// \file Mean, sd and quantiles of a list of draws.

#include <cstddef>
#include <cstdint>
#include <span>

namespace jensen {

/// Of what has neither a closed form nor a quadrature.
inline constexpr std::size_t summary_draws = 4000;
inline constexpr std::uint64_t summary_seed = 1;

struct DrawSummary {
  double mean, sd, q05, q50, q95;
};

/// Quantiles are R's default (type 7). The draws are put in another order. NaN throughout if one of them is NaN.
DrawSummary summarize_draws(std::span<double> draws);

}  // namespace jensen
