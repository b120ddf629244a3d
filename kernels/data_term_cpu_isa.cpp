/// \file The CPU data term for one instruction set: compiled once for each, with JENSEN_ISA naming the namespace.
///
/// Everything called here must be inlined (see host_device.hpp) and nothing with linkage may be shared with other
/// files, or a processor could meet instructions that it has not.
///
/// Rows go through in tiles that fit in the first-level caches. For a group of 16 samples, with X the tile (rows x K):
///
///     eta  = X theta + offset                       rows x 16     a_0 of equation (2)
///     f, d = f(eta), df/da_0                        rows x 16
///     G   += X^T d                                  K x 16        equation (4)
///
/// one sample in each vector lane, so a tile is read from memory once. A lone sample puts rows or columns in the
/// lanes instead. Sums are single precision within a tile, double across tiles.

#include <cstddef>
#include <cstdint>

#include "term.hpp"

namespace jensen::JENSEN_ISA {
namespace {

constexpr int lanes = 16;
constexpr int tile_rows = 128;
using Vec = float __attribute__((vector_size(lanes * sizeof(float))));

/// The scratch memory of one thread, cut into arrays (each a multiple of 64 bytes).
struct Scratch {
  float* x;            ///< tile_rows x K, for rows that are not contiguous
  float* constants;    ///< max_constants x tile_rows
  float* offset;       ///< tile_rows: constant part of a_0, row by row
  float* theta;        ///< K x lanes
  float* eta;          ///< tile_rows x lanes; then df/da_0
  float* gradient;     ///< K x lanes, of one tile
};

JENSEN_HD std::size_t padded(std::size_t floats) { return (floats + lanes - 1) / lanes * lanes; }

JENSEN_HD std::size_t scratch_floats(std::size_t columns) {
  return padded(tile_rows * columns) + (max_constants + 1) * padded(tile_rows) + 2 * padded(columns * lanes) +
         padded(tile_rows * lanes);
}

JENSEN_HD Scratch cut(float* memory, std::size_t columns) {
  Scratch s{};
  s.x = memory;
  s.constants = s.x + padded(tile_rows * columns);
  s.offset = s.constants + max_constants * padded(tile_rows);
  s.theta = s.offset + padded(tile_rows);
  s.eta = s.theta + padded(columns * lanes);
  s.gradient = s.eta + padded(tile_rows * lanes);
  return s;
}

/// One tile of rows: contiguous, either in place or gathered into scratch.
struct Tile {
  int rows;
  int columns;
  const float* x;                          ///< rows x columns
  const float* constants[max_constants];   ///< rows each
  const float* offset;                     ///< rows
};

JENSEN_HD Tile load_tile(const Term& term, const RowList& rows, std::int64_t begin, int count, int columns,
                         const float* x, const Scratch& scratch) {
  Tile tile{count, columns, nullptr, {}, scratch.offset};
  if (rows.indices == nullptr) {
    tile.x = x + begin * columns;
  } else {
    for (int r = 0; r < count; ++r) {
      const float* source = x + rows[begin + r] * columns;
      float* target = scratch.x + static_cast<std::ptrdiff_t>(r) * columns;
      for (int k = 0; k < columns; ++k) target[k] = source[k];
    }
    tile.x = scratch.x;
  }
  for (int c = 0; c < max_constants; ++c) {
    float* target = scratch.constants + c * static_cast<int>(padded(tile_rows));
    const float* source = term.constants[c];
    for (int r = 0; r < count; ++r) target[r] = source == nullptr ? 0.0F : source[rows[begin + r]];
    tile.constants[c] = target;
  }
  const Predictor& first = term.arguments[0];
  for (int r = 0; r < count; ++r) {
    scratch.offset[r] = first.constant + (first.offset == nullptr ? 0.0F : first.offset[rows[begin + r]]);
  }
  return tile;
}

/// eta[r .. r + N) = X theta + offset for the lanes; `shift` is what the scalar parts of a_0 add.
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

JENSEN_HD float scalar_parts(const Predictor& predictor, const float* z) {
  float a = 0;
  for (int p = 0; p < predictor.part_count; ++p) {
    const Part& part = predictor.parts[p];
    if (part.kind == PartKind::scalar) a += part.scale * z[part.first];
  }
  return a;
}

/// Adds a tile's sums to the slots of one sample. gradient[k * stride] is the dense part's slot k.
JENSEN_HD void add_slots(const Term& term, const float* gradient, int stride, float value, float first, float shared,
                         double* sums) {
  sums[0] += static_cast<double>(value);
  int slot = 1;
  for (int a = 0; a < term.argument_count; ++a) {
    for (int p = 0; p < term.arguments[a].part_count; ++p) {
      const Part& part = term.arguments[a].parts[p];
      if (part.kind == PartKind::scalar) {
        sums[slot++] += static_cast<double>(part.scale) * static_cast<double>(a == 0 ? first : shared);
      } else {
        for (int k = 0; k < part.columns; ++k) {
          sums[slot++] += static_cast<double>(gradient[static_cast<std::ptrdiff_t>(k) * stride]);
        }
      }
    }
  }
}

/// 16 samples (the last of them perhaps padding), all tiles of the block.
template <class Density>
JENSEN_HD void wide(const Term& term, const Tile& tile, const float* z, int dimension, int count, double* sums,
                    int stride, const Scratch& scratch) {
  auto* theta = reinterpret_cast<Vec*>(scratch.theta);
  auto* eta = reinterpret_cast<Vec*>(scratch.eta);
  auto* gradient = reinterpret_cast<Vec*>(scratch.gradient);

  Vec shift = {};
  alignas(64) float shared_argument[lanes] = {};
  for (int l = 0; l < count; ++l) {
    const float* latent = z + static_cast<std::ptrdiff_t>(l) * dimension;
    shift[l] = scalar_parts(term.arguments[0], latent);
    if (Density::shared > 0) {
      shared_argument[l] = scalar_parts(term.arguments[1], latent) + term.arguments[1].constant;
    }
  }
  typename Density::template Prepared<float> prepared[lanes];
  for (int l = 0; l < lanes; ++l) prepared[l] = Density::prepare(shared_argument[l]);

  int r = 0;
  for (; r + 8 <= tile.rows; r += 8) product_rows<8>(tile, r, theta, shift, eta);
  for (; r < tile.rows; ++r) product_rows<1>(tile, r, theta, shift, eta);

  alignas(64) float value[lanes] = {};
  alignas(64) float first[lanes] = {};
  alignas(64) float shared[lanes] = {};
  for (r = 0; r < tile.rows; ++r) {
    float constants[max_constants];
    for (int c = 0; c < max_constants; ++c) constants[c] = tile.constants[c][r];
    float* row = scratch.eta + static_cast<std::ptrdiff_t>(r) * lanes;
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
      const Value<float> v = Density::evaluate(constants, row[l], prepared[l]);
      row[l] = v.d_first;
      value[l] += v.log_density;
      first[l] += v.d_first;
      shared[l] += v.d_shared;
    }
  }

  int k = 0;
  for (; k + 8 <= tile.columns; k += 8) product_columns<8>(tile, k, eta, gradient);
  for (; k + 4 <= tile.columns; k += 4) product_columns<4>(tile, k, eta, gradient);
  for (; k < tile.columns; ++k) product_columns<1>(tile, k, eta, gradient);

  for (int l = 0; l < count; ++l) {
    add_slots(term, scratch.gradient + l, lanes, value[l], first[l], shared[l],
              sums + static_cast<std::ptrdiff_t>(l) * stride);
  }
}

/// theta[k][l] of the dense part for `count` samples; the other lanes are zero.
JENSEN_HD void load_theta(const Part* dense, const float* z, int dimension, int count, float* theta) {
  if (dense == nullptr) return;
  for (int k = 0; k < dense->columns; ++k) {
    for (int l = 0; l < lanes; ++l) {
      theta[k * lanes + l] = l < count ? z[static_cast<std::ptrdiff_t>(l) * dimension + dense->first + k] : 0.0F;
    }
  }
}

/// One sample: the lanes hold columns in the two products and rows in the density.
template <class Density>
JENSEN_HD void narrow(const Term& term, const Tile& tile, const Part* dense, const float* z, double* sums,
                      const Scratch& scratch) {
  const int columns = tile.columns;
  const float* theta = dense == nullptr ? nullptr : z + dense->first;
  float* eta = scratch.eta;
  float* gradient = scratch.gradient;
  const float shift = scalar_parts(term.arguments[0], z);
  const auto prepared = Density::prepare(
      Density::shared > 0 ? scalar_parts(term.arguments[1], z) + term.arguments[1].constant : 0.0F);

  for (int k = 0; k < columns; ++k) gradient[k] = 0;
  int r = 0;
  for (; r + 4 <= tile.rows; r += 4) {
    const float* x = tile.x + static_cast<std::ptrdiff_t>(r) * columns;
    float s0 = 0, s1 = 0, s2 = 0, s3 = 0;
#pragma omp simd reduction(+ : s0, s1, s2, s3)
    for (int k = 0; k < columns; ++k) {
      s0 += x[k] * theta[k];
      s1 += x[columns + k] * theta[k];
      s2 += x[2 * columns + k] * theta[k];
      s3 += x[3 * columns + k] * theta[k];
    }
    eta[r] = s0, eta[r + 1] = s1, eta[r + 2] = s2, eta[r + 3] = s3;
  }
  for (; r < tile.rows; ++r) {
    const float* x = tile.x + static_cast<std::ptrdiff_t>(r) * columns;
    float s = 0;
#pragma omp simd reduction(+ : s)
    for (int k = 0; k < columns; ++k) s += x[k] * theta[k];
    eta[r] = s;
  }

  float value = 0, first = 0, shared = 0;
#pragma omp simd reduction(+ : value, first, shared)
  for (int i = 0; i < tile.rows; ++i) {
    const float constants[max_constants] = {tile.constants[0][i], tile.constants[1][i], tile.constants[2][i]};
    const Value<float> v = Density::evaluate(constants, eta[i] + (tile.offset[i] + shift), prepared);
    eta[i] = v.d_first;
    value += v.log_density;
    first += v.d_first;
    shared += v.d_shared;
  }

  for (r = 0; r + 4 <= tile.rows; r += 4) {
    const float* x = tile.x + static_cast<std::ptrdiff_t>(r) * columns;
    const float d0 = eta[r], d1 = eta[r + 1], d2 = eta[r + 2], d3 = eta[r + 3];
#pragma omp simd
    for (int k = 0; k < columns; ++k) {
      gradient[k] += (x[k] * d0 + x[columns + k] * d1) + (x[2 * columns + k] * d2 + x[3 * columns + k] * d3);
    }
  }
  for (; r < tile.rows; ++r) {
    const float* x = tile.x + static_cast<std::ptrdiff_t>(r) * columns;
#pragma omp simd
    for (int k = 0; k < columns; ++k) gradient[k] += x[k] * eta[r];
  }
  add_slots(term, gradient, 1, value, first, shared, sums);
}

template <class Density>
void block_of(const Term& term, const RowList& rows, std::int64_t begin, std::int64_t end, const float* z,
              int dimension, double* sums, int samples, int stride, float* memory) {
  const Predictor& predictor = term.arguments[0];
  const Part* dense = nullptr;
  for (int p = 0; p < predictor.part_count; ++p) {
    if (predictor.parts[p].kind == PartKind::dense) dense = &predictor.parts[p];
  }
  const int columns = dense == nullptr ? 0 : dense->columns;
  const Scratch scratch = cut(memory, static_cast<std::size_t>(columns));
  // Up to two left-over samples go one by one: cheaper than a group of 16 that is mostly padding.
  const int wide_groups = samples / lanes + (samples % lanes > 2 ? 1 : 0);
  const int wide_samples = wide_groups * lanes < samples ? wide_groups * lanes : samples;

  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(samples) * stride; ++i) sums[i] = 0;
  if (wide_groups == 1) load_theta(dense, z, dimension, wide_samples, scratch.theta);
  for (std::int64_t t = begin; t < end; t += tile_rows) {
    const int count = static_cast<int>(end - t < tile_rows ? end - t : tile_rows);
    const Tile tile = load_tile(term, rows, t, count, columns, dense == nullptr ? nullptr : dense->x, scratch);
    for (int g = 0; g < wide_groups; ++g) {
      const int first = g * lanes;
      const int live = samples - first < lanes ? samples - first : lanes;
      const float* latent = z + static_cast<std::ptrdiff_t>(first) * dimension;
      if (wide_groups > 1) load_theta(dense, latent, dimension, live, scratch.theta);
      wide<Density>(term, tile, latent, dimension, live, sums + static_cast<std::ptrdiff_t>(first) * stride, stride,
                    scratch);
    }
    for (int s = wide_samples; s < samples; ++s) {
      narrow<Density>(term, tile, dense, z + static_cast<std::ptrdiff_t>(s) * dimension,
                      sums + static_cast<std::ptrdiff_t>(s) * stride, scratch);
    }
  }
}

}  // namespace

std::size_t scratch_bytes(std::size_t columns) { return scratch_floats(columns) * sizeof(float); }

void data_term_block(const Term& term, const RowList& rows, std::int64_t begin, std::int64_t end, const float* z,
                     int dimension, double* sums, int samples, int stride, void* memory) {
  with_density(term.density, [&](auto density) {
    block_of<decltype(density)>(term, rows, begin, end, z, dimension, sums, samples, stride,
                                static_cast<float*>(memory));
  });
}

}  // namespace jensen::JENSEN_ISA
