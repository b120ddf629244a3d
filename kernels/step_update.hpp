#pragma once
/// \file The stages of a step from the log joint to the next lambda. [equations (3), (5) and (6)]

#include <cstdint>

#include "engine.hpp"
#include "guides/draws.hpp"
#include "optimizers/adam.hpp"
#include "step_input.hpp"
#include "sum.hpp"

namespace jensen {

template <class Guide>
struct ClosedFormSummand {
  Guide guide;
  const float* lambda;
  JENSEN_HD double operator()(std::int64_t p) const { return guide.closed_form(lambda, p).value; }
};

/// Two things that RecordElbo needs, side by side: good[s] = 1 if l_s and all of g_s are finite (items below S), and
/// the chunks of the closed form's sum (the items after).
template <class Guide>
struct PrepareElbo {
  int samples;
  int dimension;
  const double* joint;
  std::int32_t* good;
  SumChunk<ClosedFormSummand<Guide>> closed_form;

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
    std::int32_t count = 0;
    for (int s = 0; s < draws.samples; ++s) count += draws.good[s];
    *good_count = count;
    statistics->nonfinite += draws.samples - count;
    if (count == 0) return;
    const double elbo =
        draws.mean([&](int s) { return draws.log_joint(s); }) + add_chunks(closed_form, summands) + entropy_constant;
    if (statistics->steps == 0) statistics->elbo_shift = elbo;
    const double centred = elbo - statistics->elbo_shift;
    statistics->elbo_sum += elbo;
    statistics->elbo_square_sum += centred * centred;
    statistics->last_elbo = elbo;
    ++statistics->steps;
  }
};

/// dELBO/dlambda_p [equation (5)] and, unless only the gradient is asked for, Adam's step along it [equation (6)] and
/// the running average. Item: element p of lambda; it reads and writes no other element of lambda.
template <class Guide>
struct UpdateParameter {
  Guide guide;
  Draws draws;
  const StepInput* input;
  bool gradient_only;
  float* lambda;
  float* gradient;
  Adam adam;
  double* average[2];

  JENSEN_HD void operator()(std::int64_t p) const {
    const auto g = static_cast<float>(guide.pull_back(lambda, p, draws));
    gradient[p] = g;
    if (gradient_only) return;
    if (*draws.good_count > 0) lambda[p] += adam.step(p, g, input->step_size, input->epsilon);
    if (input->window >= 0) average[input->window][p] += static_cast<double>(lambda[p]);
  }
};

}  // namespace jensen
