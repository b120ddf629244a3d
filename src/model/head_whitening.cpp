#include "model/head_whitening.hpp"

#include "group_block.hpp"

namespace jensen {
namespace {

/// D's blocks of one group's levels, on the diagonal from `at` on, which moves behind them.
template <std::size_t Q>
void add_levels(const GroupMode& mode, std::size_t& at, Matrix& scale) {
  for (std::size_t j = 0; j < mode.effects.size() / Q; ++j, at += Q) {
    LevelMap<double, static_cast<int>(Q)> map;
    map.prepare(mode.factor.data(), mode.information.data() + j * packed_size(static_cast<int>(Q)));
    for (std::size_t k = 0; k < Q; ++k) {
      double r[Q] = {}, v[Q] = {}, u[Q];
      v[k] = 1;
      map.forward(r, v, u);
      for (std::size_t l = 0; l < Q; ++l) scale(at + l, at + k) = u[l];
    }
  }
}

}  // namespace

Matrix head_whitening(const BlockNormal& normal, const std::vector<GroupData>& groups) {
  const std::size_t e = normal.head_precision.columns;
  Matrix scale(e, e);
  std::size_t at = 0;
  for (std::size_t g = 0; g < groups.size() && e > 0; ++g) {
    if (!groups[g].in_head) continue;
    with_effects(static_cast<int>(groups[g].effects()), [&](auto count) {
      add_levels<static_cast<std::size_t>(decltype(count)::value)>(normal.groups[g], at, scale);
    });
  }
  const Cholesky root = cholesky(transposed(scale) * (normal.head_precision * scale), 0);
  return root.deficient < e ? Matrix() : inverse_upper(root.upper);
}

}  // namespace jensen
