#pragma once
/// \file The sums of a term from those of its blocks of rows, in a fixed order.

#include <cstdint>

#include "data_term_plan.hpp"

namespace jensen {

/// Adds a term's blocks, in order, to its sums. Item: (sample, value or slot).
struct AddBlocks {
  Partials partials;
  std::int64_t blocks;
  double* sums;
  JENSEN_HD void operator()(std::int64_t item) const {
    const std::int64_t items = static_cast<std::int64_t>(partials.samples) * (1 + partials.slots);
    double total = 0;
    for (std::int64_t b = 0; b < blocks; ++b) total += partials.data[b * items + item];
    sums[item] += total;
  }
};

/// The same by thread blocks, each for 32 items: a warp adds every eighth block of rows, so that the loads of hundreds
/// do not wait for one another. Block: see data_term_block.hpp.
template <class Block>
struct AddBlocksTogether {
  AddBlocks work;
  static constexpr int items = 32;
  static constexpr int shared_bytes = tile_threads * 8;

  JENSEN_DEVICE void operator()(Block& block, std::int64_t number) const {
    const std::int64_t count = static_cast<std::int64_t>(work.partials.samples) * (1 + work.partials.slots);
    const int thread = block.thread();
    const std::int64_t item = number * items + thread % 32;
    auto* parts = reinterpret_cast<double*>(block.shared());
    double part = 0;
    if (item < count) {
      const double* from = work.partials.data + item;
      for (std::int64_t b = thread / 32; b < work.blocks; b += tile_warps) part += from[b * count];
    }
    parts[thread] = part;
    block.sync();
    if (thread >= items || item >= count) return;
    double total = 0;
    for (int warp = 0; warp < tile_warps; ++warp) total += parts[warp * 32 + thread];
    work.sums[item] += total;
  }
};

}  // namespace jensen
