#pragma once
/// \file A term's sums in double precision, with the size of what rounding could change: the oracle of the benchmark.

#include <cmath>
#include <cstdint>
#include <limits>

#include "engine.hpp"

namespace jensen {

constexpr int checked_levels = 64;  ///< the first of a group, each by itself

/// `count` of `all` samples, the last among them.
struct CheckedSamples {
  int count, all;
  JENSEN_HD int at(int which) const {
    return count < 2 ? all - 1 : static_cast<int>(std::int64_t{which} * (all - 1) / (count - 1));
  }
};

/// +1 or -1 by a hash of the level, so that an error in any one level shows in the sum.
JENSEN_HD double level_sign(std::int64_t level) {
  return ((static_cast<std::uint64_t>(level) * 0x9E3779B97F4A7C15U) >> 63U) != 0 ? 1.0 : -1.0;
}

/// What is compared of a term: the value, its slots, and if it gathers the first levels and the signed sum of all.
JENSEN_HD int check_width(const Term& term) {
  return 1 + slot_count(term) + (has_gathers(term) ? checked_levels + 1 : 0);
}

/// Item: (block, which sample). Sums, then sizes, each check_width().
struct CheckRows {
  Term term;
  RowList rows;
  BlockPlan plan;
  const float* z;  ///< S x H
  int dimension;
  Effects effects;
  CheckedSamples samples;
  double* out;  ///< blocks x count x 2 x width

  JENSEN_HD void operator()(std::int64_t item) const {
    const int width = check_width(term);
    double* sums = out + item * 2 * width;
    for (int i = 0; i < 2 * width; ++i) sums[i] = 0;
    const int s = samples.at(static_cast<int>(item % samples.count));
    const std::int64_t begin = item / samples.count * plan.rows_per_block;
    const std::int64_t end = begin + plan.rows_per_block < rows.count ? begin + plan.rows_per_block : rows.count;
    for (std::int64_t i = begin; i < end; ++i) add_row(rows[i], s, sums, sums + width);
  }

 private:
  /// f of the part's k-th column.
  JENSEN_HD static double factor(const Part& part, std::int64_t row, int k) {
    if (part.kind == PartKind::scalar) return static_cast<double>(part.scale);
    return part.x == nullptr ? 1.0 : static_cast<double>(part.x[row * part.columns + k]);
  }

  JENSEN_HD void add_row(std::int64_t row, int s, double* sums, double* sizes) const {
    const float* latent = z + static_cast<std::int64_t>(s) * dimension;
    double constants[max_constants], a[max_arguments] = {}, reach[max_arguments] = {};
    for (int c = 0; c < max_constants; ++c) {
      constants[c] = term.constants[c] == nullptr ? 0.0 : static_cast<double>(term.constants[c][row]);
    }
    for (int i = 0; i < term.argument_count; ++i) argument(term.arguments[i], row, latent, s, a[i], reach[i]);
    // How much the derivatives move with each argument: rounding moves an argument by a small part of its reach. The
    // density itself comes first.
    constexpr double step = 0x1p-12;
    double f = 0, d[max_arguments] = {}, moves[max_arguments] = {};
#if defined(__CUDA_ARCH__)
#pragma unroll 1  // all densities are within: once is enough to compile
#endif
    for (int moved = -1; moved < term.argument_count; ++moved) {
      double at[max_arguments] = {}, d_moved[max_arguments] = {};
      for (int i = 0; i < term.argument_count; ++i) at[i] = a[i] + (i == moved ? step * reach[i] : 0);
      const double value = evaluate_density(term.density, constants, at, term.argument_count, d_moved);
      if (moved < 0) f = value;
      for (int i = 0; i < term.argument_count; ++i) {
        if (moved < 0) d[i] = d_moved[i];
        moves[i] += ::fabs(d_moved[i] - d[i]) / step;
      }
    }

    sums[0] += f;
    sizes[0] += ::fabs(f) + 1;
    int slot = 1;
    for (int i = 0; i < term.argument_count; ++i) {
      sizes[0] += ::fabs(d[i]) * reach[i];
      const double size = ::fabs(d[i]) + moves[i];
      for (int p = 0; p < term.arguments[i].part_count; ++p) {
        const Part& part = term.arguments[i].parts[p];
        if (part.kind == PartKind::gather) {
          add_level(part.index[row], d[i] * factor(part, row, 0), size * ::fabs(factor(part, row, 0)), sums, sizes);
          continue;
        }
        for (int k = 0; k < part.columns; ++k, ++slot) {
          const double by = factor(part, row, k);
          sums[slot] += d[i] * by;
          sizes[slot] += size * ::fabs(by);
        }
      }
    }
  }
  JENSEN_HD void argument(const Predictor& p, std::int64_t row, const float* latent, int s, double& a,
                          double& reach) const {
    a = static_cast<double>(p.constant) + (p.offset == nullptr ? 0.0 : static_cast<double>(p.offset[row]));
    reach = 1 + ::fabs(a);
    for (int i = 0; i < p.part_count; ++i) {
      const Part& part = p.parts[i];
      for (int k = 0; k < part.columns; ++k) {
        const double by =
            part.kind == PartKind::gather
                ? static_cast<double>(
                      effects.at(part.first_effect + static_cast<std::int64_t>(part.index[row]) * part.columns + k, s))
                : static_cast<double>(latent[part.first + k]);
        const double add = factor(part, row, k) * by;
        a += add;
        reach += ::fabs(add);
      }
    }
  }
  /// One group with one effect a level.
  JENSEN_HD void add_level(std::int64_t level, double sum, double size, double* sums, double* sizes) const {
    const int first = 1 + slot_count(term);
    if (level < checked_levels) {
      sums[first + level] += sum;
      sizes[first + level] += size;
    }
    sums[first + checked_levels] += level_sign(level) * sum;
    sizes[first + checked_levels] += size;
  }
};

/// Item: (which sample, place). The pass's sum against the blocks' total, relative to its size.
struct CompareSums {
  Term term;
  std::int64_t levels;
  Engine::Pass pass;
  std::int64_t blocks;
  CheckedSamples samples;
  const double* sums;  ///< CheckRows::out
  double* errors;      ///< count x width

  JENSEN_HD void operator()(std::int64_t item) const {
    const int width = check_width(term);
    const auto place = static_cast<int>(item % width);
    const auto which = static_cast<int>(item / width);
    double total = 0, size = 1e-30;  // exponentials end at 1e-38: what is smaller than this may be gone
    for (std::int64_t b = 0; b < blocks; ++b) {
      const double* at = sums + (b * samples.count + which) * 2 * width + place;
      total += at[0];
      size += at[width];
    }
    const double difference = ::fabs(total - passed(samples.at(which), place));
    // a NaN is an error too
    errors[item] = difference == 0 ? 0 : (difference <= size * 1e30 ? difference / size : 1e30);
  }

 private:
  JENSEN_HD double passed(int s, int place) const {
    const int slots = slot_count(term);
    if (place <= slots) return pass.sums[static_cast<std::int64_t>(s) * (1 + slots) + place];
    const int level = place - slots - 1;
    if (level < checked_levels) return level < levels ? effect(level, s) : 0.0;
    double total = 0;
    for (std::int64_t j = 0; j < levels; ++j) total += level_sign(j) * effect(j, s);
    return total;
  }
  JENSEN_HD double effect(std::int64_t j, int s) const {
    return static_cast<double>(pass.effect_sums[j * pass.effects.stride + s]);
  }
};

}  // namespace jensen
