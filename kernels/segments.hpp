#pragma once
/// \file Sums of row derivatives by level, in an order that threads do not change.
///
/// The rows of each window (a minibatch that is always the same rows) are listed by level once, and the list is cut
/// into chunks of one level each. A step sums chunk by chunk, then each level over its chunks.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "buffer.hpp"
#include "segment_stages.hpp"

namespace jensen {

constexpr std::int64_t chunk_rows = 128;

/// Chunks and touched levels of all windows, on the host.
struct SegmentTable {
  std::vector<std::int32_t> rows;             ///< row - first row of its window, by window, then by level
  std::vector<std::int64_t> chunk_begin;      ///< place in `rows`; one more than there are chunks
  std::vector<std::int32_t> level;            ///< of each touched (window, level)
  std::vector<std::int64_t> level_chunk;      ///< its first chunk; one more than there are
  std::vector<std::int64_t> window_level{0};  ///< first touched level of each window; one more than there are
};

/// `levels`: each row's level, below `level_count`; `window_begin`: first row of each window, and the end.
inline SegmentTable make_segments(std::span<const std::int32_t> levels, std::int64_t level_count,
                                  std::span<const std::int64_t> window_begin) {
  SegmentTable table;
  table.rows.resize(levels.size());
  std::vector<std::int64_t> place(static_cast<std::size_t>(level_count) + 1);
  for (std::size_t w = 0; w + 1 < window_begin.size(); ++w) {
    const std::int64_t begin = window_begin[w];
    const std::int64_t end = window_begin[w + 1];
    std::fill(place.begin(), place.end(), 0);
    for (std::int64_t i = begin; i < end; ++i)
      ++place[static_cast<std::size_t>(levels[static_cast<std::size_t>(i)]) + 1];
    std::int64_t at = begin;
    for (std::int64_t j = 0; j < level_count; ++j) {
      const std::int64_t count = place[static_cast<std::size_t>(j) + 1];
      place[static_cast<std::size_t>(j)] = at;
      if (count == 0) continue;
      table.level.push_back(static_cast<std::int32_t>(j));
      table.level_chunk.push_back(static_cast<std::int64_t>(table.chunk_begin.size()));
      for (std::int64_t c = 0; c < count; c += chunk_rows) table.chunk_begin.push_back(at + c);
      at += count;
    }
    for (std::int64_t i = begin; i < end; ++i) {
      std::int64_t& next = place[static_cast<std::size_t>(levels[static_cast<std::size_t>(i)])];
      table.rows[static_cast<std::size_t>(next++)] = static_cast<std::int32_t>(i - begin);
    }
    table.window_level.push_back(static_cast<std::int64_t>(table.level.size()));
  }
  table.level_chunk.push_back(static_cast<std::int64_t>(table.chunk_begin.size()));
  table.chunk_begin.push_back(static_cast<std::int64_t>(levels.size()));
  return table;
}

/// The table on a device, and the two stages for one window.
template <class Backend>
class Segments {
 public:
  Segments() = default;
  Segments(Backend& backend, const SegmentTable& table, int effects, std::int64_t stride)
      : backend_(&backend),
        effects_(effects),
        stride_(stride),
        window_level_(table.window_level),
        rows_(backend, std::span<const std::int32_t>(table.rows)),
        level_(backend, std::span<const std::int32_t>(table.level)),
        chunk_begin_(backend, std::span<const std::int64_t>(table.chunk_begin)),
        level_chunk_(backend, std::span<const std::int64_t>(table.level_chunk)) {
    std::int64_t most = 0;
    for (std::size_t w = 0; w + 1 < window_level_.size(); ++w) {
      first_chunk_.push_back(table.level_chunk[static_cast<std::size_t>(window_level_[w])]);
      const std::int64_t end = table.level_chunk[static_cast<std::size_t>(window_level_[w + 1])];
      chunks_.push_back(end - first_chunk_.back());
      const std::int64_t rows = table.chunk_begin[static_cast<std::size_t>(end)] -
                                table.chunk_begin[static_cast<std::size_t>(first_chunk_.back())];
      rows_of_chunk_.push_back(rows / std::max<std::int64_t>(chunks_.back(), 1));
      most = std::max(most, chunks_.back());
    }
    sums_ = {backend, static_cast<std::size_t>(most * effects * stride)};
  }

  /// Adds the window's sums by level to `sums` (coordinates of the group x stride). `derivative`: rows x value_stride.
  void add(std::size_t window, const float* derivative, std::int64_t value_stride, const float* covariates, int samples,
           float* sums) const {
    const std::int64_t touched = window_level_[window + 1] - window_level_[window];
    backend_->for_each_sample("sum_chunks", chunks_[window],
                              SumChunkOfRows{rows_.data(), chunk_begin_.data(), first_chunk_[window], derivative,
                                             value_stride, covariates, effects_, samples, stride_, sums_.data()},
                              std::max<std::int64_t>(rows_of_chunk_[window], 1) * effects_);
    backend_->for_each_sample("add_chunks", touched,
                              AddChunksOfLevel{level_.data(), level_chunk_.data(), window_level_[window],
                                               first_chunk_[window], sums_.data(), effects_, samples, stride_, sums},
                              4 * effects_);
  }

 private:
  Backend* backend_ = nullptr;
  int effects_ = 1;
  std::int64_t stride_ = 0;
  std::vector<std::int64_t> window_level_, first_chunk_, chunks_;
  std::vector<std::int64_t> rows_of_chunk_;  ///< on average
  Buffer<Backend, std::int32_t> rows_, level_;
  Buffer<Backend, std::int64_t> chunk_begin_, level_chunk_;
  Buffer<Backend, float> sums_;
};

}  // namespace jensen
