#pragma once
/// \file Terms of few rows, all of them in two launches: on a GPU the launches cost more than the arithmetic.

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "buffer.hpp"
#include "term.hpp"

namespace jensen {

/// Where one of the terms is among the items of both stages, and where its results go.
struct SmallTermPlace {
  std::int64_t first_row;   ///< rows of the terms before it
  std::int64_t first_slot;  ///< values and slots of the terms before it
  std::int64_t sums;        ///< offset of its sums; 1 + slots a sample
  std::int64_t values;      ///< offset of f, then df/da_0 ..: (1 + arguments) x rows x samples
};

/// The terms as both stages see them.
struct SmallTermList {
  const Term* terms;
  const SmallTermPlace* places;
  int count;
  std::int64_t rows;   ///< of all terms
  std::int64_t slots;  ///< values and slots of all terms
  int most_samples;    ///< that `values` has room for
  float* values;

  /// The term that item i of a stage belongs to.
  JENSEN_HD int term_of(std::int64_t i, std::int64_t SmallTermPlace::*first) const {
    int t = 0;
    while (t + 1 < count && i >= places[t + 1].*first) ++t;
    return t;
  }
  /// f (k = 0) or df/da_{k-1} of a row at a sample.
  JENSEN_HD float& value(int t, int k, std::int64_t row, int s) const {
    return values[places[t].values + (k * terms[t].rows + row) * most_samples + s];
  }
};

/// f and its derivatives. Item: (row of all terms' rows, sample).
struct EvaluateSmallTerms {
  SmallTermList list;
  const float* z;
  int dimension;
  int samples;

  JENSEN_HD std::int64_t items() const { return list.rows * samples; }
  JENSEN_HD void operator()(std::int64_t item) const {
    const auto s = static_cast<int>(item % samples);
    const int t = list.term_of(item / samples, &SmallTermPlace::first_row);
    const std::int64_t row = item / samples - list.places[t].first_row;
    const Term& term = list.terms[t];
    float constants[max_constants], a[max_arguments] = {}, d[max_arguments] = {};
    for (int c = 0; c < max_constants; ++c) constants[c] = term.constants[c] == nullptr ? 0.0F : term.constants[c][row];
    for (int k = 0; k < term.argument_count; ++k) {
      a[k] = predict(term.arguments[k], row, z + static_cast<std::int64_t>(s) * dimension, {}, s);
    }
    const float weight = term.weights == nullptr ? 1.0F : term.weights[row];
    list.value(t, 0, row, s) = weight * evaluate_density(term.density, constants, a, term.argument_count, d);
    for (int k = 0; k < term.argument_count; ++k) list.value(t, 1 + k, row, s) = weight * d[k];
  }
};

/// Sums over each term's rows, in double and in order. Item: (value or slot of all terms', sample).
struct SumSmallTerms {
  SmallTermList list;
  int samples;
  double* sums;

  JENSEN_HD std::int64_t items() const { return list.slots * samples; }
  JENSEN_HD void operator()(std::int64_t item) const {
    const auto s = static_cast<int>(item % samples);
    const int t = list.term_of(item / samples, &SmallTermPlace::first_slot);
    const auto slot = static_cast<int>(item / samples - list.places[t].first_slot);
    const std::int64_t width = 1 + slot_count(list.terms[t]);
    sums[list.places[t].sums + s * width + slot] = slot == 0 ? sum(t, 0, nullptr, 0, s) : slot_sum(t, slot - 1, s);
  }

 private:
  JENSEN_HD double slot_sum(int t, int slot, int s) const {
    const Term& term = list.terms[t];
    for (int a = 0; a < term.argument_count; ++a) {
      for (int p = 0; p < term.arguments[a].part_count; ++p) {
        const Part& part = term.arguments[a].parts[p];
        if (slot >= slots_of(part)) {
          slot -= slots_of(part);
        } else if (part.kind == PartKind::dense) {
          return sum(t, 1 + a, part.x + slot, part.columns, s);
        } else {
          return static_cast<double>(part.scale) * sum(t, 1 + a, nullptr, 0, s);
        }
      }
    }
    return 0;
  }
  /// Over rows, of value k times a column of x (null: 1).
  JENSEN_HD double sum(int t, int k, const float* x, int columns, int s) const {
    double total = 0;
    for (std::int64_t row = 0; row < list.terms[t].rows; ++row) {
      const auto v = static_cast<double>(list.value(t, k, row, s));
      total += x == nullptr ? v : v * static_cast<double>(x[row * columns]);
    }
    return total;
  }
};

/// The list's memory.
template <class Backend>
class SmallTerms {
 public:
  SmallTerms() = default;
  /// Terms without gathers whose pointers are into the device's memory, and the offset of each one's sums.
  SmallTerms(Backend& backend, std::span<const Term> terms, std::span<const std::int64_t> sums, int most_samples)
      : most_samples_(most_samples) {
    std::vector<SmallTermPlace> places;
    std::int64_t values = 0;
    for (std::size_t t = 0; t < terms.size(); ++t) {
      places.push_back({rows_, slots_, sums[t], values});
      rows_ += terms[t].rows;
      slots_ += 1 + slot_count(terms[t]);
      values += (1 + terms[t].argument_count) * terms[t].rows * most_samples;
    }
    terms_ = {backend, terms};
    places_ = {backend, std::span<const SmallTermPlace>(places)};
    values_ = {backend, static_cast<std::size_t>(values)};
  }

  SmallTermList list() const {
    return {terms_.data(), places_.data(), static_cast<int>(terms_.size()), rows_, slots_,
            most_samples_, values_.data()};
  }

 private:
  int most_samples_ = 0;
  std::int64_t rows_ = 0, slots_ = 0;
  Buffer<Backend, Term> terms_;
  Buffer<Backend, SmallTermPlace> places_;
  Buffer<Backend, float> values_;
};

}  // namespace jensen
