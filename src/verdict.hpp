#pragma once
/// \file What is found out about a posterior once training is over.

#include <string>
#include <vector>

#include "engine.hpp"
#include "jensen/fit.hpp"
#include "model/guide_normal.hpp"
#include "model/model.hpp"

namespace jensen {

/// An average that could not have moved further than this, in posterior sds, proves nothing by standing still.
constexpr double least_reach = 1;

/// Fills in the posterior at `lambda`, its ELBO over all rows, and what fresh draws of it say of its distance from the
/// true one.
void evaluate_posterior(Engine& engine, const Model& model, const GuideLayout& layout,
                        const std::vector<double>& lambda, Fit& fit);

/// How a run ended.
struct RunEnd {
  bool stopped = false;  ///< by the caller, before its own end
  double reach = 0;      ///< how far the second half of the steps could have moved a parameter, in posterior sds
  std::string moved;     ///< what did move most, if it has not converged
};
/// One sentence.
std::string verdict_sentence(const Fit& fit, const RunEnd& end);

}  // namespace jensen
