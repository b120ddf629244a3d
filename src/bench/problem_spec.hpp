#pragma once
/// \file A benchmark's problem as an engine takes it: the data's term, priors, a guide near where the data was drawn.

#include <cstdint>
#include <vector>

#include "bench_device.hpp"
#include "engine.hpp"
#include "jensen/bench.hpp"

namespace jensen {

/// Latents that are no levels' effects.
std::int64_t head_dimension(const BenchProblem& problem);
/// Rows a step as jensen train chooses them.
std::int64_t default_batch_of(const BenchProblem& problem);
BenchShape shape_of(const BenchProblem& problem, std::uint64_t seed);
/// auto and structured as jensen train reads them; mean-field has no change of basis here. Throws InputError if the
/// guide takes no such number of parameters.
GuideKind guide_of(const BenchProblem& problem, GuideKind asked);

/// What the specification points to on the host.
struct ProblemSpec {
  EngineSpec spec;
  std::vector<float> identity, ones, information, location, coupling, thresholds;
};
/// `data` must outlive engines made of it.
void fill_spec(const BenchProblem& problem, const BenchData& data, GuideKind guide, ProblemSpec& out);

}  // namespace jensen
