/// \file The CPU's term of any shape for one instruction set: compiled once for each, with JENSEN_ISA naming the
/// namespace (see cpu_lanes.hpp).
///
/// As data_term_cpu_isa.cpp, one sample in each lane, but every argument a_k has its own columns, offset and groups,
/// and rows may have weights:
///
///     eta_k = X_k theta_k + offset_k + Z u[level]      rows x L
///     f, d  = f(eta_0, eta_1, ..), df/da_k             rows x L each
///     G_k  += X_k^T d_k;  d_k is left to be summed by level where a_k has groups
///
/// A tile goes through all samples and arguments before the next, so that X comes from memory once, also where many
/// arguments have the same columns. A lone sample has rows or columns in the lanes instead.

#include "general_term.hpp"

#include <algorithm>

#include "cpu_lone_products.hpp"
#include "cpu_products.hpp"
#include "cpu_scratch.hpp"
#include "cpu_term_density.hpp"
#include "data_term_cpu_isa.hpp"

namespace jensen::JENSEN_ISA {
namespace general_term {
namespace {

inline constexpr int most_parts = max_arguments * max_parts;
inline constexpr int lone_tile_rows = 64;  ///< of one sample: its density's latency does not show, X stays in the cache
inline constexpr int lone_lanes = 16;      ///< rows of one sample that are evaluated side by side

/// A dense part: of which argument, and what of the scratch memory is its own.
struct DensePart {
  int argument, part;
  std::ptrdiff_t first_column;  ///< among the columns of all dense parts, whole_sets() of each
  int same;                     ///< the first of the parts with the same X, whose rows they share
  const float** listed;         ///< room for RowPlaces::tile(), and for its edge
  float* edge;
};

struct Scratch {
  float* constants;   ///< (max_constants + 1) x most_tile_rows: the weights last
  float* offset;      ///< most_tile_rows
  float* eta;         ///< arguments x tile rows x L; then df/da_k
  float* theta;       ///< of each group of samples: columns of all dense parts x L
  float* lone_theta;  ///< of a lone sample and one dense part, with padding to whole vectors
  float* gradient;    ///< likewise
  float* products;    ///< X theta of a lone sample
  float* last;        ///< (max_constants + 1) x lone_lanes
  double* totals;     ///< of each group: (f, df/da_0, .., the G of each dense part) x L
  int parts = 0;
  DensePart part[most_parts];
  std::ptrdiff_t columns = 0;  ///< of all dense parts, whole_sets() of each
  int tile_rows = most_tile_rows;
};

/// `scratch` receives what is cut from `memory`.
JENSEN_HD void cut(ScratchCutter& memory, const Term& term, int samples, Scratch& scratch) {
  std::size_t widest = 0;
  for (int a = 0; a < term.argument_count; ++a) {
    for (int p = 0; p < term.arguments[a].part_count; ++p) {
      const Part& part = term.arguments[a].parts[p];
      if (part.kind != PartKind::dense) continue;
      DensePart& dense = scratch.part[scratch.parts];
      dense = {a, p, scratch.columns, 0, nullptr, nullptr};
      for (; dense.same < scratch.parts; ++dense.same) {
        const DensePart& before = scratch.part[dense.same];
        const Part& other = term.arguments[before.argument].parts[before.part];
        if (other.x == part.x && other.columns == part.columns) break;
      }
      if (dense.same == scratch.parts) {
        dense.listed = memory.take<const float*>(2 * most_tile_rows);
        dense.edge = memory.take<float>(RowPlaces::edge_room(static_cast<std::size_t>(part.columns)));
      }
      ++scratch.parts;
      if (static_cast<std::size_t>(part.columns) > widest) widest = static_cast<std::size_t>(part.columns);
      scratch.columns += whole_sets(part.columns);
      if (tile_rows_of(part.columns) < scratch.tile_rows) scratch.tile_rows = tile_rows_of(part.columns);
    }
  }
  if (group_at(0, samples).lanes == 1 && scratch.tile_rows > lone_tile_rows) scratch.tile_rows = lone_tile_rows;
  const auto columns = static_cast<std::size_t>(scratch.columns);
  const auto arguments = static_cast<std::size_t>(term.argument_count);
  scratch.constants = memory.take<float>((max_constants + 1) * most_tile_rows);
  scratch.offset = memory.take<float>(most_tile_rows);
  scratch.eta = memory.take<float>(arguments * most_tile_rows * eta_lanes);
  scratch.theta = memory.take<float>(columns * lanes_of(samples));
  scratch.lone_theta = memory.take<float>(RowPlaces::padded(widest));
  scratch.gradient = memory.take<float>(RowPlaces::padded(widest));
  scratch.products = memory.take<float>(most_tile_rows);
  scratch.last = memory.take<float>((max_constants + 1) * lone_lanes);
  scratch.totals = memory.take<double>((1 + arguments + columns) * lanes_of(samples));
}

/// to += x from, L numbers each.
template <int L>
JENSEN_HD void add_multiple(float x, const float* from, float* to) {
  constexpr int n = std::min(L, width);
  using V = typename VectorOf<n>::type;
  repeat<L / n>([&](auto i) __attribute__((always_inline)) {
    store(to + i * n, load<V>(to + i * n) + x * load<V>(from + i * n));
  });
}

/// eta_k += Z u[level] for the L samples from u = effects.data + sample on; what a group has beyond its last sample is
/// room in `effects`.
template <int L>
JENSEN_HD void add_effects(const Part& part, const RowList& rows, const Place& place, const Effects& effects,
                           int sample, float* eta) {
  const float* const u = effects.data + part.first_effect * effects.stride + sample;
  const std::int64_t stride = effects.stride;
  const int columns = part.columns;
  for (int r = 0; r < place.count; ++r, eta += L) {
    const std::int64_t row = rows[place.begin + r];
    const float* of_level = u + part.index[row] * (columns * stride);
    if (part.x == nullptr) {  // an intercept for each level
      add_multiple<L>(1, of_level, eta);
    } else {
      for (int e = 0; e < columns; ++e) add_multiple<L>(part.x[row * columns + e], of_level + e * stride, eta);
    }
  }
}

/// Whether some argument after the first differs from row to row.
JENSEN_HD bool shared_arguments_vary(const Term& term) {
  for (int a = 1; a < term.argument_count; ++a) {
    if (term.arguments[a].offset != nullptr) return true;
    for (int p = 0; p < term.arguments[a].part_count; ++p) {
      if (term.arguments[a].parts[p].kind != PartKind::scalar) return true;
    }
  }
  return false;
}

/// A term at work on a block of rows.
struct Work {
  const Term& term;
  const TileDensity density;
  const RowList& rows;
  const float* z;
  int dimension;
  const Effects& effects;
  const RowValues& values;
  bool varies;
  const Scratch& scratch;

  JENSEN_HD const Part& part_of(const DensePart& dense) const {
    return term.arguments[dense.argument].parts[dense.part];
  }
  JENSEN_HD std::ptrdiff_t heads() const { return 1 + term.argument_count; }
  /// Whether rows go to the density as those of a data term do.
  JENSEN_HD bool only_argument() const {
    return term.argument_count == 1 && term.weights == nullptr && density.lone != nullptr;
  }
  JENSEN_HD float* theta(const SampleGroup& group) const {
    return scratch.theta + static_cast<std::ptrdiff_t>(group.sample) * scratch.columns;
  }
  JENSEN_HD double* totals(const SampleGroup& group) const {
    return scratch.totals + static_cast<std::ptrdiff_t>(group.sample) * (heads() + scratch.columns);
  }

  void start(const SampleGroup& group) const {
    for (int i = 0; i < scratch.parts && group.lanes > 1; ++i) {
      const DensePart& dense = scratch.part[i];
      const Part& part = part_of(dense);
      with_lanes(group.lanes, [&](auto lanes) {
        load_theta<decltype(lanes)::value>(z + static_cast<std::ptrdiff_t>(group.sample) * dimension, dimension,
                                           part.first, part.columns, group.live,
                                           theta(group) + dense.first_column * group.lanes);
      });
    }
    for (std::ptrdiff_t i = 0; i < (heads() + scratch.columns) * group.lanes; ++i) totals(group)[i] = 0;
  }

  /// eta_a = offset + scalars, which the dense and gathered parts add to.
  template <int L>
  void start_argument(const Place& place, const SampleGroup& group, int argument, float* eta) const {
    const Predictor& predictor = term.arguments[argument];
    alignas(64) float shift[L];
    for (int l = 0; l < L; ++l) {
      shift[l] =
          common_parts(predictor, z + static_cast<std::ptrdiff_t>(group.sample + (l < group.live ? l : 0)) * dimension);
    }
    const float* offset = predictor.offset == nullptr
                              ? zeros
                              : load_column(predictor.offset, rows, place.begin, place.count, scratch.offset);
    for (int r = 0; r < place.count; ++r) {
      add_number<L>(shift, offset[r], eta + static_cast<std::ptrdiff_t>(r) * L);
    }
    for (int p = 0; p < predictor.part_count; ++p) {
      const Part& part = predictor.parts[p];
      if (part.kind == PartKind::gather) add_effects<L>(part, rows, place, effects, group.sample, eta);
    }
  }

  /// How far ahead products of dense part i ask for rows.
  JENSEN_HD int ahead(const Place& place, const SampleGroup& group, int i) const {
    return group.sample == 0 && scratch.part[i].same == i && place.next_count > 0 ? place.count : 0;
  }

  /// `tile_rows`: of each dense part that is the first with its X.
  template <int L>
  void add(const Place& place, const TileRows* tile_rows, const SampleGroup& group) const {
    const std::ptrdiff_t argument_size = static_cast<std::ptrdiff_t>(scratch.tile_rows) * L;
    for (int a = 0; a < term.argument_count; ++a) {
      start_argument<L>(place, group, a, scratch.eta + a * argument_size);
    }
    for (int i = 0; i < scratch.parts; ++i) {
      const DensePart& dense = scratch.part[i];
      tile_rows[dense.same].with([&](auto x) {
        multiply_rows<L, true>(x, ahead(place, group, i), place.count, part_of(dense).columns,
                               theta(group) + dense.first_column * L, nullptr,
                               scratch.eta + dense.argument * argument_size);
      });
    }
    constexpr int n = std::min(L, 16);
    if (only_argument()) group_of<L>(density)(place.count, place.constants, nullptr, scratch.eta, totals(group));
    for (int l = 0; l < L && !only_argument(); l += n) {
      TileEta eta;
      eta.lanes = L;
      for (int a = 0; a < term.argument_count; ++a) eta.at[a] = scratch.eta + a * argument_size + l;
      TileSums<n> sums;
      samples_of<n>(density)(term, place, varies, eta, sums);
      double* to = totals(group) + l;
      for (int j = 0; j < n; ++j) to[j] += static_cast<double>(sums.value[j]);
      for (int a = 0; a < term.argument_count; ++a) {
        for (int j = 0; j < n; ++j) to[(1 + a) * L + j] += static_cast<double>(sums.d[a][j]);
      }
    }
    for (int i = 0; i < scratch.parts; ++i) {
      const DensePart& dense = scratch.part[i];
      tile_rows[dense.same].with([&](auto x) {
        multiply_columns<L>(x, ahead(place, group, i), place.count, part_of(dense).columns,
                            scratch.eta + dense.argument * argument_size,
                            totals(group) + (heads() + dense.first_column) * L);
      });
    }
    leave_derivatives<L>(place, group);
  }

  /// As add(), for one sample.
  void add_lone(const Place& place, const TileRows* tile_rows, const SampleGroup& group) const {
    const float* const latent = z + static_cast<std::ptrdiff_t>(group.sample) * dimension;
    TileEta eta;
    eta.lanes = 1;
    for (int a = 0; a < term.argument_count; ++a) {
      eta.at[a] = scratch.eta + static_cast<std::ptrdiff_t>(a) * scratch.tile_rows;
      start_argument<1>(place, group, a, eta.at[a]);
    }
    for (int i = 0; i < scratch.parts; ++i) {
      const DensePart& dense = scratch.part[i];
      const Part& part = part_of(dense);
      const auto padded = static_cast<int>(RowPlaces::padded(static_cast<std::size_t>(part.columns)));
      for (int k = 0; k < padded; ++k) scratch.lone_theta[k] = k < part.columns ? latent[part.first + k] : 0.0F;
      tile_rows[dense.same].with([&](auto x) {
        multiply_rows_lone(x, ahead(place, group, i), place.count, part.columns, scratch.lone_theta, scratch.products);
      });
      for (int r = 0; r < place.count; ++r) eta.at[dense.argument][r] += scratch.products[r];
    }
    if (only_argument()) {
      EachSums<lone_sums> sums;
      density.lone(place.count, place.constants, nullptr, scratch.eta, true, sums);
      float sum[2 + max_shared];
      add_up(density, sums, sum);
      for (int i = 0; i < 2; ++i) totals(group)[i] += static_cast<double>(sum[i]);
    } else {
      add_lone_densities(place, eta, totals(group));
    }
    double* const to = totals(group) + heads();
    for (int i = 0; i < scratch.parts; ++i) {
      const DensePart& dense = scratch.part[i];
      const int columns = part_of(dense).columns;
      const auto padded = static_cast<int>(RowPlaces::padded(static_cast<std::size_t>(columns)));
      for (int k = 0; k < padded; ++k) scratch.gradient[k] = 0;
      tile_rows[dense.same].with([&](auto x) {
        multiply_columns_lone(x, ahead(place, group, i), place.count, columns, eta.at[dense.argument],
                              scratch.gradient);
      });
      for (int k = 0; k < columns; ++k) to[dense.first_column + k] += static_cast<double>(scratch.gradient[k]);
    }
    leave_derivatives<1>(place, group);
  }

  /// All rows of one sample.
  void add_lone_densities(const Place& place, TileEta eta, double* to) const {
    Place whole = place;
    whole.count = place.count / lone_lanes * lone_lanes;
    add_lone_density(whole, eta, lone_lanes, to);
    const int rest = place.count - whole.count;
    if (rest == 0) return;
    for (int a = 0; a < term.argument_count; ++a) eta.at[a] += whole.count;
    add_lone_density(last_lanes(place, whole.count, eta), eta, rest, to);
  }
  /// The sums of the first `live` of the lanes that hold rows.
  void add_lone_density(const Place& place, const TileEta& eta, int live, double* to) const {
    TileSums<lone_lanes> sums;
    density.rows16(term, place, varies, eta, sums);
    for (int l = 0; l < live; ++l) {
      to[0] += static_cast<double>(sums.value[l]);
      for (int a = 0; a < term.argument_count; ++a) to[1 + a] += static_cast<double>(sums.d[a][l]);
    }
  }
  /// A tile's rows from `first` on, too few for a vector: the other lanes repeat the first of them.
  Place last_lanes(const Place& place, int first, const TileEta& eta) const {
    const auto row = [&](int l) { return first + l < place.count ? first + l : first; };
    Place last = place;
    last.count = lone_lanes;
    float* to = scratch.last;
    for (int c = 0; c <= max_constants; ++c, to += lone_lanes) {
      const float* from = c < max_constants ? place.constants[c] : place.weights;
      if (from == nullptr) continue;
      for (int l = 0; l < lone_lanes; ++l) to[l] = from[row(l)];
      (c < max_constants ? last.constants[c] : last.weights) = to;
    }
    for (int a = 0; a < term.argument_count; ++a) {
      for (int l = place.count - first; l < lone_lanes; ++l) eta.at[a][l] = eta.at[a][0];
    }
    return last;
  }

  /// What is to be summed by level: df/da_k of arguments that have groups.
  template <int L>
  void leave_derivatives(const Place& place, const SampleGroup& group) const {
    for (int a = 0; a < term.argument_count; ++a) {
      bool gathers = false;
      for (int p = 0; p < term.arguments[a].part_count; ++p)
        gathers |= term.arguments[a].parts[p].kind == PartKind::gather;
      if (!gathers) continue;
      const float* d = scratch.eta + static_cast<std::ptrdiff_t>(a) * scratch.tile_rows * L;
      float* to = values.derivative(a) + place.begin * values.stride + group.sample;
      for (int r = 0; r < place.count; ++r, d += L, to += values.stride) {
        if (group.live == L) {  // a constant: whole registers
          __builtin_memcpy(to, d, L * sizeof(float));
        } else {
          for (int l = 0; l < group.live; ++l) to[l] = d[l];
        }
      }
    }
  }

  /// Totals of a group's samples into their slots.
  void finish(const SampleGroup& group, double* sums, int stride) const {
    const int lanes = group.lanes;
    for (int l = 0; l < group.live; ++l) {
      const double* of = totals(group) + l;
      double* to = sums + static_cast<std::ptrdiff_t>(group.sample + l) * stride;
      *to++ = of[0];
      const double* gradient = of + heads() * lanes;
      for (int a = 0; a < term.argument_count; ++a) {
        for (int p = 0; p < term.arguments[a].part_count; ++p) {
          const Part& part = term.arguments[a].parts[p];
          if (part.kind == PartKind::scalar) *to++ = static_cast<double>(part.scale) * of[(1 + a) * lanes];
          if (part.kind != PartKind::dense) continue;
          for (int k = 0; k < part.columns; ++k) *to++ = gradient[static_cast<std::ptrdiff_t>(k) * lanes];
          gradient += static_cast<std::ptrdiff_t>(whole_sets(part.columns)) * lanes;
        }
      }
    }
  }

  /// The columns of a tile.
  Place load_place(std::int64_t begin, int count, int next_count) const {
    Place place{begin, count, next_count, {}, ones.of};
    for (int c = 0; c < max_constants; ++c) {
      place.constants[c] = load_column(term.constants[c], rows, begin, count, scratch.constants + c * most_tile_rows);
    }
    if (term.weights != nullptr) {
      place.weights = load_column(term.weights, rows, begin, count, scratch.constants + max_constants * most_tile_rows);
    }
    return place;
  }
};

}  // namespace
}  // namespace general_term

std::size_t general_scratch_bytes(const Term& term, int samples) {
  ScratchCutter cutter(nullptr);
  general_term::Scratch scratch;
  general_term::cut(cutter, term, samples, scratch);
  return cutter.bytes();
}

void general_term_block(const Term& term, const RowList& rows, std::int64_t begin, std::int64_t end, const float* z,
                        int dimension, const Effects& effects, const RowValues& values, double* sums, int samples,
                        int stride, void* memory) {
  using general_term::cut, general_term::DensePart, general_term::most_parts, general_term::Scratch, general_term::Work,
      general_term::shared_arguments_vary;
  ScratchCutter cutter(memory);
  Scratch scratch;
  cut(cutter, term, samples, scratch);
  const Work work{term, tile_density(term), rows, z, dimension, effects, values, shared_arguments_vary(term), scratch};
  const auto for_each_group = [&](auto&& f) {
    for (int s = 0; s < samples;) {
      const SampleGroup group = group_at(s, samples);
      f(group);
      s += group.live;
    }
  };
  for_each_group([&](const SampleGroup& group) { work.start(group); });
  RowPlaces places[most_parts];
  TileRows tile_rows[most_parts];
  for (int i = 0; i < scratch.parts; ++i) {
    const Part& part = work.part_of(scratch.part[i]);
    if (scratch.part[i].same == i) places[i] = RowPlaces(part.x, part.columns, term.rows, scratch.part[i].edge);
  }
  const auto rows_at = [&](std::int64_t t) {
    return static_cast<int>(end - t < scratch.tile_rows ? end - t : scratch.tile_rows);
  };
  for (std::int64_t t = begin; t < end; t += scratch.tile_rows) {
    const int count = rows_at(t);
    const Place place = work.load_place(t, count, t + count < end ? rows_at(t + count) : 0);
    for (int i = 0; i < scratch.parts; ++i) {
      const DensePart& dense = scratch.part[i];
      if (dense.same == i) tile_rows[i] = places[i].tile(rows, t, count, place.next_count, dense.listed);
    }
    for_each_group([&](const SampleGroup& group) {
      if (group.lanes == 1) return work.add_lone(place, tile_rows, group);
      with_lanes(group.lanes, [&](auto lanes) { work.template add<decltype(lanes)::value>(place, tile_rows, group); });
    });
  }
  for_each_group([&](const SampleGroup& group) { work.finish(group, sums, stride); });
}

}  // namespace jensen::JENSEN_ISA
