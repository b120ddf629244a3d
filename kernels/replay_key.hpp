#pragma once
/// \file What tells apart the launches of one step from another's.

#include <cstddef>
#include <cstdint>

namespace jensen {

/// Steps with equal keys enqueue the same launches with the same arguments; all else that differs is in StepInput.
struct ReplayKey {
  std::size_t batch;   ///< which fixed batch of rows, where the model has groups
  std::int64_t count;  ///< rows of the batch

  friend bool operator==(const ReplayKey&, const ReplayKey&) = default;
};

}  // namespace jensen
