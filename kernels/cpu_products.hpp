#pragma once
/// \file The two matrix products of the CPU's terms, blocked for registers: rows of X are read where they lie.
///
///     eta = X theta (+ eta)      rows x L, row-major, for a group of L samples in the lanes
///     G  += X^T d                K x L
///
/// A step of either multiplies registers of samples by 2 to 8 sets of numbers of X, one of each row or column at hand;
/// a set is Lanes::side columns of one row, of which all but the first may lie beyond the row's end (cpu_rows.hpp).

#if defined(__AVX512F__)
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // g++ 12: of what the intrinsics leave undefined on purpose
#endif
#include <immintrin.h>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif
#endif

#include "cpu_rows.hpp"

namespace jensen::JENSEN_ISA {
namespace {

/// C numbers, again and again: a factor of a register.
template <int C>
JENSEN_HD auto spread(const float* x) {
  static_assert(C == 1 || C == 2 || C == 4);
  if constexpr (C == 1) {
    return *x;
  } else if constexpr (C == 2) {
    using Wide = std::int64_t __attribute__((vector_size(sizeof(Vec))));
    std::int64_t bits;
    __builtin_memcpy(&bits, x, sizeof bits);
    return __builtin_bit_cast(Vec, Wide{} + bits);
  } else {
#if defined(__AVX512F__)  // g++ 12 builds it from a shuffle by way of the stack
    return __builtin_bit_cast(Vec, _mm512_broadcast_f32x4(_mm_loadu_ps(x)));
#endif
  }
}
/// The sums of a's pairs of lanes, then of b's.
template <int... I>
JENSEN_HD Vec add_pairs(const Vec& a, const Vec& b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (2 * I)...) + __builtin_shufflevector(a, b, (2 * I + 1)...);
}
JENSEN_HD Vec add_pairs(const Vec& a, const Vec& b) {
  return add_pairs(a, b, std::make_integer_sequence<int, width>{});
}
/// Register V of those that have each of L numbers `side` times.
template <int L, int V, int... I>
JENSEN_HD Vec repeated(const float* d, std::integer_sequence<int, I...>) {
  constexpr int side = Lanes<L>::side;
  if constexpr (side == 1) {
    return load(d + V * width);
  } else {
    const auto all = load<typename VectorOf<L>::type>(d);
    return __builtin_shufflevector(all, all, (V * width + I) / side...);
  }
}
/// Column c of those side by side: lanes c, c + side, ..
template <int Side, int C, int... I>
JENSEN_HD auto column_of(const Vec& a, const Vec& b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (Side * I + C)...);
}

/// eta[j] = x[j] . theta for N rows, added to `start` (L * side numbers that stand as theta's do), or (`Add`) to what
/// is in eta. `ahead`, here and below: one of the products asks for the rows that are so many further on; 0: neither.
template <int L, int N, bool Add, class Rows>
void take_row_products(Rows x, int ahead, int columns, const float* theta, const float* start, float* eta) {
  constexpr int side = Lanes<L>::side, count = Lanes<L>::count;
  const float* at[N];
  Vec sum[N * count];
  repeat<N>([&](auto j) __attribute__((always_inline)) { at[j] = x[j]; });
  repeat<N * count>([&](auto i)
                        __attribute__((always_inline)) { sum[i] = Add ? Vec{} : load(start + i % count * width); });
  for (int k = 0; k < columns;) {
    const int stop = Lanes<L>::asks_late || columns - k < 16 ? columns : k + 16;
    if (!Lanes<L>::asks_late && ahead > 0)
      repeat<N>([&](auto j) __attribute__((always_inline)) { __builtin_prefetch(x[j + ahead] + k, 0, 2); });
    for (; k < stop; k += side) {
      Vec t[count];
      repeat<count>([&](auto v) __attribute__((always_inline)) {
        t[v] = load(theta + static_cast<std::ptrdiff_t>(k) * L + v * width);
      });
      repeat<N>([&](auto j) __attribute__((always_inline)) {
        const auto factor = spread<side>(at[j] + k);
        repeat<count>([&](auto v) __attribute__((always_inline)) { sum[j * count + v] += t[v] * factor; });
      });
    }
  }
  const auto leave = [&](auto at_row, const auto& v) __attribute__((always_inline)) {
    using V = std::decay_t<decltype(v)>;
    store(eta + at_row, Add ? load<V>(eta + at_row) + v : v);
  };
  if constexpr (side == 1) {
    repeat<N * count>([&](auto i) __attribute__((always_inline)) { leave(i * width, sum[i]); });
  } else {
    repeat<N>([&](auto j) __attribute__((always_inline)) { sum[j] = add_pairs(sum[2 * j], sum[2 * j + 1]); });
    if constexpr (side == 2) {
      repeat<N>([&](auto j) __attribute__((always_inline)) { leave(j * L, sum[j]); });
    } else {
      repeat<N / 2>([&](auto i)
                        __attribute__((always_inline)) { leave(2 * i * L, add_pairs(sum[2 * i], sum[2 * i + 1])); });
      if constexpr (N % 2 != 0) {
        const Vec last = add_pairs(sum[N - 1], sum[N - 1]);
        leave((N - 1) * L, load<typename VectorOf<L>::type>(reinterpret_cast<const float*>(&last)));
      }
    }
  }
}

/// eta = start + X theta, or (`Add`) eta += X theta, for `rows` rows.
template <int L, bool Add, class Rows>
void multiply_rows(Rows x, int ahead, int rows, int columns, const float* theta, const float* start, float* eta) {
  constexpr int n = Lanes<L>::rows_at_once;
  std::ptrdiff_t r = 0;
  for (; r + n <= rows; r += n) take_row_products<L, n, Add>(x.from(r), ahead, columns, theta, start, eta + r * L);
  for (; r < rows; ++r) take_row_products<L, 1, Add>(x.from(r), ahead, columns, theta, start, eta + r * L);
}

/// Lanes First ..
template <int First, class V, int... I>
JENSEN_HD auto lanes_from(const V& v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (First + I)...);
}
/// total[i] += v[i], a register of doubles at a time: g++ takes wider vectors apart number by number.
template <class V>
JENSEN_HD void add_to_doubles(const V& v, double* total) {
  constexpr int n = width / 2;
  using Doubles = typename VectorOf<n, double>::type;
  repeat<static_cast<int>(sizeof v / sizeof(float)) / n>([&](auto i) __attribute__((always_inline)) {
    constexpr std::make_integer_sequence<int, n> lanes;
    double* const at = total + i * n;
    store(at, load<Doubles>(at) + __builtin_convertvector(lanes_from<i * n>(v, lanes), Doubles));
  });
}

/// total[j] += sum over rows of x[r][k + j] d[r] for N sets of columns: in single precision over the tile, then in
/// double.
template <int L, int N, class Rows>
void add_column_products(Rows x, int ahead, int rows, int k, const float* d, double* total) {
  constexpr int side = Lanes<L>::side, count = Lanes<L>::count;
  constexpr std::make_integer_sequence<int, width> all;
  Vec sum[N * count];
  repeat<N * count>([&](auto i) __attribute__((always_inline)) { sum[i] = Vec{}; });
  for (std::ptrdiff_t r = 0; r < rows; ++r) {
    const float* row = x[r] + k;
    if (Lanes<L>::asks_late && ahead > 0)
      repeat<(N * side + 15) / 16>([&](auto i) __attribute__((always_inline)) {
        __builtin_prefetch(x[r + ahead] + k + i * 16, 0, 2);
      });
    Vec v[count];
    repeat<count>([&](auto i) __attribute__((always_inline)) { v[i] = repeated<L, i>(d + r * L, all); });
    repeat<N>([&](auto j) __attribute__((always_inline)) {
      const auto factor = spread<side>(row + side * j);
      repeat<count>([&](auto i) __attribute__((always_inline)) { sum[j * count + i] += v[i] * factor; });
    });
  }
  if constexpr (side == 1) {
    repeat<N * count>([&](auto i) __attribute__((always_inline)) { add_to_doubles(sum[i], total + i * width); });
  } else {
    constexpr std::make_integer_sequence<int, L> lanes;
    repeat<N * side>([&](auto i) __attribute__((always_inline)) {
      add_to_doubles(column_of<side, i % side>(sum[i / side * 2], sum[i / side * 2 + 1], lanes), total + i * L);
    });
  }
}

/// total += X^T d for all columns. `total` has room for whole sets of columns.
template <int L, class Rows>
void multiply_columns(Rows x, int ahead, int rows, int columns, const float* d, double* total) {
  constexpr int side = Lanes<L>::side;
  in_parts<Lanes<L>::sets_at_once>((columns + side - 1) / side, [&](int first, auto n) {
    add_column_products<L, n>(x, ahead, rows, first * side, d, total + static_cast<std::ptrdiff_t>(first) * side * L);
  });
}

/// theta of `columns` latents from `first` on for `live` samples, as the group's products want it: sets of columns, of
/// each set its L samples. Room for whole_sets(columns). The other lanes repeat the first sample.
template <int L>
void load_theta(const float* z, int dimension, int first, int columns, int live, float* theta) {
  constexpr int side = Lanes<L>::side;
  for (int l = 0; l < L; ++l) {
    const float* from = z + static_cast<std::ptrdiff_t>(l < live ? l : 0) * dimension + first;
    float* to = theta + l * side;
    int k = 0;
    for (; k + side <= columns; k += side, to += side * L) {
      for (int c = 0; c < side; ++c) to[c] = from[k + c];
    }
    if (k == columns) continue;
    for (int c = 0; c < side; ++c) to[c] = k + c < columns ? from[k + c] : 0.0F;
  }
}

}  // namespace
}  // namespace jensen::JENSEN_ISA
