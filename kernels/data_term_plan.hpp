#pragma once
/// \file How the GPU's data term cuts a term into tiles: sizes and places in shared memory, from the term's shape
/// alone.
///
/// Letters: R rows of a tile, K columns of the dense part, S samples. A block has eight warps.

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "term.hpp"

namespace jensen {

constexpr int tile_threads = 256;
constexpr int tile_warp_shift = 3;
constexpr int tile_warps = 1 << tile_warp_shift;
static_assert(tile_warps * 32 == tile_threads);

/// Accumulators of the second product that a kernel keeps in registers: each warp has up to `m` tiles of 16 columns by
/// exactly `n` tiles of 8 samples, four numbers a thread each. Exactly, because a choice between tiles at run time
/// would keep their products from being interleaved. Those that fit a shape's m stand in ascending order of n.
struct TileBucket {
  int m, n;
};
constexpr TileBucket tile_buckets[] = {{1, 1}, {1, 2}, {1, 4}, {1, 8}, {4, 1}, {4, 2}, {4, 4}, {4, 8}, {8, 1}, {8, 4}};
constexpr int tile_bucket_count = 10;

/// Rows between two additions of the float accumulators to the double partial sums.
constexpr int flush_rows = 2048;

struct TilePlan {
  int rows = 0;     ///< R: a multiple of 16; 0 if the term does not fit
  int stages = 0;   ///< tiles in shared memory: one in use, the others on their way
  int columns = 0;  ///< K
  int width = 0;    ///< elements of a row that are copied
  int pitch = 0;    ///< elements from one row of X to the next, in device memory
  int stride = 0;   ///< and in shared memory
  int element_bytes = 4;
  int copy_shift = 0;     ///< 2^copy_shift threads copy a row, where rows are copied one by one
  int octet_shift = 0;    ///< 2^octet_shift rows are between lanes' rows in a tensor-core tile, see row_of_octet()
  int row_columns = 0;    ///< registers for a row's columns: a thread has a row (data_term_rows.hpp); 0: tensor cores
  int eight_columns = 0;  ///< registers for theta: a warp has eight rows (data_term_eight.hpp); 0: phases of a block
  int bucket = 0;
  int group_samples = 0;  ///< of one block, 8 n of its bucket: X is read once for each group of samples
  int groups = 0;
  int lane_shift = 0;     ///< 2^lane_shift threads work on the samples of one row
  int column_tiles = 0;   ///< of 16, of the second product
  int row_splits = 1;     ///< warps that share a column tile, each taking a part of the rows
  int column_splits = 1;  ///< warps that share a row tile of the first product, each taking a part of the columns
  int row_split_shift = 0, column_split_shift = 0;  ///< of which 2 to the power is row_splits, column_splits
  int eta_stride = 0;                               ///< floats between rows of eta
  int stage_x = 0;                                  ///< bytes of a stage's X
  int stage_bytes = 0;                              ///< with constants and offset
  /// Byte offsets; theta is at 0.
  int scalars = 0, prepared = 0, places = 0, eta = 0, derivative = 0, first_stage = 0;
  int bytes = 0;

  JENSEN_HD int k_steps() const { return (columns + 7) / 8; }
};

/// Sizes of X that DataTermRows is compiled for.
constexpr int row_sizes[] = {32, 64};
constexpr int row_size_count = 2;
constexpr int row_fold_pitch = tile_threads + 8;  ///< floats from column to column where threads' gradients are added

/// Numbers of columns that DataTermEight is compiled for.
constexpr int eight_sizes[] = {32, 64};
constexpr int eight_size_count = 2;

constexpr int prepared_floats = 8;  ///< room for a density's Prepared<float>

/// The row in the tile of lane group g (0 to 7) in octet i of rows. Rows of a quarter warp are 2^octet_shift apart, so
/// that its reads of X fall into different banks whatever the stride.
JENSEN_HD int row_of_octet(const TilePlan& p, int i, int g) {
  const int h = p.octet_shift;
  return ((i >> h) << (h + 3)) + (g << h) + (i & ((1 << h) - 1));
}
/// Step k of the second product contracts over 8 rows: lane t of a group (0 to 3) over this row and the next.
JENSEN_HD int row_of_step(const TilePlan& p, int k, int t) {
  const int h = p.octet_shift;
  return ((k >> h) << (h + 3)) + (t << (h + 1)) + 2 * (k & ((1 << h) - 1));
}
/// Where a row of row_of_octet() is contracted: its step, and 0 or 1; its lane is g / 2.
struct RowPlace {
  int step, half;
};
JENSEN_HD RowPlace place_of_row(const TilePlan& p, int i, int g) {
  const int h = p.octet_shift;
  const int place = ((i >> h) << (h + 1)) + ((g & 1) << h) + (i & ((1 << h) - 1));
  return {place >> 1, place & 1};
}

/// True for the shapes that the kernel takes: a_0 with at most one dense part, scalars and gathers; other arguments of
/// scalars alone.
inline bool has_tile_shape(const Term& term) {
  if (is_prior(term.density) || term.density == DensityKind::categorical) return false;
  if (term.argument_count > max_data_arguments) return false;
  int dense = 0;
  for (int a = 0; a < term.argument_count; ++a) {
    if (a > 0 && term.arguments[a].offset != nullptr) return false;
    for (int p = 0; p < term.arguments[a].part_count; ++p) {
      const PartKind kind = term.arguments[a].parts[p].kind;
      if (a > 0 && kind != PartKind::scalar) return false;
      if (kind == PartKind::dense) ++dense;
    }
  }
  return dense <= 1;
}

/// Index of a_0's dense part, or -1.
inline int dense_part_of(const Term& term) {
  for (int p = 0; p < term.arguments[0].part_count; ++p) {
    if (term.arguments[0].parts[p].kind == PartKind::dense) return p;
  }
  return -1;
}

/// Lays out shared memory for `rows` and `stages` of a plan whose other sizes are known.
inline void lay_out(TilePlan& p) {
  const auto up = [](int bytes) { return (bytes + 15) / 16 * 16; };
  const int row_tiles = p.rows / 16;
  p.column_split_shift = 0;
  while (row_tiles << p.column_split_shift < tile_warps) ++p.column_split_shift;
  p.column_splits = 1 << p.column_split_shift;
  p.scalars = p.k_steps() * 8 * p.group_samples * 4;
  p.prepared = p.scalars + p.group_samples * 4;
  p.places = p.prepared + p.group_samples * prepared_floats * 4;
  p.eta = p.places + p.rows * 8;
  const int eta_bytes = p.column_splits * p.rows * p.eta_stride * 4;
  const int reduction_bytes = 4 * tile_threads * 8;  // of the value and three derivatives, at the end
  p.derivative = p.eta + (eta_bytes > reduction_bytes ? eta_bytes : reduction_bytes);
  p.first_stage = p.derivative + p.rows * p.group_samples * 4;
  // 16 bytes because a copy starts at such an address at or before the first row; 16 elements because tensor-core tiles
  // reach beyond the last column of the last row.
  p.stage_x = up(p.rows * p.stride * p.element_bytes + 16 + 16 * p.element_bytes);
  p.stage_bytes = p.stage_x + (max_constants + 1) * p.rows * 4;
  p.bytes = p.first_stage + p.stages * p.stage_bytes;
}

/// What each of two blocks may have on a multiprocessor, where one may have `shared_bytes`: of each the system keeps 1
/// KiB.
inline int half_of(int shared_bytes) { return shared_bytes / 2 - 512; }

/// Shared memory of DataTermRows for the `columns` and strides of `p`; rows = 0 if it does not fit.
inline TilePlan row_plan(TilePlan p, std::int64_t rows_per_block, int shared_bytes) {
  for (const int size : row_sizes) {
    if (p.row_columns == 0 && p.columns <= size) p.row_columns = size;
  }
  p.groups = p.group_samples = 1;
  p.scalars = p.row_columns * 4;
  p.prepared = p.scalars + 16;
  p.eta = p.derivative = p.prepared + prepared_floats * 4;
  p.first_stage = p.eta + 32 * row_fold_pitch * 4 + tile_threads * 8;  // more than finish() needs
  // With 32 columns there are registers for two blocks on a multiprocessor.
  for (const int budget : {p.row_columns == row_sizes[0] ? half_of(shared_bytes) : shared_bytes, shared_bytes}) {
    for (p.rows = tile_threads; p.rows >= tile_threads / 2; p.rows /= 2) {
      while (p.rows >= 64 && p.rows / 2 >= rows_per_block) p.rows /= 2;
      for (p.stages = 3; p.stages >= 2; --p.stages) {
        p.stage_x = (p.rows * p.stride * p.element_bytes + 16 + 16 * p.element_bytes + 15) / 16 * 16;
        p.stage_bytes = p.stage_x + (max_constants + 1) * p.rows * 4;
        p.bytes = p.first_stage + p.stages * p.stage_bytes;
        if (p.bytes <= budget) return p;
      }
    }
  }
  p.rows = 0;
  return p;
}

/// Shared memory of DataTermEight for the `columns` and strides of `p`; rows = 0 if it does not fit.
inline TilePlan eight_plan(TilePlan p, std::int64_t rows_per_block, int shared_bytes) {
  for (const int size : eight_sizes) {
    if (p.eight_columns == 0 && p.columns <= size) p.eight_columns = size;
  }
  p.groups = 1;
  p.group_samples = 8;
  p.lane_shift = 3;
  p.prepared = p.group_samples * 4;
  p.eta = p.derivative = p.prepared + p.group_samples * prepared_floats * 4;
  const int gradient_bytes = tile_warps * p.eight_columns * p.group_samples * 4;
  const int reduction_bytes = 4 * tile_threads * 8;
  p.first_stage = p.eta + (gradient_bytes > reduction_bytes ? gradient_bytes : reduction_bytes);
  constexpr int least = 8 * tile_warps;  // each warp has eight rows
  int most = 4 * least;
  while (most > least && most - least >= rows_per_block) most -= least;
  for (const int budget : {half_of(shared_bytes), shared_bytes}) {
    for (p.stages = 3; p.stages >= 2; --p.stages) {
      // What a tile costs by itself is worth saving, but a single chunk a warp only where more do not fit.
      for (p.rows = most; p.rows >= (p.stages == 3 && most > least ? 2 * least : least); p.rows -= least) {
        p.stage_x = (p.rows * p.stride * p.element_bytes + 16 + p.eight_columns * p.element_bytes + 15) / 16 * 16;
        p.stage_bytes = p.stage_x + (max_constants + 1) * p.rows * 4;
        p.bytes = p.first_stage + p.stages * p.stage_bytes;
        if (p.bytes <= budget) return p;
      }
    }
  }
  p.rows = 0;
  return p;
}

constexpr int all_columns = -1;

/// The plan for S samples in blocks of `rows_per_block` rows, in at most `shared_bytes` a block. Small accumulators
/// leave room for two blocks on a multiprocessor.
/// `columns`: how many of the dense part's to take at a time, or all.
inline TilePlan tile_plan(const Term& term, int samples, std::int64_t rows_per_block, int shared_bytes,
                          int columns = all_columns) {
  TilePlan p;
  const int dense = dense_part_of(term);
  const bool half = dense >= 0 && term.arguments[0].parts[dense].halves != nullptr;
  const int all = dense < 0 ? 0 : term.arguments[0].parts[dense].columns;
  p.element_bytes = half ? 2 : 4;
  p.columns = columns == all_columns ? all : columns;
  p.width = half ? half_pitch(p.columns) : p.columns;
  p.pitch = half ? half_pitch(all) : all;
  const int words = 4 / p.element_bytes;  // elements in a bank's word
  p.stride = p.width + (p.width % (8 * words) == 0 ? 4 * words : 0);
  while ((16 << p.copy_shift) < p.width * p.element_bytes && p.copy_shift < 5) ++p.copy_shift;  // 16 bytes at a time
  const int word_stride = p.stride / words;
  const int best_shift = word_stride % 2 == 1 ? 2 : word_stride % 4 == 2 ? 1 : 0;

  if (samples == 1 && columns == all_columns && p.columns > 0 && p.columns <= row_sizes[row_size_count - 1]) {
    const TilePlan rows = row_plan(p, rows_per_block, shared_bytes);
    if (rows.rows > 0) return rows;
  }
  if (samples >= 2 && samples <= 8 && columns == all_columns && p.columns > 0 &&
      p.columns <= eight_sizes[eight_size_count - 1]) {
    p.octet_shift = best_shift;
    const TilePlan eight = eight_plan(p, rows_per_block, shared_bytes);
    if (eight.rows > 0) return eight;
  }

  TilePlan nothing;
  nothing.element_bytes = p.element_bytes;
  p.column_tiles = (p.columns + 15) / 16;
  int warps_of_columns = 1;
  while (warps_of_columns < p.column_tiles && warps_of_columns < tile_warps) warps_of_columns *= 2;
  p.row_splits = tile_warps / warps_of_columns;
  while (1 << p.row_split_shift < p.row_splits) ++p.row_split_shift;
  const int m = (p.column_tiles + warps_of_columns - 1) / warps_of_columns;

  int most = 0;  // sample tiles that a bucket with room for m has
  for (const TileBucket& bucket : tile_buckets) {
    if (bucket.m >= m && bucket.n > most) most = bucket.n;
  }
  if (most == 0) return nothing;
  const int sample_tiles = (samples + 7) / 8;
  for (; most >= 1; most /= 2) {
    p.groups = (sample_tiles + most - 1) / most;
    const int n = (sample_tiles + p.groups - 1) / p.groups;
    p.bucket = 0;
    while (tile_buckets[p.bucket].m < m || tile_buckets[p.bucket].n < n) ++p.bucket;
    p.group_samples = tile_buckets[p.bucket].n * 8;
    p.eta_stride = p.group_samples % 16 == 0 ? p.group_samples + 8 : p.group_samples;
    const int in_group = samples < p.group_samples ? samples : p.group_samples;
    p.lane_shift = 0;
    while ((1 << p.lane_shift) < in_group) ++p.lane_shift;

    const bool small = tile_buckets[p.bucket].m * tile_buckets[p.bucket].n <= 8;
    const int least = 8 * p.row_splits > 16 ? 8 * p.row_splits : 16;
    // More rows than a block has would be zeros; and more than 128 only where a row gives a thread hardly any work.
    int largest = samples <= 4 ? 256 : 128;
    while (largest > least && largest / 2 >= rows_per_block) largest /= 2;
    for (const int budget : {small ? half_of(shared_bytes) : shared_bytes, shared_bytes}) {
      for (p.stages = 3; p.stages >= 2; --p.stages) {
        // A third stage is worth more than rows beyond 64, fewer rows than 32 are worth less than either.
        for (p.rows = largest; p.rows >= (p.stages == 3 && least < 64 ? 64 : least); p.rows /= 2) {
          p.octet_shift = best_shift;
          while (8 << p.octet_shift > p.rows) --p.octet_shift;
          lay_out(p);
          if (p.bytes <= budget) return p;
        }
      }
    }
  }
  return nothing;
}

}  // namespace jensen
