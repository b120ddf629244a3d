#pragma once
/// \file f and its derivatives for a tile of rows and the samples of a group, where every argument may differ from row
/// to row: the inner loops of the CPU's term of any shape.

#include "cpu_lanes.hpp"
#include "densities/list.hpp"

namespace jensen::JENSEN_ISA::general_term {
namespace {

/// Rows of a tile.
struct Place {
  std::int64_t begin;  ///< first row of the tile among `rows`
  int count, next_count;
  const float* constants[max_constants];
  const float* weights;  ///< or null
};

/// Sums over rows of the value and of df/da_k in N lanes.
template <int N>
struct LaneSums {
  alignas(64) float value[N] = {};
  alignas(64) float d[max_arguments][N] = {};
};

/// The predictors of a tile for N of its samples: eta_a of row r is at[a][r * lanes ..].
struct TileEta {
  float* at[max_arguments];
  int lanes;
  JENSEN_HD float* operator()(int a, int r) const { return at[a] + static_cast<std::ptrdiff_t>(r) * lanes; }
};

/// f and its derivatives, which take the place of eta, for a density of few arguments. `varies`: a_1 .. differ from row
/// to row.
template <class Density, bool varies, int N>
JENSEN_HD void evaluate_tile(const Place& place, const TileEta& eta, LaneSums<N>& sums) {
  constexpr int shared = Density::shared;
  typename Density::template Prepared<float> prepared[N];
  for (int l = 0; l < N && !varies; ++l) {
    float at[most_shared] = {};
    for (int a = 1; a <= shared; ++a) at[a - 1] = eta(a, 0)[l];
    prepared[l] = Density::prepare(at);
  }
  const PreparedLanes<Density, N> of_lane{prepared};
  for (int r = 0; r < place.count; ++r) {
    float given[max_constants];
    for (int c = 0; c < max_constants; ++c) given[c] = place.constants[c][r];
    const float weight = place.weights == nullptr ? 1.0F : place.weights[r];
    float* e0 = eta(0, r);
    float* e1 = shared > 0 ? eta(1, r) : e0;
    float* e2 = shared > 1 ? eta(2, r) : e0;
    float* e3 = shared > 2 ? eta(3, r) : e0;
    // The arguments are written out: a loop over them would keep this one from being vectorised.
#pragma omp simd
    for (int l = 0; l < N; ++l) {
      const float at[most_shared] = {e1[l], e2[l], e3[l]};
      const auto v = Density::evaluate(given, e0[l], varies ? Density::prepare(at) : of_lane(l));
      sums.value[l] += weight * v.log_density;
      e0[l] = weight * v.d[0];
      sums.d[0][l] += e0[l];
      if constexpr (shared > 0) {
        e1[l] = weight * v.d[1];
        sums.d[1][l] += e1[l];
      }
      if constexpr (shared > 1) {
        e2[l] = weight * v.d[2];
        sums.d[2][l] += e2[l];
      }
      if constexpr (shared > 2) {
        e3[l] = weight * v.d[3];
        sums.d[3][l] += e3[l];
      }
    }
  }
}

/// The same for a density of any number of arguments.
template <class Density, int N>
JENSEN_HD void evaluate_tile_of_many(const Place& place, const TileEta& eta, LaneSums<N>& sums) {
  constexpr int shared = Density::shared;
  for (int r = 0; r < place.count; ++r) {
    float given[max_constants];
    for (int c = 0; c < max_constants; ++c) given[c] = place.constants[c][r];
    const float weight = place.weights == nullptr ? 1.0F : place.weights[r];
    float* e[1 + shared];
    repeat<1 + shared>([&](auto a) __attribute__((always_inline)) { e[a] = eta(a, r); });
#pragma omp simd
    for (int l = 0; l < N; ++l) {
      float at[shared];
      repeat<shared>([&](auto a) __attribute__((always_inline)) { at[a] = e[a + 1][l]; });
      const auto v = Density::evaluate(given, e[0][l], Density::prepare(at));
      sums.value[l] += weight * v.log_density;
      repeat<1 + shared>([&](auto a) __attribute__((always_inline)) {
        e[a][l] = weight * v.d[a];
        sums.d[a][l] += weight * v.d[a];
      });
    }
  }
}

/// Categorical::evaluate_all() for N samples side by side, the categories outside.
template <int N>
void evaluate_categories(int categories, const Place& place, const TileEta& eta, LaneSums<N>& sums) {
  for (int r = 0; r < place.count; ++r) {
    const int y = static_cast<int>(place.constants[0][r]);
    const float weight = place.weights == nullptr ? 1.0F : place.weights[r];
    alignas(64) float largest[N] = {}, chosen[N] = {}, others[N], inverse[N];
    alignas(64) std::int32_t top[N] = {};  // the likeliest category
    for (int k = 1; k <= categories; ++k) {
      const float* a = eta(k - 1, r);
#pragma omp simd
      for (int l = 0; l < N; ++l) {
        const bool above = a[l] > largest[l];
        top[l] = above ? k : top[l];
        largest[l] = above ? a[l] : largest[l];
      }
      for (int l = 0; l < N && k == y; ++l) chosen[l] = a[l];
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
      sums.value[l] += weight * (chosen[l] - largest[l] - math::log1p(others[l]));
    }
    for (int k = 1; k <= categories; ++k) {
      float* a = eta(k - 1, r);
      const float seen = k == y ? 1.0F : 0.0F;
#pragma omp simd
      for (int l = 0; l < N; ++l) {
        const float probability = a[l] * inverse[l];
        const float complement = top[l] == k ? others[l] * inverse[l] : 1.0F - probability;
        a[l] = weight * (seen > 0.0F ? complement : -probability);
        sums.d[k - 1][l] += a[l];
      }
    }
  }
}

/// The same for any density, sample by sample.
template <int N>
void evaluate_any(const Term& term, const Place& place, const TileEta& eta, LaneSums<N>& sums) {
  for (int r = 0; r < place.count; ++r) {
    float given[max_constants];
    for (int c = 0; c < max_constants; ++c) given[c] = place.constants[c][r];
    const float weight = place.weights == nullptr ? 1.0F : place.weights[r];
    for (int l = 0; l < N; ++l) {
      float a[max_arguments] = {}, d[max_arguments] = {};
      for (int k = 0; k < term.argument_count; ++k) a[k] = eta(k, r)[l];
      sums.value[l] += weight * evaluate_density(term.density, given, a, term.argument_count, d);
      for (int k = 0; k < term.argument_count; ++k) {
        eta(k, r)[l] = weight * d[k];
        sums.d[k][l] += weight * d[k];
      }
    }
  }
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

template <class Densities, int N>
void evaluate_density_of_tile(const Term& term, const Place& place, bool varies, const TileEta& eta,
                              LaneSums<N>& sums) {
  if constexpr (Densities::built_in) {
    if (term.density == DensityKind::categorical) {
      return evaluate_categories(term.argument_count, place, eta, sums);
    }
    if (is_prior_only(term.density)) return evaluate_any(term, place, eta, sums);
  }
  Densities::with_data(term.density, [&](auto density) {
    using Density = decltype(density);
    if constexpr (Density::shared > most_shared) {
      return evaluate_tile_of_many<Density>(place, eta, sums);
    } else if constexpr (Density::shared > 0) {
      if (varies) return evaluate_tile<Density, true>(place, eta, sums);
    }
    if constexpr (Density::shared <= most_shared) evaluate_tile<Density, false>(place, eta, sums);
  });
}

}  // namespace
}  // namespace jensen::JENSEN_ISA::general_term
