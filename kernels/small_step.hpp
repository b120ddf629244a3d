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

/// The stages of a step of a model without groups, thresholds and minibatches; `input` is where the step's StepInput is
/// put before them.
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

  /// Calls run(items, f) for each stage; all items of one must be done before the next begins. What few threads are
  /// long about, the closed form's chunks and the record, goes beside another stage, in warps of its own.
  template <class Run>
  JENSEN_HD void stages(Run&& run) const {
    constexpr std::int64_t warp = 32;
    const std::int64_t chunks = (noise.items() + warp - 1) / warp * warp;  // behind the noise
    run(chunks + chunks_of(prepare.closed_form.n), [&](std::int64_t item) {
      if (item < noise.items()) noise(item);
      if (item >= chunks) prepare.closed_form(item - chunks);
    });
    run(static_cast<std::int64_t>(draw.samples) * draw.guide.dimension, draw);
    run(evaluate.items(), evaluate);
    run(sum.items(), sum);
    run(combine.items(), combine);
    run(prepare.samples, prepare);
    run(warp + update.guide.size(), [&](std::int64_t item) {
      if (item == 0) record(0);
      if (item < warp) return;
      // The record's count of finite draws is not there yet.
      const std::int32_t good = update.draws.count_good();
      UpdateParameter<Guide> own = update;
      own.draws.good_count = own.move.good_count = &good;
      own(item - warp);
    });
  }
};

}  // namespace jensen
