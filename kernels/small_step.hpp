#pragma once
/// \file A whole step of a small model as the work of one thread block: barriers in place of launches.

#include "combine_terms.hpp"
#include "small_terms.hpp"
#include "step_functors.hpp"
#include "step_update.hpp"

namespace jensen {

/// Steps in one launch at most: their inputs are the kernel's arguments.
constexpr int most_steps_together = 32;
struct StepInputs {
  StepInput input[most_steps_together];
};

/// The stages of a step of a model without groups, thresholds and minibatches, in their order; `input` of the stages
/// is where the step's StepInput is put before them.
template <class Guide, class Head>
struct SmallStep {
  StepInput* input;
  FillNoise<Head> noise;
  DrawLatent<Head> draw;
  EvaluateSmallTerms evaluate;
  SumSmallTerms sum;
  CombineTerms combine;
  PrepareElbo<Guide, 1> prepare;
  RecordElbo record;
  UpdateParameter<Guide> update;

  /// Calls run(items, f) for each stage; all items of one must be done before the next begins.
  template <class Run>
  JENSEN_HD void stages(Run&& run) const {
    run(noise.items(), noise);
    run(static_cast<std::int64_t>(draw.samples) * draw.guide.dimension, draw);
    run(evaluate.items(), evaluate);
    run(sum.items(), sum);
    run(combine.items(), combine);
    run(prepare.items(), prepare);
    run(1, record);
    run(update.guide.size(), update);
  }
};

}  // namespace jensen
