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

#include "data_term_cpu_isa.hpp"
#include "cpu_lone_products.hpp"
#include "cpu_products.hpp"
#include "cpu_scratch.hpp"
#include "cpu_term_density.hpp"

namespace jensen::JENSEN_ISA {
namespace data_term {
namespace {

/// One tile of rows.
struct Tile {
  int count, next_rows;  ///< its rows, and those of the next tile
  TileRows rows;
  RowConstants constants;  ///< `count` each
  const float* offset;     ///< `count`; null: all zeros
  /// How many rows on those of the next tile are; 0: there is none.
  JENSEN_HD int ahead() const { return next_rows > 0 ? count : 0; }
};

/// The scratch memory of one thread.
struct Scratch {
  const float** rows;  ///< 2 x most_tile_rows
  float* edge;         ///< the matrix's last rows, each with padding to whole vectors
  float* constants;    ///< max_constants x most_tile_rows
  float* offset;       ///< most_tile_rows
  float* eta;          ///< rows x L; then df/da_0
  float* theta;        ///< of each group, whole_sets(K) x L
  float* start;        ///< of each group: the common parts of a_0, L x Lanes::side as its theta has a set of columns
  float* prepared;     ///< of each lane
  double* totals;      ///< of each group, (value, df/da_0 .., the whole_sets(K) of G) x L
  float* lone_theta;   ///< K and padding
  float* gradient;     ///< of a lone sample, K and padding
};

JENSEN_HD Scratch cut(ScratchCutter& memory, std::size_t columns, int samples) {
  const std::size_t groups = lanes_of(samples);
  Scratch s{};
  s.rows = memory.take<const float*>(2 * most_tile_rows);
  s.edge = memory.take<float>(RowPlaces::edge_room(columns));
  s.constants = memory.take<float>(max_constants * most_tile_rows);
  s.offset = memory.take<float>(most_tile_rows);
  s.eta = memory.take<float>(most_tile_rows * eta_lanes);
  s.theta = memory.take<float>(whole_sets(columns) * groups);
  s.start = memory.take<float>(most_side * groups);
  s.prepared = memory.take<float>(prepared_room * groups);
  s.totals = memory.take<double>((1 + max_data_arguments + whole_sets(columns)) * groups);
  s.lone_theta = memory.take<float>(RowPlaces::padded(columns));
  s.gradient = memory.take<float>(RowPlaces::padded(columns));
  return s;
}

/// What the density prepares from a_1 .. of one sample.
JENSEN_HD void prepare(const TileDensity& density, const Term& term, const float* z, float* prepared) {
  float others[max_shared] = {};
  for (int a = 0; a < density.shared; ++a) others[a] = common_parts(term.arguments[1 + a], z);
  density.prepare(others, prepared);
}

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

/// A group of L samples at work: what of the scratch memory is its own.
template <int L>
struct Group {
  const TileDensity& density;
  const float* theta;
  float* start_of_eta;
  float* prepared;
  double* totals;
  std::ptrdiff_t heads;  ///< sums that come before the gradient's

  Group(const TileDensity& of_term, const Scratch& scratch, const SampleGroup& of, int columns)
      : density(of_term),
        theta(scratch.theta + static_cast<std::ptrdiff_t>(of.sample) * whole_sets(columns)),
        start_of_eta(scratch.start + static_cast<std::ptrdiff_t>(of.sample) * most_side),
        prepared(scratch.prepared + static_cast<std::ptrdiff_t>(of.sample) * prepared_room),
        totals(scratch.totals +
               static_cast<std::ptrdiff_t>(of.sample) * (1 + max_data_arguments + whole_sets(columns))),
        heads(2 + of_term.shared) {}

  void start(const Term& term, const float* latent, int dimension, int live, int columns) {
    constexpr int side = Lanes<L>::side;
    for (int i = 0; i < L * side; ++i) start_of_eta[i] = 0;
    for (int l = 0; l < L; ++l) {
      const float* z = latent + static_cast<std::ptrdiff_t>(l < live ? l : 0) * dimension;  // padding repeats the first
      start_of_eta[l * side] = common_parts(term.arguments[0], z);
      prepare(density, term, z, prepared + l * prepared_room);
    }
    for (std::ptrdiff_t i = 0; i < (heads + whole_sets(columns)) * L; ++i) totals[i] = 0;
  }

  void add(const Tile& tile, float* eta, bool asks) const {
    const int ahead = asks ? tile.ahead() : 0;
    tile.rows.with(
        [&](auto x) { multiply_rows<L, false>(x, ahead, tile.count, tile.rows.columns, theta, start_of_eta, eta); });
    for (int r = 0; r < tile.count && tile.offset != nullptr; ++r) {
      add_number<L>(eta + static_cast<std::ptrdiff_t>(r) * L, tile.offset[r], eta + static_cast<std::ptrdiff_t>(r) * L);
    }
    group_of<L>(density)(tile.count, tile.constants, prepared, eta, totals);
    tile.rows.with(
        [&](auto x) { multiply_columns<L>(x, ahead, tile.count, tile.rows.columns, eta, totals + heads * L); });
  }

  void finish(const Term& term, int live, double* sums, int stride) const {
    for (int l = 0; l < live; ++l) {
      add_slots(term, totals + l, L, totals + heads * L + l, L, sums + static_cast<std::ptrdiff_t>(l) * stride);
    }
  }
};

/// Rows of one sample whose products and density follow one another: so many that the density's latency does not show,
/// so few that they are still in the first-level cache for the second product.
JENSEN_HD int lone_rows_of(int columns) {
  return columns <= 16 ? 128 : (columns <= 32 ? 64 : (columns <= 128 ? 32 : 16));
}

/// One sample. `asks`: for the next tile's rows.
void add_lone(const TileDensity& density, const Term& term, const Tile& tile, int first, const float* z, double* sums,
              const Scratch& scratch, bool asks) {
  const int columns = tile.rows.columns;
  const int ahead = asks ? tile.ahead() : 0;
  float* eta = scratch.eta;
  for (int k = 0; k < static_cast<int>(RowPlaces::padded(static_cast<std::size_t>(columns))); ++k) {
    scratch.lone_theta[k] = k < columns ? z[first + k] : 0.0F;
    scratch.gradient[k] = 0;
  }
  const float shift = common_parts(term.arguments[0], z);
  float prepared[prepared_room];
  prepare(density, term, z, prepared);
  EachSums<lone_sums> each;

  const int lone_rows = lone_rows_of(columns);
  for (int begin = 0; begin < tile.count; begin += lone_rows) {
    const int count = tile.count - begin < lone_rows ? tile.count - begin : lone_rows;
    tile.rows.with([&](auto x) { multiply_rows_lone(x.from(begin), ahead, count, columns, scratch.lone_theta, eta); });
    for (int r = 0; r < count; ++r) eta[r] += shift;
    for (int r = 0; r < count && tile.offset != nullptr; ++r) eta[r] += tile.offset[begin + r];
    RowConstants constants;
    for (int c = 0; c < max_constants; ++c) {
      constants[c] = tile.constants[c] == nullptr ? nullptr : tile.constants[c] + begin;
    }
    density.lone(count, constants, prepared, eta, begin == 0, each);
    tile.rows.with([&](auto x) { multiply_columns_lone(x.from(begin), ahead, count, columns, eta, scratch.gradient); });
  }
  float heads[2 + max_shared];
  add_up(density, each, heads);
  add_slots(term, heads, 1, scratch.gradient, 1, sums);
}

/// A tile's columns, and where its rows and those of the next tile are; the latter's scattered values are asked for.
JENSEN_HD Tile load_tile(const Term& term, const RowList& rows, std::int64_t begin, int count, int next_count,
                         const RowPlaces& places, const Scratch& scratch) {
  Tile tile{count, next_count, places.tile(rows, begin, count, next_count, scratch.rows), {}, nullptr};
  const float* offset = term.arguments[0].offset;
  for (int c = 0; c < max_constants; ++c) {
    tile.constants[c] = load_column(term.constants[c], rows, begin, count, scratch.constants + c * most_tile_rows);
  }
  tile.offset = load_column(offset, rows, begin, count, scratch.offset);
  for (int r = 0; r < next_count && rows.indices != nullptr; ++r) {
    const std::int64_t row = rows[begin + count + r];
    for (const float* column : term.constants) {
      if (column != nullptr) __builtin_prefetch(column + row);
    }
    if (offset != nullptr) __builtin_prefetch(offset + row);
  }
  return tile;
}

}  // namespace
}  // namespace data_term

std::size_t scratch_bytes(std::size_t columns, int samples) {
  ScratchCutter cutter(nullptr);
  data_term::cut(cutter, columns, samples);
  return cutter.bytes();
}

void data_term_block(const Term& term, const RowList& rows, std::int64_t begin, std::int64_t end, const float* z,
                     int dimension, double* sums, int samples, int stride, void* memory) {
  using data_term::add_lone, data_term::cut, data_term::Group, data_term::load_tile, data_term::Scratch,
      data_term::Tile;
  const TileDensity density = tile_density(term);
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
    load_theta<L>(latent, dimension, first, columns, group.live,
                  scratch.theta + static_cast<std::ptrdiff_t>(group.sample) * whole_sets(columns));
    Group<L>(density, scratch, group, columns).start(term, latent, dimension, group.live, columns);
    lone = group.sample + group.live;
  });

  const RowPlaces places(dense == nullptr ? nullptr : dense->x, columns, term.rows, scratch.edge);
  const int most_rows = tile_rows_of(columns);
  const auto rows_at = [&](std::int64_t t) { return static_cast<int>(end - t < most_rows ? end - t : most_rows); };
  for (std::int64_t t = begin; t < end; t += most_rows) {
    const int count = rows_at(t);
    const int next_count = t + count < end ? rows_at(t + count) : 0;
    const Tile tile = load_tile(term, rows, t, count, next_count, places, scratch);
    for_each_group([&](const SampleGroup& group, auto lanes, const float*, double*) {
      Group<decltype(lanes)::value>(density, scratch, group, columns).add(tile, scratch.eta, group.sample == 0);
    });
    for (int s = lone; s < samples; ++s) {
      add_lone(density, term, tile, first, z + static_cast<std::ptrdiff_t>(s) * dimension,
               sums + static_cast<std::ptrdiff_t>(s) * stride, scratch, s == 0);
    }
  }
  for_each_group([&](const SampleGroup& group, auto lanes, const float*, double* of_group) {
    Group<decltype(lanes)::value>(density, scratch, group, columns).finish(term, group.live, of_group, stride);
  });
}

}  // namespace jensen::JENSEN_ISA
