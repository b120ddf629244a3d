/// \file Jensen's own densities for the CPU's terms: compiled once for each instruction set.

#include "cpu_densities.hpp"
#include "data_term_cpu_isa.hpp"
#include "densities/list.hpp"
#include "density_code.hpp"

namespace jensen::JENSEN_ISA {
namespace general_term {
namespace {

/// Categorical::evaluate_all() for N lanes side by side, the categories outside.
template <LanesAre lanes, int N>
JENSEN_HD void evaluate_some_categories(int categories, const Place& place, const TileEta& eta, int r,
                                        TileSums<N>& sums) {
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
void evaluate_categories(const Term& term, const Place& of, bool, const TileEta& eta, TileSums<N>& sums) {
  const Place place = with_zeros(of);
  for_rows<lanes, N>(
      place.count, [&](int r) __attribute__((always_inline)) {
        evaluate_some_categories<lanes>(term.argument_count, place, eta, r, sums);
      });
}

/// The same for any density, number by number.
template <LanesAre lanes, int N>
void evaluate_any(const Term& term, const Place& of, bool, const TileEta& eta, TileSums<N>& sums) {
  const Place place = with_zeros(of);
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

}  // namespace
}  // namespace general_term

TileDensity tile_density(const Term& term) {
  using general_term::LanesAre;
  if (term.custom != nullptr) return term.custom->JENSEN_ISA;
  TileDensity of;
  if (term.density == DensityKind::categorical) {
    of.samples8 = &general_term::evaluate_categories<LanesAre::samples, 8>;
    of.samples16 = &general_term::evaluate_categories<LanesAre::samples, 16>;
    of.rows16 = &general_term::evaluate_categories<LanesAre::rows, 16>;
    return of;
  }
  if (is_prior_only(term.density)) {
    of.samples8 = &general_term::evaluate_any<LanesAre::samples, 8>;
    of.samples16 = &general_term::evaluate_any<LanesAre::samples, 16>;
    of.rows16 = &general_term::evaluate_any<LanesAre::rows, 16>;
    return of;
  }
  return with_data_density(term.density, [](auto density) { return tile_density_of<decltype(density)>(); });
}

}  // namespace jensen::JENSEN_ISA
