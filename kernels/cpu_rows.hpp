#pragma once
/// \file Where the rows of X are that a tile reads.
///
/// Rows are read where they lie, by whole vectors or groups of columns, which reach beyond a row's end into the next.
/// What is read there is multiplied by zero or not used: it must be finite, as X is.

#include "cpu_lanes.hpp"

namespace jensen::JENSEN_ISA {
namespace {

/// Rows of X that follow one another, and rows that lie wherever they do.
struct InPlace {
  const float* first;
  std::ptrdiff_t columns;
  JENSEN_HD const float* operator[](std::ptrdiff_t r) const { return first + r * columns; }
  JENSEN_HD InPlace from(std::ptrdiff_t r) const { return {first + r * columns, columns}; }
};
struct Listed {
  const float* const* at;
  JENSEN_HD const float* operator[](std::ptrdiff_t r) const { return at[r]; }
  JENSEN_HD Listed from(std::ptrdiff_t r) const { return {at + r}; }
};

/// The rows of a tile.
struct TileRows {
  const float* in_place;       ///< the rows of this tile and of the next, if they follow one another, else null
  const float* const* listed;  ///< if null: where each row is, of this tile and then of the next
  int columns;
  /// f(the rows, as a type of their own)
  template <class F>
  JENSEN_HD void with(F&& f) const {
    if (in_place != nullptr) return f(InPlace{in_place, columns});
    f(Listed{listed});
  }
};

/// The rows of a matrix. The last ones, after which too little follows, are copied to `edge`, which has room for
/// edge_room() floats; null: none is, and nothing may read beyond a row's end.
class RowPlaces {
 public:
  /// A row's columns and whole vectors of any instruction set.
  static JENSEN_HD std::size_t padded(std::size_t columns) { return (columns + 15) / 16 * 16; }
  static JENSEN_HD std::size_t edge_room(std::size_t columns) {
    return 16 * padded(columns < 16 ? columns : 1) + padded(columns);
  }

  RowPlaces() = default;
  JENSEN_HD RowPlaces(const float* x, int columns, std::int64_t all_rows, float* edge)
      : x_(x),
        edge_(edge),
        columns_(columns),
        padded_(static_cast<std::int64_t>(padded(static_cast<std::size_t>(columns)))),
        edge_row_(all_rows) {
    if (columns == 0 || edge == nullptr) return;
    const std::int64_t short_of = padded_ / columns - (padded_ % columns == 0 ? 1 : 0);
    edge_row_ = all_rows > short_of ? all_rows - short_of : 0;
    for (std::int64_t i = edge_row_; i < all_rows; ++i, edge += padded_) {
      for (std::int64_t k = 0; k < padded_; ++k) edge[k] = k < columns ? x[i * columns + k] : 0.0F;
    }
  }
  /// Rows begin .. of a list, `count` of this tile and `next_count` of the next. `listed`: room for twice `count`, used
  /// if the tile's rows do not follow one another; where there are fewer next rows, they end in one of this tile.
  JENSEN_HD TileRows tile(const RowList& rows, std::int64_t begin, int count, int next_count,
                          const float** listed) const {
    TileRows tile{nullptr, listed, static_cast<int>(columns_)};
    const std::int64_t row = rows.first + begin;
    if (rows.indices == nullptr && row + count <= edge_row_) {
      tile.in_place = x_ + row * columns_;
      return tile;
    }
    for (int r = 0; r < count + next_count; ++r) listed[r] = (*this)(rows[begin + r]);
    for (int r = next_count; r < count && next_count > 0; ++r) listed[count + r] = listed[count];
    return tile;
  }

 private:
  JENSEN_HD const float* operator()(std::int64_t row) const {
    return row >= edge_row_ ? edge_ + (row - edge_row_) * padded_ : x_ + row * columns_;
  }

  const float* x_ = nullptr;
  const float* edge_ = nullptr;
  std::int64_t columns_ = 0, padded_ = 0;
  std::int64_t edge_row_ = 0;
};

}  // namespace
}  // namespace jensen::JENSEN_ISA
