#pragma once
/// \file The CPU data term for one instruction set: compiled once for each, with JENSEN_ISA naming the namespace.
///
/// Rows go through in tiles that fit in the caches, the next one asked for while this one is worked on. For a group of
/// L samples:
///
///     eta  = X theta + offset                       rows x L      a_0 of equation (2)
///     f, d = f(eta), df/da_0                        rows x L
///     G   += X^T d                                  K x L         equation (4)
///
/// one sample in each vector lane, so a tile is read from memory once. A lone sample has rows or columns in the lanes
/// instead. Sums are single precision within a tile, double across tiles.
///
/// Densities: the set that the term's is one of (densities/list.hpp, own_density.hpp).

#include <algorithm>

#include "cpu_products.hpp"
#include "cpu_scratch.hpp"

namespace jensen::JENSEN_ISA::data_term {
namespace {

/// One tile of rows, and where the next one is.
struct Tile {
  int rows, next_rows;  ///< next_rows = 0 if there is no next tile
  int columns;
  const float* in_place;                  ///< the rows of both tiles, if they follow one another, else null
  const float* const* listed;             ///< if null: where each row is, of this tile and then of the next
  const float* constants[max_constants];  ///< rows each
  bool zeros[max_constants];              ///< whether they are all zeros, of a constant that the term has not
  const float* offset;                    ///< rows
};

inline constexpr int prepared_room = 16;  ///< floats for what a density prepares for a sample

/// The scratch memory of one thread.
struct Scratch {
  const float** rows;  ///< 2 x most_tile_rows
  float* edge;         ///< the matrix's last rows, each with padding to whole vectors
  float* constants;    ///< max_constants x most_tile_rows
  float* offset;       ///< most_tile_rows
  float* eta;          ///< rows x L; then df/da_0
  float* theta;        ///< of each group, even(K) x L
  float* shift;        ///< of each lane: the common parts of a_0
  float* prepared;     ///< of each lane
  double* totals;      ///< of each group, (value, df/da_0 .., the K of G) x L
  float* lone_theta;   ///< K and padding
  float* gradient;     ///< of a lone sample, K and padding
};

JENSEN_HD Scratch cut(ScratchCutter& memory, std::size_t columns, int samples) {
  const std::size_t groups = lanes_of(samples);
  Scratch s{};
  s.rows = memory.take<const float*>(2 * most_tile_rows);
  s.edge = memory.take<float>(16 * padded(columns < 16 ? columns : 1) + padded(columns));
  s.constants = memory.take<float>(max_constants * most_tile_rows);
  s.offset = memory.take<float>(most_tile_rows);
  s.eta = memory.take<float>(most_tile_rows * eta_lanes);
  s.theta = memory.take<float>(even(columns) * groups);
  s.shift = memory.take<float>(groups);
  s.prepared = memory.take<float>(prepared_room * groups);
  s.totals = memory.take<double>((1 + max_data_arguments + columns) * groups);
  s.lone_theta = memory.take<float>(padded(columns));
  s.gradient = memory.take<float>(padded(columns));
  return s;
}

/// Rows where they lie. But a lone sample reads whole vectors, beyond a row's end: for it the matrix's last rows, after
/// which too little follows, are copied to `edge` (else null). What is read beyond a row is multiplied by zero or not
/// used: it must be finite, as X is.
class RowPlaces {
 public:
  RowPlaces(const float* x, int columns, std::int64_t all_rows, float* edge)
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
  /// The first of `count` rows, if they all follow one another, else null.
  const float* in_place(const RowList& rows, std::int64_t begin, int count) const {
    const std::int64_t row = rows.first + begin;
    return rows.indices == nullptr && row + count <= edge_row_ ? x_ + row * columns_ : nullptr;
  }
  const float* operator()(std::int64_t row) const {
    return row >= edge_row_ ? edge_ + (row - edge_row_) * padded_ : x_ + row * columns_;
  }

 private:
  const float* x_;
  const float* edge_;
  std::int64_t columns_, padded_;
  std::int64_t edge_row_;
};

/// f(the tile's rows, as a type of their own)
template <class F>
JENSEN_HD void with_rows(const Tile& tile, F&& f) {
  if (tile.in_place != nullptr) return f(InPlace{tile.in_place, tile.columns});
  f(Listed{tile.listed});
}

/// a_1 .. of one sample, prepared.
template <class Density>
JENSEN_HD auto prepare(const Term& term, const float* z) {
  float shared[max_shared] = {};
  for (int a = 0; a < Density::shared; ++a) shared[a] = common_parts(term.arguments[1 + a], z);
  return Density::prepare(shared);
}

/// Sums over rows of the value and of df/da_0 .., one in each of N lanes.
template <class Density, int N>
struct LaneSums {
  static constexpr int count = 2 + Density::shared;
  alignas(64) float of[count][N] = {};
};

/// Adds to the slots of one sample. heads[i * head_stride]: the sums of the value and of df/da_0, ..; gradient[k *
/// stride]: the dense part's slot k.
template <class T>
JENSEN_HD void add_slots(const Term& term, const T* heads, int head_stride, const T* gradient, int stride,
                         double* sums) {
  sums[0] += static_cast<double>(heads[0]);
  int slot = 1;
  for (int a = 0; a < term.argument_count; ++a) {
    for (int p = 0; p < term.arguments[a].part_count; ++p) {
      const Part& part = term.arguments[a].parts[p];
      if (part.kind == PartKind::scalar) {
        sums[slot++] += static_cast<double>(part.scale) * static_cast<double>(heads[(1 + a) * head_stride]);
      } else {
        for (int k = 0; k < part.columns; ++k) {
          sums[slot++] += static_cast<double>(gradient[static_cast<std::ptrdiff_t>(k) * stride]);
        }
      }
    }
  }
}

/// The density of all rows for C of a group's samples; eta becomes df/da_0. `lanes`: from one row to the next.
template <class Density, int C>
void evaluate_rows(const Tile& tile, const typename Density::template Prepared<float>* prepared, int lanes, float* eta,
                   LaneSums<Density, C>& sums) {
  const PreparedLanes<Density, C> of_lane{prepared};
  for (int r = 0; r < tile.rows; ++r) {
    float constants[max_constants];
    for (int c = 0; c < max_constants; ++c) constants[c] = tile.constants[c][r];
    float* row = eta + static_cast<std::ptrdiff_t>(r) * lanes;
    // The arguments are written out: a loop over them would keep this one from being vectorised.
#pragma omp simd
    for (int l = 0; l < C; ++l) {
      const auto v = Density::evaluate(constants, row[l], of_lane(l));
      row[l] = v.d[0];
      sums.of[0][l] += v.log_density;
      sums.of[1][l] += v.d[0];
      if constexpr (Density::shared > 0) sums.of[2][l] += v.d[1];
      if constexpr (Density::shared > 1) sums.of[3][l] += v.d[2];
    }
  }
}

/// Rows, or pairs of a row and a sample, that evaluate_each() takes at once.
inline constexpr int most_each = 256;

/// The density of `count` pairs of a row and a sample that have the same `prepared`; eta becomes df/da_0. No sums here,
/// and no `omp simd`: the compiler vectorises the plain loop by itself, also where constants differ from lane to lane,
/// and keeps those of polynomials in registers.
template <class Density>
JENSEN_HD void evaluate_each(int count, const float* const (&constants)[max_constants],
                             const typename Density::template Prepared<float>& prepared, float* eta,
                             float (*others)[most_each]) {
  const float* __restrict c0 = constants[0];
  const float* __restrict c1 = constants[1];
  const float* __restrict c2 = constants[2];
  float* __restrict at = eta;
  float* __restrict value = others[0];
  float* __restrict d1 = others[1];
  float* __restrict d2 = others[2];
  const auto given = prepared;
  for (int i = 0; i < count; ++i) {
    const float c[max_constants] = {c0[i], c1[i], c2[i]};
    const auto v = Density::evaluate(c, at[i], given);
    at[i] = v.d[0];
    value[i] = v.log_density;
    if constexpr (Density::shared > 0) d1[i] = v.d[1];
    if constexpr (Density::shared > 1) d2[i] = v.d[2];
  }
}

/// Of a constant that the term has not.
alignas(64) inline constexpr float no_constant[most_each] = {};

/// The density of all rows for a group whose samples fill half a register: two rows in each. Nothing is prepared.
template <class Density, int L>
void evaluate_by_pairs(const Tile& tile, float* eta, LaneSums<Density, L>& sums) {
  constexpr int rows_at_once = most_each / L;
  alignas(64) float repeated[max_constants][most_each];
  alignas(64) float others[1 + max_shared][most_each];
  static_assert(Lanes<L>::pairs);
  Vec f = {}, d = {};  // sums over pairs of rows of f and of df/da_0
  const float* constants[max_constants];
  for (int c = 0; c < max_constants; ++c) constants[c] = tile.zeros[c] ? no_constant : repeated[c];
  for (int begin = 0; begin < tile.rows; begin += rows_at_once) {
    const int rows = tile.rows - begin < rows_at_once ? tile.rows - begin : rows_at_once;
    for (int c = 0; c < max_constants; ++c) {
      for (int r = 0; r < rows && !tile.zeros[c]; ++r) {
        for (int l = 0; l < L; ++l) repeated[c][r * L + l] = tile.constants[c][begin + r];
      }
    }
    float* at = eta + static_cast<std::ptrdiff_t>(begin) * L;
    evaluate_each<Density>(rows * L, constants, {}, at, others);
    int i = 0;
    for (; i + width <= rows * L; i += width) {
      f += load(others[0] + i);
      d += load(at + i);
    }
    for (; i < rows * L; ++i) {
      f[i % L] += others[0][i];
      d[i % L] += at[i];
    }
  }
  for (int l = 0; l < width; ++l) {
    sums.of[0][l % L] += f[l];
    sums.of[1][l % L] += d[l];
  }
}

/// A group of L samples at work: what of the scratch memory is its own.
template <class Density, int L>
struct Group {
  using Prepared = typename Density::template Prepared<float>;
  static_assert(sizeof(Prepared) <= prepared_room * sizeof(float));
  static constexpr int heads = LaneSums<Density, L>::count;

  const float* theta;
  float* shift;
  Prepared* prepared;
  double* totals;

  Group(const Scratch& scratch, const SampleGroup& of, int columns)
      : theta(scratch.theta + static_cast<std::ptrdiff_t>(of.sample) * even(columns)),
        shift(scratch.shift + of.sample),
        prepared(
            reinterpret_cast<Prepared*>(scratch.prepared + static_cast<std::ptrdiff_t>(of.sample) * prepared_room)),
        totals(scratch.totals + static_cast<std::ptrdiff_t>(of.sample) * (1 + max_data_arguments + columns)) {}

  void start(const Term& term, const float* latent, int dimension, int live, int columns) {
    for (int l = 0; l < L; ++l) {
      const float* z = latent + static_cast<std::ptrdiff_t>(l < live ? l : 0) * dimension;  // padding repeats the first
      shift[l] = common_parts(term.arguments[0], z);
      prepared[l] = prepare<Density>(term, z);
    }
    for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(heads + columns) * L; ++i) totals[i] = 0;
  }

  void add(const Tile& tile, float* eta, bool asks) const {
    for (int r = 0; r < tile.rows; ++r) {
      for (int l = 0; l < L; ++l) eta[static_cast<std::ptrdiff_t>(r) * L + l] = tile.offset[r] + shift[l];
    }
    const int ahead = asks && tile.next_rows > 0 ? tile.rows : 0;
    with_rows(tile, [&](auto x) { multiply_rows<L>(x, ahead, tile.rows, tile.columns, theta, eta); });
    constexpr int chunk = std::min(L, 16);
    for (int l = 0; l < L; l += chunk) {
      LaneSums<Density, chunk> sums;
      if constexpr (Lanes<L>::pairs && Density::shared == 0) {
        evaluate_by_pairs(tile, eta, sums);
      } else {
        evaluate_rows<Density, chunk>(tile, prepared + l, L, eta + l, sums);
      }
      for (int i = 0; i < heads; ++i) {
        for (int j = 0; j < chunk; ++j) totals[i * L + l + j] += static_cast<double>(sums.of[i][j]);
      }
    }
    with_rows(tile, [&](auto x) { multiply_columns<L>(x, tile.rows, tile.columns, eta, totals + heads * L); });
  }

  void finish(const Term& term, int live, double* sums, int stride) const {
    for (int l = 0; l < live; ++l) {
      add_slots(term, totals + l, L, totals + heads * L + l, L, sums + static_cast<std::ptrdiff_t>(l) * stride);
    }
  }
};

/// Adds `count` numbers to sums in lanes; a vector's rest goes to lane 0.
JENSEN_HD void add_to_lanes(const float* from, int count, Vec& sums) {
  int r = 0;
  for (; r + width <= count; r += width) sums += load(from + r);
  for (; r < count; ++r) sums[0] += from[r];
}

/// Rows whose products and density follow one another: so few that reading the next ones goes on meanwhile.
inline constexpr int lone_rows = 32;
static_assert(lone_rows <= most_each);

/// One sample.
template <class Density>
void add_lone(const Term& term, const Tile& tile, int first, const float* z, double* sums, const Scratch& scratch) {
  const int padded_columns = (tile.columns + width - 1) / width * width;
  float* eta = scratch.eta;
  for (int k = 0; k < padded_columns; ++k) {
    scratch.lone_theta[k] = k < tile.columns ? z[first + k] : 0.0F;
    scratch.gradient[k] = 0;
  }
  const float shift = common_parts(term.arguments[0], z);
  const auto prepared = prepare<Density>(term, z);
  constexpr int heads = 2 + Density::shared;
  alignas(64) float others[1 + max_shared][most_each];
  Vec lanes[heads] = {};

  for (int begin = 0; begin < tile.rows; begin += lone_rows) {
    const int count = tile.rows - begin < lone_rows ? tile.rows - begin : lone_rows;
    const int ahead = begin + lone_rows + count <= tile.rows + tile.next_rows ? lone_rows : 0;
    with_rows(tile, [&](auto x) { multiply_rows_lone(x.from(begin), count, tile.columns, scratch.lone_theta, eta); });
    for (int r = 0; r < count; ++r) eta[r] += tile.offset[begin + r] + shift;
    const float* const constants[max_constants] = {tile.constants[0] + begin, tile.constants[1] + begin,
                                                   tile.constants[2] + begin};
    evaluate_each<Density>(count, constants, prepared, eta, others);
    add_to_lanes(others[0], count, lanes[0]);
    add_to_lanes(eta, count, lanes[1]);
    for (int a = 1; a <= Density::shared; ++a) add_to_lanes(others[a], count, lanes[1 + a]);
    with_rows(tile,
              [&](auto x) { multiply_columns_lone(x.from(begin), ahead, count, tile.columns, eta, scratch.gradient); });
  }

  float of[heads] = {};
  for (int i = 0; i < heads; ++i) {
    for (int l = 0; l < width; ++l) of[i] += lanes[i][l];
  }
  add_slots(term, of, 1, scratch.gradient, 1, sums);
}

/// A tile's columns, and where its rows and those of the next tile are; the latter's scattered values are asked for.
JENSEN_HD Tile load_tile(const Term& term, const RowList& rows, std::int64_t begin, int count, int next_count,
                         int columns, const RowPlaces& places, const Scratch& scratch) {
  Tile tile{count, next_count, columns, places.in_place(rows, begin, count), scratch.rows, {}, {}, nullptr};
  const float* offset = term.arguments[0].offset;
  for (int c = 0; c < max_constants; ++c) {
    tile.zeros[c] = term.constants[c] == nullptr;
    tile.constants[c] = load_column(term.constants[c], rows, begin, count, scratch.constants + c * most_tile_rows);
  }
  tile.offset = load_column(offset, rows, begin, count, scratch.offset);
  if (tile.in_place != nullptr) return tile;
  for (int r = 0; r < count + next_count; ++r) scratch.rows[r] = places(rows[begin + r]);
  for (int r = next_count; r < count && next_count > 0; ++r) scratch.rows[count + r] = scratch.rows[count];
  for (int r = 0; r < next_count && rows.indices != nullptr; ++r) {
    const std::int64_t row = rows[begin + count + r];
    for (const float* column : term.constants) {
      if (column != nullptr) __builtin_prefetch(column + row);
    }
    if (offset != nullptr) __builtin_prefetch(offset + row);
  }
  return tile;
}

template <class Density>
void block_of(const Term& term, const RowList& rows, std::int64_t begin, std::int64_t end, const float* z,
              int dimension, double* sums, int samples, int stride, void* memory) {
  const Predictor& predictor = term.arguments[0];
  const Part* dense = nullptr;
  for (int p = 0; p < predictor.part_count; ++p) {
    if (predictor.parts[p].kind == PartKind::dense) dense = &predictor.parts[p];
  }
  const int columns = dense == nullptr ? 0 : dense->columns;
  const int first = dense == nullptr ? 0 : dense->first;
  ScratchCutter cutter(memory);
  const Scratch scratch = cut(cutter, static_cast<std::size_t>(columns), samples);
  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(samples) * stride; ++i) sums[i] = 0;
  /// f(group, its number of lanes as a type, latent of its first sample, its sums) for groups of several samples
  const auto for_each_group = [&](auto&& f) {
    for (SampleGroup group = group_at(0, samples); group.live > 0 && group.lanes > 1;
         group = group_at(group.sample + group.live, samples)) {
      with_lanes(group.lanes, [&](auto lanes) {
        f(group, lanes, z + static_cast<std::ptrdiff_t>(group.sample) * dimension,
          sums + static_cast<std::ptrdiff_t>(group.sample) * stride);
      });
    }
  };
  int lone = 0;  // the first of the samples that go one by one
  for_each_group([&](const SampleGroup& group, auto lanes, const float* latent, double*) {
    constexpr int L = decltype(lanes)::value;
    load_theta(latent, dimension, first, columns, group.live, L,
               scratch.theta + static_cast<std::ptrdiff_t>(group.sample) * even(columns));
    Group<Density, L>(scratch, group, columns).start(term, latent, dimension, group.live, columns);
    lone = group.sample + group.live;
  });

  const RowPlaces places(dense == nullptr ? nullptr : dense->x, columns, term.rows,
                         lone < samples ? scratch.edge : nullptr);
  const int most_rows = tile_rows_of(columns);
  const auto rows_at = [&](std::int64_t t) { return static_cast<int>(end - t < most_rows ? end - t : most_rows); };
  for (std::int64_t t = begin; t < end; t += most_rows) {
    const int count = rows_at(t);
    const int next_count = t + count < end ? rows_at(t + count) : 0;
    const Tile tile = load_tile(term, rows, t, count, next_count, columns, places, scratch);
    for_each_group([&](const SampleGroup& group, auto lanes, const float*, double*) {
      Group<Density, decltype(lanes)::value>(scratch, group, columns).add(tile, scratch.eta, group.sample == 0);
    });
    for (int s = lone; s < samples; ++s) {
      add_lone<Density>(term, tile, first, z + static_cast<std::ptrdiff_t>(s) * dimension,
                        sums + static_cast<std::ptrdiff_t>(s) * stride, scratch);
    }
  }
  for_each_group([&](const SampleGroup& group, auto lanes, const float*, double* of_group) {
    Group<Density, decltype(lanes)::value>(scratch, group, columns).finish(term, group.live, of_group, stride);
  });
}

/// See data_term_cpu_isa.hpp.
template <class Densities>
void data_term_block_of(const Term& term, const RowList& rows, std::int64_t begin, std::int64_t end, const float* z,
                        int dimension, double* sums, int samples, int stride, void* memory) {
  Densities::with_data(term.density, [&](auto density) {
    block_of<decltype(density)>(term, rows, begin, end, z, dimension, sums, samples, stride, memory);
  });
}

}  // namespace
}  // namespace jensen::JENSEN_ISA::data_term
