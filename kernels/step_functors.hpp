#pragma once
/// \file The small stages of one step, each the arithmetic of one element.

#include <cmath>
#include <cstdint>

#include "guides/draws.hpp"
#include "noise.hpp"
#include "shuffle.hpp"
#include "term_set.hpp"

namespace jensen {

/// eps for sample pair and four coordinates. Samples 2k and 2k + 1 are mirror images (antithetic), which cancels what
/// is odd about the mode: the whole noise of the location's gradient where the log joint is quadratic.
struct FillNoise {
  std::uint64_t seed;
  Purpose purpose;
  std::uint64_t step;
  int samples;
  int dimension;
  bool antithetic;
  float* eps;

  JENSEN_HD std::int64_t quads() const { return (dimension + 3) / 4; }
  std::int64_t items() const { return (antithetic ? (samples + 1) / 2 : samples) * quads(); }

  JENSEN_HD void operator()(std::int64_t item) const {
    const auto quad = static_cast<std::uint32_t>(item % quads());
    const auto stream = static_cast<std::uint32_t>(item / quads());
    const Normals normals = standard_normals(seed, purpose, step, stream, quad);
    for (int k = 0; k < 4; ++k) {
      const int d = static_cast<int>(quad) * 4 + k;
      if (d >= dimension) return;
      const auto first = static_cast<int>(antithetic ? 2 * stream : stream);
      eps[static_cast<std::int64_t>(first) * dimension + d] = normals.n[k];
      if (antithetic && first + 1 < samples) eps[static_cast<std::int64_t>(first + 1) * dimension + d] = -normals.n[k];
    }
  }
};

/// eps of the groups' levels, coordinate-major: for sample pair and four coordinates, after the head's quads.
struct FillLevelNoise {
  std::uint64_t seed;
  Purpose purpose;
  std::uint64_t step;
  int samples;
  std::uint32_t first_quad;
  std::int64_t coordinates;
  std::int64_t stride;
  bool antithetic;
  float* eps;

  JENSEN_HD int streams() const { return antithetic ? (samples + 1) / 2 : samples; }
  JENSEN_HD std::int64_t items() const { return streams() * ((coordinates + 3) / 4); }

  JENSEN_HD void operator()(std::int64_t item) const {
    const auto stream = static_cast<std::uint32_t>(item % streams());
    const std::int64_t quad = item / streams();
    const Normals normals =
        standard_normals(seed, purpose, step, stream, first_quad + static_cast<std::uint32_t>(quad));
    const auto first = static_cast<int>(antithetic ? 2 * stream : stream);
    for (std::int64_t k = 0; k < 4 && 4 * quad + k < coordinates; ++k) {
      float* at = eps + (4 * quad + k) * stride;
      at[first] = normals.n[k];
      if (antithetic && first + 1 < samples) at[first + 1] = -normals.n[k];
    }
  }
};

/// The noise of one coordinate of one sample as the guide's draw wants it.
template <class Guide>
struct SpreadNoise {
  Guide guide;
  const float* lambda;
  const float* eps;
  float* spread;
  JENSEN_HD void operator()(std::int64_t item) const {
    spread[item] = guide.spread(lambda, eps[item], static_cast<int>(item % guide.dimension));
  }
};

/// z_s = draw(lambda, eps_s); the row after the last sample is the anchor, if there is one. [equation (1)]
template <class Guide>
struct DrawLatent {
  Guide guide;
  const float* lambda;
  const float* spread;  ///< S x D, from SpreadNoise
  const float* anchor;
  int samples;
  float* z;
  JENSEN_HD void operator()(std::int64_t item) const {
    const auto s = static_cast<int>(item / guide.dimension);
    const auto i = static_cast<int>(item % guide.dimension);
    z[item] = s < samples ? guide.draw(lambda, spread + static_cast<std::int64_t>(s) * guide.dimension, i) : anchor[i];
  }
};

template <class T>
struct Copy {
  const T* from;
  T* to;
  JENSEN_HD void operator()(std::int64_t i) const { to[i] = from[i]; }
};

/// Rows of one minibatch: consecutive positions of the epoch's reshuffling.
struct SelectRows {
  Shuffle shuffle;
  std::int64_t begin;
  std::uint32_t* rows;
  JENSEN_HD void operator()(std::int64_t i) const { rows[i] = shuffle(static_cast<std::uint32_t>(begin + i)); }
};

/// l_s and its gradient by z from the terms' sums. [equations (2) and (4)] Item: (sample, value or coordinate).
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
  double* joint;               ///< S x (1 + H)
  const float* z;              ///< S x H, and the anchor's row

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
    joint[item] = total + data_scale * data;
  }

 private:
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

/// Takes the reference's value and gradient off the head's. Item: (sample, value or coordinate).
struct SubtractReference {
  double reference;  ///< rho
  int dimension;
  const float* w;  ///< S x H
  double* joint;
  JENSEN_HD void operator()(std::int64_t item) const {
    const auto c = static_cast<int>(item % (1 + dimension));
    const float* at = w + item / (1 + dimension) * dimension;
    if (c > 0) {
      joint[item] += reference * static_cast<double>(at[c - 1]);
      return;
    }
    double square = 0;
    for (int d = 0; d < dimension; ++d) square += static_cast<double>(at[d]) * static_cast<double>(at[d]);
    joint[item] += 0.5 * reference * square;
  }
};

/// good[s] = 1 if l_s and all of g_s are finite.
struct CheckFinite {
  int dimension;
  const double* joint;
  std::int32_t* good;
  JENSEN_HD void operator()(std::int64_t s) const {
    const double* row = joint + s * (1 + dimension);
    double zero = 0;  // stays 0, or becomes NaN for good
    for (int c = 0; c <= dimension; ++c) zero += row[c] * 0.0;
    good[s] = zero == 0.0 ? 1 : 0;
  }
};

/// Running sums on the device, read when a report is due.
struct Statistics {
  double elbo_sum, elbo_square_sum, elbo_shift, last_elbo;
  std::int64_t steps, nonfinite;
};

/// ELBO of the step [equation (3)] from the finite draws and the closed form; adds it to the statistics. One item.
struct RecordElbo {
  Draws draws;
  const double* closed_form;  ///< sum of the guide's closed-form summands
  double entropy_constant;
  std::int32_t* good_count;
  Statistics* statistics;
  JENSEN_HD void operator()(std::int64_t) const {
    std::int32_t count = 0;
    for (int s = 0; s < draws.samples; ++s) count += draws.good[s];
    *good_count = count;
    statistics->nonfinite += draws.samples - count;
    if (count == 0) return;
    const double elbo = draws.mean([&](int s) { return draws.log_joint(s); }) + *closed_form + entropy_constant;
    if (statistics->steps == 0) statistics->elbo_shift = elbo;
    const double centred = elbo - statistics->elbo_shift;
    statistics->elbo_sum += elbo;
    statistics->elbo_square_sum += centred * centred;
    statistics->last_elbo = elbo;
    ++statistics->steps;
  }
};

template <class Guide>
struct ClosedFormSummand {
  Guide guide;
  const float* lambda;
  JENSEN_HD double operator()(std::int64_t p) const { return guide.closed_form(lambda, p).value; }
};

/// dELBO/dlambda. [equation (5)]
template <class Guide>
struct PullBack {
  Guide guide;
  const float* lambda;
  Draws draws;
  float* gradient;
  JENSEN_HD void operator()(std::int64_t p) const {
    gradient[p] = static_cast<float>(guide.pull_back(lambda, p, draws));
  }
};

}  // namespace jensen
