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
///     evaluate: a thread has one sample and some rows: adds the parts of eta, offset and gathered effects,
///               evaluates f, leaves d
///     collect:  a warp has tiles of 16 columns, or a share of their rows; adds to G
///
/// `Block` is the device's (block_cuda.cuh) or the tests' imitation: thread(), shared(), sync(), copy_async<B>(to,
/// from, bytes), commit(), wait<N>() and multiply(c, a, b), one m16n8k8 TF32 product of a warp. Of its fragments lane
/// 4 g + t holds [PTX ISA, "Matrix Fragments for mma.m16n8k8"]
///
///     a: (row g, column t), (g + 8, t), (g, t + 4), (g + 8, t + 4)      b: (t, sample g), (t + 4, g)
///     c: (g, 2 t), (g, 2 t + 1), (g + 8, 2 t), (g + 8, 2 t + 1)

#include <cstdint>

#include "tf32.hpp"
#include "tile_stream.hpp"

namespace jensen {

/// M, N: the bucket; Element: float or std::uint16_t.
template <class Block, class Element, int M, int N, class Densities = BuiltInDensities>
class DataTermBlock : TileStream<Block, Element, Densities> {
  using Stream = TileStream<Block, Element, Densities>;
  using Stream::block_, Stream::work_, Stream::plan_, Stream::thread_, Stream::samples_, Stream::floats;

 public:
  /// Block `number` of the launch.
  JENSEN_DEVICE DataTermBlock(Block& block, const DataTermWork& work, std::int64_t number)
      : Stream(block, work, number), warp_(thread_ / 32), g_(thread_ % 32 / 4), t_(thread_ % 4) {}

  JENSEN_DEVICE void run() {
    fill_theta();
    this->prepare_samples();
    this->clear(plan_.derivative);
    block_.sync();
    this->begin_tiles();
    float gradient[M][N][4] = {};
    double sums[4] = {};  // of f, df/da_0, df/da_1, df/da_2: of this thread's sample and rows
    int unflushed = 0;
    for (int i = 0; i < this->tile_count(); ++i) {
      this->next_tile(i);
      const Element* x = this->x();
      if (plan_.columns > 0 && work_.pass != DataTermPass::collect) {
        work_.split ? predict<true>(x) : predict<false>(x);
        block_.sync();
      }
      if (work_.pass == DataTermPass::predict || work_.pass == DataTermPass::collect) {
        exchange(i);
      } else {
        evaluate(i, sums);
      }
      if (plan_.columns == 0 || work_.pass == DataTermPass::predict || work_.pass == DataTermPass::evaluate) continue;
      block_.sync();
      work_.split ? collect<true>(x, gradient) : collect<false>(x, gradient);
      unflushed += plan_.rows;
      if (unflushed >= flush_rows) {
        flush(gradient);
        unflushed = 0;
      }
    }
    if (unflushed > 0) flush(gradient);
    if (work_.pass == DataTermPass::whole || work_.pass == DataTermPass::evaluate) this->finish(sums);
  }

 private:
  /// Theta as fragments of the first product's b: for each (step of 8 columns, tile of 8 samples), two floats a lane.
  JENSEN_DEVICE void fill_theta() {
    const int tiles = plan_.group_samples / 8;
    float* theta = floats(0);
    for (int i = thread_; i < plan_.k_steps() * tiles * 64; i += tile_threads) {
      const int lane = i / 2 % 32;
      const int column = i / 64 / tiles * 8 + lane % 4 + 4 * (i % 2);
      const int s = i / 64 % tiles * 8 + lane / 4;
      float value = 0;
      if (column < plan_.columns && s < samples_) value = this->latent(s)[work_.first + column] * work_.scale;
      theta[i] = work_.split ? value : tf32::rounded(value);
    }
  }

  /// An element of X for a product.
  template <bool Split>
  JENSEN_DEVICE float factor(Element x) const {
    const float value = this->number(x);
    return Split || sizeof(Element) < sizeof(float) ? value : tf32::half_up(value);
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

  /// x theta of the row in place `at` of the tile: the sum of what warps left.
  JENSEN_DEVICE float dot(int at, int s) const {
    const float* parts = floats(plan_.eta) + at * plan_.eta_stride + s;
    float sum = 0;
    for (int part = 0; part < plan_.column_splits; ++part) sum += parts[part * plan_.rows * plan_.eta_stride];
    return sum;
  }
  /// d, to its place among the fragments of the second product's b: 64 floats for each (step, tile of 8 samples).
  JENSEN_DEVICE void leave(int at, int s, float slope) {
    const RowPlace place = place_of_row(plan_, at >> 3, at & 7);
    floats(
        plan_.derivative)[place.step * plan_.group_samples * 8 + (s >> 3) * 64 + (s & 7) * 8 + (at & 6) + place.half] =
        work_.split ? slope : tf32::rounded(slope);
  }
  /// Where what is kept of a row between passes stands.
  JENSEN_DEVICE std::int64_t kept(int tile, int r, int s) const {
    return (this->first_row(tile) + r) * work_.derivative_stride + this->first_sample_ + s;
  }

  /// Between passes: adds eta to what is kept of it, or takes d from what was.
  JENSEN_DEVICE void exchange(int tile) {
    const int s = thread_ & ((1 << plan_.lane_shift) - 1);
    if (s >= samples_) return;
    const int count = this->row_count(tile);
    for (int at = thread_ >> plan_.lane_shift; at < plan_.rows; at += tile_threads >> plan_.lane_shift) {
      const int r = row_of_octet(plan_, at >> 3, at & 7);
      if (work_.pass == DataTermPass::collect) {
        leave(at, s, r < count ? work_.derivative[kept(tile, r, s)] : 0.0F);
      } else if (r < count) {
        float& eta = work_.partial[kept(tile, r, s)];
        eta = dot(at, s) + (work_.first_column > 0 ? eta : 0.0F);
      }
    }
  }

  JENSEN_DEVICE void evaluate(int tile, double (&sums)[4]) {
    const int s = thread_ & ((1 << plan_.lane_shift) - 1);
    if (s >= samples_) return;
    const float* columns = this->columns();
    const int count = this->row_count(tile);
    float of_tile[4] = {};
    Densities::with_response(work_.density, [&](auto density) {
      using Density = decltype(density);
      typename Density::template Prepared<float> prepared;
      __builtin_memcpy(&prepared, floats(plan_.prepared) + s * prepared_floats, sizeof(prepared));
      const float scalar = floats(plan_.scalars)[s];
      for (int at = thread_ >> plan_.lane_shift; at < plan_.rows; at += tile_threads >> plan_.lane_shift) {
        const int r = row_of_octet(plan_, at >> 3, at & 7);
        float slope = 0;
        if (r < count) {
          float eta = scalar;
          if (plan_.columns > 0) eta += dot(at, s);
          if (work_.partial != nullptr) eta += work_.partial[kept(tile, r, s)];
          const auto value = this->template evaluate_row<Density>(prepared, columns, tile, r, s, eta);
          slope = value.d[0];
          of_tile[0] += value.log_density;
          JENSEN_UNROLL
          for (int a = 0; a <= Density::shared; ++a) of_tile[1 + a] += value.d[a];
        }
        if (plan_.columns > 0) leave(at, s, slope);
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
          const Element* upper = x + row_of_step(plan_, k, t_) * plan_.stride + tile * 16 + g_;
          const Element* lower = upper + plan_.stride;
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

  /// Adds G to the Partials and starts it anew; warps that share columns take turns.
  JENSEN_DEVICE void flush(float (&gradient)[M][N][4]) {
    const int column_warps = tile_warps / plan_.row_splits;
    const int slot = this->dense_slot() + work_.first_column;
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
              work_.out.at(this->number_, this->first_sample_ + s)[slot + column] +=
                  static_cast<double>(gradient[m][n][i] * work_.scale);
            }
            gradient[m][n][i] = 0;
          }
        }
      }
    }
  }

  int warp_, g_, t_;
};

}  // namespace jensen
