#pragma once
/// \file A term of any shape, in two stages: row by row, then sums over rows.
///
/// The first leaves f and its derivatives by the arguments for each (row of a window, sample); the second sums them
/// into the slots of dense and scalar parts. Gathered parts are summed by level (segments.hpp).

#include "densities/list.hpp"
#include "term.hpp"

namespace jensen {

/// What the first stage leaves: f, then df/da_0, df/da_1, ..: each rows x stride, the sample varying fastest.
struct RowValues {
  float* data = nullptr;
  std::int64_t rows = 0;    ///< room for so many
  std::int64_t stride = 0;  ///< >= samples
  JENSEN_HD float* log_density() const { return data; }
  JENSEN_HD float* derivative(int a) const { return data + (1 + a) * rows * stride; }
};

/// Item: (row of the window, sample).
template <class Densities>
struct EvaluateRowsOf {
  const Term* in_memory;  ///< the device's: as a parameter it would be 10 kB of every launch that a graph records
  RowList rows;
  const float* z;
  int dimension;
  Effects effects;
  int samples;
  RowValues out;

  JENSEN_HD void operator()(std::int64_t item) const {
    const Term& term = *in_memory;
    const auto s = static_cast<int>(item % samples);
    const std::int64_t i = item / samples;
    const std::int64_t row = rows[i];
    float constants[max_constants], a[max_arguments] = {}, d[max_arguments] = {};
    for (int c = 0; c < max_constants; ++c) constants[c] = term.constants[c] == nullptr ? 0.0F : term.constants[c][row];
    for (int k = 0; k < term.argument_count; ++k) {
      a[k] = predict(term.arguments[k], row, z + static_cast<std::int64_t>(s) * dimension, effects, s);
    }
    const float value = Densities::evaluate(term.density, constants, a, term.argument_count, d);
    const float weight = term.weights == nullptr ? 1.0F : term.weights[row];
    const std::int64_t at = i * out.stride + s;
    out.log_density()[at] = weight * value;
    for (int k = 0; k < term.argument_count; ++k) out.derivative(k)[at] = weight * d[k];
  }
};
using EvaluateRows = EvaluateRowsOf<BuiltInDensities>;

/// Item: (block, value or slot, sample).
struct SumRowValues {
  const Term* in_memory;
  RowList rows;
  BlockPlan plan;
  RowValues values;
  Partials out;

  JENSEN_HD void operator()(std::int64_t item) const {
    const auto s = static_cast<int>(item % out.samples);
    const auto slot = static_cast<int>(item / out.samples % (1 + out.slots));
    const std::int64_t block = item / out.samples / (1 + out.slots);
    const std::int64_t begin = block * plan.rows_per_block;
    const std::int64_t end = begin + plan.rows_per_block < rows.count ? begin + plan.rows_per_block : rows.count;
    out.at(block, s)[slot] =
        slot == 0 ? sum(values.log_density() + s, begin, end, nullptr, 0, 1.0F) : slot_sum(slot - 1, begin, end, s);
  }

 private:
  JENSEN_HD double slot_sum(int slot, std::int64_t begin, std::int64_t end, int s) const {
    const Term& term = *in_memory;
    for (int a = 0; a < term.argument_count; ++a) {
      for (int p = 0; p < term.arguments[a].part_count; ++p) {
        const Part& part = term.arguments[a].parts[p];
        const int slots = slots_of(part);
        if (slot < slots) {
          const bool dense = part.kind == PartKind::dense;
          return sum(values.derivative(a) + s, begin, end, dense ? part.x + slot : nullptr, part.columns,
                     dense ? 1.0F : part.scale);
        }
        slot -= slots;
      }
    }
    return 0;
  }
  /// sum of values[i * stride] x[row i * columns] scale
  JENSEN_HD double sum(const float* at, std::int64_t begin, std::int64_t end, const float* x, int columns,
                       float scale) const {
    double total = 0;
    for (std::int64_t i = begin; i < end; ++i) {
      const auto v = static_cast<double>(at[i * values.stride]);
      total += x == nullptr ? v : v * static_cast<double>(x[rows[i] * columns]);
    }
    return total * static_cast<double>(scale);
  }
};

}  // namespace jensen
