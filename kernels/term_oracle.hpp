#pragma once
/// \file The plain evaluation of any term: one thread walks the rows of one block for one sample.
///
/// It is the definition that the fast data terms are tested against, and what runs when a term has a shape that they
/// do not take.

#include "term.hpp"

namespace jensen {

/// For the item (block, sample): writes the value and all slots of its Partials.
template <class Densities>
struct TermOracleOf {
  const Term* in_memory;  ///< the device's
  RowList rows;
  BlockPlan plan;
  const float* z;  ///< S x D, row-major
  int dimension;   ///< D
  Partials out;

  JENSEN_HD void operator()(std::int64_t item) const {
    const auto sample = static_cast<int>(item % out.samples);
    const std::int64_t block = item / out.samples;
    double* sums = out.at(block, sample);
    for (int i = 0; i <= out.slots; ++i) sums[i] = 0;
    const std::int64_t begin = block * plan.rows_per_block;
    const std::int64_t end = begin + plan.rows_per_block < rows.count ? begin + plan.rows_per_block : rows.count;
    for (std::int64_t i = begin; i < end; ++i)
      add_row(rows[i], z + static_cast<std::int64_t>(sample) * dimension, sums);
  }

 private:
  JENSEN_HD void add_row(std::int64_t row, const float* latent, double* sums) const {
    const Term& term = *in_memory;
    float constants[max_constants];
    for (int c = 0; c < max_constants; ++c) constants[c] = term.constants[c] == nullptr ? 0.0F : term.constants[c][row];
    float a[max_arguments] = {};
    for (int i = 0; i < term.argument_count; ++i) a[i] = predict(term.arguments[i], row, latent, {}, 0);

    float d[max_arguments] = {};
    sums[0] += static_cast<double>(Densities::evaluate(term.density, constants, a, term.argument_count, d));
    int slot = 1;
    for (int i = 0; i < term.argument_count; ++i) {  // chain rule through the predictors
      for (int p = 0; p < term.arguments[i].part_count; ++p) {
        const Part& part = term.arguments[i].parts[p];
        for (int k = 0; k < part.columns; ++k, ++slot) {
          const float factor = part.kind == PartKind::scalar ? part.scale : part.x[row * part.columns + k];
          sums[slot] += static_cast<double>(d[i]) * static_cast<double>(factor);
        }
      }
    }
  }
};
using TermOracle = TermOracleOf<BuiltInDensities>;

}  // namespace jensen
