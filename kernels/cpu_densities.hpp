#pragma once
/// \file f and its derivatives for a tile of rows and the samples of a group, where every argument may differ from row
/// to row: the inner loops of the CPU's term of any shape.

#include "cpu_tile_density.hpp"

namespace jensen::JENSEN_ISA::general_term {
namespace {

JENSEN_HD Place with_zeros(Place place) {
  place.constants = data_term::with_zeros(place.constants);
  return place;
}

/// What the lanes of a loop over a tile are: N samples of each row, or N rows of a lone sample, whose tiles have whole
/// vectors of rows.
enum class LanesAre { samples, rows };

/// Calls f(first row) for all of a tile.
template <LanesAre lanes, int N, class F>
JENSEN_HD void for_rows(int rows, F&& f) {
  for (int r = 0; r < rows; r += lanes == LanesAre::rows ? N : 1) f(r);
}
/// Calls f(lane, its row's constants, its row's weight) for the lanes from row r on, in a loop that can be vectorised.
template <LanesAre lanes, int N, class F>
JENSEN_HD void for_lanes(const Place& place, int r, F&& f) {
  const float* __restrict c0 = place.constants[0] + r;
  const float* __restrict c1 = place.constants[1] + r;
  const float* __restrict c2 = place.constants[2] + r;
  const float* __restrict weights = place.weights + r;
  if constexpr (lanes == LanesAre::samples) {
    const float given[max_constants] = {*c0, *c1, *c2};
    const float weight = *weights;
#pragma omp simd
    for (int l = 0; l < N; ++l) f(l, given, weight);
  } else {
    for (int l = 0; l < N; ++l) {  // not `omp simd`, under which g++ gives every lane a `given` in memory
      const float given[max_constants] = {c0[l], c1[l], c2[l]};
      f(l, given, weights[l]);
    }
  }
}

/// The lanes of evaluate_tile() from row r on. prepared(l, {a_1 ..}): what the density has prepared for lane l.
template <class Density, LanesAre lanes, int N, class Prepared>
JENSEN_HD void evaluate_some(const Place& place, const TileEta& eta, int r, const Prepared& prepared,
                             TileSums<N>& sums) {
  constexpr int shared = Density::shared;
  float* __restrict e0 = eta(0, r);
  float* __restrict e1 = shared > 0 ? eta(1, r) : e0;
  float* __restrict e2 = shared > 1 ? eta(2, r) : e0;
  float* __restrict e3 = shared > 2 ? eta(3, r) : e0;
  float* __restrict value = sums.value;
  float* __restrict d0 = sums.d[0];
  float* __restrict d1 = sums.d[1];
  float* __restrict d2 = sums.d[2];
  float* __restrict d3 = sums.d[3];
  // The arguments are written out: a loop over them would keep that over lanes from being vectorised.
  for_lanes<lanes, N>(
      place, r, [&](int l, const float(&given)[max_constants], float weight) __attribute__((always_inline)) {
        const float at[most_shared] = {shared > 0 ? e1[l] : 0.0F, shared > 1 ? e2[l] : 0.0F, shared > 2 ? e3[l] : 0.0F};
        const auto v = Density::evaluate(given, e0[l], prepared(l, at));
        value[l] += weight * v.log_density;
        e0[l] = weight * v.d[0];
        d0[l] += weight * v.d[0];
        if constexpr (shared > 0) {
          e1[l] = weight * v.d[1];
          d1[l] += weight * v.d[1];
        }
        if constexpr (shared > 1) {
          e2[l] = weight * v.d[2];
          d2[l] += weight * v.d[2];
        }
        if constexpr (shared > 2) {
          e3[l] = weight * v.d[3];
          d3[l] += weight * v.d[3];
        }
      });
}

/// f and its derivatives, which take the place of eta, for a density of few arguments. `varies`: a_1 .. differ from row
/// to row.
template <class Density, bool varies, LanesAre lanes, int N>
JENSEN_HD void evaluate_tile(const Place& place, const TileEta& eta, TileSums<N>& sums) {
  const auto evaluate = [&](const auto& prepared) __attribute__((always_inline)) {
    for_rows<lanes, N>(
        place.count, [&](int r) __attribute__((always_inline)) {
          evaluate_some<Density, lanes>(place, eta, r, prepared, sums);
        });
  };
  if constexpr (varies) {
    evaluate([](int, const float* at) __attribute__((always_inline)) { return Density::prepare(at); });
  } else {
    constexpr int different = lanes == LanesAre::samples ? N : 1;
    typename Density::template Prepared<float> prepared[different];
    for (int l = 0; l < different; ++l) {
      float at[most_shared] = {};
      for (int a = 1; a <= Density::shared; ++a) at[a - 1] = eta(a, 0)[l];
      prepared[l] = Density::prepare(at);
    }
    if constexpr (lanes == LanesAre::samples) {
      const PreparedLanes<Density, N> of{prepared};
      evaluate([&](int l, const float*) __attribute__((always_inline)) { return of(l); });
    } else {
      evaluate([same = prepared[0]](int, const float*) __attribute__((always_inline)) { return same; });
    }
  }
}

/// The same for a density of any number of arguments.
template <class Density, LanesAre lanes, int N>
JENSEN_HD void evaluate_tile_of_many(const Place& place, const TileEta& eta, TileSums<N>& sums) {
  constexpr int shared = Density::shared;
  for_rows<lanes, N>(
      place.count, [&](int r) __attribute__((always_inline)) {
        float* e[1 + shared];
        repeat<1 + shared>([&](auto a) __attribute__((always_inline)) { e[a] = eta(a, r); });
        for_lanes<lanes, N>(
            place, r, [&](int l, const float(&given)[max_constants], float weight) __attribute__((always_inline)) {
              float at[shared];
              repeat<shared>([&](auto a) __attribute__((always_inline)) { at[a] = e[a + 1][l]; });
              const auto v = Density::evaluate(given, e[0][l], Density::prepare(at));
              sums.value[l] += weight * v.log_density;
              repeat<1 + shared>([&](auto a) __attribute__((always_inline)) {
                e[a][l] = weight * v.d[a];
                sums.d[a][l] += weight * v.d[a];
              });
            });
      });
}

/// TileDensity's function for terms of any shape.
template <class Density, LanesAre lanes, int N>
void evaluate(const Term&, const Place& of, bool varies, const TileEta& eta, TileSums<N>& sums) {
  const Place place = with_zeros(of);
  if constexpr (Density::shared > most_shared) {
    return evaluate_tile_of_many<Density, lanes>(place, eta, sums);
  } else if constexpr (Density::shared > 0) {
    if (varies) return evaluate_tile<Density, true, lanes>(place, eta, sums);
  }
  if constexpr (Density::shared <= most_shared) evaluate_tile<Density, false, lanes>(place, eta, sums);
}

}  // namespace
}  // namespace jensen::JENSEN_ISA::general_term

namespace jensen::JENSEN_ISA {
namespace {

/// What the CPU's terms want of a density.
template <class Density>
constexpr TileDensity tile_density_of() {
  using general_term::evaluate, general_term::LanesAre;
  TileDensity of;
  of.shared = Density::shared;
  of.factored = FactoredDensity<Density>;
  if constexpr (Density::shared <= max_shared) {
    using Data = data_term::DataDensity<Density>;
    of.prepare = &Data::prepare;
    of.group8 = &Data::template group<8>;
    of.group16 = &Data::template group<16>;
    if constexpr (most_lanes > 16) of.group32 = &Data::template group<most_lanes>;
    of.lone = &Data::lone;
  }
  of.samples8 = &evaluate<Density, LanesAre::samples, 8>;
  of.samples16 = &evaluate<Density, LanesAre::samples, 16>;
  of.rows16 = &evaluate<Density, LanesAre::rows, 16>;
  return of;
}

}  // namespace
}  // namespace jensen::JENSEN_ISA
