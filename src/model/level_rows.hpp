#pragma once
/// \file The rows of a table arranged by level: each level's sum has one order, and levels are summed in parallel.

#include <algorithm>
#include <cstdint>
#include <vector>

#include "model/fixed_blocks.hpp"

namespace jensen {

struct LevelRows {
  std::vector<std::uint32_t> order;  ///< N rows, by level, ascending within each
  std::vector<std::int64_t> start;   ///< J + 1: level j has order[start[j]] .. order[start[j + 1] - 1]
  std::vector<std::int64_t> blocks;  ///< usual_blocks + 1: levels shared out so that each part has about as many rows

  LevelRows(const std::int32_t* level, std::int64_t rows, std::int64_t levels)
      : order(size_of(rows)), start(size_of(levels) + 1) {
    for (std::int64_t i = 0; i < rows; ++i) ++start[size_of(level[i]) + 1];
    for (std::size_t j = 1; j < start.size(); ++j) start[j] += start[j - 1];
    std::vector<std::int64_t> next = start;
    for (std::int64_t i = 0; i < rows; ++i) {
      order[size_of(next[static_cast<std::size_t>(level[i])]++)] = static_cast<std::uint32_t>(i);
    }
    std::int64_t j = 0;
    for (int b = 0; b <= usual_blocks; ++b) {  // a level costs what a row costs, even if it has none
      while (j < levels && start[size_of(j)] + j < (rows + levels) * b / usual_blocks) ++j;
      blocks.push_back(j);
    }
  }
};

/// Calls f(block, j) for every level, blocks in parallel, the levels of one in order.
template <class F>
void for_levels(const LevelRows& rows, F&& f) {
#pragma omp parallel for schedule(dynamic, 1) if (static_cast <std::int64_t>(rows.order.size()) > least_parallel)
  for (int b = 0; b < usual_blocks; ++b) {
    const auto at = size_of(b);
    for (std::int64_t j = rows.blocks[at]; j < rows.blocks[at + 1]; ++j) f(b, j);
  }
}

}  // namespace jensen
