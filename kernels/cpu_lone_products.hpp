#pragma once
/// \file The two matrix products of the CPU's data term for a lone sample. Lanes hold columns; what a row's last vector
/// reads beyond its end is multiplied by zero, or adds to sums that are not used.
///
///     eta = X theta              rows
///     gradient += X^T d          K
///
/// While they work, memory brings the rows that are `ahead` rows on (0: those at hand, which are there already): each
/// product asks for half of their lines.

#include "cpu_rows.hpp"

namespace jensen::JENSEN_ISA {
namespace {

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

inline constexpr int line = 16;  ///< floats of a cache line
constexpr int lines_of(int vectors) { return (vectors * width + line - 1) / line; }
/// Asks for every other line from `first` on, `count` in all. Into the second-level cache: seen to be faster than into
/// the first.
template <int count>
JENSEN_HD void ask_for(const float* first) {
  repeat<count>([&](auto i) __attribute__((always_inline)) { __builtin_prefetch(first + 2 * line * i, 0, 2); });
}

/// sum[j] += x[j][k ..] theta for N vectors of columns of `width` rows, in the order in which they lie in memory.
template <int N, class Rows>
JENSEN_HD void add_dots(Rows x, int ahead, int k, const float* theta, Vec* sum) {
  Vec t[N];
  repeat<N>([&](auto i) __attribute__((always_inline)) { t[i] = load(theta + i * width); });
  repeat<width>([&](auto j) __attribute__((always_inline)) {
    ask_for<(lines_of(N) + 1) / 2>(x[j + ahead] + k);
    const float* row = x[j] + k;
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

/// eta = X theta; theta has zeros after its end.
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
  // The first product asks for a row's lines 0, 2 .., this one for 1, 3 .., wherever its columns begin.
  const int odd = k / (2 * line) * (2 * line) + line;
  // Parts of more than 4 vectors may begin at an odd line, and have one more of them.
  constexpr int asked = (lines_of(N) + (N > 4 ? 1 : 0)) / 2;
  constexpr int chains = N == 1 ? 4 : (N <= 4 ? 2 : 1);  // to hide the latency of the additions
  Vec sum[chains * N];
  repeat<chains * N>([&](auto i) __attribute__((always_inline)) { sum[i] = Vec{}; });
  std::ptrdiff_t r = 0;
  for (; r + chains <= rows; r += chains) {
    repeat<chains>([&](auto c) __attribute__((always_inline)) {
      ask_for<asked>(x[r + c + ahead] + odd);
      const float* row = x[r + c] + k;
      const float factor = d[r + c];
      repeat<N>([&](auto i) __attribute__((always_inline)) { sum[c * N + i] += load(row + i * width) * factor; });
    });
  }
  for (; r < rows; ++r) {
    repeat<N>([&](auto i) __attribute__((always_inline)) { sum[i] += load(x[r] + k + i * width) * d[r]; });
  }
  repeat<N>([&](auto i) __attribute__((always_inline)) {
    Vec total = load(gradient + i * width);
    repeat<chains>([&](auto c) __attribute__((always_inline)) { total += sum[c * N + i]; });
    store(gradient + i * width, total);
  });
}

/// gradient += X^T d; has room for whole vectors.
template <class Rows>
void multiply_columns_lone(Rows x, int ahead, int rows, int columns, const float* d, float* gradient) {
  in_parts<8>((columns + width - 1) / width, [&](int first, auto n) {
    add_columns_lone<n>(x, ahead, rows, first * width, d, gradient + first * width);
  });
}

}  // namespace
}  // namespace jensen::JENSEN_ISA
