#pragma once
/// \file Where a run is, and the same as bytes.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine.hpp"
#include "jensen/fit.hpp"

namespace jensen {

/// What the trainer knows of its run, besides the engine's state.
struct Course {
  std::int64_t steps = 0;    ///< taken
  std::int64_t horizon = 0;  ///< steps after which the run ends or decides whether to go on
  double seconds = 0;        ///< in the loop, until the latest report
  double reach = 0;          ///< see steps_reach()
  double drift = 0;          ///< as Verdict has them
  bool converged = false, failed = false, done = false;
  std::int64_t nonfinite = 0;
  std::vector<TraceRow> trace;
  std::vector<float> last_good;  ///< lambda at the latest report whose draws all were finite
};

/// Hashes of what the course of a run depends on.
struct Fingerprint {
  std::uint64_t build = 0;
  std::uint64_t model = 0;    ///< formula, parameters, densities
  std::int64_t rows = 0;      ///< their number, on which the batch of training depends
  std::uint64_t options = 0;  ///< those of training
  std::uint64_t data = 0;     ///< columns, and numbers of priors
  bool operator==(const Fingerprint&) const = default;
};

/// Magic number, version, fingerprint, the values, checksum.
std::vector<std::byte> encode_state(const Course& course, const EngineState& engine, const Fingerprint& fingerprint);

struct DecodedState {
  Course course;
  EngineState engine;
};
/// Throws InputError: damaged, of another version of the format, of another fingerprint (OtherRunError), or with other
/// sizes than the engine's state `like` has.
DecodedState decode_state(std::span<const std::byte> bytes, const Fingerprint& fingerprint, const EngineState& like);

}  // namespace jensen
