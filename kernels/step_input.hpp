#pragma once
/// \file What differs from one step to the next.

#include <cstdint>

#include "shuffle.hpp"

namespace jensen {

/// Stands in device memory, where the stages of a step read it: so the same launches, recorded once, serve every step.
struct StepInput {
  std::uint64_t step = 0;    ///< t, of the noise; in an evaluation the first draw's number
  std::int64_t begin = 0;    ///< of the minibatch, among all rows or, if they are picked, the epoch's reshuffled ones
  bool picked = false;       ///< rows by `shuffle`, else those that follow `begin`
  Shuffle shuffle{0, 0, 0};  ///< of the epoch
  float step_size = 0;       ///< Adam::corrected_step_size()
  float epsilon = 0;         ///< Adam::corrected_epsilon()
  std::int32_t window = -1;  ///< running average that lambda is added to; -1: none
};

}  // namespace jensen
