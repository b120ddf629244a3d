#pragma once
/// \file The loop: steps, reports, averaging, and the decision to stop.

#include "engine.hpp"
#include "jensen/train.hpp"
#include "model/regression.hpp"

namespace jensen {

/// A normal in the user's unconstrained coordinates: u = mean + factor eps.
struct UserNormal {
  std::vector<double> mean;  ///< D
  Matrix factor;             ///< D x D
  std::vector<double> sd() const;
};
/// From the guide's lambda (see guides/*.hpp) to the user's coordinates.
UserNormal to_user(const Regression& regression, GuideShape guide, const std::vector<double>& lambda);

/// Largest difference between two of them: means in sds of `b`, log sds as they are.
double drift_between(const UserNormal& a, const UserNormal& b);

/// Runs the engine as `fit.options` say and fills in what training gives: the posterior, trace, verdict, times.
void run_training(Engine& engine, const Regression& regression, GuideShape guide, Fit& fit, Observer& observer);

}  // namespace jensen
