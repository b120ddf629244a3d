#pragma once
/// \file The two matrix products of the CPU's terms, blocked for registers: rows of X are read where they lie.
///
///     eta += X theta             rows x L, row-major, for a group of L samples in the lanes
///     G   += X^T d               K x L
///
/// A step of either multiplies a few registers of samples by 2 to 8 numbers of X, one of each row or column at hand.
/// Where the samples fill half a register, two columns share it: see Lanes::pairs.

#include "cpu_lanes.hpp"

namespace jensen::JENSEN_ISA {
namespace {

/// eta[j] += x[j] . theta for N rows. `ahead`: the rows that are so many further on are asked for; 0: none are.
template <int L, int N, class Rows>
void add_row_products(Rows x, int ahead, int columns, const float* theta, float* eta) {
  using Group = Lanes<L>;
  using V = typename Group::Vec;
  constexpr int count = Group::count;
  const float* at[N];
  V sum[N * count];
  repeat<N>([&](auto j) __attribute__((always_inline)) { at[j] = x[j]; });
  repeat<N * count>([&](auto i) __attribute__((always_inline)) { sum[i] = load<V>(eta + i * Group::each); });
  for (int k = 0; k < columns;) {
    const int stop = columns - k < 16 ? columns : k + 16;
    if (ahead > 0)
      repeat<N>([&](auto j) __attribute__((always_inline)) { __builtin_prefetch(x[j + ahead] + k, 0, 2); });
    for (; k < stop; ++k) {
      V t[count];
      repeat<count>([&](auto v) __attribute__((always_inline)) {
        t[v] = load<V>(theta + static_cast<std::ptrdiff_t>(k) * L + v * Group::each);
      });
      repeat<N * count>([&](auto i) __attribute__((always_inline)) { sum[i] += t[i % count] * at[i / count][k]; });
    }
  }
  repeat<N * count>([&](auto i) __attribute__((always_inline)) { store(eta + i * Group::each, sum[i]); });
}

// --- Half a register of samples: lane 2 l has sample l's number of one column, 2 l + 1 of the next.

/// x[0] and x[1] in each pair of lanes.
JENSEN_HD Vec both(const float* x) {
  using Wide = std::int64_t __attribute__((vector_size(sizeof(Vec))));
  std::int64_t bits;
  __builtin_memcpy(&bits, x, sizeof bits);
  return __builtin_bit_cast(Vec, Wide{} + bits);
}
/// The sums of a's pairs of lanes, then of b's.
template <int... I>
JENSEN_HD Vec add_pairs(const Vec& a, const Vec& b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, (2 * I)...) + __builtin_shufflevector(a, b, (2 * I + 1)...);
}
/// Each lane twice.
template <class V, int... I>
JENSEN_HD Vec doubled(const V& v, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(v, v, (I / 2)...);
}

/// The first lane of each pair, or the second.
using Doubles = double __attribute__((vector_size(width / 2 * sizeof(double))));
template <int Second, int... I>
JENSEN_HD Doubles as_doubles(const Vec& v, std::integer_sequence<int, I...>) {
  return __builtin_convertvector(__builtin_shufflevector(v, v, (2 * I + Second)...), Doubles);
}

/// add_row_products() by pairs of columns.
template <int L, int N, class Rows>
void add_row_products_by_pairs(Rows x, int ahead, int columns, const float* theta, float* eta) {
  constexpr std::make_integer_sequence<int, width> all;
  const float* at[N];
  Vec sum[N];
  repeat<N>([&](auto j) __attribute__((always_inline)) { at[j] = x[j], sum[j] = Vec{}; });
  for (int k = 0; k + 1 < columns;) {
    const int stop = columns - k < 16 ? columns : k + 16;
    if (ahead > 0)
      repeat<N>([&](auto j) __attribute__((always_inline)) { __builtin_prefetch(x[j + ahead] + k, 0, 2); });
    for (; k + 1 < stop; k += 2) {
      const Vec t = load(theta + static_cast<std::ptrdiff_t>(k) * L);
      repeat<N>([&](auto j) __attribute__((always_inline)) { sum[j] += t * both(at[j] + k); });
    }
  }
  if (columns % 2 != 0) {
    const Vec t = load(theta + static_cast<std::ptrdiff_t>(columns - 1) * L);
    repeat<N>([&](auto j) __attribute__((always_inline)) { sum[j] += t * at[j][columns - 1]; });
  }
  repeat<N / 2>([&](auto i) __attribute__((always_inline)) {
    float* to = eta + 2 * i * L;
    store(to, load(to) + add_pairs(sum[2 * i], sum[2 * i + 1], all));
  });
  if constexpr (N % 2 != 0) {
    using Half = typename VectorOf<L>::type;
    const Vec last = add_pairs(sum[N - 1], sum[N - 1], all);
    store(eta + (N - 1) * L, load<Half>(eta + (N - 1) * L) + load<Half>(reinterpret_cast<const float*>(&last)));
  }
}

/// add_column_products() by pairs of columns.
template <int L, int N, class Rows>
void add_column_products_by_pairs(Rows x, int rows, int k, const float* d, double* total) {
  constexpr std::make_integer_sequence<int, width> all;
  constexpr int count = (N + 1) / 2;
  Vec sum[count];
  repeat<count>([&](auto i) __attribute__((always_inline)) { sum[i] = Vec{}; });
  for (int r = 0; r < rows; ++r) {
    const float* row = x[r] + k;
    const Vec v = doubled(load<typename VectorOf<L>::type>(d + static_cast<std::ptrdiff_t>(r) * L), all);
    repeat<N / 2>([&](auto i) __attribute__((always_inline)) { sum[i] += v * both(row + 2 * i); });
    if constexpr (N % 2 != 0) sum[N / 2] += v * row[N - 1];
  }
  repeat<N>([&](auto j) __attribute__((always_inline)) {
    constexpr std::make_integer_sequence<int, L> half;
    store(total + j * L, load<Doubles>(total + j * L) + as_doubles<j % 2>(sum[j / 2], half));
  });
}

/// eta += X theta for `rows` rows.
template <int L, class Rows>
void multiply_rows(Rows x, int ahead, int rows, int columns, const float* theta, float* eta) {
  constexpr int n = Lanes<L>::at_once;
  const auto add = [&](auto some, int r) {
    constexpr int N = decltype(some)::value;
    float* of_rows = eta + static_cast<std::ptrdiff_t>(r) * L;
    if constexpr (Lanes<L>::pairs) {
      add_row_products_by_pairs<L, N>(x.from(r), ahead, columns, theta, of_rows);
    } else {
      add_row_products<L, N>(x.from(r), ahead, columns, theta, of_rows);
    }
  };
  int r = 0;
  for (; r + n <= rows; r += n) add(Constant<n>{}, r);
  for (; r < rows; ++r) add(Constant<1>{}, r);
}

/// total[j] += sum over rows of x[r][k + j] d[r] for N columns: in single precision over the tile, then in double.
template <int L, int N, class Rows>
void add_column_products(Rows x, int rows, int k, const float* d, double* total) {
  using Group = Lanes<L>;
  using V = typename Group::Vec;
  constexpr int count = Group::count;
  V sum[N * count];
  repeat<N * count>([&](auto i) __attribute__((always_inline)) { sum[i] = V{}; });
  for (int r = 0; r < rows; ++r) {
    const float* row = x[r] + k;
    V v[count];
    repeat<count>([&](auto i) __attribute__((always_inline)) {
      v[i] = load<V>(d + static_cast<std::ptrdiff_t>(r) * L + i * Group::each);
    });
    repeat<N * count>([&](auto i) __attribute__((always_inline)) { sum[i] += v[i % count] * row[i / count]; });
  }
  repeat<N * count>([&](auto i) __attribute__((always_inline)) {
    alignas(64) float sums[Group::each];
    store(sums, sum[i]);
    for (int l = 0; l < Group::each; ++l) total[i * Group::each + l] += static_cast<double>(sums[l]);
  });
}

template <int L, int N = Lanes<L>::columns_at_once, class Rows>
void add_some_columns(int n, Rows x, int rows, int k, const float* d, double* total) {
  if constexpr (N > 1) {
    if (n < N) return add_some_columns<L, N - 1>(n, x, rows, k, d, total);
  }
  if constexpr (Lanes<L>::pairs) {
    add_column_products_by_pairs<L, N>(x, rows, k, d, total);
  } else {
    add_column_products<L, N>(x, rows, k, d, total);
  }
}

/// total += X^T d for all columns, in parts of equal size: few chains of additions would wait for one another.
template <int L, class Rows>
void multiply_columns(Rows x, int rows, int columns, const float* d, double* total) {
  constexpr int most = Lanes<L>::columns_at_once;
  const int parts = (columns + most - 1) / most;
  int k = 0;
  for (int p = 0; p < parts; ++p) {
    int n = (columns - k + (parts - p) - 1) / (parts - p);
    if (Lanes<L>::pairs && p + 1 < parts) n += n % 2;
    add_some_columns<L>(n, x, rows, k, d, total + static_cast<std::ptrdiff_t>(k) * L);
    k += n;
  }
}

// --- A lone sample. Lanes hold columns; what a row's last vector reads beyond its end is multiplied by zero, or adds
// to
// --- sums that are not used.

/// Lanes I of a, or of b where I has the bit `Half`; I without that bit, or with it if `Set`.
template <int Half, int Set, int... I>
JENSEN_HD Vec pick(const Vec& a, const Vec& b, std::integer_sequence<int, I...>) {
  return __builtin_shufflevector(a, b, ((I & Half ? width : 0) + (I & ~Half) + (Set ? Half : 0))...);
}
/// Sums of the lanes of `width` vectors, the sum of v[r] in lane r: a transpose that adds on the way. v is overwritten.
template <int Half = width / 2>
JENSEN_HD Vec sum_lanes(Vec* v) {
  repeat<Half>([&](auto i) __attribute__((always_inline)) {
    constexpr std::make_integer_sequence<int, width> all;
    const Vec a = v[i], b = v[i + Half];
    v[i] = pick<Half, 0>(a, b, all) + pick<Half, 1>(a, b, all);
  });
  if constexpr (Half > 1) return sum_lanes<Half / 2>(v);
  return v[0];
}

/// Asks for the lines of N vectors. Into the second-level cache: seen to be faster than into the first.
template <int N>
JENSEN_HD void ask_for(const float* row) {
  repeat<(N * width + 15) / 16>([&](auto line)
                                    __attribute__((always_inline)) { __builtin_prefetch(row + line * 16, 0, 2); });
}

/// sum[j] += x[j][k ..] theta for N vectors of columns of `width` rows, in the order in which they lie in memory.
template <int N, class Rows>
JENSEN_HD void add_dots(Rows x, int k, const float* theta, Vec* sum) {
  Vec t[N];
  repeat<N>([&](auto i) __attribute__((always_inline)) { t[i] = load(theta + i * width); });
  repeat<width>([&](auto j) __attribute__((always_inline)) {
    const float* row = x[j] + k;
    repeat<N>([&](auto i) __attribute__((always_inline)) { sum[j] += t[i] * load(row + i * width); });
  });
}

/// eta = X theta, where all but the last `Last` vectors of columns are in fours.
template <int Last, class Rows>
void multiply_rows_lone(Rows x, int rows, int columns, const float* theta, float* eta) {
  int r = 0;
  for (; r + width <= rows; r += width) {
    const Rows at = x.from(r);
    Vec sum[width];
    repeat<width>([&](auto j) __attribute__((always_inline)) { sum[j] = Vec{}; });
    int k = 0;
    for (; k + 4 * width <= columns; k += 4 * width) add_dots<4>(at, k, theta + k, sum);
    if constexpr (Last > 0) add_dots<Last>(at, k, theta + k, sum);
    store(eta + r, sum_lanes(sum));
  }
  for (; r < rows; ++r) {
    eta[r] = 0;
    for (int k = 0; k < columns; ++k) eta[r] += x[r][k] * theta[k];
  }
}

/// eta = X theta; theta has zeros after its end.
template <class Rows>
void multiply_rows_lone(Rows x, int rows, int columns, const float* theta, float* eta) {
  const int last = (columns + width - 1) / width % 4;
  // A last vector that is not full is in no four: its end would be counted as full.
  if (last == 0 && columns % width != 0) return multiply_rows_lone<4>(x, rows, columns, theta, eta);
  if (last == 0) return multiply_rows_lone<0>(x, rows, columns, theta, eta);
  if (last == 1) return multiply_rows_lone<1>(x, rows, columns, theta, eta);
  if (last == 2) return multiply_rows_lone<2>(x, rows, columns, theta, eta);
  multiply_rows_lone<3>(x, rows, columns, theta, eta);
}

/// gradient[k ..] += X^T d for N vectors of columns. These rows have just been read: meanwhile memory brings those that
/// are `ahead` rows on.
template <int N, class Rows>
void add_columns_lone(Rows x, int ahead, int rows, int k, const float* d, float* gradient) {
  constexpr int chains = N == 1 ? 4 : 2;  // to hide the latency of the additions
  Vec sum[chains][N] = {};
  int r = 0;
  for (; r + width <= rows; r += width) {
    const Rows at = x.from(r);
    for (int j = 0; j < width; j += chains) {
      for (int c = 0; c < chains; ++c) {
        ask_for<N>(at[j + c + ahead] + k);
        for (int i = 0; i < N; ++i) sum[c][i] += load(at[j + c] + k + i * width) * d[r + j + c];
      }
    }
  }
  for (; r < rows; ++r) {
    for (int i = 0; i < N; ++i) sum[0][i] += load(x[r] + k + i * width) * d[r];
  }
  for (int i = 0; i < N; ++i) {
    Vec total = load(gradient + i * width);
    for (int c = 0; c < chains; ++c) total += sum[c][i];
    store(gradient + i * width, total);
  }
}

/// gradient += X^T d; has room for whole vectors.
template <class Rows>
void multiply_columns_lone(Rows x, int ahead, int rows, int columns, const float* d, float* gradient) {
  for (int k = 0; k < columns;) {
    const int vectors = (columns - k + width - 1) / width;
    if (vectors >= 4) {
      add_columns_lone<4>(x, ahead, rows, k, d, gradient + k);
      k += 4 * width;
    } else if (vectors >= 2) {
      add_columns_lone<2>(x, ahead, rows, k, d, gradient + k);
      k += 2 * width;
    } else {
      add_columns_lone<1>(x, ahead, rows, k, d, gradient + k);
      k += width;
    }
  }
}

/// theta[k][l] of `columns` latents from `first` on for `live` samples, as the group's products want it; room for
/// even(columns) of them. The other lanes repeat the first sample.
JENSEN_HD void load_theta(const float* z, int dimension, int first, int columns, int live, int lanes, float* theta) {
  const bool pairs = 2 * lanes == width;
  for (int k = 0; k < (pairs ? even(columns) : columns); ++k) {
    for (int l = 0; l < lanes; ++l) {
      const std::ptrdiff_t at = pairs ? k / 2 * width + 2 * l + k % 2 : static_cast<std::ptrdiff_t>(k) * lanes + l;
      theta[at] = k < columns ? z[static_cast<std::ptrdiff_t>(l < live ? l : 0) * dimension + first + k] : 0.0F;
    }
  }
}

}  // namespace
}  // namespace jensen::JENSEN_ISA
