#pragma once
/// \file The loop: steps, reports, averaging, and the decision to stop.

#include "engine.hpp"
#include "jensen/train.hpp"
#include "model/guide_normal.hpp"
#include "model/model.hpp"

namespace jensen {

/// Runs the engine as `fit.options` say and fills in what training gives: the posterior, trace, verdict, times.
void run_training(Engine& engine, const Model& model, const GuideLayout& layout, Fit& fit, Observer& observer);

}  // namespace jensen
