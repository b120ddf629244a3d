#pragma once
/// \file A term of the log joint: sum over rows i of f(a_0, a_1, ..; constants of i), each a a predictor of the latent
/// z.
///
///     l(z) = sum over terms of scale * sum_i f(a_0(i, z), a_1(i, z), ..; constants(i))      [equation (2)]
///
/// These are plain views: the pointers are into one device's memory, which someone else owns.

#include <cstdint>

#include "densities/list.hpp"
#include "formats.hpp"
#include "host_device.hpp"

namespace jensen {

/// Ways in which a part of a predictor reads the latent. Sparse rows are to be a further kind.
enum class PartKind : int {
  dense,   ///< row i of x . z[first .. first + columns)
  scalar,  ///< scale * z[first]
  gather,  ///< x row i (columns of them; null: one that is 1) . effects of level index[i]
};

struct Part {
  PartKind kind = PartKind::scalar;
  int first = 0;                        ///< first latent coordinate; gather: unused
  int columns = 1;                      ///< how many; 1 for scalar
  float scale = 1;                      ///< of a scalar; of a dense part, what its halves are to be multiplied by
  const float* x = nullptr;             ///< dense, gather: rows x columns, row-major without padding
  const std::int32_t* index = nullptr;  ///< gather: level of each row
  std::int64_t first_effect = 0;        ///< gather: coordinate of the group's first effect
  int group = -1;                       ///< gather: number of the group
  /// dense: x in 16 bits instead, rows half_pitch(columns) apart. For the GPU's data term alone.
  const std::uint16_t* halves = nullptr;
  Storage storage = Storage::float32;  ///< of halves
  bool resident = false;               ///< x alone is in the engine's device memory already; see Term::resident
};

constexpr int max_parts = 10;
constexpr int max_arguments = 16;
constexpr int max_data_arguments = 1 + max_shared;  ///< of the fast data terms
constexpr int max_constants = 3;

/// a(i, z) = constant + offset[i] + sum of parts
struct Predictor {
  int part_count = 0;
  Part parts[max_parts];
  const float* offset = nullptr;  ///< one a row, or null
  float constant = 0;
};

struct DensityCode;

struct Term {
  DensityKind density = DensityKind::gaussian;
  const DensityCode* custom = nullptr;  ///< of DensityKind::custom, else null
  bool subsampled =
      false;  ///< over the data rows: minibatched, scaled N/B. Else over a parameter block: whole, scale 1
  /// Its pointers are into the engine's own device memory already: used where they are, and to outlive the engine.
  bool resident = false;
  std::int64_t rows = 0;
  const float* constants[max_constants] = {};  ///< one value a row each, or null (read as 0)
  const float* weights = nullptr;              ///< what each row's f is multiplied by, or null (1)
  int argument_count = 1;
  Predictor arguments[max_arguments];
  double constant = 0;  ///< added to the sum over all rows: what f leaves out
};

/// Effects of all groups' levels at S samples: coordinate-major, `stride` samples a coordinate.
struct Effects {
  const float* data = nullptr;
  std::int64_t stride = 0;
  JENSEN_HD float at(std::int64_t coordinate, int s) const { return data[coordinate * stride + s]; }
};

/// a(row, z) of sample s, whose latent is `latent`.
JENSEN_HD float predict(const Predictor& predictor, std::int64_t row, const float* latent, const Effects& effects,
                        int s) {
  float a = predictor.constant + (predictor.offset == nullptr ? 0.0F : predictor.offset[row]);
  for (int p = 0; p < predictor.part_count; ++p) {
    const Part& part = predictor.parts[p];
    if (part.kind == PartKind::scalar) {
      a += part.scale * latent[part.first];
    } else if (part.kind == PartKind::dense) {
      for (int k = 0; k < part.columns; ++k) a += part.x[row * part.columns + k] * latent[part.first + k];
    } else {
      const std::int64_t first = part.first_effect + static_cast<std::int64_t>(part.index[row]) * part.columns;
      for (int k = 0; k < part.columns; ++k) {
        a += (part.x == nullptr ? 1.0F : part.x[row * part.columns + k]) * effects.at(first + k, s);
      }
    }
  }
  return a;
}

/// Derivatives that a term gives, laid side by side: a slot for each latent coordinate of each dense or scalar part.
/// Gathered parts have none: their derivatives are summed by level.
JENSEN_HD int slots_of(const Part& part) { return part.kind == PartKind::gather ? 0 : part.columns; }
JENSEN_HD int slot_count(const Term& term) {
  int slots = 0;
  for (int a = 0; a < term.argument_count; ++a) {
    for (int p = 0; p < term.arguments[a].part_count; ++p) slots += slots_of(term.arguments[a].parts[p]);
  }
  return slots;
}

/// True for the shape that the fast data terms take: no weights, at most three arguments, a_0 with at most one dense
/// part, all other parts scalars, and a density that they are compiled for.
JENSEN_HD bool has_data_shape(const Term& term) {
  if (term.argument_count > max_data_arguments || term.weights != nullptr) return false;
  if (is_prior_only(term.density) || term.density == DensityKind::categorical) return false;
  int dense = 0;
  for (int a = 0; a < term.argument_count; ++a) {
    for (int p = 0; p < term.arguments[a].part_count; ++p) {
      if (term.arguments[a].parts[p].kind == PartKind::scalar) continue;
      if (a > 0 || term.arguments[a].parts[p].kind == PartKind::gather) return false;
      ++dense;
    }
    if (a > 0 && term.arguments[a].offset != nullptr) return false;
  }
  return dense <= 1;
}

JENSEN_HD bool has_gathers(const Term& term) {
  for (int a = 0; a < term.argument_count; ++a) {
    for (int p = 0; p < term.arguments[a].part_count; ++p) {
      if (term.arguments[a].parts[p].kind == PartKind::gather) return true;
    }
  }
  return false;
}

/// Which rows of a subsampled term, in which order: indices[0 .. count), or first .. first + count - 1 if null.
struct RowList {
  const std::uint32_t* indices = nullptr;
  std::int64_t count = 0;
  std::int64_t first = 0;
  JENSEN_HD std::int64_t operator[](std::int64_t i) const { return indices == nullptr ? first + i : indices[i]; }
};

/// Rows are summed in fixed blocks, so that the order of additions depends on the row count alone: never on threads.
struct BlockPlan {
  std::int64_t rows_per_block = 0;
  std::int64_t blocks = 0;  ///< 0 if there are no rows
};
JENSEN_HD BlockPlan plan_blocks(std::int64_t rows, std::int64_t least_rows, std::int64_t most_blocks) {
  const std::int64_t even = (rows + most_blocks - 1) / most_blocks;
  const std::int64_t per_block = even > least_rows ? even : least_rows;
  return {per_block, (rows + per_block - 1) / per_block};
}
/// As many blocks as plan_blocks() may make of any number of rows up to `rows`. (Fewer rows can make a few blocks more:
/// 262,144 rows fill 2,048 blocks of 128, one row more fills 2,033 of 129.)
JENSEN_HD std::int64_t bound_blocks(std::int64_t rows, std::int64_t least_rows, std::int64_t most_blocks) {
  const std::int64_t full = (rows + least_rows - 1) / least_rows;
  return full < most_blocks ? full : most_blocks;
}

/// Partial sums of one term: for each block b and sample s, the value followed by the slots.
struct Partials {
  double* data = nullptr;
  int samples = 0;
  int slots = 0;
  JENSEN_HD double* at(std::int64_t block, int sample) const { return data + (block * samples + sample) * (1 + slots); }
};

}  // namespace jensen
