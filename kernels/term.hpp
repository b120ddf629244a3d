#pragma once
/// \file A term of the log joint: sum over rows i of f(a_0, a_1, ..; constants of i), each a a predictor of the latent
/// z.
///
///     l(z) = sum over terms of scale * sum_i f(a_0(i, z), a_1(i, z), ..; constants(i))      [equation (2)]
///
/// These are plain views: the pointers are into one device's memory, which someone else owns.

#include <cstdint>

#include "densities/list.hpp"
#include "host_device.hpp"

namespace jensen {

/// Ways in which a part of a predictor reads the latent. Gathers (latent[first + group(i)]) and sparse rows are to be
/// further kinds, with their index arrays in Part.
enum class PartKind : int {
  dense,   ///< row i of x . latent[first .. first + columns)
  scalar,  ///< scale * latent[first]
};

struct Part {
  PartKind kind = PartKind::scalar;
  int first = 0;             ///< first latent coordinate
  int columns = 1;           ///< how many; 1 for scalar
  float scale = 1;           ///< scalar only
  const float* x = nullptr;  ///< dense only: rows x columns, row-major without padding
};

constexpr int max_parts = 2;
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

struct Term {
  DensityKind density = DensityKind::gaussian;
  bool subsampled =
      false;  ///< over the data rows: minibatched, scaled N/B. Else over a parameter block: whole, scale 1
  std::int64_t rows = 0;
  const float* constants[max_constants] = {};  ///< one value a row each, or null (read as 0)
  int argument_count = 1;
  Predictor arguments[max_arguments];
  double constant = 0;  ///< added to the sum over all rows: what f leaves out
};

/// Derivatives that a term gives, laid side by side: a slot for each latent coordinate of each part.
JENSEN_HD int slot_count(const Term& term) {
  int slots = 0;
  for (int a = 0; a < term.argument_count; ++a) {
    for (int p = 0; p < term.arguments[a].part_count; ++p) slots += term.arguments[a].parts[p].columns;
  }
  return slots;
}

/// True for the shape that the fast data terms take: at most three arguments, a_0 with at most one dense part, all
/// other parts scalars, and not a density that takes all arguments at once. Other terms are evaluated by TermOracle.
JENSEN_HD bool has_data_shape(const Term& term) {
  if (term.argument_count > max_data_arguments || term.density == DensityKind::categorical) return false;
  int dense = 0;
  for (int a = 0; a < term.argument_count; ++a) {
    for (int p = 0; p < term.arguments[a].part_count; ++p) {
      if (term.arguments[a].parts[p].kind != PartKind::dense) continue;
      if (a > 0) return false;
      ++dense;
    }
    if (a > 0 && term.arguments[a].offset != nullptr) return false;
  }
  return dense <= 1;
}

/// Which rows of a subsampled term, in which order: indices[0 .. count), or 0 .. count - 1 if null.
struct RowList {
  const std::uint32_t* indices = nullptr;
  std::int64_t count = 0;
  JENSEN_HD std::int64_t operator[](std::int64_t i) const { return indices == nullptr ? i : indices[i]; }
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
