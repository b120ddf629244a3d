#pragma once
/// \file How the CPU's terms call a density for the rows of a tile (tile_density.hpp).

#include "cpu_lanes.hpp"
#include "math.hpp"
#include "tile_density.hpp"

namespace jensen::JENSEN_ISA {
namespace {

template <int L>
JENSEN_HD TileDensity::Group* group_of(const TileDensity& density) {
  return L == 8 ? density.group8 : (L == 16 ? density.group16 : density.group32);
}

template <int N>
JENSEN_HD TileDensity::Tile<N>* samples_of(const TileDensity& density) {
  if constexpr (N == 8) return density.samples8;
  if constexpr (N == 16) return density.samples16;
}

/// The sums of f, df/da_0 .. over all lanes, which hold nothing of use afterwards.
JENSEN_HD void add_up(const TileDensity& density, EachSums<lone_sums>& each, float* heads) {
  if (density.factored) {
    for (int i = 0; i < lone_sums; ++i) each.value[i] -= math::log1p(each.product[i]);
  }
  const auto sum = [](float* lanes) {
    for (int n = lone_sums / 2; n > 0; n /= 2) {
      for (int i = 0; i < n; ++i) lanes[i] += lanes[n + i];
    }
    return lanes[0];
  };
  heads[0] = sum(each.value);
  for (int a = 0; a <= density.shared; ++a) heads[1 + a] = sum(each.d[a]);
}

}  // namespace
}  // namespace jensen::JENSEN_ISA
