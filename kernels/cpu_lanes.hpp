#pragma once
/// \file What the CPU kernels of one instruction set share: vectors, groups of samples, rows of a tile.
///
/// Included by files that are compiled once for each instruction set, with JENSEN_ISA naming the namespace. Nothing
/// with linkage may be shared with other files, or a processor could meet instructions that it has not: functions of
/// other headers must be inlined (see host_device.hpp), those here are in an unnamed namespace.

#include <cstddef>
#include <cstdint>
#include <utility>

#include "term.hpp"

namespace jensen::JENSEN_ISA {

/// Floats in a register, and the most samples that are evaluated at once. Their sums for 8 rows (or columns) stay in
/// registers: 16 of AVX-512's 32, 8 of the others' 16.
#if defined(__AVX512F__)
constexpr int width = 16;
constexpr int most_lanes = 32;
constexpr int sum_registers = 16;
#elif defined(__AVX__)
constexpr int width = 8;
constexpr int most_lanes = 16;
constexpr int sum_registers = 8;
#else
constexpr int width = 4;
constexpr int most_lanes = 16;
constexpr int sum_registers = 8;
#endif

constexpr int most_tile_rows = 128;  ///< so many rows are summed in single precision at most
constexpr int eta_lanes = 32;        ///< room of any instruction set's groups, so that all take the same memory
static_assert(eta_lanes >= most_lanes);

namespace {

template <int N>
struct VectorOf {
  // g++ 12 drops the attribute from an alias whose size depends on a template's argument.
  typedef float type __attribute__((vector_size(N * sizeof(float))));  // NOLINT(modernize-use-using)
};

/// A group of L samples, one in each lane of `count` registers.
template <int L>
struct Lanes {
  static constexpr int each = L < width ? L : width;
  static constexpr int count = L / each;
  using Vec = typename VectorOf<each>::type;
  /// Whether samples fill half a register, and each stands in two lanes: in products with two columns' numbers.
  static constexpr bool pairs = 2 * L == width;
  /// Rows, or columns, whose sums a product keeps in registers.
  static constexpr int at_once = sum_registers / count < 8 ? sum_registers / count : 8;
  static constexpr int columns_at_once = pairs ? 2 * at_once : at_once;
};
using Vec = VectorOf<width>::type;

/// f(0), f(1) .. f(N - 1) with constants, written out: arrays that f indexes by them can live in registers, which a
/// compiler that leaves a loop as it is would deny them.
template <int I>
struct Constant {
  static constexpr int value = I;
  constexpr operator int() const { return I; }  // NOLINT(google-explicit-constructor): it is an index
};
template <class F, int... I>
JENSEN_HD void repeat(F&& f, std::integer_sequence<int, I...>) {
  (f(Constant<I>{}), ...);
}
template <int N, class F>
JENSEN_HD void repeat(F&& f) {
  repeat(f, std::make_integer_sequence<int, N>{});
}

/// A vector from any address of its elements, and to it.
template <class V = Vec, class R>
JENSEN_HD V load(const R* from) {
  V v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}
template <class R, class V>
JENSEN_HD void store(R* to, const V& v) {
  __builtin_memcpy(to, &v, sizeof v);
}

/// Rounded up to whole cache lines.
JENSEN_HD std::size_t padded(std::size_t floats) { return (floats + 15) / 16 * 16; }

/// Rounded up to whole pairs.
template <class Integer>
JENSEN_HD Integer even(Integer columns) {
  return columns + columns % 2;
}

/// Samples `sample` .. `sample + live - 1`, in a group of `lanes` >= live; 1: a lone sample, whose lanes hold rows or
/// columns instead.
struct SampleGroup {
  int sample, live, lanes;
};
/// The group that starts at `sample`. Up to two left over go one by one: cheaper than a group that is mostly padding.
JENSEN_HD SampleGroup group_at(int sample, int samples) {
  const int left = samples - sample;
  const int lanes = left > most_lanes - 8 ? most_lanes : (left > 8 ? 16 : (left > 2 ? 8 : 1));
  return {sample, left < lanes ? left : lanes, lanes};
}
/// Lanes of all groups together are no more than this.
JENSEN_HD std::size_t lanes_of(int samples) { return static_cast<std::size_t>(samples + 7) / 8 * 8; }

/// Calls f with std::integral_constant-like `lanes` of a group of several samples.
template <int L>
struct LaneCount {
  static constexpr int value = L;
};
template <class F>
JENSEN_HD void with_lanes(int lanes, F&& f) {
  if (lanes == 8) return f(LaneCount<8>{});
  if constexpr (most_lanes > 16) {
    if (lanes == most_lanes) return f(LaneCount<most_lanes>{});
  }
  f(LaneCount<16>{});
}

/// What a density prepared for N samples, one in each lane.
template <class Density, int N>
struct PreparedLanes {
  const typename Density::template Prepared<float>* prepared;
  JENSEN_HD const auto& operator()(int l) const { return prepared[l]; }
};
/// Of a density whose Prepared is an array, number by number: g++ reads vectors whose lanes are far apart slowly, and
/// not at all if the distance is no power of two. (Up to 4 numbers it is the other way round: seen with g++ 12.)
template <class Density, int N>
requires(Density::prepared_numbers > 4) struct PreparedLanes<Density, N> {
  using Prepared = typename Density::template Prepared<float>;
  static constexpr int numbers = Density::prepared_numbers;
  alignas(64) float of[numbers][N];

  JENSEN_HD explicit PreparedLanes(const Prepared* prepared) {
    for (int i = 0; i < numbers; ++i) {
      for (int l = 0; l < N; ++l) of[i][l] = prepared[l].of[i];
    }
  }
  JENSEN_HD Prepared operator()(int l) const {
    Prepared p;
    repeat<numbers>([&](auto i) __attribute__((always_inline)) { p.of[i] = of[i][l]; });
    return p;
  }
};

/// Rows of a tile, so that X's part and what is made of it stay in the second-level cache.
JENSEN_HD int tile_rows_of(int columns) { return columns <= 256 ? most_tile_rows : (columns <= 1024 ? 64 : 32); }

/// Rows of X that follow one another, and rows that lie wherever they do.
struct InPlace {
  const float* first;
  std::ptrdiff_t columns;
  JENSEN_HD const float* operator[](std::ptrdiff_t r) const { return first + r * columns; }
  JENSEN_HD InPlace from(std::ptrdiff_t r) const { return {first + r * columns, columns}; }
};
struct Listed {
  const float* const* at;
  JENSEN_HD const float* operator[](std::ptrdiff_t r) const { return at[r]; }
  JENSEN_HD Listed from(std::ptrdiff_t r) const { return {at + r}; }
};

/// `count` values of a column: in place if the rows are contiguous, else gathered into `target`. Null reads as zeros.
JENSEN_HD const float* load_column(const float* column, const RowList& rows, std::int64_t begin, int count,
                                   float* target) {
  if (column != nullptr && rows.indices == nullptr) return column + rows.first + begin;
  for (int r = 0; r < count; ++r) target[r] = column == nullptr ? 0.0F : column[rows[begin + r]];
  return target;
}

/// What a predictor has in common for all rows: its constant and scalar parts.
JENSEN_HD float common_parts(const Predictor& predictor, const float* z) {
  float a = predictor.constant;
  for (int p = 0; p < predictor.part_count; ++p) {
    const Part& part = predictor.parts[p];
    if (part.kind == PartKind::scalar) a += part.scale * z[part.first];
  }
  return a;
}

}  // namespace
}  // namespace jensen::JENSEN_ISA
