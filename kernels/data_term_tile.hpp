#pragma once
/// \file The data term on a GPU, as the work of one thread in each phase of a tile.
///
/// A thread block owns one block of rows and walks it tile by tile. The phases of a tile, with a barrier after each:
///
///     load:     the block's threads copy `rows` rows of X, constants and offset into shared memory (each read once)
///     evaluate: for each (row, sample) of a group of samples: eta, f and df/da_0 ..
///     reduce:   each (sample, slot) is one thread's: sums over the tile's rows, added to the block's Partials
///
/// evaluate and reduce repeat for each group of samples while X stays in shared memory. Every sum has one owner and a
/// fixed order, so there are no atomics. The phases are plain functions of a thread's number, so that a test can play
/// a block on the host.

#include <cstdint>

#include "term.hpp"

namespace jensen {

constexpr int tile_threads = 256;
constexpr int tile_samples = 16;  ///< samples in a group

/// Sizes of a tile, from the term alone.
struct TileShape {
  int rows;       ///< at most 64
  int columns;    ///< K of the dense part, 0 if there is none
  int stride;     ///< floats between rows of X in shared memory: odd, so that a warp's rows fall into different banks
  int arguments;  ///< of the density

  JENSEN_HD int group_floats() const { return rows * tile_samples; }
  /// X, constants, offset, and for a group the value and the derivatives of each (row, sample).
  JENSEN_HD std::int64_t shared_floats() const {
    return static_cast<std::int64_t>(rows) * (stride + max_constants + 1) +
           (1 + arguments) * static_cast<std::int64_t>(group_floats());
  }
};

/// Index of a_0's dense part, or -1.
JENSEN_HD int dense_part_of(const Term& term) {
  for (int p = 0; p < term.arguments[0].part_count; ++p) {
    if (term.arguments[0].parts[p].kind == PartKind::dense) return p;
  }
  return -1;
}

/// As many rows as fit into `shared_bytes`, at most 64; rows = 0 if not one fits.
JENSEN_HD TileShape tile_shape(const Term& term, std::int64_t shared_bytes) {
  const int dense = dense_part_of(term);
  const int columns = dense < 0 ? 0 : term.arguments[0].parts[dense].columns;
  TileShape shape{64, columns, columns | 1, 1 + shared_arguments(term.density)};
  while (shape.rows > 0 && shape.shared_floats() * static_cast<std::int64_t>(sizeof(float)) > shared_bytes) {
    shape.rows = shape.rows > 1 ? shape.rows / 2 : 0;
  }
  return shape;
}

template <class Density>
struct DataTermTile {
  Term term;
  RowList rows;
  BlockPlan plan;
  const float* z;  ///< S x D
  int dimension;
  Partials out;
  TileShape shape;

  /// The arrays in shared memory.
  struct Shared {
    float *x, *constants, *offset, *value, *derivatives;
  };
  JENSEN_HD Shared cut(float* memory) const {
    Shared s{};
    s.x = memory;
    s.constants = s.x + static_cast<std::int64_t>(shape.rows) * shape.stride;
    s.offset = s.constants + shape.rows * max_constants;
    s.value = s.offset + shape.rows;
    s.derivatives = s.value + shape.group_floats();
    return s;
  }

  JENSEN_HD std::int64_t begin(std::int64_t block) const { return block * plan.rows_per_block; }
  JENSEN_HD std::int64_t end(std::int64_t block) const {
    const std::int64_t stop = begin(block) + plan.rows_per_block;
    return stop < rows.count ? stop : rows.count;
  }

  JENSEN_HD void clear(std::int64_t block, int thread) const {
    double* sums = out.at(block, 0);
    for (int i = thread; i < out.samples * (1 + out.slots); i += tile_threads) sums[i] = 0;
  }

  JENSEN_HD void load(const Shared& s, std::int64_t first_row, int count, int thread) const {
    const Predictor& predictor = term.arguments[0];
    if (shape.columns > 0) {
      const float* x = predictor.parts[dense_part_of(term)].x;
      for (int i = thread; i < count * shape.columns; i += tile_threads) {
        const int r = i / shape.columns;
        const int k = i % shape.columns;
        s.x[r * shape.stride + k] = x[rows[first_row + r] * shape.columns + k];
      }
    }
    for (int r = thread; r < count; r += tile_threads) {
      const std::int64_t row = rows[first_row + r];
      for (int c = 0; c < max_constants; ++c) {
        s.constants[r * max_constants + c] = term.constants[c] == nullptr ? 0.0F : term.constants[c][row];
      }
      s.offset[r] = predictor.constant + (predictor.offset == nullptr ? 0.0F : predictor.offset[row]);
    }
  }

  JENSEN_HD void evaluate(const Shared& s, int count, int first_sample, int samples, int thread) const {
    const int dense = dense_part_of(term);
    for (int i = thread; i < count * samples; i += tile_threads) {
      const int r = i % count;
      const int l = i / count;
      const float* latent = z + static_cast<std::int64_t>(first_sample + l) * dimension;
      float eta = s.offset[r] + scalars(term.arguments[0], latent);
      if (dense >= 0) {
        const float* theta = latent + term.arguments[0].parts[dense].first;
        const float* x = s.x + r * shape.stride;
        for (int k = 0; k < shape.columns; ++k) eta += x[k] * theta[k];
      }
      float shared[max_shared] = {};
      for (int a = 0; a < Density::shared; ++a) {
        shared[a] = term.arguments[1 + a].constant + scalars(term.arguments[1 + a], latent);
      }
      const auto v = Density::evaluate(s.constants + r * max_constants, eta, Density::prepare(shared));
      s.value[l * shape.rows + r] = v.log_density;
      for (int a = 0; a <= Density::shared; ++a) s.derivatives[a * shape.group_floats() + l * shape.rows + r] = v.d[a];
    }
  }

  JENSEN_HD void reduce(const Shared& s, std::int64_t block, int count, int first_sample, int samples,
                        int thread) const {
    for (int i = thread; i < samples * (1 + out.slots); i += tile_threads) {
      const int slot = i % (1 + out.slots);
      const int l = i / (1 + out.slots);
      float total = 0;
      if (slot == 0) {
        for (int r = 0; r < count; ++r) total += s.value[l * shape.rows + r];
      } else {
        total = slot_sum(slot - 1, s, s.derivatives + l * shape.rows, count);
      }
      out.at(block, first_sample + l)[slot] += static_cast<double>(total);
    }
  }

 private:
  JENSEN_HD static float scalars(const Predictor& predictor, const float* latent) {
    float a = 0;
    for (int p = 0; p < predictor.part_count; ++p) {
      const Part& part = predictor.parts[p];
      if (part.kind == PartKind::scalar) a += part.scale * latent[part.first];
    }
    return a;
  }

  /// Sum over the tile's rows of the derivative by one slot: chain rule through the predictor. `derivatives` are a
  /// sample's by a_0; those by a_1 .. follow a group apart.
  JENSEN_HD float slot_sum(int slot, const Shared& s, const float* derivatives, int count) const {
    for (int a = 0; a <= Density::shared; ++a) {
      const float* derivative = derivatives + a * shape.group_floats();
      for (int p = 0; p < term.arguments[a].part_count; ++p) {
        const Part& part = term.arguments[a].parts[p];
        if (slot < part.columns) {
          float total = 0;
          if (part.kind == PartKind::scalar) {
            for (int r = 0; r < count; ++r) total += derivative[r];
            return total * part.scale;
          }
          for (int r = 0; r < count; ++r) total += derivative[r] * s.x[r * shape.stride + slot];
          return total;
        }
        slot -= part.columns;
      }
    }
    return 0;
  }
};

}  // namespace jensen
