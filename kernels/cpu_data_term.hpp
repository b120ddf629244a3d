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

#include "cpu_lone_products.hpp"
#include "cpu_products.hpp"
#include "cpu_scratch.hpp"
#include "cpu_tile_density.hpp"

namespace jensen::JENSEN_ISA::data_term {
namespace {

inline constexpr int prepared_room = 16;  ///< floats for what a density prepares for a sample

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

/// a_1 .. of one sample, prepared.
template <class Density>
JENSEN_HD auto prepare(const Term& term, const float* z) {
  float shared[max_shared] = {};
  for (int a = 0; a < Density::shared; ++a) shared[a] = common_parts(term.arguments[1 + a], z);
  return Density::prepare(shared);
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
template <class Density, int L>
struct Group {
  using Prepared = typename Density::template Prepared<float>;
  static_assert(sizeof(Prepared) <= prepared_room * sizeof(float));
  static constexpr int heads = LaneSums<Density, L>::count;

  const float* theta;
  float* start_of_eta;
  Prepared* prepared;
  double* totals;

  Group(const Scratch& scratch, const SampleGroup& of, int columns)
      : theta(scratch.theta + static_cast<std::ptrdiff_t>(of.sample) * whole_sets(columns)),
        start_of_eta(scratch.start + static_cast<std::ptrdiff_t>(of.sample) * most_side),
        prepared(
            reinterpret_cast<Prepared*>(scratch.prepared + static_cast<std::ptrdiff_t>(of.sample) * prepared_room)),
        totals(scratch.totals +
               static_cast<std::ptrdiff_t>(of.sample) * (1 + max_data_arguments + whole_sets(columns))) {}

  void start(const Term& term, const float* latent, int dimension, int live, int columns) {
    constexpr int side = Lanes<L>::side;
    for (int i = 0; i < L * side; ++i) start_of_eta[i] = 0;
    for (int l = 0; l < L; ++l) {
      const float* z = latent + static_cast<std::ptrdiff_t>(l < live ? l : 0) * dimension;  // padding repeats the first
      start_of_eta[l * side] = common_parts(term.arguments[0], z);
      prepared[l] = prepare<Density>(term, z);
    }
    for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(heads + whole_sets(columns)) * L; ++i) totals[i] = 0;
  }

  void add(const Tile& tile, float* eta, bool asks) const {
    const int ahead = asks && tile.next_rows > 0 ? tile.count : 0;
    tile.rows.with(
        [&](auto x) { multiply_rows<L, false>(x, ahead, tile.count, tile.rows.columns, theta, start_of_eta, eta); });
    for (int r = 0; r < tile.count && tile.offset != nullptr; ++r) {
      add_number<L>(eta + static_cast<std::ptrdiff_t>(r) * L, tile.offset[r], eta + static_cast<std::ptrdiff_t>(r) * L);
    }
    if constexpr (Density::shared == 0) {
      add_heads(evaluate_pairs<Density, L>(tile.count, tile.constants, eta), 0);
    } else {
      constexpr int chunk = std::min(L, 16);
      for (int l = 0; l < L; l += chunk) {
        LaneSums<Density, chunk> sums;
        evaluate_rows<Density, chunk>(tile, prepared + l, L, eta + l, sums);
        add_heads(sums, l);
      }
    }
    tile.rows.with(
        [&](auto x) { multiply_columns<L>(x, ahead, tile.count, tile.rows.columns, eta, totals + heads * L); });
  }

  /// A tile's sums of the group's samples from `first` on.
  template <int C>
  void add_heads(const LaneSums<Density, C>& sums, int first) const {
    for (int i = 0; i < heads; ++i) {
      for (int j = 0; j < C; ++j) totals[i * L + first + j] += static_cast<double>(sums.of[i][j]);
    }
  }

  void finish(const Term& term, int live, double* sums, int stride) const {
    for (int l = 0; l < live; ++l) {
      add_slots(term, totals + l, L, totals + heads * L + l, L, sums + static_cast<std::ptrdiff_t>(l) * stride);
    }
  }
};

/// Rows of one sample whose products and density follow one another: so many that the density's latency does not show,
/// so few that they are still in the first-level cache for the second product, and that reading the next ones goes on
/// meanwhile.
JENSEN_HD int lone_rows_of(int columns) { return columns <= 32 ? 64 : (columns <= 128 ? 32 : 16); }

/// One sample.
template <class Density>
void add_lone(const Term& term, const Tile& tile, int first, const float* z, double* sums, const Scratch& scratch) {
  const int columns = tile.rows.columns;
  float* eta = scratch.eta;
  for (int k = 0; k < static_cast<int>(RowPlaces::padded(static_cast<std::size_t>(columns))); ++k) {
    scratch.lone_theta[k] = k < columns ? z[first + k] : 0.0F;
    scratch.gradient[k] = 0;
  }
  const float shift = common_parts(term.arguments[0], z);
  const auto prepared = prepare<Density>(term, z);
  EachSums<Density, 32> each;

  const int lone_rows = lone_rows_of(columns);
  for (int begin = 0; begin < tile.count; begin += lone_rows) {
    const int count = tile.count - begin < lone_rows ? tile.count - begin : lone_rows;
    const int ahead = begin + lone_rows + count <= tile.count + tile.next_rows ? lone_rows : 0;
    tile.rows.with([&](auto x) { multiply_rows_lone(x.from(begin), count, columns, scratch.lone_theta, eta); });
    for (int r = 0; r < count; ++r) eta[r] += shift;
    for (int r = 0; r < count && tile.offset != nullptr; ++r) eta[r] += tile.offset[begin + r];
    const float* const constants[max_constants] = {tile.constants[0] + begin, tile.constants[1] + begin,
                                                   tile.constants[2] + begin};
    evaluate_each<Density>(count, constants, prepared, eta, each);
    tile.rows.with([&](auto x) { multiply_columns_lone(x.from(begin), ahead, count, columns, eta, scratch.gradient); });
  }
  const LaneSums<Density, 1> total = each.template total<1>();
  add_slots(term, total.of[0], 1, scratch.gradient, 1, sums);
}

/// A tile's columns, and where its rows and those of the next tile are; the latter's scattered values are asked for.
JENSEN_HD Tile load_tile(const Term& term, const RowList& rows, std::int64_t begin, int count, int next_count,
                         const RowPlaces& places, const Scratch& scratch) {
  Tile tile{count, next_count, places.tile(rows, begin, count, next_count, scratch.rows), {}, nullptr};
  const float* offset = term.arguments[0].offset;
  for (int c = 0; c < max_constants; ++c) {
    tile.constants[c] = load_column(term.constants[c], rows, begin, count, scratch.constants + c * most_tile_rows);
  }
  if (offset != nullptr) tile.offset = load_column(offset, rows, begin, count, scratch.offset);
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
    load_theta<L>(latent, dimension, first, columns, group.live,
                  scratch.theta + static_cast<std::ptrdiff_t>(group.sample) * whole_sets(columns));
    Group<Density, L>(scratch, group, columns).start(term, latent, dimension, group.live, columns);
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
