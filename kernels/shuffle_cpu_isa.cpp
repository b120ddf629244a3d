/// \file A range of a Shuffle's images: compiled once for each instruction set, JENSEN_ISA naming the namespace.

#include <algorithm>

#include "data_term_cpu_isa.hpp"

namespace jensen::JENSEN_ISA {

/// All are walked one round together; then those that are outside, which come to be fewer, are gathered and walked on.
void shuffle_range(const Shuffle& shuffle, std::uint32_t first, std::int64_t count, std::uint32_t* images) {
  constexpr int most = 1024;
  const Shuffle walk = shuffle;  // by value: nothing that is written may be one of its keys
  std::uint32_t outside[most], moved[most];
  for (std::int64_t begin = 0; begin < count; begin += most) {
    const int n = static_cast<int>(std::min<std::int64_t>(most, count - begin));
    const std::uint32_t from = first + static_cast<std::uint32_t>(begin);
    std::uint32_t* out = images + begin;
#pragma omp simd
    for (int i = 0; i < n; ++i) out[i] = walk.once(from + static_cast<std::uint32_t>(i));
    int left = 0;
    for (int i = 0; i < n; ++i) {
      outside[left] = static_cast<std::uint32_t>(i);
      left += out[i] >= walk.size() ? 1 : 0;
    }
    while (left > 0) {
#pragma omp simd
      for (int k = 0; k < left; ++k) moved[k] = walk.once(out[outside[k]]);
      int still = 0;
      for (int k = 0; k < left; ++k) {
        const std::uint32_t i = outside[k];
        out[i] = moved[k];
        outside[still] = i;
        still += moved[k] >= walk.size() ? 1 : 0;
      }
      left = still;
    }
  }
}

}  // namespace jensen::JENSEN_ISA
