#pragma once
/// \file The stages of a step from the log joint to the next lambda. [equations (3), (5) and (6)]

#include <cstdint>

#include "engine.hpp"
#include "guides/draws.hpp"
#include "optimizers/adam.hpp"
#include "step_input.hpp"
#include "sum.hpp"

namespace jensen {

/// The guide's closed form over elements of lambda, N at a time.
template <class Guide, int N>
struct ClosedFormSum {
  Guide guide;
  const float* lambda;
  JENSEN_HD double operator()(std::int64_t begin, std::int64_t count) const {
    double total = 0;
    for (std::int64_t i = 0; i < count; i += N) {
      total += guide.template closed_form<N>(lambda, begin + i, static_cast<int>(count - i < N ? count - i : N));
    }
    return total;
  }
};

/// Two things that RecordElbo needs, side by side: good[s] = 1 if l_s and all of g_s are finite (items below S), and
/// the chunks of the closed form's sum (the items after).
template <class Guide, int N>
struct PrepareElbo {
  int samples;
  int dimension;
  const double* joint;
  std::int32_t* good;
  SumChunk<ClosedFormSum<Guide, N>> closed_form;

  JENSEN_HD std::int64_t items() const { return samples + chunks_of(closed_form.n); }
  JENSEN_HD void operator()(std::int64_t item) const {
    if (item >= samples) return closed_form(item - samples);
    const double* row = joint + item * (1 + dimension);
    double zero = 0;  // stays 0, or becomes NaN for good
    for (int c = 0; c <= dimension; ++c) zero += row[c] * 0.0;
    good[item] = zero == 0.0 ? 1 : 0;
  }
};

/// ELBO of the step [equation (3)] from the finite draws and the closed form; adds it to the statistics. One item.
struct RecordElbo {
  Draws draws;
  const double* closed_form;  ///< sums of the guide's closed-form summands, in chunks
  std::int64_t summands;
  double entropy_constant;
  std::int32_t* good_count;
  StepStatistics* statistics;  ///< running sums on the device, read when a report is due
  JENSEN_HD void operator()(std::int64_t) const {
    const std::int32_t count = draws.count_good();
    *good_count = count;
    statistics->nonfinite += draws.samples - count;
    if (count == 0) return;
    const double elbo = draws.share() * draws.sum([&](int s) { return draws.log_joint(s); }) +
                        add_chunks(closed_form, summands) + entropy_constant;
    if (statistics->steps == 0) statistics->elbo_shift = elbo;
    const double centred = elbo - statistics->elbo_shift;
    statistics->elbo_sum += elbo;
    statistics->elbo_square_sum += centred * centred;
    statistics->last_elbo = elbo;
    ++statistics->steps;
  }
};

/// What dELBO/dlambda does to lambda: unless only the gradient is asked for, Adam's step along it [equation (6)], and
/// the running average. Every element reads and writes no other.
struct MoveParameters {
  const StepInput* input;
  const std::int32_t* good_count;
  bool gradient_only;
  float* lambda;
  float* gradient;
  Adam adam;
  double* average[2];

  /// Of elements p .. p + count - 1, whose gradient is g.
  JENSEN_HD void operator()(std::int64_t p, const float* g, int count) const {
    for (int i = 0; i < count; ++i) gradient[p + i] = g[i];
    if (gradient_only) return;
    if (*good_count > 0) {
      const float step_size = input->step_size, epsilon = input->epsilon;
      for (int i = 0; i < count; ++i) lambda[p + i] += adam.step(p + i, g[i], step_size, epsilon);
    }
    if (input->window < 0) return;
    double* sums = average[input->window];
    for (int i = 0; i < count; ++i) sums[p + i] += static_cast<double>(lambda[p + i]);
  }
};

/// dELBO/dlambda_p [equation (5)] and what it does. Item: element p of lambda.
template <class Guide>
struct UpdateParameter {
  Guide guide;
  Draws draws;
  MoveParameters move;

  JENSEN_HD void operator()(std::int64_t p) const { at<1>(p, 1); }
  /// Elements p .. p + count - 1, at most N.
  template <int N>
  JENSEN_HD void at(std::int64_t p, int count) const {
    double of[N];
    float g[N];
    guide.template pull_back<N>(move.lambda, p, count, draws, of);
    for (int i = 0; i < count; ++i) g[i] = static_cast<float>(of[i]);
    move(p, g, count);
  }
};

}  // namespace jensen
