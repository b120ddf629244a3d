#pragma once
/// \file What the CPU kernels of one instruction set share: vectors of 16 lanes, tiles of rows, the two products.
///
/// Included by files that are compiled once for each instruction set, with JENSEN_ISA naming the namespace. Everything
/// must be inlined (see host_device.hpp) and nothing with linkage may be shared with other files, or a processor could
/// meet instructions that it has not.

#include <cstddef>
#include <cstdint>

#include "term.hpp"

namespace jensen::JENSEN_ISA {

constexpr int lanes = 16;
constexpr int tile_rows = 128;
constexpr int prefetch_rows = 16;  ///< how far ahead scattered rows are asked for: enough to hide memory's latency

namespace {

using Vec = float __attribute__((vector_size(lanes * sizeof(float))));

JENSEN_HD std::size_t padded(std::size_t floats) { return (floats + lanes - 1) / lanes * lanes; }

/// One tile of rows: contiguous, either in place or gathered into scratch.
struct Tile {
  int rows;
  int columns;
  const float* x;                         ///< rows x columns
  const float* constants[max_constants];  ///< rows each
  const float* offset;                    ///< rows
};

/// `count` values of a column: in place if the rows are contiguous, else gathered into `target`. Null reads as zeros.
JENSEN_HD const float* load_column(const float* column, const RowList& rows, std::int64_t begin, int count,
                                   float* target) {
  if (column != nullptr && rows.indices == nullptr) return column + rows.first + begin;
  for (int r = 0; r < count; ++r) target[r] = column == nullptr ? 0.0F : column[rows[begin + r]];
  return target;
}

/// `count` rows of x (K columns, `all_rows` in all): in place if they are contiguous, but for those at the matrix's
/// end, since a vector after a tile must be readable, and finite; else gathered into `target` (count x K and a vector
/// more).
JENSEN_HD const float* load_rows(const float* x, int columns, std::int64_t all_rows, const RowList& rows,
                                 std::int64_t begin, int count, float* target) {
  if (rows.indices == nullptr && (all_rows - rows.first - begin - count) * columns >= lanes) {
    return x + (rows.first + begin) * columns;
  }
  for (int r = 0; r < count; ++r) {
    if (r + prefetch_rows < count) {
      const float* ahead = x + rows[begin + r + prefetch_rows] * columns;
      for (int k = 0; k < columns; k += lanes) __builtin_prefetch(ahead + k);
    }
    const float* source = x + rows[begin + r] * columns;
    float* row = target + static_cast<std::ptrdiff_t>(r) * columns;
    for (int k = 0; k < columns; ++k) row[k] = source[k];
  }
  for (int l = 0; l < lanes; ++l) target[static_cast<std::ptrdiff_t>(count) * columns + l] = 0;
  return target;
}

/// eta[r .. r + N) = X theta + offset + shift for the lanes.
template <int N>
JENSEN_HD void product_rows(const Tile& tile, int r, const Vec* theta, Vec shift, Vec* eta) {
  Vec sum[N];
  const float* x = tile.x + static_cast<std::ptrdiff_t>(r) * tile.columns;
  for (int j = 0; j < N; ++j) sum[j] = shift + tile.offset[r + j];
  for (int k = 0; k < tile.columns; ++k) {
    const Vec t = theta[k];
    for (int j = 0; j < N; ++j) sum[j] += t * x[static_cast<std::ptrdiff_t>(j) * tile.columns + k];
  }
  for (int j = 0; j < N; ++j) eta[r + j] = sum[j];
}

/// gradient[k .. k + N) = X^T d for the lanes, over the tile.
template <int N>
JENSEN_HD void product_columns(const Tile& tile, int k, const Vec* d, Vec* gradient) {
  Vec sum[N] = {};
  for (int r = 0; r < tile.rows; ++r) {
    const Vec v = d[r];
    const float* x = tile.x + static_cast<std::ptrdiff_t>(r) * tile.columns + k;
    for (int j = 0; j < N; ++j) sum[j] += v * x[j];
  }
  for (int j = 0; j < N; ++j) gradient[k + j] = sum[j];
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

/// 16 floats from any address.
JENSEN_HD Vec load(const float* from) {
  Vec v;
  __builtin_memcpy(&v, from, sizeof v);
  return v;
}

/// eta = X theta + offset + shift for all rows of a tile.
JENSEN_HD void multiply_rows(const Tile& tile, const Vec* theta, Vec shift, Vec* eta) {
  int r = 0;
  for (; r + 8 <= tile.rows; r += 8) product_rows<8>(tile, r, theta, shift, eta);
  for (; r < tile.rows; ++r) product_rows<1>(tile, r, theta, shift, eta);
}

/// gradient = X^T d for all columns of a tile.
JENSEN_HD void multiply_columns(const Tile& tile, const Vec* d, Vec* gradient) {
  int k = 0;
  for (; k + 8 <= tile.columns; k += 8) product_columns<8>(tile, k, d, gradient);
  for (; k + 4 <= tile.columns; k += 4) product_columns<4>(tile, k, d, gradient);
  for (; k < tile.columns; ++k) product_columns<1>(tile, k, d, gradient);
}

/// theta[k][l] of `columns` latents from `first` on for `count` samples; the other lanes are zero.
JENSEN_HD void load_theta(const float* z, int dimension, int first, int columns, int count, float* theta) {
  for (int k = 0; k < columns; ++k) {
    for (int l = 0; l < lanes; ++l) {
      theta[k * lanes + l] = l < count ? z[static_cast<std::ptrdiff_t>(l) * dimension + first + k] : 0.0F;
    }
  }
}

}  // namespace
}  // namespace jensen::JENSEN_ISA
