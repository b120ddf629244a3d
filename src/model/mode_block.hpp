#pragma once
/// \file One block of a ModeProblem: its coefficients and effects, and Newton's step on both given the other blocks.

#include <vector>

#include "model/mixed_system.hpp"
#include "model/mode_rows.hpp"

namespace jensen {

/// What is known of a block so far.
struct BlockState {
  std::vector<double> theta;                 ///< C
  std::vector<std::vector<double>> effects;  ///< for each group J x q
  std::vector<std::vector<double>> factor;   ///< for each group B, packed
  std::vector<LevelRows> rows;               ///< for each group

  /// At the block's start; effects 0, every sd 0.3 of its scale.
  BlockState(const ModeProblem& problem, std::size_t block);
};

/// Adds the block's predictor to the arguments that it feeds.
void place(const ModeProblem& problem, ModeRows& rows, std::size_t block, const BlockState& state);

/// Minus the Hessian and the gradient of the log joint in (theta, u).
struct BlockSystem {
  MixedSystem system;
  MixedVector gradient;                    ///< of the log joint
  std::vector<std::vector<double>> slope;  ///< for each group J x q: sum_i z df / da, the data's share of it
  RowDerivatives local;                    ///< the system reads the first curvature
  double value = 0;                        ///< the log joint, terms of other blocks left out
};

/// One damped Newton step, made in `state` and `rows`. The decrement is the squared distance to the mode in posterior
/// sds, as the quadratic model sees it. Throws InputError as find_mode() does.
struct NewtonStep {
  BlockSystem at;  ///< where the step started
  double decrement = 0;
};
NewtonStep newton_step(const ModeProblem& problem, ModeRows& rows, std::size_t block, BlockState& state);

/// The system with its factorisation. Rows where the log density is convex count as flat where levels have to be told
/// apart, or where the sum over the rows would be convex too. Throws InputError if a column has no pivot of its own.
BlockSystem factorised_system(const ModeProblem& problem, const ModeRows& rows, std::size_t block,
                              const BlockState& state);

}  // namespace jensen
