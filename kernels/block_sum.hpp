#pragma once
/// \file Sums over blocks in a fixed order, by short loops side by side: a tree whose shape depends on their number
/// alone.

#include <cstdint>

#include "host_device.hpp"

namespace jensen {

/// Blocks that one item adds up.
constexpr std::int64_t blocks_together = 16;

/// One level of the tree: every `every`-th of `blocks` blocks of `width` values stands for those up to the next. Adds
/// them by groups of blocks_together, in order, to the first of each. Item: (group, value).
struct AddBlocksOfGroup {
  double* data;
  std::int64_t blocks, width, every;

  JENSEN_HD std::int64_t items() const {
    return (blocks + every * blocks_together - 1) / (every * blocks_together) * width;
  }
  JENSEN_HD void operator()(std::int64_t item) const {
    const std::int64_t first = item / width * every * blocks_together;
    const std::int64_t end = first + every * blocks_together < blocks ? first + every * blocks_together : blocks;
    double* at = data + item % width;
    double total = 0;
    for (std::int64_t b = first; b < end; b += every) total += at[b * width];
    at[first * width] = total;
  }
  /// All values of one group, block by block: the same sums, in the order in which numbers lie in memory.
  void add_group(std::int64_t group) const {
    const std::int64_t first = group * every * blocks_together;
    const std::int64_t end = first + every * blocks_together < blocks ? first + every * blocks_together : blocks;
    double* to = data + first * width;
    for (std::int64_t b = first + every; b < end; b += every) {
      const double* from = data + b * width;
      for (std::int64_t i = 0; i < width; ++i) to[i] += from[i];
    }
  }
};

/// What is left of the blocks after add_up_blocks(): blocks 0, every, 2 every ..
struct BlockSums {
  const double* data;
  std::int64_t blocks, width, every;

  JENSEN_HD double total(std::int64_t value) const {
    double sum = 0;
    for (std::int64_t b = 0; b < blocks; b += every) sum += data[b * width + value];
    return sum;
  }
};

/// Adds `blocks` blocks of `width` values in `data`, in place, until no more than blocks_together are left.
template <class Backend>
BlockSums add_up_blocks(Backend& backend, const char* name, double* data, std::int64_t blocks, std::int64_t width) {
  std::int64_t every = 1;
  for (; (blocks + every - 1) / every > blocks_together; every *= blocks_together) {
    const AddBlocksOfGroup groups{data, blocks, width, every};
    backend.add_blocks(name, groups);
  }
  return {data, blocks, width, every};
}

}  // namespace jensen
