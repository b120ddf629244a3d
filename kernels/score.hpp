#pragma once
/// \file The score-function estimator, as gradients that the guide's pull-back takes for those of the log joint.
///
/// For w = m + L eps and f = l - r, with l the log joint and r the reference (its expectation and the entropy are in
/// closed form), d E_q f / d lambda = E_q[(f - b) d log q / d lambda] for any b that does not depend on w (Williams
/// 1992). Of a normal, d log q / d m = L^-T eps and d log q / d L = L^-T (eps eps^T - I). The pull-back of gradients
/// g_s is mean(g_s) for m and mean(g_s eps_s^T) for L; so with
///
///     g_s = (f_s - b_s) L^-T eps_s
///
/// it is the estimator but for the term -I, whose sum has the factor sum_s (f_s - b_s). With b_s the mean f of the
/// other samples (leave one out: Ranganath, Gerrish & Blei 2014; Kool, van Hoof & Welling 2019) that factor is 0. Here
/// samples 2k and 2k + 1 are mirror images, not independent: b_s is the mean over the other pairs, which leaves the
/// estimator unbiased and the factor 0, S being even.

#include <cmath>
#include <cstdint>

#include "host_device.hpp"

namespace jensen {

constexpr int least_score_samples = 4;

/// Writes the gradients into joint (S x (1 + D), whose values f_s are there). A pair of which one f is not finite has
/// gradients that are not either, so that it is left out and counted. Item: sample.
template <class Guide>
struct ScoreGradient {
  Guide guide;
  const float* lambda;
  const float* eps;  ///< S x D
  int samples;       ///< even
  double* joint;

  JENSEN_HD void operator()(std::int64_t s) const {
    const int d = guide.dimension;
    double others = 0;
    int count = 0;
    for (int k = 0; k < samples; k += 2) {
      if (k == s - s % 2 || !finite_pair(k)) continue;
      others += value(k) + value(k + 1);
      count += 2;
    }
    double* gradient = joint + s * (1 + d) + 1;
    const bool usable = count > 0 && finite_pair(static_cast<int>(s - s % 2));
    const double weight = usable ? value(static_cast<int>(s)) - others / count : ::nan("");
    guide.score(lambda, eps + s * d, gradient);
    for (int i = 0; i < d; ++i) gradient[i] *= weight;
  }

 private:
  JENSEN_HD double value(int s) const { return joint[static_cast<std::int64_t>(s) * (1 + guide.dimension)]; }
  JENSEN_HD bool finite_pair(int k) const { return (value(k) + value(k + 1)) * 0.0 == 0.0; }
};

}  // namespace jensen
