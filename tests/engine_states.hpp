#pragma once
/// \file States of an engine after a run on the CPU, and whether they are the same to the bit.

#include <gtest/gtest.h>

#include <cstdint>
#include <memory>

#include "engine.hpp"

namespace jensen::testing {

/// After `steps`, the last half of them averaged, with an interruption after `interrupted` if that is not zero.
inline EngineState run(const EngineSpec& spec, std::int64_t steps, std::int64_t interrupted) {
  std::unique_ptr<Engine> engine = make_cpu_engine(spec);
  for (std::int64_t t = 0; t < steps; ++t) {
    if (t == interrupted && t > 0) {
      const EngineState state = engine->state();
      engine = make_cpu_engine(spec);
      engine->restore(state);
    }
    engine->step(t, 0.05, t >= steps / 2 ? 1 : -1);
  }
  return engine->state();
}

inline void expect_same_bits(const EngineState& a, const EngineState& b) {
  EXPECT_EQ(a.lambda, b.lambda);
  EXPECT_EQ(a.first_moment, b.first_moment);
  EXPECT_EQ(a.second_moment, b.second_moment);
  EXPECT_EQ(a.average[0], b.average[0]);
  EXPECT_EQ(a.average[1], b.average[1]);
  EXPECT_EQ(a.anchor_joint, b.anchor_joint);
}

}  // namespace jensen::testing
