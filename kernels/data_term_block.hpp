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

/// M, N: the bucket, N being the tiles of samples of each block exactly; Element: float or std::uint16_t. Samples
/// beyond the last have coefficients of zero, and nothing of theirs is written.
template <class Block, class Element, int M, int N, class Densities = BuiltInDensities>
class DataTermBlock : TileStream<Block, Element, Densities> {
  using Stream = TileStream<Block, Element, Densities>;
  using Stream::block_, Stream::work_, Stream::plan_, Stream::thread_, Stream::samples_, Stream::floats;

 public:
  /// Block `number` of the launch.
  JENSEN_DEVICE DataTermBlock(Block& block, const DataTermWork& work, std::int64_t number)
      : Stream(block, work, number) {}

  JENSEN_DEVICE void run() {
    fill_theta();
    fill_places();
    this->prepare_samples();
    this->clear(plan_.derivative);
    block_.sync();
    this->begin_tiles();
    float gradient[M][N][4] = {};
    double sums[4] = {};  // of f, df/da_0, df/da_1, df/da_2: of this thread's sample and rows
    int unflushed = 0;
    bool first = true;
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
      if (unflushed >= flush_rows || i + 1 == this->tile_count()) {
        flush(gradient, first);
        unflushed = 0;
        first = false;
      }
    }
    if (work_.pass == DataTermPass::whole || work_.pass == DataTermPass::evaluate) this->finish(sums, thread_);
  }

 private:
  /// Tiles of 16 columns that collect() takes at once, each with sums of its own besides G: as many as registers hold.
  /// The other ones take turns, and each turn reads d anew.
  static constexpr int columns_at_once = M * N <= 16 ? M : N <= 4 ? 2 : 1;

  /// Tiles of samples whose products are interleaved: fewer where other warps' fill the time as well, as two blocks on
  /// a multiprocessor leave a thread half the registers.
  static constexpr int samples_at_once = M == 1 && N == 8 ? 2 : N < 4 ? N : 4;

  struct alignas(8) Two {
    float of[2];
  };
  /// The thread's place in its block and in fragments. Opaque, or what follows from it would be computed once, before
  /// the loop over tiles, and occupy more registers for as long as that takes than there are.
  struct Lane {
    int warp, g, t, number;
  };
  JENSEN_DEVICE Lane lane() const {
    const int thread = opaque(thread_);
    return {thread >> 5, (thread & 31) >> 2, thread & 3, thread & 31};
  }
  /// A row of the tile: its number, and where its d stands among those of a sample.
  struct alignas(8) Place {
    int row, slope;
  };
  JENSEN_DEVICE Place* places() const { return reinterpret_cast<Place*>(floats(plan_.places)); }

  /// Where the rows of a tile stand, in the order of eta's: the same for all tiles.
  JENSEN_DEVICE void fill_places() {
    for (int at = thread_; at < plan_.rows; at += tile_threads) {
      const RowPlace place = place_of_row(plan_, at >> 3, at & 7);
      places()[at] = {row_of_octet(plan_, at >> 3, at & 7), place.step * N * 64 + (at & 6) + place.half};
    }
  }

  /// Theta as fragments of the first product's b: for each (step of 8 columns, tile of 8 samples), two floats a lane.
  JENSEN_DEVICE void fill_theta() {
    constexpr int at_once = 8;  // reads on their way: each takes longer than all else here
    constexpr int stride = tile_threads / 64;
    const int column = thread_ / 2 % 4 + 4 * (thread_ % 2);
    const int s = thread_ / 8 % 8;
    float* theta = floats(0) + thread_ % 64;
    for (int first = thread_ / 64; first < plan_.k_steps() * N; first += at_once * stride) {
      float values[at_once];
      JENSEN_UNROLL
      for (int i = 0; i < at_once; ++i) {
        const int k = (first + i * stride) / N * 8 + column;
        const int sample = (first + i * stride) % N * 8 + s;
        const bool exists = k < plan_.columns && sample < samples_;
        values[i] = exists ? this->latent(sample)[work_.first + k] * work_.scale : 0.0F;
      }
      JENSEN_UNROLL
      for (int i = 0; i < at_once; ++i) {
        const int place = first + i * stride;
        if (place < plan_.k_steps() * N) theta[place * 64] = work_.split ? values[i] : tf32::rounded(values[i]);
      }
    }
  }

  /// An element of X for a product.
  template <bool Split>
  JENSEN_DEVICE float factor(Element x) const {
    const float value = this->number(x);
    return Split || sizeof(Element) < sizeof(float) ? value : tf32::half_up(value);
  }

  /// A step's b for `samples_at_once` tiles of samples.
  template <bool Split>
  struct Right {
    float high[samples_at_once][2], low[Split ? samples_at_once : 1][2];
    /// From a lane's two floats of the first tile.
    explicit JENSEN_DEVICE Right(const float* from) {
      JENSEN_UNROLL
      for (int n = 0; n < samples_at_once; ++n) {
        const Two two = *reinterpret_cast<const Two*>(from + n * 64);
        JENSEN_UNROLL
        for (int i = 0; i < 2; ++i) {
          high[n][i] = two.of[i];
          if constexpr (Split) low[n][i] = two.of[i] - tf32::truncated(two.of[i]);
        }
      }
    }
  };

  /// c[first + n] += a b[n]. A product waits for the one before it that adds to the same sum, so those of one kind are
  /// taken for all tiles of samples before the next kind.
  template <bool Split>
  JENSEN_DEVICE void multiply(float (&c)[N][4], int first, const tf32::Operand<Split, 4>& a, const Right<Split>& b) {
    if constexpr (Split) {
      if constexpr (sizeof(Element) == sizeof(float)) {  // halves have no low part
        JENSEN_UNROLL
        for (int n = 0; n < samples_at_once; ++n) block_.multiply(c[first + n], a.low, b.high[n]);
      }
      JENSEN_UNROLL
      for (int n = 0; n < samples_at_once; ++n) block_.multiply(c[first + n], a.high, b.low[n]);
    }
    JENSEN_UNROLL
    for (int n = 0; n < samples_at_once; ++n) block_.multiply(c[first + n], a.high, b.high[n]);
  }

  template <bool Split>
  JENSEN_DEVICE void predict(const Element* x) {
    const auto [warp, g, t, number] = lane();
    const int row_tiles = plan_.rows >> 4;
    const int row_warps = tile_warps >> plan_.column_split_shift;  // if columns are split, as many as row tiles
    const int part = warp >> (tile_warp_shift - plan_.column_split_shift);
    const int begin = plan_.k_steps() * part >> plan_.column_split_shift;
    const int end = plan_.k_steps() * (part + 1) >> plan_.column_split_shift;
    for (int tile = warp & (row_warps - 1); tile < row_tiles; tile += row_warps) {
      const Element* upper = x + row_of_octet(plan_, 2 * tile, g) * plan_.stride + t + 8 * begin;
      const Element* lower = x + row_of_octet(plan_, 2 * tile + 1, g) * plan_.stride + t + 8 * begin;
      const float* b = floats(0) + begin * N * 64 + number * 2;
      float c[N][4] = {};
      JENSEN_UNROLL_BY_2
      for (int k = begin; k < end; ++k) {
        const tf32::Operand<Split, 4> a(factor<Split>(upper[0]), factor<Split>(lower[0]), factor<Split>(upper[4]),
                                        factor<Split>(lower[4]));
        JENSEN_UNROLL
        for (int n = 0; n < N; n += samples_at_once) multiply<Split>(c, n, a, Right<Split>(b + n * 64));
        upper += 8;
        lower += 8;
        b += N * 64;
      }
      // Rows of eta stand in the order of the octets.
      float* eta = floats(plan_.eta) + ((part * row_tiles + tile) * 16 + g) * plan_.eta_stride + 2 * t;
      JENSEN_UNROLL
      for (int n = 0; n < N; ++n) {
        *reinterpret_cast<Two*>(eta + n * 8) = {{c[n][0], c[n][1]}};
        *reinterpret_cast<Two*>(eta + n * 8 + 8 * plan_.eta_stride) = {{c[n][2], c[n][3]}};
      }
    }
  }

  /// x theta of a row is the sum of what warps left: 1, 2, 4 or 8 parts, none where there are no columns. They are read
  /// long before they are added, one after the other and without a loop, which would wait for each.
  struct Parts {
    float of[4] = {};
    JENSEN_DEVICE void read(const float* from, int parts, int stride) {
      if (parts > 0) of[0] = from[0];
      if (parts > 1) of[1] = from[stride];
      if (parts > 2) {
        of[2] = from[2 * stride];
        of[3] = from[3 * stride];
      }
      if (parts > 4) {
        JENSEN_UNROLL
        for (int i = 0; i < 4; ++i) of[i] += from[(4 + i) * stride];
      }
    }
    JENSEN_DEVICE float sum() const { return (of[0] + of[1]) + (of[2] + of[3]); }
  };
  /// Where d of sample s begins among the fragments of the second product's b: 64 floats for each (step, tile of 8
  /// samples).
  JENSEN_DEVICE float* slopes(int s) const { return floats(plan_.derivative) + (s >> 3) * 64 + (s & 7) * 8; }
  JENSEN_DEVICE float left(float slope) const { return work_.split ? slope : tf32::rounded(slope); }

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
      const auto [r, slope] = places()[at];
      if (work_.pass == DataTermPass::collect) {
        slopes(s)[slope] = left(r < count ? work_.derivative[kept(tile, r, s)] : 0.0F);
      } else if (r < count) {
        float& eta = work_.partial[kept(tile, r, s)];
        Parts dot;
        dot.read(floats(plan_.eta) + at * plan_.eta_stride + s, plan_.column_splits, plan_.rows * plan_.eta_stride);
        eta = dot.sum() + (work_.first_column > 0 ? eta : 0.0F);
      }
    }
  }

  /// Adds the eta of columns before these to what warps left of the thread's rows, from the one in place `at` on.
  JENSEN_DEVICE void add_partial(int tile, int s, int at) {
    const int count = this->row_count(tile);
    for (; at < plan_.rows; at += tile_threads >> plan_.lane_shift) {
      const int r = places()[at].row;
      if (r < count) floats(plan_.eta)[at * plan_.eta_stride + s] += work_.partial[kept(tile, r, s)];
    }
  }

  JENSEN_DEVICE void evaluate(int tile, double (&sums)[4]) {
    const int s = thread_ & ((1 << plan_.lane_shift) - 1);
    int at = thread_ >> plan_.lane_shift;
    if (s >= samples_ || at >= plan_.rows) return;
    const float* columns = this->columns();
    const int count = this->row_count(tile);
    if (work_.partial != nullptr) add_partial(tile, s, at);
    // Opaque, or they would be read from the kernel's parameters for every row, which takes as long as a density.
    const int parts = opaque(plan_.columns > 0 ? plan_.column_splits : 0);
    const int part_stride = opaque(plan_.rows * plan_.eta_stride);
    const int step = tile_threads >> plan_.lane_shift;
    const float* part = floats(plan_.eta) + at * plan_.eta_stride + s;
    float* const to = slopes(s);
    // Of the next row, on their way while a row is evaluated.
    Place next = places()[at];
    Parts next_dot;
    next_dot.read(part, parts, part_stride);
    float of_tile[4] = {};
    Densities::with_response(work_.density, [&](auto density) {
      using Density = decltype(density);
      typename Density::template Prepared<float> prepared;
      __builtin_memcpy(&prepared, __builtin_assume_aligned(floats(plan_.prepared) + s * prepared_floats, 16),
                       sizeof(prepared));
      const float scalar = floats(plan_.scalars)[s];
      JENSEN_ROLLED
      for (; at < plan_.rows; at += step) {
        const auto [r, place] = next;
        float eta = scalar + next_dot.sum();
        const int ahead = at + step < plan_.rows ? step : 0;
        part += ahead * plan_.eta_stride;
        next = places()[at + ahead];
        next_dot.read(part, parts, part_stride);
        float slope = 0;
        if (r < count) {
          const auto value = this->template evaluate_row<Density>(prepared, columns, tile, r, s, eta);
          slope = value.d[0];
          of_tile[0] += value.log_density;
          JENSEN_UNROLL
          for (int a = 0; a <= Density::shared; ++a) of_tile[1 + a] += value.d[a];
        }
        to[place] = left(slope);
      }
    });
    JENSEN_UNROLL
    for (int i = 0; i < 4; ++i) sums[i] += static_cast<double>(of_tile[i]);
  }

  /// Each tile's products start from zero and are added to G by ordinary additions: tensor cores truncate what they
  /// accumulate, which over thousands of rows would be a bias.
  template <bool Split>
  JENSEN_DEVICE void collect(const Element* x, float (&gradient)[M][N][4]) {
    const auto [warp, g, t, number] = lane();
    const int shift = column_warp_shift();
    const int column_warp = warp & ((1 << shift) - 1);
    const int steps = plan_.rows >> 3 >> (tile_warp_shift - shift);
    const int begin = (warp >> shift) * steps;
    const Element* column = x + column_warp * 16 + g;
    JENSEN_UNROLL
    for (int first = 0; first < M; first += columns_at_once) {
      if (M > columns_at_once && column_warp + (first << shift) >= plan_.column_tiles) break;
      float c[columns_at_once][N][4] = {};
      const float* b = floats(plan_.derivative) + begin * N * 64 + number * 2;
      JENSEN_ROLLED
      for (int k = begin; k < begin + steps; ++k, b += N * 64) {
        const Element* upper = column + row_of_step(plan_, k, t) * plan_.stride;
        const Element* lower = upper + plan_.stride;
        JENSEN_UNROLL
        for (int n = 0; n < N; n += samples_at_once) {
          const Right<Split> right(b + n * 64);
          JENSEN_UNROLL
          for (int i = 0; i < columns_at_once; ++i) {
            const int m = first + i;
            if (column_warp + (m << shift) < plan_.column_tiles) {
              const int at = m * 16 << shift;
              const tf32::Operand<Split, 4> a(factor<Split>(upper[at]), factor<Split>(upper[at + 8]),
                                              factor<Split>(lower[at]), factor<Split>(lower[at + 8]));
              multiply<Split>(c[i], n, a, right);
            }
          }
        }
      }
      // Opaque, or c of all turns would be kept for one addition after both forms of this function.
      JENSEN_UNROLL
      for (int i = 0; i < columns_at_once; ++i) {
        JENSEN_UNROLL
        for (int n = 0; n < N; ++n) {
          JENSEN_UNROLL
          for (int j = 0; j < 4; ++j) gradient[first + i][n][j] = opaque(gradient[first + i][n][j] + c[i][n][j]);
        }
      }
    }
  }
  /// 2^this many warps share the columns. With several column tiles a warp all of them do, see tile_plan(); known here,
  /// addresses are constants.
  JENSEN_DEVICE int column_warp_shift() const {
    return M > 1 ? tile_warp_shift : tile_warp_shift - plan_.row_split_shift;
  }

  /// Adds G to the Partials and starts it anew; warps that share columns take turns. `first`: nothing is there yet but
  /// zeros.
  JENSEN_DEVICE void flush(float (&gradient)[M][N][4], bool first) {
    constexpr int at_once = M * N > 16 ? 2 : samples_at_once;  // tiles whose sums are read before the first is written
    const int shift = column_warp_shift();
    const auto [warp, g, t, number] = lane();
    const int column = (warp & ((1 << shift) - 1)) * 16 + g;
    const int sample = 2 * t;
    const int width = opaque(1 + work_.out.slots);
    double* const out =
        work_.out.at(this->number_, this->first_sample_ + sample) + this->dense_slot() + work_.first_column + column;
    for (int turn = 0; turn < plan_.row_splits; ++turn) {
      if (turn > 0) block_.sync();
      if (turn != warp >> shift) continue;
      const bool fresh = first && turn == 0;
      JENSEN_UNROLL
      for (int m = 0; m < M; ++m) {
        JENSEN_UNROLL
        for (int n = 0; n < N; n += at_once) {
          double sums[at_once][4];
          const auto each = [&](auto&& f) {
            JENSEN_UNROLL
            for (int i = 0; i < at_once; ++i) {
              JENSEN_UNROLL
              for (int j = 0; j < 4; ++j) {
                const int k = (m * 16 << shift) + j / 2 * 8;
                const int s = (n + i) * 8 + j % 2;
                if (column + k < plan_.columns && sample + s < samples_) f(out[s * width + k], i, j);
              }
            }
          };
          each([&](const double& sum, int i, int j) { sums[i][j] = fresh ? 0.0 : sum; });
          each([&](double& sum, int i, int j) {
            sum = sums[i][j] + static_cast<double>(gradient[m][n + i][j] * work_.scale);
          });
          JENSEN_UNROLL
          for (int i = 0; i < at_once; ++i) {
            JENSEN_UNROLL
            for (int j = 0; j < 4; ++j) gradient[m][n + i][j] = 0;
          }
        }
      }
    }
  }
};

}  // namespace jensen
