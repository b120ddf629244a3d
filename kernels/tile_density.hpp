#pragma once
/// \file What of the CPU's terms depends on the density: f and its derivatives for the rows of a tile. Compiled for
/// each instruction set, for Jensen's own densities and for a user's, and called by its address: products, tiles and
/// sums are compiled once for all densities.

#include <cstddef>
#include <cstdint>

#include "density_value.hpp"
#include "term.hpp"

namespace jensen {

inline constexpr int prepared_room = 16;  ///< floats for what a density prepares for a sample

/// The constants of a tile's rows. Null: zeros.
struct RowConstants {
  const float* of[max_constants];
  JENSEN_HD const float*& operator[](int c) { return of[c]; }
  JENSEN_HD const float* operator[](int c) const { return of[c]; }
};

/// Sums over rows of the value and of df/da_0 .., each in N lanes.
template <int N>
struct EachSums {
  alignas(64) float value[N];
  alignas(64) float product[N];  ///< of 1 + excess, less 1: exact too where all of them are small. Else 0
  alignas(64) float d[1 + max_shared][N];
};
/// Of a lone sample, whose lanes hold rows.
inline constexpr int lone_sums = 32;

/// Rows of a tile of a term of any shape.
struct Place {
  std::int64_t begin;  ///< first row of the tile among the term's
  int count, next_count;
  RowConstants constants;
  const float* weights;
};

/// Sums over rows of the value and of df/da_k in N lanes.
template <int N>
struct TileSums {
  alignas(64) float value[N] = {};
  alignas(64) float d[max_arguments][N] = {};
};

/// The predictors of a tile: eta_a of row r is at[a][r * lanes ..].
struct TileEta {
  float* at[max_arguments];
  int lanes;
  JENSEN_HD float* operator()(int a, int r) const { return at[a] + static_cast<std::ptrdiff_t>(r) * lanes; }
};

/// A density for one instruction set.
struct TileDensity {
  int shared = 0;         ///< arguments after a_0
  bool factored = false;  ///< whether EachSums::product is anything but 0

  /// Data terms, where the arguments after a_0 are the same for all rows. Null: the density has too many of them.
  /// a_1 .. of one sample; leaves up to prepared_room floats.
  void (*prepare)(const float* others, float* prepared) = nullptr;
  /// For a group of 8, 16 or 32 samples: eta, rows x L, becomes df/da_0; the sums over rows of f, df/da_0 .. are added
  /// to `totals`, (2 + shared) x L. `prepared`: prepared_room floats of each sample.
  using Group = void(int rows, const RowConstants& constants, const float* prepared, float* eta, double* totals);
  Group* group8 = nullptr;
  Group* group16 = nullptr;
  Group* group32 = nullptr;  ///< null where groups are not so large
  /// For one sample. `sums` are added to, or overwritten if this `begins` them.
  void (*lone)(int rows, const RowConstants& constants, const float* prepared, float* eta, bool begins,
               EachSums<lone_sums>& sums) = nullptr;

  /// Terms of any shape. `varies`: a_1 .. differ from row to row. eta_k becomes df/da_k, times the row's weight. Lanes
  /// are 8 or 16 samples, or 16 rows of one sample, whose tile has whole vectors of rows.
  template <int N>
  using Tile = void(const Term& term, const Place& place, bool varies, const TileEta& eta, TileSums<N>& sums);
  Tile<8>* samples8 = nullptr;
  Tile<16>* samples16 = nullptr;
  Tile<16>* rows16 = nullptr;

  bool compiled() const { return rows16 != nullptr; }
};

}  // namespace jensen
