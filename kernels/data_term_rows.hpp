#pragma once
/// \file The data term of one sample and few columns on a GPU: a thread has a row, which it reads once.
///
/// A row's columns stay in registers between its predictor and its share of the gradient, and so does the thread's
/// gradient from row to row. With a single sample tensor cores would multiply seven parts of padding in eight; this way
/// a row costs a third of the instructions, and reading X is all that takes time (docs/performance.md).

#include <cstdint>

#include "tile_stream.hpp"

namespace jensen {

/// K: columns that registers are kept for, a multiple of 4.
template <class Block, class Element, int K, class Densities = BuiltInDensities>
class DataTermRows : TileStream<Block, Element, Densities> {
  using Stream = TileStream<Block, Element, Densities>;
  using Stream::block_, Stream::work_, Stream::plan_, Stream::thread_, Stream::floats;

 public:
  JENSEN_DEVICE DataTermRows(Block& block, const DataTermWork& work, std::int64_t number)
      : Stream(block, work, number) {}

  JENSEN_DEVICE void run() {
    for (int k = thread_; k < K; k += tile_threads) {
      floats(0)[k] = k < plan_.columns ? this->latent(0)[work_.first + k] * work_.scale : 0.0F;
    }
    this->prepare_samples();
    this->clear(plan_.first_stage);
    block_.sync();
    this->begin_tiles();
    float gradient[K] = {};
    double sums[4] = {};
    int tiles = 0;
    for (int i = 0; i < this->tile_count(); ++i) {
      this->next_tile(i);
      if (thread_ < this->row_count(i)) add_row(i, gradient, sums);
      if (++tiles == flush_tiles) {
        flush(gradient);
        tiles = 0;
      }
    }
    if (tiles > 0) flush(gradient);
    this->finish(sums, thread_);
  }

 private:
  static constexpr int flush_tiles = 128;  ///< as many rows a thread adds up in float

  struct alignas(16) Four {
    float of[4];
  };

  JENSEN_DEVICE void add_row(int tile, float (&gradient)[K], double (&sums)[4]) {
    float x[K];
    read_row(this->x() + thread_ * plan_.stride, x);
    float eta[4] = {};
    const auto* theta = reinterpret_cast<const Four*>(floats(0));
    JENSEN_UNROLL
    for (int k = 0; k < K; k += 4) {
      if (k < plan_.columns) {
        const Four by = theta[k / 4];
        JENSEN_UNROLL
        for (int j = 0; j < 4; ++j) eta[j] += x[k + j] * by.of[j];
      }
    }
    const float dot = (eta[0] + eta[1]) + (eta[2] + eta[3]);
    float slope = 0;
    Densities::with_response(work_.density, [&](auto density) {
      using Density = decltype(density);
      typename Density::template Prepared<float> prepared;
      __builtin_memcpy(&prepared, __builtin_assume_aligned(floats(plan_.prepared), 16), sizeof(prepared));
      const auto value = this->template evaluate_row<Density>(prepared, this->columns(), tile, thread_, 0,
                                                              floats(plan_.scalars)[0] + dot);
      slope = value.d[0];
      sums[0] += static_cast<double>(value.log_density);
      JENSEN_UNROLL
      for (int a = 0; a <= Density::shared; ++a) sums[1 + a] += static_cast<double>(value.d[a]);
    });
    JENSEN_UNROLL
    for (int k = 0; k < K; ++k) {
      if (k / 4 * 4 < plan_.columns) gradient[k] += slope * x[k];
    }
  }

  /// 16 bytes at a time where rows begin at such addresses. What stands beyond the last column is multiplied by zero or
  /// not asked for.
  JENSEN_DEVICE void read_row(const Element* row, float (&x)[K]) const {
    constexpr int width = 16 / static_cast<int>(sizeof(Element));
    struct alignas(16) Piece {
      Element of[width];
    };
    const bool aligned =
        (plan_.stride * static_cast<int>(sizeof(Element))) % 16 == 0 && reinterpret_cast<std::uintptr_t>(row) % 16 == 0;
    JENSEN_UNROLL
    for (int k = 0; k < K; k += width) {
      if (k < plan_.columns) {
        if (aligned) {
          const Piece piece = *reinterpret_cast<const Piece*>(row + k);
          JENSEN_UNROLL
          for (int j = 0; j < width; ++j) x[k + j] = this->number(piece.of[j]);
        } else {
          JENSEN_UNROLL
          for (int j = 0; j < width; ++j) x[k + j] = this->number(row[k + j]);
        }
      }
    }
  }

  /// Adds the threads' gradients to the Partials, 32 columns at a time, and starts them anew.
  JENSEN_DEVICE void flush(float (&gradient)[K]) {
    float* values = floats(plan_.eta);  // 32 x row_fold_pitch
    auto* parts = reinterpret_cast<double*>(values + 32 * row_fold_pitch);
    double* out = this->work_.out.at(this->number_, 0) + this->dense_slot();
    JENSEN_UNROLL
    for (int first = 0; first < K; first += 32) {
      if (first < plan_.columns) {
        block_.sync();
        JENSEN_UNROLL
        for (int k = 0; k < 32; ++k) {
          values[k * row_fold_pitch + thread_] = gradient[first + k];
          gradient[first + k] = 0;
        }
        block_.sync();
        double part = 0;  // of every eighth thread
        const float* from = values + thread_ / 8 * row_fold_pitch + thread_ % 8;
        for (int i = 0; i < tile_threads / 8; ++i) part += static_cast<double>(from[8 * i]);
        parts[thread_] = part;
        block_.sync();
        if (thread_ < 32 && first + thread_ < plan_.columns) {
          double total = 0;
          for (int j = 0; j < 8; ++j) total += parts[thread_ * 8 + j];
          out[first + thread_] += total * static_cast<double>(work_.scale);
        }
      }
    }
  }
};

}  // namespace jensen
