#pragma once
/// \file The data term on a GPU, as what one thread block does: two products by tensor cores, the density between them.
///
///     eta = X theta (R x S),   d = df/da_0 of each (row, sample),   G += X' d (K x S)          for each tile of R rows
///
/// A block owns a block of rows and walks it tile by tile, for one group of samples. Tiles come in by asynchronous
/// copies, several in flight; G stays in registers and goes to the block's Partials every flush_rows rows. Every sum
/// has one owner and a fixed order, so there are no atomics.
///
/// Between barriers, a tile's phases:
///
///     predict:  a warp has 16 rows, or a share of their columns; leaves (parts of) eta in shared memory
///     evaluate: a thread has one sample and some rows: adds the parts of eta, the offset and gathered effects;
///     evaluates
///               f; leaves d
///     collect:  a warp has tiles of 16 columns, or a share of their rows; adds to G
///
/// `Block` is the device's (block_cuda.cuh) or the tests' imitation: thread(), shared(), sync(), copy_async<B>(to,
/// from, bytes), commit(), wait<N>() and multiply(c, a, b), one m16n8k8 TF32 product of a warp. Of its fragments, lane
/// 4 g + t holds a: (row g, column t), (g + 8, t), (g, t + 4), (g + 8, t + 4); b: (t, sample g), (t + 4, g); c: (g, 2
/// t), (g, 2 t + 1), (g + 8, 2 t), (g + 8, 2 t + 1)  [PTX ISA, "Matrix Fragments for mma.m16n8k8"].

#include <cstdint>

#include "data_term_plan.hpp"
#include "tf32.hpp"

namespace jensen {

/// One evaluation of a term with has_tile_shape(), as the kernel takes it: small enough for a kernel's parameters.
struct DataTermWork {
  DensityKind density;
  int argument_count;
  Predictor arguments[max_data_arguments];
  const float* constants[max_constants];
  const float* weights;
  const void* x;  ///< of the dense part: rows x plan.pitch floats or halves; 16-byte aligned
  int first;      ///< its first latent coordinate
  bool bfloat;    ///< halves are bfloat16, else float16
  bool split;     ///< full float precision by three products, else TF32
  RowList rows;
  BlockPlan blocks;
  const float* z;  ///< S x dimension
  int dimension;
  Partials out;
  Effects effects;                 ///< of gathers
  float* derivative;               ///< where df/da_0 of each (row of the list, sample) is left, or null
  std::int64_t derivative_stride;  ///< samples from row to row
  TilePlan plan;

  DataTermWork(const Term& term, RowList rows_, BlockPlan blocks_, const float* z_, int dimension_, Partials out_,
               const TilePlan& plan_)
      : density(term.density),
        argument_count(term.argument_count),
        weights(term.weights),
        x(nullptr),
        first(0),
        bfloat(false),
        split(true),
        rows(rows_),
        blocks(blocks_),
        z(z_),
        dimension(dimension_),
        out(out_),
        effects(),
        derivative(nullptr),
        derivative_stride(0),
        plan(plan_) {
    for (int a = 0; a < term.argument_count; ++a) arguments[a] = term.arguments[a];
    for (int c = 0; c < max_constants; ++c) constants[c] = term.constants[c];
    const int dense = dense_part_of(term);
    if (dense >= 0) {
      x = term.arguments[0].parts[dense].x;
      first = term.arguments[0].parts[dense].first;
    }
  }
};

/// M, N: the bucket; Element: float or std::uint16_t.
template <class Block, class Element, int M, int N>
class DataTermBlock {
 public:
  JENSEN_DEVICE DataTermBlock(Block& block, const DataTermWork& work, std::int64_t number)
      : block_(block),
        work_(work),
        plan_(work.plan),
        memory_(block.shared()),
        thread_(block.thread()),
        warp_(thread_ / 32),
        g_(thread_ % 32 / 4),
        t_(thread_ % 4),
        number_(number / plan_.groups),
        first_sample_(static_cast<int>(number % plan_.groups) * plan_.group_samples) {
    const int left = work.out.samples - first_sample_;
    samples_ = left < plan_.group_samples ? left : plan_.group_samples;
    begin_ = number_ * work.blocks.rows_per_block;
    end_ =
        begin_ + work.blocks.rows_per_block < work.rows.count ? begin_ + work.blocks.rows_per_block : work.rows.count;
  }

  JENSEN_DEVICE void run() {
    prepare();
    const auto tiles = static_cast<int>((end_ - begin_ + plan_.rows - 1) / plan_.rows);
    for (int i = 0; i + 1 < plan_.stages; ++i) {
      if (i < tiles) load(i);
      block_.commit();
    }
    float gradient[M][N][4] = {};
    double sums[4] = {};  // of f, df/da_0, df/da_1, df/da_2: of this thread's sample and rows
    int unflushed = 0;
    for (int i = 0; i < tiles; ++i) {
      wait();
      block_.sync();  // tile i is there, and the stage before it free
      if (i + plan_.stages - 1 < tiles) load(i + plan_.stages - 1);
      block_.commit();
      const char* stage = stage_of(i);
      const Element* x = reinterpret_cast<const Element*>(stage) + shift(i);
      if (plan_.columns > 0) {
        work_.split ? predict<true>(x) : predict<false>(x);
        block_.sync();
      }
      evaluate(reinterpret_cast<const float*>(stage + plan_.stage_x), i, sums);
      if (plan_.columns == 0) continue;
      block_.sync();
      work_.split ? collect<true>(x, gradient) : collect<false>(x, gradient);
      unflushed += plan_.rows;
      if (unflushed >= flush_rows) {
        flush(gradient);
        unflushed = 0;
      }
    }
    if (unflushed > 0) flush(gradient);
    finish(sums);
  }

 private:
  JENSEN_DEVICE float* floats(int offset) const { return reinterpret_cast<float*>(memory_ + offset); }
  JENSEN_DEVICE char* stage_of(int tile) const {
    return memory_ + plan_.first_stage + tile % plan_.stages * plan_.stage_bytes;
  }
  JENSEN_DEVICE std::int64_t first_row(int tile) const { return begin_ + static_cast<std::int64_t>(tile) * plan_.rows; }
  JENSEN_DEVICE int row_count(int tile) const {
    const std::int64_t left = end_ - first_row(tile);
    return left < plan_.rows ? static_cast<int>(left) : plan_.rows;
  }

  JENSEN_DEVICE float scalars(const Predictor& predictor, const float* latent) const {
    float a = predictor.constant;
    for (int p = 0; p < predictor.part_count; ++p) {
      const Part& part = predictor.parts[p];
      if (part.kind == PartKind::scalar) a += part.scale * latent[part.first];
    }
    return a;
  }

  /// Theta as fragments of the first product's b: for each (step of 8 columns, tile of 8 samples), two floats a lane.
  /// What depends on the sample alone. Zeros in the stages, so that no row beyond the last holds a NaN, and in the
  /// sums.
  JENSEN_DEVICE void prepare() {
    const int padded = plan_.group_samples;
    float* theta = floats(0);
    for (int i = thread_; i < plan_.k_steps() * 8 * padded; i += tile_threads) {
      const int half = i % 2;
      const int lane = i / 2 % 32;
      const int tile = i / 64;
      const int column = tile / (padded / 8) * 8 + lane % 4 + 4 * half;
      const int s = tile % (padded / 8) * 8 + lane / 4;
      float value = 0;
      if (column < plan_.columns && s < samples_) value = latent(s)[work_.first + column];
      theta[i] = work_.split ? value : tf32::rounded(value);
    }
    for (int s = thread_; s < samples_; s += tile_threads) {
      floats(plan_.scalars)[s] = scalars(work_.arguments[0], latent(s));
      float shared[max_shared] = {};
      for (int a = 1; a < work_.argument_count; ++a) shared[a - 1] = scalars(work_.arguments[a], latent(s));
      with_response_density(work_.density, [&](auto density) {
        using Prepared = typename decltype(density)::template Prepared<float>;
        static_assert(sizeof(Prepared) <= prepared_floats * sizeof(float));
        const Prepared prepared = decltype(density)::prepare(shared);
        __builtin_memcpy(floats(plan_.prepared) + s * prepared_floats, &prepared, sizeof(Prepared));
      });
      double* out = work_.out.at(number_, first_sample_ + s);
      for (int i = 0; i <= work_.out.slots; ++i) out[i] = 0;
    }
    struct alignas(16) Zeros {
      float of[4];
    };
    auto* rest = reinterpret_cast<Zeros*>(memory_ + plan_.derivative);
    for (int i = thread_; i < (plan_.bytes - plan_.derivative) / 16; i += tile_threads) rest[i] = {};
    block_.sync();
  }

  JENSEN_DEVICE const float* latent(int s) const {
    return work_.z + static_cast<std::int64_t>(first_sample_ + s) * work_.dimension;
  }

  JENSEN_DEVICE bool flat() const { return work_.rows.indices == nullptr && plan_.stride == plan_.pitch; }
  JENSEN_DEVICE const Element* row_of(std::int64_t i) const {
    return static_cast<const Element*>(work_.x) + work_.rows[i] * plan_.pitch;
  }
  /// Elements before the tile's first in its stage: a flat copy begins at an address that 16 divides.
  JENSEN_DEVICE int shift(int tile) const {
    if (!flat()) return 0;
    return static_cast<int>(reinterpret_cast<std::uintptr_t>(row_of(first_row(tile))) % 16 / sizeof(Element));
  }

  /// Starts the copies of a tile.
  JENSEN_DEVICE void load(int tile) {
    const std::int64_t first = first_row(tile);
    const int count = row_count(tile);
    char* stage = stage_of(tile);
    if (plan_.columns > 0) {
      const int row_bytes = plan_.pitch * static_cast<int>(sizeof(Element));
      if (flat()) {
        const int before = shift(tile) * static_cast<int>(sizeof(Element));
        const char* from = reinterpret_cast<const char*>(row_of(first)) - before;
        const int bytes = before + count * row_bytes;
        for (int at = 16 * thread_; at < bytes; at += 16 * tile_threads) {
          block_.template copy_async<16>(stage + at, from + at, bytes - at < 16 ? bytes - at : 16);
        }
      } else if (row_bytes % 16 == 0) {
        load_rows<16>(stage, first, count, row_bytes);
      } else if (row_bytes % 8 == 0) {
        load_rows<8>(stage, first, count, row_bytes);
      } else {
        load_rows<4>(stage, first, count, row_bytes);
      }
    }
    float* columns = reinterpret_cast<float*>(stage + plan_.stage_x);
    for (int c = 0; c <= max_constants; ++c) {
      const float* column = c < max_constants ? work_.constants[c] : work_.arguments[0].offset;
      if (column == nullptr) continue;  // stays zero
      for (int r = thread_; r < count; r += tile_threads) {
        block_.template copy_async<4>(columns + c * plan_.rows + r, column + work_.rows[first + r], 4);
      }
    }
  }

  /// Row by row: a few threads a row, no more than it has pieces.
  template <int Bytes>
  JENSEN_DEVICE void load_rows(char* stage, std::int64_t first, int count, int row_bytes) {
    const int pieces = row_bytes / Bytes;
    int threads = 1;
    while (threads < pieces && threads < 32) threads *= 2;
    for (int r = thread_ / threads; r < count; r += tile_threads / threads) {
      const char* from = reinterpret_cast<const char*>(row_of(first + r));
      char* to = stage + r * plan_.stride * static_cast<int>(sizeof(Element));
      for (int p = thread_ % threads; p < pieces; p += threads) {
        block_.template copy_async<Bytes>(to + p * Bytes, from + p * Bytes, Bytes);
      }
    }
  }

  JENSEN_DEVICE void wait() {
    if (plan_.stages == 2) {
      block_.template wait<0>();
    } else {
      block_.template wait<1>();
    }
  }

  /// An element of X for a product.
  template <bool Split>
  JENSEN_DEVICE float factor(Element x) const {
    const float value = tf32::to_float(x, work_.bfloat);
    return Split || sizeof(Element) < sizeof(float) ? value : tf32::rounded_finite(value);
  }

  /// c += a b.
  template <bool Split>
  JENSEN_DEVICE void multiply(float (&c)[4], const tf32::Operand<Split, 4>& a, const float* b) {
    const tf32::Operand<Split, 2> right(b[0], b[1]);
    if constexpr (Split) {
      if constexpr (sizeof(Element) == sizeof(float)) block_.multiply(c, a.low, right.high);  // halves have no low part
      block_.multiply(c, a.high, right.low);
    }
    block_.multiply(c, a.high, right.high);
  }

  template <bool Split>
  JENSEN_DEVICE void predict(const Element* x) {
    const int row_tiles = plan_.rows / 16;
    const int sample_tiles = plan_.group_samples / 8;
    for (int unit = warp_; unit < row_tiles * plan_.column_splits; unit += tile_warps) {
      const int tile = unit % row_tiles;
      const int part = unit / row_tiles;
      const Element* upper = x + row_of_octet(plan_, 2 * tile, g_) * plan_.stride + t_;
      const Element* lower = x + row_of_octet(plan_, 2 * tile + 1, g_) * plan_.stride + t_;
      float c[N][4] = {};
      const int stop = plan_.k_steps() * (part + 1) / plan_.column_splits;
      for (int k = plan_.k_steps() * part / plan_.column_splits; k < stop; ++k) {
        const tf32::Operand<Split, 4> a(factor<Split>(upper[8 * k]), factor<Split>(lower[8 * k]),
                                        factor<Split>(upper[8 * k + 4]), factor<Split>(lower[8 * k + 4]));
        const float* b = floats(0) + k * sample_tiles * 64 + thread_ % 32 * 2;
        JENSEN_UNROLL
        for (int n = 0; n < N; ++n) {
          if (n < sample_tiles) multiply<Split>(c[n], a, b + n * 64);
        }
      }
      // Rows of eta stand in the order of the octets.
      float* eta = floats(plan_.eta) + ((part * row_tiles + tile) * 16 + g_) * plan_.eta_stride + 2 * t_;
      JENSEN_UNROLL
      for (int n = 0; n < N; ++n) {
        if (n < sample_tiles) {
          eta[n * 8] = c[n][0];
          eta[n * 8 + 1] = c[n][1];
          eta[n * 8 + 8 * plan_.eta_stride] = c[n][2];
          eta[n * 8 + 8 * plan_.eta_stride + 1] = c[n][3];
        }
      }
    }
  }

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

  JENSEN_DEVICE void evaluate(const float* columns, int tile, double (&sums)[4]) {
    const int s = thread_ & ((1 << plan_.lane_shift) - 1);
    if (s >= samples_) return;
    const std::int64_t first = first_row(tile);
    const int count = row_count(tile);
    const int rows = plan_.rows;
    float of_tile[4] = {};
    with_response_density(work_.density, [&](auto density) {
      using Density = decltype(density);
      typename Density::template Prepared<float> prepared;
      __builtin_memcpy(&prepared, floats(plan_.prepared) + s * prepared_floats, sizeof(prepared));
      const float scalar = floats(plan_.scalars)[s];
      for (int at = thread_ >> plan_.lane_shift; at < rows; at += tile_threads >> plan_.lane_shift) {
        const int r = row_of_octet(plan_, at / 8, at % 8);
        float slope = 0;
        if (r < count) {
          float eta = scalar + columns[max_constants * rows + r];
          if (plan_.columns > 0) {
            const float* parts = floats(plan_.eta) + at * plan_.eta_stride + s;
            for (int part = 0; part < plan_.column_splits; ++part) eta += parts[part * rows * plan_.eta_stride];
          }
          if (work_.derivative != nullptr) eta += gathered(work_.rows[first + r], first_sample_ + s);
          const float constants[max_constants] = {columns[r], columns[rows + r], columns[2 * rows + r]};
          const auto value = Density::evaluate(constants, eta, prepared);
          const float weight = work_.weights == nullptr ? 1.0F : work_.weights[work_.rows[first + r]];
          of_tile[0] += weight * value.log_density;
          slope = weight * value.d[0];
          JENSEN_UNROLL
          for (int a = 1; a <= Density::shared; ++a) of_tile[1 + a] += weight * value.d[a];
          if (work_.derivative != nullptr) {
            work_.derivative[(first + r) * work_.derivative_stride + first_sample_ + s] = slope;
          }
        }
        of_tile[1] += slope;
        if (plan_.columns > 0) {  // as fragments of the second product's b
          const RowPlace place = place_of_row(plan_, r);
          const int fragment = place.j / 2 * (plan_.group_samples / 8) + s / 8;
          floats(plan_.derivative)[(fragment * 32 + s % 8 * 4 + place.t) * 2 + place.j % 2] =
              work_.split ? slope : tf32::rounded(slope);
        }
      }
    });
    JENSEN_UNROLL
    for (int i = 0; i < 4; ++i) sums[i] += static_cast<double>(of_tile[i]);
  }

  /// Each tile's products start from zero and are added to G by ordinary additions: tensor cores truncate what they
  /// accumulate, which over thousands of rows would be a bias.
  template <bool Split>
  JENSEN_DEVICE void collect(const Element* x, float (&gradient)[M][N][4]) {
    const int sample_tiles = plan_.group_samples / 8;
    const int column_warps = tile_warps / plan_.row_splits;
    const int steps = plan_.rows / 8 / plan_.row_splits;
    const int begin = warp_ / column_warps * steps;
    JENSEN_UNROLL
    for (int m = 0; m < M; ++m) {
      const int tile = warp_ % column_warps + m * column_warps;
      if (tile < plan_.column_tiles) {
        float c[N][4] = {};
        for (int k = begin; k < begin + steps; ++k) {
          const Element* upper = x + row_of_place(plan_, 2 * k, t_) * plan_.stride + tile * 16 + g_;
          const Element* lower = x + row_of_place(plan_, 2 * k + 1, t_) * plan_.stride + tile * 16 + g_;
          const tf32::Operand<Split, 4> a(factor<Split>(upper[0]), factor<Split>(upper[8]), factor<Split>(lower[0]),
                                          factor<Split>(lower[8]));
          const float* b = floats(plan_.derivative) + k * sample_tiles * 64 + thread_ % 32 * 2;
          JENSEN_UNROLL
          for (int n = 0; n < N; ++n) {
            if (n < sample_tiles) multiply<Split>(c[n], a, b + n * 64);
          }
        }
        JENSEN_UNROLL
        for (int n = 0; n < N; ++n) {
          JENSEN_UNROLL
          for (int i = 0; i < 4; ++i) gradient[m][n][i] += c[n][i];
        }
      }
    }
  }

  /// Slot of the dense part's first column, the value's being 0.
  JENSEN_DEVICE int dense_slot() const {
    int slot = 1;
    for (int p = 0; work_.arguments[0].parts[p].kind != PartKind::dense; ++p) {
      slot += slots_of(work_.arguments[0].parts[p]);
    }
    return slot;
  }

  /// Adds G to the Partials and starts it anew; warps that share columns take turns.
  JENSEN_DEVICE void flush(float (&gradient)[M][N][4]) {
    const int column_warps = tile_warps / plan_.row_splits;
    const int slot = dense_slot();
    for (int turn = 0; turn < plan_.row_splits; ++turn) {
      if (turn > 0) block_.sync();
      if (turn != warp_ / column_warps) continue;
      JENSEN_UNROLL
      for (int m = 0; m < M; ++m) {
        JENSEN_UNROLL
        for (int n = 0; n < N; ++n) {
          JENSEN_UNROLL
          for (int i = 0; i < 4; ++i) {
            const int column = (warp_ % column_warps + m * column_warps) * 16 + g_ + i / 2 * 8;
            const int s = n * 8 + 2 * t_ + i % 2;
            if (column < plan_.columns && s < samples_) {
              work_.out.at(number_, first_sample_ + s)[slot + column] += static_cast<double>(gradient[m][n][i]);
            }
            gradient[m][n][i] = 0;
          }
        }
      }
    }
  }

  /// Adds the threads' sums by a tree whose shape is fixed, and writes value and scalar parts.
  JENSEN_DEVICE void finish(const double (&sums)[4]) {
    block_.sync();
    auto* tree = reinterpret_cast<double*>(memory_ + plan_.eta);
    for (int i = 0; i < 4; ++i) tree[i * tile_threads + thread_] = sums[i];
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

  Block& block_;
  const DataTermWork& work_;
  const TilePlan& plan_;
  char* memory_;
  int thread_, warp_, g_, t_;
  std::int64_t number_;  ///< of the block of rows
  int first_sample_, samples_ = 0;
  std::int64_t begin_ = 0, end_ = 0;
};

}  // namespace jensen
