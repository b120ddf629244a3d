#pragma once
/// \file The small stages of one step, each the arithmetic of one element.

#include <cmath>
#include <cstdint>

#include "guides/draws.hpp"
#include "noise.hpp"
#include "shuffle.hpp"
#include "term.hpp"

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

constexpr int max_terms = 8;

/// One term's sums with what is needed to place them.
struct TermSums {
  Term term;
  Partials partials;
  std::int64_t blocks;
};

/// l_s and g_s from the terms' partial sums, blocks in order. [equations (2) and (4)]
///
/// With an anchor z_0 (the sample after the last), and t(z) = sum f(z_0) + grad f(z_0) . (z - z_0) the data terms'
/// tangent there, the sum over the batch is replaced by
///
///     N/B (sum_batch f(z_s) - t_batch(z_s)) + t_all(z_s)
///
/// which has the same expectation and, near the anchor, far less variance; its gradient is the one of SVRG (Johnson &
/// Zhang 2013).
struct CombineTerms {
  TermSums terms[max_terms];
  int term_count;
  int samples;
  int dimension;
  double data_scale;           ///< N / B
  const double* anchor_joint;  ///< 1 + D: data terms over all rows at z_0; null: no anchor
  bool data_only;              ///< only the subsampled terms: to make anchor_joint
  double* joint;               ///< S x (1 + D)
  const float* z;              ///< S x D, and the anchor's row
  double reference = 0;        ///< rho

  JENSEN_HD void operator()(std::int64_t item) const {
    const auto s = static_cast<int>(item / (1 + dimension));
    const auto c = static_cast<int>(item % (1 + dimension));
    double prior = 0;
    double data = 0;
    for (int t = 0; t < term_count; ++t) {
      const TermSums& sums = terms[t];
      if (data_only && !sums.term.subsampled) continue;
      double& total = sums.term.subsampled ? data : prior;
      total += component(sums, s, c);
      if (sums.term.subsampled && anchor_joint != nullptr) total -= component(sums, samples, c);
      if (c == 0 && !data_only) prior += sums.term.constant;
    }
    joint[item] =
        prior + data_scale * data + (anchor_joint == nullptr ? 0.0 : from_anchor(s, c)) - from_reference(s, c);
  }

 private:
  /// What the anchor adds to the differences: for the gradient t_all's, for the value also the slopes' difference.
  JENSEN_HD double from_anchor(int s, int c) const {
    double total = anchor_joint[c];
    if (c > 0) return total;
    for (int d = 0; d < dimension; ++d) {
      double batch = 0;
      for (int t = 0; t < term_count; ++t) {
        if (terms[t].term.subsampled) batch += component(terms[t], samples, 1 + d);
      }
      const float* at = z + static_cast<std::int64_t>(s) * dimension;
      const float* anchor = z + static_cast<std::int64_t>(samples) * dimension;
      total +=
          (anchor_joint[1 + d] - data_scale * batch) * (static_cast<double>(at[d]) - static_cast<double>(anchor[d]));
    }
    return total;
  }
  /// The reference's value (c = 0) or derivative.
  JENSEN_HD double from_reference(int s, int c) const {
    if (reference == 0) return 0;
    const float* at = z + static_cast<std::int64_t>(s) * dimension;
    if (c > 0) return -reference * static_cast<double>(at[c - 1]);
    double square = 0;
    for (int d = 0; d < dimension; ++d) square += static_cast<double>(at[d]) * static_cast<double>(at[d]);
    return -0.5 * reference * square;
  }
  /// The term's value (c = 0) or its derivative by latent coordinate c - 1.
  JENSEN_HD double component(const TermSums& sums, int s, int c) const {
    if (c == 0) return over_blocks(sums, s, 0);
    double total = 0;
    int slot = 1;
    for (int a = 0; a < sums.term.argument_count; ++a) {
      for (int p = 0; p < sums.term.arguments[a].part_count; ++p) {
        const Part& part = sums.term.arguments[a].parts[p];
        const int k = c - 1 - part.first;
        if (k >= 0 && k < part.columns) total += over_blocks(sums, s, slot + k);
        slot += part.columns;
      }
    }
    return total;
  }
  JENSEN_HD double over_blocks(const TermSums& sums, int s, int slot) const {
    double total = 0;
    for (std::int64_t b = 0; b < sums.blocks; ++b) total += sums.partials.at(b, s)[slot];
    return total;
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
