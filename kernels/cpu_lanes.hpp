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

/// Floats in a register, the most samples that are evaluated at once, and the registers for their sums: AVX-512 has 32
/// in all, the others 16.
#if defined(__AVX512F__)
constexpr int width = 16;
constexpr int most_lanes = 32;
constexpr int sum_registers = 16;
#elif defined(__AVX__)
constexpr int width = 8;
constexpr int most_lanes = 16;
constexpr int sum_registers = 12;
#else
constexpr int width = 4;
constexpr int most_lanes = 16;
constexpr int sum_registers = 8;
#endif

constexpr int most_tile_rows = 128;  ///< so many rows are summed in single precision at most
constexpr int eta_lanes = 32;        ///< room of any instruction set's groups, so that all take the same memory
static_assert(eta_lanes >= most_lanes);

namespace {

template <int N, class R = float>
struct VectorOf {
  // g++ 12 drops the attribute from an alias whose size depends on a template's argument.
  typedef R type __attribute__((vector_size(N * sizeof(R))));  // NOLINT(modernize-use-using)
};

/// Columns that a group of `lanes` samples has side by side in two registers, so that what is read of X is multiplied
/// twice: with few samples reading is what takes time.
constexpr int side_of(int lanes) { return 2 * width > lanes ? 2 * width / lanes : 1; }
inline constexpr int most_side = 4;

/// A group of L samples in `count` registers: number s * side + c is of sample s and column c of those side by side.
template <int L>
struct Lanes {
  static constexpr int side = side_of(L);
  static constexpr int count = L * side / width;
  /// Sets of columns side by side, or rows, whose sums a product keeps in registers (rows: fewer with AVX2, measured).
  static constexpr int sets_at_once = sum_registers / count;
  static constexpr int rows_at_once = side > 1 && sum_registers < 16 ? 8 / count : sets_at_once;
  /// Which product asks for the next tile's rows: the second where the first has few multiply-adds to hide it
  /// (measured).
  static constexpr bool asks_late = side == most_side;
  static_assert(side <= most_side && count * width == L * side);
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

/// f(n) with n, 1 to N, as a constant.
template <int N, class F>
JENSEN_HD void with_count(int n, F&& f) {
  if constexpr (N > 1) {
    if (n < N) return with_count<N - 1>(n, f);
  }
  f(Constant<N>{});
}
/// f(first, count as a constant) for parts of nearly equal size of `all`, none larger than `most`: few chains of
/// additions would wait for one another.
template <int most, class F>
JENSEN_HD void in_parts(int all, F&& f) {
  const int parts = (all + most - 1) / most;
  for (int first = 0, p = 0; p < parts; ++p) {
    const int n = (all - first + (parts - p) - 1) / (parts - p);
    with_count<most>(n, [&](auto count) { f(first, count); });
    first += n;
  }
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

/// to[i] = from[i] + number, i < L. Loops over samples of a row that read the number from memory are not vectorised: it
/// could be one of those that are written.
template <int L>
JENSEN_HD void add_number(const float* from, float number, float* to) {
  constexpr int n = L < width ? L : width;
  repeat<L / n>([&](auto i) __attribute__((always_inline)) {
    store(to + i * n, load<typename VectorOf<n>::type>(from + i * n) + number);
  });
}

/// Columns and zeros, so that those side by side are whole sets for any group.
template <class Integer>
JENSEN_HD Integer whole_sets(Integer columns) {
  return (columns + most_side - 1) / most_side * most_side;
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

/// Of a column that a term has not; for more numbers than a tile has rows.
inline constexpr int zeros_count = 512;
alignas(64) inline constexpr float zeros[zeros_count] = {};
struct Ones {
  alignas(64) float of[most_tile_rows] = {};
  constexpr Ones() {
    for (float& one : of) one = 1;
  }
};
/// Of weights that a term has not.
inline constexpr Ones ones;

/// `count` values of a column: in place if the rows are contiguous, else gathered into `target`. Null stays null.
JENSEN_HD const float* load_column(const float* column, const RowList& rows, std::int64_t begin, int count,
                                   float* target) {
  if (column == nullptr) return nullptr;
  if (rows.indices == nullptr) return column + rows.first + begin;
  for (int r = 0; r < count; ++r) target[r] = column[rows[begin + r]];
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
