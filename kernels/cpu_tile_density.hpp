#pragma once
/// \file f and df/da_0 .. for a tile of rows where the arguments after the first are the same for all rows: the inner
/// loops of the CPU's data term. Sums over the rows are single precision.

#include <algorithm>

#include "cpu_lanes.hpp"
#include "math.hpp"
#include "tile_density.hpp"

namespace jensen::JENSEN_ISA::data_term {
namespace {

/// Sums over rows of the value and of df/da_0 .., one in each of N lanes.
template <class Density, int N>
struct LaneSums {
  static constexpr int count = 2 + Density::shared;
  alignas(64) float of[count][N] = {};
};

/// The density of all rows for C of a group's samples, each with arguments of its own; eta becomes df/da_0. `lanes`:
/// from one row to the next.
template <class Density, int C>
void evaluate_rows(int rows, const RowConstants& of_row, const typename Density::template Prepared<float>* prepared,
                   int lanes, float* eta, LaneSums<Density, C>& sums) {
  const PreparedLanes<Density, C> of_lane{prepared};
  for (int r = 0; r < rows; ++r) {
    float constants[max_constants];
    for (int c = 0; c < max_constants; ++c) constants[c] = of_row[c][r];
    float* row = eta + static_cast<std::ptrdiff_t>(r) * lanes;
    // The arguments are written out: a loop over them would keep this one from being vectorised.
#pragma omp simd
    for (int l = 0; l < C; ++l) {
      const auto v = Density::evaluate(constants, row[l], of_lane(l));
      row[l] = v.d[0];
      sums.of[0][l] += v.log_density;
      sums.of[1][l] += v.d[0];
      if constexpr (Density::shared > 0) sums.of[2][l] += v.d[1];
      if constexpr (Density::shared > 1) sums.of[3][l] += v.d[2];
    }
  }
}

/// Of what evaluate_each() adds up, number i of a call in lane i % N. Written out: as one array it would be cleared by
/// an instruction that is slow to start.
template <int N>
JENSEN_HD void clear(EachSums<N>& sums) {
  repeat<N / width>([&](auto i) __attribute__((always_inline)) {
    store(sums.value + i * width, Vec{});
    store(sums.product + i * width, Vec{});
    repeat<1 + max_shared>([&](auto a) __attribute__((always_inline)) { store(sums.d[a] + i * width, Vec{}); });
  });
}
/// The sums of the value and of df/da_0 .. over all lanes i with the same i % L.
template <class Density, int L, int N>
JENSEN_HD LaneSums<Density, L> total(EachSums<N>& each) {
  static_assert(N % L == 0);
  if constexpr (FactoredDensity<Density>) {
    for (int i = 0; i < N; ++i) each.value[i] -= math::log1p(each.product[i]);
  }
  LaneSums<Density, L> sums;
  for (int i = 0; i < N; i += L) {
#pragma omp simd
    for (int l = 0; l < L; ++l) {
      sums.of[0][l] += each.value[i + l];
      sums.of[1][l] += each.d[0][i + l];
      if constexpr (Density::shared > 0) sums.of[2][l] += each.d[1][i + l];
      if constexpr (Density::shared > 1) sums.of[3][l] += each.d[2][i + l];
    }
  }
  return sums;
}
/// As many numbers as a lane may take before its product could overflow.
inline constexpr int most_factors = 64;

/// Pairs of a row and a sample that evaluate_each() takes at most.
inline constexpr int pairs_at_once = zeros_count;

/// Numbers begin .. begin + n - 1 of evaluate_each(); excess: of a FactoredDensity.
template <class Density, int N>
JENSEN_HD void evaluate_some(int begin, int n, const RowConstants& constants,
                             const typename Density::template Prepared<float>& prepared, const float* excess,
                             float* eta, EachSums<N>& sums) {
  const float* __restrict c0 = constants[0] + begin;
  const float* __restrict c1 = constants[1] + begin;
  const float* __restrict c2 = constants[2] + begin;
  const float* __restrict e = FactoredDensity<Density> ? excess + begin : nullptr;
  float* __restrict at = eta + begin;
  float* __restrict value = sums.value;
  float* __restrict product = sums.product;
  float* __restrict d0 = sums.d[0];
  float* __restrict d1 = sums.d[1];
  float* __restrict d2 = sums.d[2];
  const auto given = prepared;
  for (int i = 0; i < n; ++i) {
    const float c[max_constants] = {c0[i], c1[i], c2[i]};
    const auto take = [&](const auto& v) __attribute__((always_inline)) {
      value[i] += v.log_density;
      at[i] = v.d[0];
      d0[i] += v.d[0];
      if constexpr (Density::shared > 0) d1[i] += v.d[1];
      if constexpr (Density::shared > 1) d2[i] += v.d[2];
    };
    if constexpr (FactoredDensity<Density>) {
      product[i] += e[i] + product[i] * e[i];
      take(Density::evaluate_factored(c, at[i], e[i]));
    } else {
      take(Density::evaluate(c, at[i], given));
    }
  }
}

/// excess[i] of a FactoredDensity, i < count.
template <class Density>
JENSEN_HD void find_excess(int count, const RowConstants& constants, const float* eta, float* __restrict excess) {
  const float* __restrict c0 = constants[0];
  const float* __restrict c1 = constants[1];
  const float* __restrict c2 = constants[2];
  for (int i = 0; i < count; ++i) {
    const float c[max_constants] = {c0[i], c1[i], c2[i]};
    excess[i] = Density::excess(c, eta[i]);
  }
}

/// The density of `count` pairs of a row and a sample that have the same `prepared`; eta becomes df/da_0. No `omp
/// simd`: the compiler vectorises the plain loop by itself, also where constants differ from lane to lane, and keeps
/// those of polynomials in registers.
template <class Density, int N>
JENSEN_HD void evaluate_each(int count, const RowConstants& constants,
                             const typename Density::template Prepared<float>& prepared, float* eta,
                             EachSums<N>& sums) {
  alignas(64) float excess[FactoredDensity<Density> ? pairs_at_once : 1];
  if constexpr (FactoredDensity<Density>) find_excess<Density>(count, constants, eta, excess);
  int i = 0;
  for (; i + N <= count; i += N) evaluate_some<Density>(i, N, constants, prepared, excess, eta, sums);
  if (i < count) evaluate_some<Density>(i, count - i, constants, prepared, excess, eta, sums);
}

/// Lanes (First + i) / Each.
template <int First, int Each, int... I>
JENSEN_HD Vec repeated_lanes(const Vec& v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (First + I) / Each...);
}
/// Each of `rows` numbers L times.
template <int L>
JENSEN_HD void repeat_numbers(const float* from, int rows, float* to) {
  int r = 0;
  if constexpr (L < width) {
    for (; r + width <= rows; r += width) {
      const Vec v = load(from + r);
      repeat<L>([&](auto i) __attribute__((always_inline)) {
        constexpr std::make_integer_sequence<int, width> all;
        store(to + r * L + i * width, repeated_lanes<i * width, L>(v, all));
      });
    }
  }
  for (; r < rows; ++r) {
    for (int l = 0; l < L; ++l) to[r * L + l] = from[r];
  }
}

/// The density of `count` rows for a group of L samples; nothing is prepared, so that rows and samples are alike.
template <class Density, int L>
LaneSums<Density, L> evaluate_pairs(int count, const RowConstants& of_row, float* eta) {
  constexpr int lanes = L > 16 ? 2 * L : 32;
  static_assert(most_tile_rows * L / lanes <= most_factors);
  constexpr int rows_at_once = pairs_at_once / L;
  alignas(64) float repeated[max_constants][pairs_at_once];
  EachSums<lanes> each;
  clear(each);
  RowConstants constants{};
  for (int c = 0; c < max_constants; ++c) constants[c] = of_row[c] == nullptr ? zeros : repeated[c];
  for (int begin = 0; begin < count; begin += rows_at_once) {
    const int rows = count - begin < rows_at_once ? count - begin : rows_at_once;
    for (int c = 0; c < max_constants; ++c) {
      if (of_row[c] != nullptr) repeat_numbers<L>(of_row[c] + begin, rows, repeated[c]);
    }
    evaluate_each<Density>(rows * L, constants, {}, eta + static_cast<std::ptrdiff_t>(begin) * L, each);
  }
  return total<Density, L>(each);
}

/// With `zeros` in place of null.
JENSEN_HD RowConstants with_zeros(RowConstants constants) {
  for (const float*& column : constants.of) column = column == nullptr ? zeros : column;
  return constants;
}

/// TileDensity's functions for data terms.
template <class Density>
struct DataDensity {
  using Prepared = typename Density::template Prepared<float>;
  static_assert(sizeof(Prepared) <= prepared_room * sizeof(float));

  static void prepare(const float* others, float* prepared) {
    const Prepared made = Density::prepare(others);
    __builtin_memcpy(prepared, &made, sizeof made);
  }

  template <int L>
  static void group(int rows, const RowConstants& constants, const float* prepared, float* eta, double* totals) {
    const auto add = [&](int first, const auto& sums, auto lanes) {
      for (int i = 0; i < 2 + Density::shared; ++i) {
        for (int l = 0; l < lanes; ++l) totals[i * L + first + l] += static_cast<double>(sums.of[i][l]);
      }
    };
    if constexpr (Density::shared == 0) {
      add(0, evaluate_pairs<Density, L>(rows, constants, eta), Constant<L>{});
    } else {
      constexpr int chunk = std::min(L, 16);
      Prepared of_sample[L];
      for (int l = 0; l < L; ++l) __builtin_memcpy(of_sample + l, prepared + l * prepared_room, sizeof(Prepared));
      for (int l = 0; l < L; l += chunk) {
        LaneSums<Density, chunk> sums;
        evaluate_rows<Density, chunk>(rows, with_zeros(constants), of_sample + l, L, eta + l, sums);
        add(l, sums, Constant<chunk>{});
      }
    }
  }

  static void lone(int rows, const RowConstants& constants, const float* prepared, float* eta, bool begins,
                   EachSums<lone_sums>& sums) {
    if (begins) clear(sums);
    Prepared given;
    __builtin_memcpy(&given, prepared, sizeof given);
    evaluate_each<Density>(rows, with_zeros(constants), given, eta, sums);
  }
};

}  // namespace
}  // namespace jensen::JENSEN_ISA::data_term
