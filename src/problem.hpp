#pragma once
/// \file A model, its guide and its options, ready to be trained: where every way into training ends.

#include <memory>
#include <optional>
#include <string_view>

#include "engine.hpp"
#include "jensen/fit.hpp"
#include "jensen/options.hpp"
#include "jensen/table.hpp"
#include "jensen/target.hpp"
#include "jensen/terms.hpp"
#include "model/guide_normal.hpp"
#include "model/model.hpp"
#include "model/normal_start.hpp"
#include "training_state.hpp"

namespace jensen {

struct Problem {
  Model model;
  GuideLayout layout;
  Fit fit;          ///< all but what training gives: options resolved, notes, parameters, groups, design
  EngineSpec spec;  ///< its terms point into `model`, its target is:
  std::unique_ptr<LogJoint> target;
  /// Where the search for the coordinates begins (EngineSpec::affine); none: `model` has them.
  std::optional<StartPoint> start;
};

/// Throws InputError (formula, columns, values, options).
Problem make_problem(std::string_view formula, const Table& table, const TrainOptions& options);
Problem make_problem(Target& target, const TargetModel& model, const TrainOptions& options);
Problem make_problem(const TermModel& model, const TrainOptions& options);
/// Searches for the coordinates, if they are to be, and gives them to model and engine.
void settle_coordinates(Problem& problem, Engine& engine);

/// Throws InputError: a number of the options is out of its range.
void check_options(const TrainOptions& options);

/// The model, its guide and how it is stepped, as the engine takes them.
EngineSpec make_spec(const Model& model, const GuideLayout& layout, const Fit& fit);

/// Of all that the course of training depends on, but for the device and the number of threads. Columns on a GPU
/// already count without their data.
Fingerprint fingerprint(const Problem& problem);

}  // namespace jensen
