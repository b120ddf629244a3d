#pragma once
/// \file The two matrix products of the CPU's terms, blocked for registers: rows of X are read where they lie.
///
///     eta += X theta             rows x L, row-major, for a group of L samples in the lanes
///     G   += X^T d               K x L
///
/// A step of either multiplies a few registers of samples by 2 to 8 numbers of X, one of each row or column at hand.

#include "cpu_lanes.hpp"

namespace jensen::JENSEN_ISA {
namespace {

/// eta[j] += x[j] . theta for N rows. `ahead`: the rows that are so many further on are asked for; 0: none are.
template <int L, int N, class Rows>
void add_row_products(Rows x, int ahead, int columns, const float* theta, float* eta) {
  using Group = Lanes<L>;
  using V = typename Group::Vec;
  const float* at[N];
  V sum[N][Group::count];
  for (int j = 0; j < N; ++j) {
    at[j] = x[j];
    for (int v = 0; v < Group::count; ++v) sum[j][v] = load<V>(eta + j * L + v * Group::each);
  }
  for (int k = 0; k < columns;) {
    const int stop = columns - k < 16 ? columns : k + 16;
    if (ahead > 0) {
      for (int j = 0; j < N; ++j) __builtin_prefetch(x[j + ahead] + k, 0, 2);
    }
    for (; k < stop; ++k) {
      V t[Group::count];
      for (int v = 0; v < Group::count; ++v)
        t[v] = load<V>(theta + static_cast<std::ptrdiff_t>(k) * L + v * Group::each);
      for (int j = 0; j < N; ++j) {
        for (int v = 0; v < Group::count; ++v) sum[j][v] += t[v] * at[j][k];
      }
    }
  }
  for (int j = 0; j < N; ++j) {
    for (int v = 0; v < Group::count; ++v) store(eta + j * L + v * Group::each, sum[j][v]);
  }
}

/// eta += X theta for `rows` rows.
template <int L, class Rows>
void multiply_rows(Rows x, int ahead, int rows, int columns, const float* theta, float* eta) {
  constexpr int n = Lanes<L>::at_once;
  int r = 0;
  for (; r + n <= rows; r += n) {
    add_row_products<L, n>(x.from(r), ahead, columns, theta, eta + static_cast<std::ptrdiff_t>(r) * L);
  }
  for (; r < rows; ++r) {
    add_row_products<L, 1>(x.from(r), ahead, columns, theta, eta + static_cast<std::ptrdiff_t>(r) * L);
  }
}

/// total[j] += sum over rows of x[r][k + j] d[r] for N columns: in single precision over the tile, then in double.
template <int L, int N, class Rows>
void add_column_products(Rows x, int rows, int k, const float* d, double* total) {
  using Group = Lanes<L>;
  using V = typename Group::Vec;
  V sum[N][Group::count] = {};
  for (int r = 0; r < rows; ++r) {
    const float* row = x[r] + k;
    V v[Group::count];
    for (int i = 0; i < Group::count; ++i) v[i] = load<V>(d + static_cast<std::ptrdiff_t>(r) * L + i * Group::each);
    for (int j = 0; j < N; ++j) {
      for (int i = 0; i < Group::count; ++i) sum[j][i] += v[i] * row[j];
    }
  }
  for (int j = 0; j < N; ++j) {
    alignas(64) float sums[L];
    for (int i = 0; i < Group::count; ++i) store(sums + i * Group::each, sum[j][i]);
    for (int l = 0; l < L; ++l) total[j * L + l] += static_cast<double>(sums[l]);
  }
}

template <int L, int N = Lanes<L>::at_once, class Rows>
void add_some_columns(int n, Rows x, int rows, int k, const float* d, double* total) {
  if constexpr (N > 1) {
    if (n < N) return add_some_columns<L, N - 1>(n, x, rows, k, d, total);
  }
  add_column_products<L, N>(x, rows, k, d, total);
}

/// total += X^T d for all columns, in parts of equal size: few chains of additions would wait for one another.
template <int L, class Rows>
void multiply_columns(Rows x, int rows, int columns, const float* d, double* total) {
  const int parts = (columns + Lanes<L>::at_once - 1) / Lanes<L>::at_once;
  int k = 0;
  for (int p = 0; p < parts; ++p) {
    const int n = (columns - k + (parts - p) - 1) / (parts - p);
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

/// Where the row lies that is asked for while row j is at hand: of rows in place 12 kB on, which is enough to hide
/// memory's latency (seen: 8 to 16 kB are alike), of those that are listed `ahead` rows on.
JENSEN_HD const float* later(const InPlace& x, int j, int) { return x[j] + 192 * 16; }
JENSEN_HD const float* later(const Listed& x, int j, int ahead) { return x[j + ahead]; }

/// Asks for half of the lines that N vectors take: the first product for lines 0, 2, .., the second for 1, 3, .., since
/// the requests must be spread over the work: the buffers for them are few, and when they are full all loads wait.
/// Into the second-level cache: seen to be faster than into the first.
template <int N, int Half>
JENSEN_HD void ask_for(const float* row) {
  repeat<(N * width + 15) / 16>([&](auto line) __attribute__((always_inline)) {
    if constexpr (int{decltype(line)::value} % 2 == Half) __builtin_prefetch(row + line * 16, 0, 2);
  });
}

/// sum[j] += x[j][k ..] theta for N vectors of columns of `width` rows, in the order in which they lie in memory.
template <int N, class Rows>
JENSEN_HD void add_dots(Rows x, int ahead, int k, const float* theta, Vec* sum) {
  Vec t[N];
  repeat<N>([&](auto i) __attribute__((always_inline)) { t[i] = load(theta + i * width); });
  repeat<width>([&](auto j) __attribute__((always_inline)) {
    const float* row = x[j] + k;
    ask_for<N, 0>(later(x, j, ahead) + k);
    repeat<N>([&](auto i) __attribute__((always_inline)) { sum[j] += t[i] * load(row + i * width); });
  });
}

/// eta = X theta, where all but the last `Last` vectors of columns are in fours.
template <int Last, class Rows>
void multiply_rows_lone(Rows x, int ahead, int rows, int columns, const float* theta, float* eta) {
  int r = 0;
  for (; r + width <= rows; r += width) {
    const Rows at = x.from(r);
    Vec sum[width];
    repeat<width>([&](auto j) __attribute__((always_inline)) { sum[j] = Vec{}; });
    int k = 0;
    for (; k + 4 * width <= columns; k += 4 * width) add_dots<4>(at, ahead, k, theta + k, sum);
    if constexpr (Last > 0) add_dots<Last>(at, ahead, k, theta + k, sum);
    store(eta + r, sum_lanes(sum));
  }
  for (; r < rows; ++r) {
    eta[r] = 0;
    for (int k = 0; k < columns; ++k) eta[r] += x[r][k] * theta[k];
  }
}

/// eta = X theta; theta has zeros after its end. `ahead`: see later().
template <class Rows>
void multiply_rows_lone(Rows x, int ahead, int rows, int columns, const float* theta, float* eta) {
  const int last = (columns + width - 1) / width % 4;
  // A last vector that is not full is in no four: its end would be counted as full.
  if (last == 0 && columns % width != 0) return multiply_rows_lone<4>(x, ahead, rows, columns, theta, eta);
  if (last == 0) return multiply_rows_lone<0>(x, ahead, rows, columns, theta, eta);
  if (last == 1) return multiply_rows_lone<1>(x, ahead, rows, columns, theta, eta);
  if (last == 2) return multiply_rows_lone<2>(x, ahead, rows, columns, theta, eta);
  multiply_rows_lone<3>(x, ahead, rows, columns, theta, eta);
}

/// gradient[k ..] += X^T d for N vectors of columns.
template <int N, class Rows>
void add_columns_lone(Rows x, int ahead, int rows, int k, const float* d, float* gradient) {
  constexpr int chains = N == 1 ? 4 : 2;  // to hide the latency of the additions
  Vec sum[chains][N] = {};
  int r = 0;
  for (; r + width <= rows; r += width) {
    const Rows at = x.from(r);
    for (int j = 0; j < width; j += chains) {
      for (int c = 0; c < chains; ++c) {
        ask_for<N, 1>(later(at, j + c, ahead) + k);
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

/// theta[k][l] of `columns` latents from `first` on for `live` samples; the other lanes repeat the first sample.
JENSEN_HD void load_theta(const float* z, int dimension, int first, int columns, int live, int lanes, float* theta) {
  for (int k = 0; k < columns; ++k) {
    for (int l = 0; l < lanes; ++l) {
      theta[static_cast<std::ptrdiff_t>(k) * lanes + l] =
          z[static_cast<std::ptrdiff_t>(l < live ? l : 0) * dimension + first + k];
    }
  }
}

}  // namespace
}  // namespace jensen::JENSEN_ISA
