#pragma once
/// \file The log joint and its gradient from the terms' sums. [equations (2) and (4)]

#include <cstdint>

#include "term_set.hpp"

namespace jensen {

/// l_s and its gradient by z from the terms' sums, less the reference. Item: (sample, value or coordinate).
///
/// With an anchor z_0 (the sample after the last), and t(z) = sum f(z_0) + grad f(z_0) . (z - z_0) the data terms'
/// tangent there, the sum over the batch is replaced by
///
///     N/B (sum_batch f(z_s) - t_batch(z_s)) + t_all(z_s)
///
/// which has the same expectation and, near the anchor, far less variance; its gradient is the one of SVRG (Johnson &
/// Zhang 2013).
struct CombineTerms {
  const TermRow* terms;
  int term_count;
  const double* sums;
  const std::int32_t* contribution_begin;
  const Contribution* contributions;
  int samples;
  int dimension;
  double constant;             ///< of all terms, added to l_s unless data_only
  double data_scale;           ///< N / B
  const double* anchor_joint;  ///< 1 + H: data terms over all rows at z_0; null: no anchor
  bool data_only;              ///< only the subsampled terms: to make anchor_joint
  double reference;            ///< rho, see SubtractReference; 0: nothing is taken off
  double* joint;               ///< S x (1 + H)
  const float* z;              ///< S x H, and the anchor's row

  JENSEN_HD std::int64_t items() const { return static_cast<std::int64_t>(samples) * (1 + dimension); }
  JENSEN_HD void operator()(std::int64_t item) const {
    const auto s = static_cast<int>(item / (1 + dimension));
    const auto c = static_cast<int>(item % (1 + dimension));
    double data = component(s, c, true);
    double total = 0;
    if (!data_only) total = component(s, c, false) + (c == 0 ? constant : 0.0);
    if (anchor_joint != nullptr) {
      data -= component(samples, c, true);
      total += c == 0 ? tangent(s) : anchor_joint[c];
    }
    joint[item] = total + data_scale * data + reference * away(z + static_cast<std::int64_t>(s) * dimension, c);
  }

  /// |w|^2 / 2 (c = 0) or its derivative by coordinate c - 1.
  JENSEN_HD static double away(const float* w, int c, int dimension) {
    if (c > 0) return static_cast<double>(w[c - 1]);
    double square = 0;
    for (int d = 0; d < dimension; ++d) square += static_cast<double>(w[d]) * static_cast<double>(w[d]);
    return 0.5 * square;
  }

 private:
  JENSEN_HD double away(const float* w, int c) const { return reference == 0 ? 0.0 : away(w, c, dimension); }
  /// Value (c = 0) or derivative by coordinate c - 1 of the data terms, or of the others.
  JENSEN_HD double component(int s, int c, bool data) const {
    double total = 0;
    if (c == 0) {
      for (int t = 0; t < term_count; ++t) {
        if ((terms[t].subsampled != 0) == data) total += at(t, s, 0);
      }
      return total;
    }
    for (std::int32_t i = contribution_begin[c - 1]; i < contribution_begin[c]; ++i) {
      const Contribution& one = contributions[i];
      if ((terms[one.term].subsampled != 0) == data) total += at(one.term, s, one.slot);
    }
    return total;
  }
  /// t_all(z_s) - N/B (slope of t_batch) . (z_s - z_0): what the anchor adds to the values' difference.
  JENSEN_HD double tangent(int s) const {
    double total = anchor_joint[0];
    const float* from = z + static_cast<std::int64_t>(samples) * dimension;
    const float* to = z + static_cast<std::int64_t>(s) * dimension;
    for (int d = 0; d < dimension; ++d) {
      if (contribution_begin[d] == contribution_begin[d + 1]) continue;
      total += (anchor_joint[1 + d] - data_scale * component(samples, 1 + d, true)) *
               (static_cast<double>(to[d]) - static_cast<double>(from[d]));
    }
    return total;
  }
  JENSEN_HD double at(int t, int s, int slot) const {
    return sums[terms[t].offset + static_cast<std::int64_t>(s) * terms[t].stride + slot];
  }
};

/// Takes the reference -rho/2 |w|^2 off the log joint and its gradient by w, where z is not w. Item: (sample, value or
/// coordinate).
struct SubtractReference {
  double reference;  ///< rho
  int dimension;
  const float* w;  ///< S x H
  double* joint;
  JENSEN_HD void operator()(std::int64_t item) const {
    const auto c = static_cast<int>(item % (1 + dimension));
    joint[item] += reference * CombineTerms::away(w + item / (1 + dimension) * dimension, c, dimension);
  }
};

}  // namespace jensen
