#pragma once
/// \file f and its derivatives for a tile of rows and the samples of a group, where every argument may differ from row
/// to row: the inner loops of the CPU's term of any shape.

#include "cpu_lanes.hpp"
#include "cpu_tile_density.hpp"
#include "densities/list.hpp"

namespace jensen::JENSEN_ISA::general_term {
namespace {

/// Rows of a tile.
struct Place {
  std::int64_t begin;  ///< first row of the tile among `rows`
  int count, next_count;
  const float* constants[max_constants];
  const float* weights;
};

/// Sums over rows of the value and of df/da_k in N lanes.
template <int N>
struct LaneSums {
  alignas(64) float value[N] = {};
  alignas(64) float d[max_arguments][N] = {};
};

/// The predictors of a tile: eta_a of row r is at[a][r * lanes ..].
struct TileEta {
  float* at[max_arguments];
  int lanes;
  JENSEN_HD float* operator()(int a, int r) const { return at[a] + static_cast<std::ptrdiff_t>(r) * lanes; }
};

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
                             LaneSums<N>& sums) {
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
JENSEN_HD void evaluate_tile(const Place& place, const TileEta& eta, LaneSums<N>& sums) {
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
JENSEN_HD void evaluate_tile_of_many(const Place& place, const TileEta& eta, LaneSums<N>& sums) {
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

/// Categorical::evaluate_all() for N lanes side by side, the categories outside.
template <LanesAre lanes, int N>
JENSEN_HD void evaluate_some_categories(int categories, const Place& place, const TileEta& eta, int r,
                                        LaneSums<N>& sums) {
  alignas(64) float seen[N], weight[N], largest[N] = {}, chosen[N] = {}, others[N], inverse[N];
  alignas(64) std::int32_t top[N] = {};  // the likeliest category
  for_lanes<lanes, N>(
      place, r, [&](int l, const float(&given)[max_constants], float of_row) __attribute__((always_inline)) {
        seen[l] = given[0];
        weight[l] = of_row;
      });
  for (int k = 1; k <= categories; ++k) {
    const float* a = eta(k - 1, r);
    const auto category = static_cast<float>(k);
#pragma omp simd
    for (int l = 0; l < N; ++l) {
      const bool above = a[l] > largest[l];
      top[l] = above ? k : top[l];
      largest[l] = above ? a[l] : largest[l];
      chosen[l] = seen[l] == category ? a[l] : chosen[l];
    }
  }
#pragma omp simd
  for (int l = 0; l < N; ++l) others[l] = top[l] == 0 ? 0.0F : math::exp(-largest[l]);
  for (int k = 1; k <= categories; ++k) {
    float* a = eta(k - 1, r);
#pragma omp simd
    for (int l = 0; l < N; ++l) {
      a[l] = math::exp(a[l] - largest[l]);
      others[l] += top[l] == k ? 0.0F : a[l];
    }
  }
#pragma omp simd
  for (int l = 0; l < N; ++l) {
    inverse[l] = 1.0F / (1.0F + others[l]);
    sums.value[l] += weight[l] * (chosen[l] - largest[l] - math::log1p(others[l]));
  }
  for (int k = 1; k <= categories; ++k) {
    float* a = eta(k - 1, r);
    float* d = sums.d[k - 1];
    const auto category = static_cast<float>(k);
#pragma omp simd
    for (int l = 0; l < N; ++l) {
      const float probability = a[l] * inverse[l];
      const float complement = top[l] == k ? others[l] * inverse[l] : 1.0F - probability;
      a[l] = weight[l] * (seen[l] == category ? complement : -probability);
      d[l] += a[l];
    }
  }
}
template <LanesAre lanes, int N>
void evaluate_categories(int categories, const Place& place, const TileEta& eta, LaneSums<N>& sums) {
  for_rows<lanes, N>(
      place.count, [&](int r) __attribute__((always_inline)) {
        evaluate_some_categories<lanes>(categories, place, eta, r, sums);
      });
}

/// The same for any density, number by number.
template <LanesAre lanes, int N>
void evaluate_any(const Term& term, const Place& place, const TileEta& eta, LaneSums<N>& sums) {
  for_rows<lanes, N>(place.count, [&](int r) {
    for_lanes<lanes, N>(place, r, [&](int l, const float(&given)[max_constants], float weight) {
      float a[max_arguments] = {}, d[max_arguments] = {};
      for (int k = 0; k < term.argument_count; ++k) a[k] = eta(k, r)[l];
      sums.value[l] += weight * evaluate_density(term.density, given, a, term.argument_count, d);
      for (int k = 0; k < term.argument_count; ++k) {
        eta(k, r)[l] = weight * d[k];
        sums.d[k][l] += weight * d[k];
      }
    });
  });
}

/// Whether some argument after the first differs from row to row.
JENSEN_HD bool shared_arguments_vary(const Term& term) {
  for (int a = 1; a < term.argument_count; ++a) {
    if (term.arguments[a].offset != nullptr) return true;
    for (int p = 0; p < term.arguments[a].part_count; ++p) {
      if (term.arguments[a].parts[p].kind != PartKind::scalar) return true;
    }
  }
  return false;
}

/// Of L samples, or of a lone one (L = 1), where a_0 is the only argument and rows have no weights: as the data term's
/// (cpu_tile_density.hpp). Adds the sums to totals, (f, df/da_0) x L; false if the term is another.
template <class Densities, int L>
bool evaluate_only_argument(const Term& term, const Place& place, float* eta, double* totals) {
  if (term.argument_count > 1 || term.weights != nullptr) return false;
  if constexpr (Densities::built_in) {
    if (is_prior_only(term.density) || term.density == DensityKind::categorical) return false;
  }
  return Densities::with_data(term.density, [&](auto density) {
    using Density = decltype(density);
    if constexpr (Density::shared == 0) {
      const auto sums = [&] {
        if constexpr (L == 1) {
          data_term::EachSums<Density, 32> each;
          data_term::evaluate_each<Density>(place.count, place.constants, {}, eta, each);
          return each.template total<1>();
        } else {
          return data_term::evaluate_pairs<Density, L>(place.count, place.constants, eta);
        }
      }();
      for (int i = 0; i < 2; ++i) {
        for (int l = 0; l < L; ++l) totals[i * L + l] += static_cast<double>(sums.of[i][l]);
      }
    }
    return Density::shared == 0;
  });
}

template <class Densities, LanesAre lanes, int N>
void evaluate_density_of_tile(const Term& term, const Place& place, bool varies, const TileEta& eta,
                              LaneSums<N>& sums) {
  if constexpr (Densities::built_in) {
    if (term.density == DensityKind::categorical) {
      return evaluate_categories<lanes>(term.argument_count, place, eta, sums);
    }
    if (is_prior_only(term.density)) return evaluate_any<lanes>(term, place, eta, sums);
  }
  Densities::with_data(term.density, [&](auto density) {
    using Density = decltype(density);
    if constexpr (Density::shared > most_shared) {
      return evaluate_tile_of_many<Density, lanes>(place, eta, sums);
    } else if constexpr (Density::shared > 0) {
      if (varies) return evaluate_tile<Density, true, lanes>(place, eta, sums);
    }
    if constexpr (Density::shared <= most_shared) evaluate_tile<Density, false, lanes>(place, eta, sums);
  });
}

}  // namespace
}  // namespace jensen::JENSEN_ISA::general_term
