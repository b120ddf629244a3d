#pragma once
/// \file The data term of two to eight samples and few columns on a GPU: a warp takes eight rows from predictor to
/// gradient by itself.
///
/// Samples are the rows of the first product, theta' X', so that its fragments' places are those of the second product,
/// X' d: lane 4 g + t gets eta of sample g in two rows and gives d of the same two. So neither passes through shared
/// memory, a tile has one barrier, and theta is in registers for the whole block. The second half of a tensor core's 16
/// rows, which eight samples would leave empty, holds what the first leaves of theta: of a product of split numbers two
/// of the three parts are one.
///
/// Fragments: data_term_block.hpp.

#include <cstdint>

#include "tf32.hpp"
#include "tile_stream.hpp"

namespace jensen {

/// K: columns that registers are kept for, a multiple of 16.
template <class Block, class Element, int K, class Densities = BuiltInDensities>
class DataTermEight : TileStream<Block, Element, Densities> {
  using Stream = TileStream<Block, Element, Densities>;
  using Stream::block_, Stream::work_, Stream::plan_, Stream::thread_, Stream::samples_, Stream::floats;

 public:
  JENSEN_DEVICE DataTermEight(Block& block, const DataTermWork& work, std::int64_t number)
      : Stream(block, work, number),
        warp_(thread_ / 32),
        g_(thread_ % 32 / 4),
        t_(thread_ % 4),
        effects_(opaque(work.derivative != nullptr ? with_effects : 0)) {}

  JENSEN_DEVICE void run() {
    fill_theta();
    this->prepare_samples();
    this->clear(plan_.eta);
    block_.sync();
    this->begin_tiles();
    double sums[4] = {};  // of f, df/da_0, df/da_1, df/da_2: of this lane's sample and rows
    int unflushed = 0;
    for (int i = 0; i < this->tile_count(); ++i) {
      this->next_tile(i);
      add_tile(i, sums);
      unflushed += plan_.rows;
      if (unflushed >= tile_warps * flush_rows) {
        flush();
        unflushed = 0;
      }
    }
    if (unflushed > 0) flush();
    this->finish(sums, (warp_ * 4 + t_) * 8 + g_);
  }

 private:
  /// What a tile's rows add to `sums`.
  struct TileSums {
    float of[4] = {};
    float excess = 0;  ///< prod (1 + e) - 1, whose logarithm is to be subtracted from f: see FactoredDensity
  };
  /// A lane's two rows of a chunk of eight.
  struct Pair {
    float eta[2];
    float weight[2] = {1, 1};  ///< negative where there is no such row or sample
    float slope[2];
  };

  /// Theta as the first product's a: of sample g, and below what the leading bits leave of it.
  JENSEN_DEVICE void fill_theta() {
    JENSEN_UNROLL
    for (int k = 0; k < K / 8; ++k) {
      JENSEN_UNROLL
      for (int half = 0; half < 2; ++half) {
        const int column = 8 * k + t_ + 4 * half;
        float value = 0;
        if (column < plan_.columns && g_ < samples_) value = this->latent(g_)[work_.first + column] * work_.scale;
        theta_[k][2 * half] = work_.split ? value : tf32::rounded(value);
        theta_[k][2 * half + 1] = work_.split ? value - tf32::truncated(value) : 0.0F;
      }
    }
  }

  /// What few terms or tiles need, as bits: weights, which cut off a tile's missing rows too; gathers.
  static constexpr int weighted = 1, with_effects = 2;

  /// Each tile's products start from zero: see DataTermBlock::collect().
  JENSEN_DEVICE void add_tile(int tile, double (&sums)[4]) {
    constexpr int step = 8 * tile_warps;  // rows from a warp's chunk to its next; row_of_octet() goes on as evenly
    const int between = 1 << plan_.octet_shift;
    const Element* across = this->x() + row_of_octet(plan_, warp_, g_) * plan_.stride + t_;
    int row = row_of_octet(plan_, warp_, 2 * t_);  // and row + between
    const Element* upper = this->x() + row * plan_.stride + g_;
    const Element* lower = upper + between * plan_.stride;
    const float* columns[2] = {this->columns() + row, this->columns() + row + between};
    const int s = g_ < samples_ ? g_ : 0;  // lanes without a sample repeat the first; nothing is made of it
    const float* prepared = floats(plan_.prepared) + s * prepared_floats;
    const float scalar = floats(plan_.scalars)[s];
    const int special =
        opaque((this->row_count(tile) < plan_.rows || work_.weights != nullptr ? weighted : 0) + effects_);
    float c[K / 16][4] = {};
    TileSums of_tile;
    JENSEN_ROLLED
    for (int left = plan_.rows / step; left > 0; --left) {
      Pair pair;
      work_.split ? predict<true>(across, pair) : predict<false>(across, pair);
      JENSEN_UNROLL
      for (int j = 0; j < 2; ++j) pair.eta[j] += scalar + columns[j][max_constants * plan_.rows];
      if (special != 0) look_up(tile, row, pair);
      Densities::with_response(work_.density, [&](auto density) {
        evaluate<decltype(density)>(prepared, columns, opaque(special), pair, of_tile);
      });
      if ((opaque(special) & with_effects) != 0) leave(tile, row, pair);
      work_.split ? collect<true>(upper, lower, pair, c) : collect<false>(upper, lower, pair, c);
      across += step * plan_.stride;
      upper += step * plan_.stride;
      lower += step * plan_.stride;
      columns[0] += step;
      columns[1] += step;
      row += step;
    }
    of_tile.of[0] -= math::log1p(of_tile.excess);
    JENSEN_UNROLL
    for (int i = 0; i < 4; ++i) sums[i] += static_cast<double>(of_tile.of[i]);
    add(c);
  }

  /// An element of X for a product.
  template <bool Split>
  JENSEN_DEVICE float factor(Element x) const {
    const float value = this->number(x);
    return Split || exact ? value : tf32::half_up(value);
  }

  /// Columns beyond the last are multiplied by zero.
  template <bool Split>
  JENSEN_DEVICE void predict(const Element* row, Pair& pair) {
    float high[4] = {}, low[4] = {};  // of X
    JENSEN_UNROLL
    for (int k = 0; k < K / 8; ++k) {
      const tf32::Operand<Split, 2> x(factor<Split>(row[8 * k]), factor<Split>(row[8 * k + 4]));
      if constexpr (Split && !exact) block_.multiply(low, theta_[k], x.low);
      block_.multiply(high, theta_[k], x.high);
    }
    JENSEN_UNROLL
    for (int j = 0; j < 2; ++j) {
      pair.eta[j] = high[j];
      if constexpr (Split) pair.eta[j] += high[j + 2];
      if constexpr (Split && !exact) pair.eta[j] += low[j] + low[j + 2];
    }
  }

  /// Weights and gathered effects.
  JENSEN_DEVICE void look_up(int tile, int row, Pair& pair) const {
    JENSEN_UNROLL
    for (int j = 0; j < 2; ++j) {
      const int r = row + (j << plan_.octet_shift);
      if (r >= this->row_count(tile) || g_ >= samples_) {
        pair.weight[j] = -1;
        continue;
      }
      if (work_.weights != nullptr) pair.weight[j] = work_.weights[this->table_row(tile, r)];
      if (work_.derivative != nullptr) {
        pair.eta[j] += this->gathered(this->table_row(tile, r), this->first_sample_ + g_);
      }
    }
  }
  JENSEN_DEVICE void leave(int tile, int row, const Pair& pair) const {
    JENSEN_UNROLL
    for (int j = 0; j < 2; ++j) {
      const int r = row + (j << plan_.octet_shift);
      if (r < this->row_count(tile) && g_ < samples_) this->derivative(tile, r, g_) = pair.slope[j];
    }
  }

  template <class Density>
  JENSEN_DEVICE void evaluate(const float* of_sample, const float* const (&columns)[2], int special, Pair& pair,
                              TileSums& of_tile) const {
    typename Density::template Prepared<float> prepared;
    __builtin_memcpy(&prepared, __builtin_assume_aligned(of_sample, 16), sizeof(prepared));
    Value<float, 1 + Density::shared> value[2];
    float excess[2] = {};
    JENSEN_UNROLL
    for (int j = 0; j < 2; ++j) {
      const float* at = columns[j];
      const float constants[max_constants] = {at[0], at[plan_.rows], at[2 * plan_.rows]};
      if constexpr (FactoredDensity<Density>) {
        excess[j] = Density::excess(constants, pair.eta[j]);
        value[j] = Density::evaluate_factored(constants, pair.eta[j], excess[j]);
      } else {
        value[j] = Density::evaluate(constants, pair.eta[j], prepared);
      }
    }
    if ((special & weighted) != 0) {
      JENSEN_UNROLL
      for (int j = 0; j < 2; ++j) {
        const float weight = pair.weight[j];
        const auto times = [&](float v) { return weight < 0.0F ? 0.0F : weight * v; };  // v may be a NaN of no row's
        if constexpr (FactoredDensity<Density>) value[j].log_density -= math::log1p_unit(excess[j]);
        excess[j] = 0;
        value[j].log_density = times(value[j].log_density);
        JENSEN_UNROLL
        for (int a = 0; a <= Density::shared; ++a) value[j].d[a] = times(value[j].d[a]);
      }
    }
    JENSEN_UNROLL
    for (int j = 0; j < 2; ++j) {
      of_tile.of[0] += value[j].log_density;
      JENSEN_UNROLL
      for (int a = 0; a <= Density::shared; ++a) of_tile.of[1 + a] += value[j].d[a];
      if constexpr (FactoredDensity<Density>) of_tile.excess += excess[j] + of_tile.excess * excess[j];
      pair.slope[j] = value[j].d[0];
    }
  }

  /// d is the second product's b, its rows a's columns t and t + 4.
  template <bool Split>
  JENSEN_DEVICE void collect(const Element* upper, const Element* lower, const Pair& pair, float (&c)[K / 16][4]) {
    const auto slope = [&](int j) { return Split ? pair.slope[j] : tf32::rounded(pair.slope[j]); };
    const tf32::Operand<Split, 2> d(slope(0), slope(1));
    JENSEN_UNROLL
    for (int m = 0; m < K / 16; ++m) {
      const tf32::Operand<Split, 4> x(factor<Split>(upper[16 * m]), factor<Split>(upper[16 * m + 8]),
                                      factor<Split>(lower[16 * m]), factor<Split>(lower[16 * m + 8]));
      if constexpr (Split) {
        if constexpr (!exact) block_.multiply(c[m], x.low, d.high);
        block_.multiply(c[m], x.high, d.low);
      }
      block_.multiply(c[m], x.high, d.high);
    }
  }

  struct alignas(8) Two {
    float of[2];
  };
  /// Each warp has its own G, K x 8, in shared memory: there are registers for a tile's share of it alone.
  JENSEN_DEVICE void add(const float (&c)[K / 16][4]) {
    auto* at = reinterpret_cast<Two*>(floats(plan_.eta) + (warp_ * K + g_) * 8 + 2 * t_);
    JENSEN_UNROLL
    for (int m = 0; m < K / 16; ++m) {
      JENSEN_UNROLL
      for (int half = 0; half < 2; ++half) {
        const Two before = at[(16 * m + 8 * half) * 4];
        at[(16 * m + 8 * half) * 4] = {{before.of[0] + c[m][2 * half], before.of[1] + c[m][2 * half + 1]}};
      }
    }
  }
  /// Adds the warps' G to the Partials and starts it anew.
  JENSEN_DEVICE void flush() {
    block_.sync();
    for (int i = thread_; i < plan_.columns * 8; i += tile_threads) {
      double total = 0;
      for (int w = 0; w < tile_warps; ++w) {
        float& part = floats(plan_.eta)[w * K * 8 + i];
        total += static_cast<double>(part);
        part = 0;
      }
      if (i % 8 >= samples_) continue;
      work_.out.at(this->number_, this->first_sample_ + i % 8)[this->dense_slot() + i / 8] +=
          total * static_cast<double>(work_.scale);
    }
  }

  static constexpr bool exact = sizeof(Element) < sizeof(float);  ///< X in TF32: halves have no low part

  int warp_, g_, t_;
  int effects_;  ///< with_effects or 0
  float theta_[K / 8][4];
};

}  // namespace jensen
