#pragma once
/// \file Tiles of a block's rows on their way from device memory to shared memory, and what every data term does with a
/// row's small parts.

#include <cstdint>

#include "data_term_work.hpp"

namespace jensen {

/// Rows of X, constants and offset of tile 0, 1, .. of one block of rows, `stages` of them at a time. Base of the
/// kernels' blocks, for one group of samples.
template <class Block, class Element, class Densities>
class TileStream {
 protected:
  JENSEN_DEVICE TileStream(Block& block, const DataTermWork& work, std::int64_t number)
      : block_(block),
        work_(work),
        plan_(work.plan),
        memory_(block.shared()),
        thread_(block.thread()),
        number_(number / plan_.groups),
        first_sample_(static_cast<int>(number % plan_.groups) * plan_.group_samples) {
    const int left = work.out.samples - first_sample_;
    samples_ = left < plan_.group_samples ? left : plan_.group_samples;
    begin_ = number_ * work.blocks.rows_per_block;
    const std::int64_t left_rows = work.rows.count - begin_;
    rows_ = static_cast<int>(left_rows < work.blocks.rows_per_block ? left_rows : work.blocks.rows_per_block);
    tiles_ = (rows_ + plan_.rows - 1) / plan_.rows;
    stage_ = plan_.stages - 1;
    const bool in_order = work_.rows.indices == nullptr && plan_.width == plan_.pitch &&
                          (padding() == 0 || reinterpret_cast<std::uintptr_t>(work_.x) % 16 == 0);
    if (in_order) x_ = static_cast<const char*>(work_.x) + (work_.rows.first + begin_) * row_bytes();
    for (int c = 0; c < max_constants; ++c) {
      if (work_.constants[c] != nullptr) present_ |= 1 << c;
    }
    if (work_.arguments[0].offset != nullptr) present_ |= 1 << max_constants;
    present_ = opaque(present_);
  }

  JENSEN_DEVICE int tile_count() const { return tiles_; }

  /// Starts the copies of the first tiles: after a barrier that follows clear().
  JENSEN_DEVICE void begin_tiles() {
    for (int i = 0; i + 1 < plan_.stages; ++i) {
      if (i < tiles_) load(i, i);
      block_.commit();
    }
  }
  /// Waits for tile i with the whole block, and starts the copies of the one that takes the place of tile i - 1. From
  /// here on until the next call x() and columns() are those of tile i.
  JENSEN_DEVICE void next_tile(int i) {
    wait();
    block_.sync();
    const int freed = stage_;
    stage_ = stage_ + 1 == plan_.stages ? 0 : stage_ + 1;
    if (i + plan_.stages - 1 < tiles_) load(i + plan_.stages - 1, freed);
    block_.commit();
  }
  JENSEN_DEVICE const Element* x() const { return reinterpret_cast<const Element*>(stage_at(stage_) + before()); }
  /// Constants, then the offset: plan.rows of each.
  JENSEN_DEVICE const float* columns() const {
    return reinterpret_cast<const float*>(stage_at(stage_) + plan_.stage_x);
  }

  /// What depends on the sample alone; zeros in the block's Partials.
  JENSEN_DEVICE void prepare_samples() {
    for (int s = thread_; s < samples_; s += tile_threads) {
      floats(plan_.scalars)[s] = scalars(work_.arguments[0], latent(s));
      float shared[max_shared] = {};
      for (int a = 1; a < work_.argument_count; ++a) shared[a - 1] = scalars(work_.arguments[a], latent(s));
      Densities::with_response(work_.density, [&](auto density) {
        using Prepared = typename decltype(density)::template Prepared<float>;
        static_assert(sizeof(Prepared) <= prepared_floats * sizeof(float));
        const Prepared prepared = decltype(density)::prepare(shared);
        __builtin_memcpy(floats(plan_.prepared) + s * prepared_floats, &prepared, sizeof(Prepared));
      });
    }
    if (work_.pass == DataTermPass::collect) return;     // stands on what evaluate left
    double* out = work_.out.at(number_, first_sample_);  // samples' numbers stand one after the other
    for (int i = thread_; i < samples_ * (1 + work_.out.slots); i += tile_threads) out[i] = 0;
  }
  /// Zeros from byte `begin` of shared memory to its end, so that no row beyond the last holds a NaN.
  JENSEN_DEVICE void clear(int begin) {
    struct alignas(16) Zeros {
      float of[4];
    };
    auto* rest = reinterpret_cast<Zeros*>(memory_ + begin);
    for (int i = thread_; i < (plan_.bytes - begin) / 16; i += tile_threads) rest[i] = {};
  }

  /// Value and derivatives of a tile's row r at sample s, where X and scalars give eta; weighted. Leaves df/da_0 where
  /// segment sums look for it.
  template <class Density>
  JENSEN_DEVICE Value<float, 1 + Density::shared> evaluate_row(
      const typename Density::template Prepared<float>& prepared, const float* columns, int tile, int r, int s,
      float eta) {
    const int rows = plan_.rows;
    // Opaque, or registers would hold what follows from them for all rows.
    const auto at = [&] { return table_row(opaque(tile), r); };
    eta += columns[max_constants * rows + r];
    if (work_.derivative != nullptr) eta += gathered(at(), first_sample_ + opaque(s));
    const float constants[max_constants] = {columns[r], columns[rows + r], columns[2 * rows + r]};
    auto value = Density::evaluate(constants, eta, prepared);
    if (work_.weights != nullptr) {
      const float weight = work_.weights[at()];
      value.log_density *= weight;
      JENSEN_UNROLL
      for (int a = 0; a <= Density::shared; ++a) value.d[a] *= weight;
    }
    if (work_.derivative != nullptr) derivative(opaque(tile), r, opaque(s)) = value.d[0];
    return value;
  }
  /// A tile's row in the table. In 64 bits: only where it is needed.
  JENSEN_DEVICE std::int64_t table_row(int tile, int r) const { return work_.rows[first_row(tile) + r]; }
  /// Where df/da_0 is left.
  JENSEN_DEVICE float& derivative(int tile, int r, int s) const {
    return work_.derivative[(first_row(tile) + r) * work_.derivative_stride + first_sample_ + s];
  }

  /// Slot of the dense part's first column, the value's being 0.
  JENSEN_DEVICE int dense_slot() const {
    int slot = 1;
    for (int p = 0; work_.arguments[0].parts[p].kind != PartKind::dense; ++p) {
      slot += slots_of(work_.arguments[0].parts[p]);
    }
    return slot;
  }

  /// Adds the threads' sums by a tree whose shape is fixed, and writes value and scalar parts. `place`: this thread's
  /// among them, whose last plan.lane_shift bits are the sample.
  JENSEN_DEVICE void finish(const double (&sums)[4], int place) {
    block_.sync();
    auto* tree = reinterpret_cast<double*>(memory_ + plan_.eta);
    for (int i = 0; i < 4; ++i) tree[i * tile_threads + place] = sums[i];
    for (int half = tile_threads / 2; half >= 1 << plan_.lane_shift; half /= 2) {
      block_.sync();
      if (thread_ >= half) continue;
      for (int i = 0; i < 4; ++i) tree[i * tile_threads + thread_] += tree[i * tile_threads + thread_ + half];
    }
    if (thread_ >= samples_) return;  // each thread reads what it wrote itself
    double* out = work_.out.at(number_, first_sample_ + thread_);
    out[0] = tree[thread_];
    int slot = 1;
    for (int a = 0; a < work_.argument_count; ++a) {
      for (int p = 0; p < work_.arguments[a].part_count; ++p) {
        const Part& part = work_.arguments[a].parts[p];
        if (part.kind == PartKind::scalar) {
          out[slot] = tree[(1 + a) * tile_threads + thread_] * static_cast<double>(part.scale);
        }
        slot += slots_of(part);
      }
    }
  }
  /// Bytes of a row in device memory, and from its end to the next in shared memory.
  JENSEN_DEVICE int row_bytes() const { return plan_.pitch * static_cast<int>(sizeof(Element)); }
  JENSEN_DEVICE int padding() const { return (plan_.stride - plan_.width) * static_cast<int>(sizeof(Element)); }
  /// Bytes before a tile's first row in its stage: copies of rows in order begin at addresses that 16 divides, as the
  /// size of a tile's rows.
  JENSEN_DEVICE int before() const { return static_cast<int>(reinterpret_cast<std::uintptr_t>(x_) % 16); }
  JENSEN_DEVICE float* floats(int offset) const { return reinterpret_cast<float*>(memory_ + offset); }
  JENSEN_DEVICE char* stage_at(int stage) const { return memory_ + plan_.first_stage + stage * plan_.stage_bytes; }
  JENSEN_DEVICE std::int64_t first_row(int tile) const { return begin_ + static_cast<std::int64_t>(tile) * plan_.rows; }
  JENSEN_DEVICE int row_count(int tile) const {
    const int left = rows_ - tile * plan_.rows;
    return left < plan_.rows ? left : plan_.rows;
  }

  JENSEN_DEVICE float scalars(const Predictor& predictor, const float* latent) const {
    float a = predictor.constant;
    for (int p = 0; p < predictor.part_count; ++p) {
      const Part& part = predictor.parts[p];
      if (part.kind == PartKind::scalar) a += part.scale * latent[part.first];
    }
    return a;
  }

  JENSEN_DEVICE const float* latent(int s) const {
    return work_.z + static_cast<std::int64_t>(first_sample_ + s) * work_.dimension;
  }

  JENSEN_DEVICE const Element* row_of(std::int64_t i) const {
    return static_cast<const Element*>(work_.x) + work_.rows[i] * plan_.pitch;
  }
  /// Starts the copies of a tile to a stage.
  JENSEN_DEVICE void load(int tile, int to_stage) {
    const std::int64_t first = first_row(tile);
    const int count = row_count(tile);
    char* stage = stage_at(to_stage);
    if (plan_.columns > 0) {
      constexpr int size = static_cast<int>(sizeof(Element));
      // What divides the addresses of all rows' first elements, and their lengths.
      const auto together = reinterpret_cast<std::uintptr_t>(work_.x) |
                            static_cast<std::uintptr_t>(plan_.pitch * size) |
                            static_cast<std::uintptr_t>(plan_.width * size);
      if (x_ != nullptr) {
        const char* from = x_ + static_cast<std::int64_t>(tile * plan_.rows) * row_bytes() - before();
        padding() == 0 ? copy_flat(stage, from, before() + count * row_bytes())
                       : copy_padded(stage, from, count * row_bytes());
      } else if (together % 16 == 0) {
        load_rows<16>(stage, first, count);
      } else if (together % 8 == 0) {
        load_rows<8>(stage, first, count);
      } else {
        load_rows<4>(stage, first, count);
      }
    }
    float* columns = reinterpret_cast<float*>(stage + plan_.stage_x);
    JENSEN_UNROLL
    for (int c = 0; c <= max_constants; ++c) {
      if ((present_ >> c & 1) == 0) continue;  // stays zero
      const float* column = c < max_constants ? work_.constants[c] : work_.arguments[0].offset;
      JENSEN_ROLLED
      for (int r = thread_; r < count; r += tile_threads) {
        block_.template copy_async<4>(columns + c * plan_.rows + r, column + work_.rows[first + r], 4);
      }
    }
  }

  /// 16 bytes a thread, four times before it looks again. The last are fewer than 16 where the table ends.
  JENSEN_DEVICE void copy_flat(char* to, const char* from, int bytes) {
    constexpr int round = 16 * tile_threads;
    int at = 16 * thread_;
    JENSEN_ROLLED
    for (; at + 3 * round + 16 <= bytes; at += 4 * round) copy_rounds<4>(to + at, from + at);
    if (at + round + 16 <= bytes) {
      copy_rounds<2>(to + at, from + at);
      at += 2 * round;
    }
    if (at + 16 <= bytes) {
      copy_rounds<1>(to + at, from + at);
      at += round;
    }
    if (at < bytes) block_.template copy_async<16>(to + at, from + at, bytes - at);
  }
  template <int Rounds>
  JENSEN_DEVICE void copy_rounds(char* to, const char* from) {
    JENSEN_UNROLL
    for (int i = 0; i < Rounds; ++i) {
      block_.template copy_async<16>(to + i * 16 * tile_threads, from + i * 16 * tile_threads, 16);
    }
  }
  /// The same into rows with padding between: 16 divides all their sizes, as tile_plan() pads multiples of 32 bytes.
  JENSEN_DEVICE void copy_padded(char* to, const char* from, int bytes) {
    constexpr int round = 16 * tile_threads;
    const int pieces = row_bytes() / 16;
    const int rows = tile_threads / pieces, rest = tile_threads % pieces;  // of a round
    int piece = thread_ % pieces;
    int at = 16 * thread_;
    to += at + thread_ / pieces * padding();
    const auto copy = [&] {
      block_.template copy_async<16>(to, from + at, 16);
      at += round;
      piece += rest;
      const bool next_row = piece >= pieces;
      piece -= next_row ? pieces : 0;
      to += round + rows * padding() + (next_row ? padding() : 0);
    };
    JENSEN_ROLLED
    while (at + 3 * round < bytes) {
      JENSEN_UNROLL
      for (int i = 0; i < 4; ++i) copy();
    }
    JENSEN_ROLLED
    while (at < bytes) copy();
  }
  /// Row by row: a few threads a row.
  template <int Bytes>
  JENSEN_DEVICE void load_rows(char* stage, std::int64_t first, int count) {
    const int bytes = plan_.width * static_cast<int>(sizeof(Element));
    const int thread = opaque(thread_);  // or what follows from it would be kept from tile to tile
    const int lane_bytes = (thread & ((1 << plan_.copy_shift) - 1)) * Bytes;
    const int step = Bytes << plan_.copy_shift;
    for (int r = thread >> plan_.copy_shift; r < count; r += tile_threads >> plan_.copy_shift) {
      const char* from = reinterpret_cast<const char*>(row_of(first + r)) + lane_bytes;
      char* to = stage + r * plan_.stride * static_cast<int>(sizeof(Element)) + lane_bytes;
      int left = bytes - lane_bytes;
      for (; left > 3 * step; left -= 4 * step, from += 4 * step, to += 4 * step) {
        JENSEN_UNROLL
        for (int i = 0; i < 4; ++i) block_.template copy_async<Bytes>(to + i * step, from + i * step, Bytes);
      }
      JENSEN_ROLLED
      for (; left > 0; left -= step, from += step, to += step) block_.template copy_async<Bytes>(to, from, Bytes);
    }
  }

  JENSEN_DEVICE void wait() {
    if (plan_.stages == 2) {
      block_.template wait<0>();
    } else {
      block_.template wait<1>();
    }
  }

  JENSEN_DEVICE float number(float x) const { return x; }
  JENSEN_DEVICE float number(std::uint16_t x) const { return half_value(x, work_.bfloat); }

  /// Gathered effects of a row.
  JENSEN_DEVICE float gathered(std::int64_t row, int sample) const {
    float a = 0;
    for (int p = 0; p < work_.arguments[0].part_count; ++p) {
      const Part& part = work_.arguments[0].parts[p];
      if (part.kind != PartKind::gather) continue;
      const std::int64_t effect = part.first_effect + static_cast<std::int64_t>(part.index[row]) * part.columns;
      for (int k = 0; k < part.columns; ++k) {
        a += (part.x == nullptr ? 1.0F : part.x[row * part.columns + k]) * work_.effects.at(effect + k, sample);
      }
    }
    return a;
  }

  Block& block_;
  const DataTermWork& work_;
  const TilePlan& plan_;
  char* memory_;
  int thread_;
  std::int64_t number_;  ///< of the block of rows
  int first_sample_, samples_ = 0;
  std::int64_t begin_ = 0;    ///< its first row
  int rows_ = 0, tiles_ = 0;  ///< of the block
  int stage_ = 0;             ///< of the tile that next_tile() waited for
  const char* x_ = nullptr;   ///< the block's first row, if rows follow one another in device memory
  int present_ = 0;           ///< bits: of the constants and, last, the offset those that are not null
};

}  // namespace jensen
