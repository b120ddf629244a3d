#include "model/followed_effects.hpp"

#include <algorithm>

#include "model/fixed_blocks.hpp"

namespace jensen {

FollowedRows followed_rows(const std::vector<GroupMode>& groups, std::size_t g, const std::vector<std::size_t>& first,
                           std::vector<float>& location) {
  std::vector<const FollowedGroup*> followed;
  for (const FollowedGroup& f : groups[g].followed) {
    if (!f.block.level.empty()) followed.push_back(&f);
  }
  FollowedRows rows;
  if (followed.empty()) return rows;
  std::ranges::sort(followed, {}, [&](const FollowedGroup* f) { return first[f->group]; });
  rows.begin.push_back(0);
  for (std::size_t row = 0; row < location.size(); ++row) {
    auto at_zero = static_cast<double>(location[row]);
    for (const FollowedGroup* f : followed) {
      const CrossProducts& block = f->block;
      const std::size_t q = location.size() / (block.start.size() - 1);
      const std::size_t r = block.value.size() / (block.level.size() * q);
      for (auto pair = size_of(block.start[row / q]); pair < size_of(block.start[row / q + 1]); ++pair) {
        for (std::size_t k = 0; k < r; ++k) {
          const std::size_t effect = size_of(block.level[pair]) * r + k;
          const double x = block.value[(pair * q + row % q) * r + k];
          rows.effect.push_back(static_cast<std::int32_t>(first[f->group] + effect));
          rows.slope.push_back(x);
          at_zero += x * groups[f->group].effects[effect];
        }
      }
    }
    rows.begin.push_back(static_cast<std::int64_t>(rows.slope.size()));
    location[row] = static_cast<float>(at_zero);
  }
  return rows;
}

}  // namespace jensen
