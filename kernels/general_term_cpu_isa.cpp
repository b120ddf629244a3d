/// \file The CPU's term of any shape for one instruction set: compiled once for each, with JENSEN_ISA naming the
/// namespace (see cpu_lanes.hpp).
///
/// As data_term_cpu_isa.cpp, one sample in each lane, but every argument a_k has its own columns, offset and groups,
/// and rows may have weights:
///
///     eta_k = X_k theta_k + offset_k + Z u[level]      rows x 16
///     f, d  = f(eta_0, eta_1, ..), df/da_k             rows x 16 each
///     G_k  += X_k^T d_k;  d_k is left to be summed by level where a_k has groups

#include "cpu_lanes.hpp"
#include "general_term.hpp"

namespace jensen::JENSEN_ISA {
namespace {

struct Scratch {
  float* x;          ///< tile_rows x the most columns of an argument, and a vector of padding
  float* constants;  ///< (max_constants + 1) x tile_rows: the weights last
  float* offset;     ///< tile_rows
  float* theta;      ///< slots x lanes
  float* eta;        ///< arguments x tile_rows x lanes; then df/da_k
  float* gradient;   ///< the most columns x lanes
};

JENSEN_HD Scratch cut(const Term& term, float* memory, std::size_t slots) {
  Scratch s{};
  s.x = memory;
  s.constants = s.x + padded(tile_rows * slots) + lanes;
  s.offset = s.constants + (max_constants + 1) * padded(tile_rows);
  s.theta = s.offset + padded(tile_rows);
  s.eta = s.theta + slots * lanes;
  s.gradient = s.eta + static_cast<std::size_t>(term.argument_count) * tile_rows * lanes;
  return s;
}

/// Rows of a tile and the 16 samples that the lanes stand for.
struct Place {
  std::int64_t begin;  ///< first row of the tile among `rows`
  int count;           ///< rows
  int sample, live;    ///< first sample, and how many
};

JENSEN_HD Vec* eta_of(const Scratch& scratch, int argument) {
  return reinterpret_cast<Vec*>(scratch.eta) + static_cast<std::ptrdiff_t>(argument) * tile_rows;
}

/// eta_k of one argument; `theta` is its first column's. `latent`: of the first sample.
JENSEN_HD void predict_tile(const Term& term, int argument, const RowList& rows, const Place& place,
                            const float* latent, int dimension, const Effects& effects, const float* theta,
                            const Scratch& scratch) {
  const Predictor& predictor = term.arguments[argument];
  Vec* eta = eta_of(scratch, argument);
  Vec shift = {};
  for (int l = 0; l < place.live; ++l) {
    shift[l] = common_parts(predictor, latent + static_cast<std::ptrdiff_t>(l) * dimension);
  }
  const float* offset = load_column(predictor.offset, rows, place.begin, place.count, scratch.offset);
  for (int r = 0; r < place.count; ++r) eta[r] = shift + offset[r];
  for (int p = 0; p < predictor.part_count; ++p) {
    const Part& part = predictor.parts[p];
    if (part.kind == PartKind::dense) {
      const float* x = load_rows(part.x, part.columns, term.rows, rows, place.begin, place.count, scratch.x);
      for (int r = 0; r < place.count; ++r) {
        Vec sum = eta[r];
        for (int k = 0; k < part.columns; ++k) {
          sum += reinterpret_cast<const Vec*>(theta)[k] * x[static_cast<std::ptrdiff_t>(r) * part.columns + k];
        }
        eta[r] = sum;
      }
      theta += static_cast<std::ptrdiff_t>(part.columns) * lanes;
    } else if (part.kind == PartKind::gather) {
      for (int r = 0; r < place.count; ++r) {
        const std::int64_t row = rows[place.begin + r];
        const float* u =
            effects.data + place.sample +
            (part.first_effect + static_cast<std::int64_t>(part.index[row]) * part.columns) * effects.stride;
        for (int e = 0; e < part.columns; ++e) {
          const Vec effect = load(u + e * effects.stride);
          eta[r] += part.x == nullptr ? effect : effect * part.x[row * part.columns + e];
        }
      }
    }
  }
}

/// Sums over rows of the value and of df/da_k.
struct LaneSums {
  alignas(64) float value[lanes] = {};
  alignas(64) float d[max_arguments][lanes] = {};
};

/// f and its derivatives, which take the place of eta, for a density of few arguments. `varies`: a_1 .. differ from row
/// to row.
template <class Density, bool varies>
JENSEN_HD void evaluate_tile(const float* const* constants, const float* weights, int count, const Scratch& scratch,
                             LaneSums& sums) {
  constexpr int shared = Density::shared;
  float* eta[1 + most_shared];
  for (int a = 0; a <= shared; ++a) eta[a] = reinterpret_cast<float*>(eta_of(scratch, a));
  typename Density::template Prepared<float> prepared[lanes];
  for (int l = 0; l < lanes && !varies; ++l) {
    float at[most_shared] = {};
    for (int a = 1; a <= shared; ++a) at[a - 1] = eta[a][l];
    prepared[l] = Density::prepare(at);
  }
  for (int r = 0; r < count; ++r) {
    float given[max_constants];
    for (int c = 0; c < max_constants; ++c) given[c] = constants[c][r];
    const float weight = weights == nullptr ? 1.0F : weights[r];
    float* e0 = eta[0] + static_cast<std::ptrdiff_t>(r) * lanes;
    float* e1 = shared > 0 ? eta[1] + static_cast<std::ptrdiff_t>(r) * lanes : e0;
    float* e2 = shared > 1 ? eta[2] + static_cast<std::ptrdiff_t>(r) * lanes : e0;
    float* e3 = shared > 2 ? eta[3] + static_cast<std::ptrdiff_t>(r) * lanes : e0;
    // The arguments are written out: a loop over them would keep this one from being vectorised.
#pragma omp simd
    for (int l = 0; l < lanes; ++l) {
      const float at[most_shared] = {e1[l], e2[l], e3[l]};
      const auto v = Density::evaluate(given, e0[l], varies ? Density::prepare(at) : prepared[l]);
      sums.value[l] += weight * v.log_density;
      e0[l] = weight * v.d[0];
      sums.d[0][l] += e0[l];
      if constexpr (shared > 0) {
        e1[l] = weight * v.d[1];
        sums.d[1][l] += e1[l];
      }
      if constexpr (shared > 1) {
        e2[l] = weight * v.d[2];
        sums.d[2][l] += e2[l];
      }
      if constexpr (shared > 2) {
        e3[l] = weight * v.d[3];
        sums.d[3][l] += e3[l];
      }
    }
  }
}

/// The same for a density of any number of arguments, sample by sample.
JENSEN_HD void evaluate_tile_of_many(const Term& term, const float* const* constants, const float* weights, int count,
                                     int live, const Scratch& scratch, LaneSums& sums) {
  for (int r = 0; r < count; ++r) {
    float given[max_constants];
    for (int c = 0; c < max_constants; ++c) given[c] = constants[c][r];
    const float weight = weights == nullptr ? 1.0F : weights[r];
    for (int l = 0; l < live; ++l) {
      float a[max_arguments] = {}, d[max_arguments] = {};
      const std::ptrdiff_t at = static_cast<std::ptrdiff_t>(r) * lanes + l;
      for (int k = 0; k < term.argument_count; ++k) a[k] = reinterpret_cast<float*>(eta_of(scratch, k))[at];
      sums.value[l] += weight * evaluate_density(term.density, given, a, term.argument_count, d);
      for (int k = 0; k < term.argument_count; ++k) {
        reinterpret_cast<float*>(eta_of(scratch, k))[at] = weight * d[k];
        sums.d[k][l] += weight * d[k];
      }
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

JENSEN_HD void evaluate_density_of_tile(const Term& term, const float* const* constants, const float* weights,
                                        int count, int live, bool varies, const Scratch& scratch, LaneSums& sums) {
  if (term.density == DensityKind::categorical || is_prior_only(term.density)) {
    evaluate_tile_of_many(term, constants, weights, count, live, scratch, sums);
    return;
  }
  with_data_density(term.density, [&](auto density) {
    using Density = decltype(density);
    if constexpr (Density::shared > 0) {
      if (varies) return evaluate_tile<Density, true>(constants, weights, count, scratch, sums);
    }
    evaluate_tile<Density, false>(constants, weights, count, scratch, sums);
  });
}

/// Adds a tile's sums to the samples' slots, and leaves the derivatives of arguments that gather.
JENSEN_HD void add_tile(const Term& term, const RowList& rows, const Place& place, const LaneSums& sums,
                        const Scratch& scratch, const RowValues& values, double* out, int stride) {
  for (int l = 0; l < place.live; ++l)
    out[static_cast<std::ptrdiff_t>(l) * stride] += static_cast<double>(sums.value[l]);
  int slot = 1;
  for (int a = 0; a < term.argument_count; ++a) {
    const Vec* d = eta_of(scratch, a);
    bool gathers = false;
    for (int p = 0; p < term.arguments[a].part_count; ++p) {
      const Part& part = term.arguments[a].parts[p];
      if (part.kind == PartKind::gather) {
        gathers = true;
      } else if (part.kind == PartKind::scalar) {
        for (int l = 0; l < place.live; ++l) {
          out[static_cast<std::ptrdiff_t>(l) * stride + slot] +=
              static_cast<double>(part.scale) * static_cast<double>(sums.d[a][l]);
        }
        ++slot;
      } else {
        const Tile tile{place.count,
                        part.columns,
                        load_rows(part.x, part.columns, term.rows, rows, place.begin, place.count, scratch.x),
                        {},
                        nullptr};
        multiply_columns(tile, d, reinterpret_cast<Vec*>(scratch.gradient));
        for (int k = 0; k < part.columns; ++k, ++slot) {
          for (int l = 0; l < place.live; ++l) {
            out[static_cast<std::ptrdiff_t>(l) * stride + slot] += static_cast<double>(scratch.gradient[k * lanes + l]);
          }
        }
      }
    }
    if (!gathers) continue;
    float* target = values.derivative(a) + place.begin * values.stride + place.sample;
    for (int r = 0; r < place.count; ++r) __builtin_memcpy(target + r * values.stride, &d[r], sizeof(Vec));
  }
}

}  // namespace

std::size_t general_scratch_bytes(const Term& term, std::size_t slots) {
  const std::size_t floats = padded(tile_rows * slots) + lanes + (max_constants + 2) * padded(tile_rows) +
                             2 * slots * lanes + static_cast<std::size_t>(term.argument_count) * tile_rows * lanes;
  return floats * sizeof(float);
}

void general_term_block(const Term& term, const RowList& rows, std::int64_t begin, std::int64_t end, const float* z,
                        int dimension, const Effects& effects, const RowValues& values, double* sums, int samples,
                        int stride, void* memory) {
  const Scratch scratch = cut(term, static_cast<float*>(memory), static_cast<std::size_t>(stride - 1));
  const bool varies = shared_arguments_vary(term);
  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(samples) * stride; ++i) sums[i] = 0;
  for (int sample = 0; sample < samples; sample += lanes) {
    const int live = samples - sample < lanes ? samples - sample : lanes;
    const float* latent = z + static_cast<std::ptrdiff_t>(sample) * dimension;
    float* theta = scratch.theta;
    const float* theta_of[max_arguments];
    for (int a = 0; a < term.argument_count; ++a) {
      theta_of[a] = theta;
      for (int p = 0; p < term.arguments[a].part_count; ++p) {
        const Part& part = term.arguments[a].parts[p];
        if (part.kind != PartKind::dense) continue;
        load_theta(latent, dimension, part.first, part.columns, live, theta);
        theta += static_cast<std::ptrdiff_t>(part.columns) * lanes;
      }
    }
    for (std::int64_t t = begin; t < end; t += tile_rows) {
      const Place place{t, static_cast<int>(end - t < tile_rows ? end - t : tile_rows), sample, live};
      const float* constants[max_constants];
      for (int c = 0; c < max_constants; ++c) {
        constants[c] = load_column(term.constants[c], rows, t, place.count,
                                   scratch.constants + c * static_cast<int>(padded(tile_rows)));
      }
      const float* weights = nullptr;
      if (term.weights != nullptr) {
        weights = load_column(term.weights, rows, t, place.count,
                              scratch.constants + max_constants * static_cast<int>(padded(tile_rows)));
      }
      for (int a = 0; a < term.argument_count; ++a) {
        predict_tile(term, a, rows, place, latent, dimension, effects, theta_of[a], scratch);
      }
      LaneSums tile_sums;
      evaluate_density_of_tile(term, constants, weights, place.count, live, varies, scratch, tile_sums);
      add_tile(term, rows, place, tile_sums, scratch, values, sums + static_cast<std::ptrdiff_t>(sample) * stride,
               stride);
    }
  }
}

}  // namespace jensen::JENSEN_ISA
