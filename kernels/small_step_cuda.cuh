#pragma once
/// \file Steps of a small model in one launch of one thread block.

#include "small_step.hpp"

namespace jensen {

constexpr int small_step_threads = 512;

template <class Step>
__global__ void __launch_bounds__(small_step_threads)
    small_steps_kernel(const __grid_constant__ Step step, const __grid_constant__ StepInputs inputs, int count) {
  const auto thread = static_cast<std::int64_t>(threadIdx.x);
  for (int i = 0; i < count; ++i) {
    if (thread == 0) *step.input = inputs.input[i];
    __syncthreads();
    step.stages([&](std::int64_t items, const auto& stage) {
      for (std::int64_t item = thread; item < items; item += small_step_threads) stage(item);
      __syncthreads();
    });
  }
}

/// `*to = value` in its turn on the stream.
template <class T>
__global__ void set_kernel(T* to, const __grid_constant__ T value) {
  *to = value;
}

}  // namespace jensen
