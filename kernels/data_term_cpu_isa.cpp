/// \file The CPU data term for one instruction set: compiled once for each, with JENSEN_ISA naming the namespace.
///
/// Rows go through in tiles that fit in the first-level caches. For a group of 16 samples, with X the tile (rows x K):
///
///     eta  = X theta + offset                       rows x 16     a_0 of equation (2)
///     f, d = f(eta), df/da_0                        rows x 16
///     G   += X^T d                                  K x 16        equation (4)
///
/// one sample in each vector lane, so a tile is read from memory once. A lone sample puts rows or columns in the
/// lanes instead. Sums are single precision within a tile, double across tiles.

#include "cpu_lanes.hpp"

namespace jensen::JENSEN_ISA {
namespace {

/// The scratch memory of one thread, cut into arrays (each a multiple of 64 bytes).
struct Scratch {
  float* x;          ///< tile_rows x K and a vector of padding, for rows that are not contiguous
  float* constants;  ///< max_constants x tile_rows
  float* offset;     ///< tile_rows
  float* theta;      ///< K x lanes
  float* eta;        ///< tile_rows x lanes; then df/da_0
  float* gradient;   ///< K x lanes, of one tile
};

JENSEN_HD std::size_t scratch_floats(std::size_t columns) {
  return padded(tile_rows * columns) + lanes + (max_constants + 1) * padded(tile_rows) + 2 * padded(columns * lanes) +
         padded(tile_rows * lanes);
}

JENSEN_HD Scratch cut(float* memory, std::size_t columns) {
  Scratch s{};
  s.x = memory;
  s.constants = s.x + padded(tile_rows * columns) + lanes;
  s.offset = s.constants + max_constants * padded(tile_rows);
  s.theta = s.offset + padded(tile_rows);
  s.eta = s.theta + padded(columns * lanes);
  s.gradient = s.eta + padded(tile_rows * lanes);
  return s;
}

JENSEN_HD Tile load_tile(const Term& term, const RowList& rows, std::int64_t begin, int count, int columns,
                         const float* x, const Scratch& scratch) {
  Tile tile{count, columns, load_rows(x, columns, term.rows, rows, begin, count, scratch.x), {}, nullptr};
  for (int c = 0; c < max_constants; ++c) {
    tile.constants[c] =
        load_column(term.constants[c], rows, begin, count, scratch.constants + c * static_cast<int>(padded(tile_rows)));
  }
  tile.offset = load_column(term.arguments[0].offset, rows, begin, count, scratch.offset);
  return tile;
}

/// a_1 .. of one sample, prepared.
template <class Density>
JENSEN_HD auto prepare(const Term& term, const float* z) {
  float shared[max_shared] = {};
  for (int a = 0; a < Density::shared; ++a) shared[a] = common_parts(term.arguments[1 + a], z);
  return Density::prepare(shared);
}

/// Sums over rows of the value and of df/da_0 .., one in each lane.
template <int Arguments>
struct LaneSums {
  alignas(64) float value[lanes] = {};
  alignas(64) float d[Arguments][lanes] = {};
};

/// Adds a tile's sums, in `lane`, to the slots of one sample. gradient[k * stride] is the dense part's slot k.
template <int Arguments>
JENSEN_HD void add_slots(const Term& term, const float* gradient, int stride, const LaneSums<Arguments>& tile_sums,
                         int lane, double* sums) {
  const float value = tile_sums.value[lane];
  sums[0] += static_cast<double>(value);
  int slot = 1;
  for (int a = 0; a < Arguments; ++a) {
    for (int p = 0; p < term.arguments[a].part_count; ++p) {
      const Part& part = term.arguments[a].parts[p];
      if (part.kind == PartKind::scalar) {
        sums[slot++] += static_cast<double>(part.scale) * static_cast<double>(tile_sums.d[a][lane]);
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
  typename Density::template Prepared<float> prepared[lanes];
  for (int l = 0; l < lanes; ++l) {
    const float* latent = z + static_cast<std::ptrdiff_t>(l < count ? l : 0) * dimension;  // padding repeats the first
    shift[l] = common_parts(term.arguments[0], latent);
    prepared[l] = prepare<Density>(term, latent);
  }

  multiply_rows(tile, theta, shift, eta);

  LaneSums<1 + Density::shared> tile_sums;
  for (int r = 0; r < tile.rows; ++r) {
    float constants[max_constants];
    for (int c = 0; c < max_constants; ++c) constants[c] = tile.constants[c][r];
    float* row = scratch.eta + static_cast<std::ptrdiff_t>(r) * lanes;
    // The arguments are written out: a loop over them would keep this one from being vectorised.
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
      const auto v = Density::evaluate(constants, row[l], prepared[l]);
      row[l] = v.d[0];
      tile_sums.value[l] += v.log_density;
      tile_sums.d[0][l] += v.d[0];
      if constexpr (Density::shared > 0) tile_sums.d[1][l] += v.d[1];
      if constexpr (Density::shared > 1) tile_sums.d[2][l] += v.d[2];
    }
  }

  multiply_columns(tile, eta, gradient);

  for (int l = 0; l < count; ++l) {
    add_slots(term, scratch.gradient + l, lanes, tile_sums, l, sums + static_cast<std::ptrdiff_t>(l) * stride);
  }
}

/// Sums of the lanes of 16 vectors, the sum of v[r] in lane r: a transpose that adds on the way. v is overwritten.
JENSEN_HD Vec sum_lanes(Vec* v) {
#if defined(__has_builtin) && __has_builtin(__builtin_shufflevector)
  for (int i = 0; i < 8; ++i) {
    const Vec a = v[i], b = v[i + 8];
    v[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23) +
           __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  }
  for (int i = 0; i < 4; ++i) {
    const Vec a = v[i], b = v[i + 4];
    v[i] = __builtin_shufflevector(a, b, 0, 1, 2, 3, 16, 17, 18, 19, 8, 9, 10, 11, 24, 25, 26, 27) +
           __builtin_shufflevector(a, b, 4, 5, 6, 7, 20, 21, 22, 23, 12, 13, 14, 15, 28, 29, 30, 31);
  }
  for (int i = 0; i < 2; ++i) {
    const Vec a = v[i], b = v[i + 2];
    v[i] = __builtin_shufflevector(a, b, 0, 1, 16, 17, 4, 5, 20, 21, 8, 9, 24, 25, 12, 13, 28, 29) +
           __builtin_shufflevector(a, b, 2, 3, 18, 19, 6, 7, 22, 23, 10, 11, 26, 27, 14, 15, 30, 31);
  }
  const Vec a = v[0], b = v[1];
  return __builtin_shufflevector(a, b, 0, 16, 2, 18, 4, 20, 6, 22, 8, 24, 10, 26, 12, 28, 14, 30) +
         __builtin_shufflevector(a, b, 1, 17, 3, 19, 5, 21, 7, 23, 9, 25, 11, 27, 13, 29, 15, 31);
#else
  Vec sums = {};
  for (int r = 0; r < lanes; ++r) {
    for (int l = 0; l < lanes; ++l) sums[r] += v[r][l];
  }
  return sums;
#endif
}

/// The density of N rows, one in each lane; eta becomes df/da_0. No `omp simd` here: it would keep the constants of
/// each lane in memory, while the compiler vectorises the plain loop by itself.
template <class Density, int N>
JENSEN_HD void add_rows(const Tile& tile, int r, float shift,
                        const typename Density::template Prepared<float>& prepared, float* eta,
                        LaneSums<1 + Density::shared>& sums) {
  const float* __restrict c0 = tile.constants[0] + r;
  const float* __restrict c1 = tile.constants[1] + r;
  const float* __restrict c2 = tile.constants[2] + r;
  const float* __restrict offset = tile.offset + r;
  float* __restrict at = eta + r;
  for (int l = 0; l < N; ++l) {
    const float constants[max_constants] = {c0[l], c1[l], c2[l]};
    const auto v = Density::evaluate(constants, at[l] + (offset[l] + shift), prepared);
    at[l] = v.d[0];
    sums.value[l] += v.log_density;
    sums.d[0][l] += v.d[0];
    if constexpr (Density::shared > 0) sums.d[1][l] += v.d[1];
    if constexpr (Density::shared > 1) sums.d[2][l] += v.d[2];
  }
}

/// One sample: the lanes hold columns in the two products and rows in the density. The last vector of a row reaches
/// into the next row, or into the scratch's padding after the last (see load_tile); theta is zero there, and the
/// gradient's lanes there are not used.
template <class Density>
JENSEN_HD void narrow(const Term& term, const Tile& tile, const Part* dense, const float* z, double* sums,
                      const Scratch& scratch) {
  const int columns = tile.columns;
  const int vectors = (columns + lanes - 1) / lanes;
  float* eta = scratch.eta;
  auto* theta = reinterpret_cast<Vec*>(scratch.theta);
  auto* gradient = reinterpret_cast<Vec*>(scratch.gradient);
  for (int k = 0; k < vectors * lanes; ++k) scratch.theta[k] = k < columns ? z[dense->first + k] : 0.0F;
  const float shift = common_parts(term.arguments[0], z);
  const auto prepared = prepare<Density>(term, z);

  int r = 0;
  for (; r + lanes <= tile.rows; r += lanes) {
    Vec sum[lanes] = {};
    const float* x = tile.x + static_cast<std::ptrdiff_t>(r) * columns;
    for (int c = 0; c < vectors; ++c) {
      const Vec t = theta[c];
      for (int j = 0; j < lanes; ++j) sum[j] += t * load(x + static_cast<std::ptrdiff_t>(j) * columns + c * lanes);
    }
    const Vec row_sums = sum_lanes(sum);
    __builtin_memcpy(eta + r, &row_sums, sizeof row_sums);
  }
  for (; r < tile.rows; ++r) {
    eta[r] = 0;
    for (int k = 0; k < columns; ++k) eta[r] += tile.x[static_cast<std::ptrdiff_t>(r) * columns + k] * scratch.theta[k];
  }

  LaneSums<1 + Density::shared> sums_of;
  for (r = 0; r + lanes <= tile.rows; r += lanes) add_rows<Density, lanes>(tile, r, shift, prepared, eta, sums_of);
  for (; r < tile.rows; ++r) add_rows<Density, 1>(tile, r, shift, prepared, eta, sums_of);

  for (int c = 0; c < vectors; ++c) {
    Vec sum[4] = {};  // four chains, to hide the latency of the additions
    const float* x = tile.x + static_cast<std::ptrdiff_t>(c) * lanes;
    for (r = 0; r + 4 <= tile.rows; r += 4) {
      for (int j = 0; j < 4; ++j) sum[j] += load(x + static_cast<std::ptrdiff_t>(r + j) * columns) * eta[r + j];
    }
    for (; r < tile.rows; ++r) sum[0] += load(x + static_cast<std::ptrdiff_t>(r) * columns) * eta[r];
    gradient[c] = (sum[0] + sum[1]) + (sum[2] + sum[3]);
  }
  for (int l = 1; l < lanes; ++l) {
    sums_of.value[0] += sums_of.value[l];
    for (int a = 0; a <= Density::shared; ++a) sums_of.d[a][0] += sums_of.d[a][l];
  }
  add_slots(term, scratch.gradient, 1, sums_of, 0, sums);
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
  const int first = dense == nullptr ? 0 : dense->first;
  const Scratch scratch = cut(memory, static_cast<std::size_t>(columns));
  // Up to two left-over samples go one by one: cheaper than a group of 16 that is mostly padding.
  const int wide_groups = samples / lanes + (samples % lanes > 2 ? 1 : 0);
  const int wide_samples = wide_groups * lanes < samples ? wide_groups * lanes : samples;

  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(samples) * stride; ++i) sums[i] = 0;
  const bool one_theta = wide_groups == 1 && wide_samples == samples;  // a lone sample has the array to itself
  if (one_theta) load_theta(z, dimension, first, columns, wide_samples, scratch.theta);
  for (std::int64_t t = begin; t < end; t += tile_rows) {
    const int count = static_cast<int>(end - t < tile_rows ? end - t : tile_rows);
    const Tile tile = load_tile(term, rows, t, count, columns, dense == nullptr ? nullptr : dense->x, scratch);
    for (int g = 0; g < wide_groups; ++g) {
      const int sample = g * lanes;
      const int live = samples - sample < lanes ? samples - sample : lanes;
      const float* latent = z + static_cast<std::ptrdiff_t>(sample) * dimension;
      if (!one_theta) load_theta(latent, dimension, first, columns, live, scratch.theta);
      wide<Density>(term, tile, latent, dimension, live, sums + static_cast<std::ptrdiff_t>(sample) * stride, stride,
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
  with_data_density(term.density, [&](auto density) {
    block_of<decltype(density)>(term, rows, begin, end, z, dimension, sums, samples, stride,
                                static_cast<float*>(memory));
  });
}

}  // namespace jensen::JENSEN_ISA
