#pragma once
/// \file A model, its guide and its options, ready to be trained: where every way into training ends.

#include <string_view>

#include "engine.hpp"
#include "jensen/fit.hpp"
#include "jensen/options.hpp"
#include "jensen/table.hpp"
#include "model/guide_normal.hpp"
#include "model/model.hpp"

namespace jensen {

struct Problem {
  Model model;
  GuideLayout layout;
  Fit fit;          ///< all but what training gives: options resolved, notes, parameters, groups, design
  EngineSpec spec;  ///< its terms point into `model`
};

/// Throws InputError (formula, columns, values, options).
Problem make_problem(std::string_view formula, const Table& table, const TrainOptions& options);

/// Throws InputError: a number of the options is out of its range.
void check_options(const TrainOptions& options);

/// Of this build and all that the course of training depends on but the seed's own noise: latents, terms with their
/// data, guide, options. Not of the device and the number of threads. Terms on a device already (Term::resident) count
/// without their data.
std::uint64_t fingerprint(const Problem& problem);

}  // namespace jensen
