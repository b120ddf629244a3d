#pragma once
/// \file How much memory a case takes, and how much there is; the host's caches.

#include <cstddef>
#include <cstdint>

#include "jensen/bench.hpp"

namespace jensen {

/// Bytes that this process may still have on the host; 0 if that cannot be found out.
double available_memory();

/// Bytes of the last cache that a core has; 32 MiB if that cannot be found out.
std::size_t last_cache_bytes();

/// Bytes on the device for a problem at up to S samples a step: data and the engine's buffers, from above.
double bytes_needed(const BenchProblem& problem, int samples);

/// The most rows up to problem.rows that `bytes` hold; 0 if not even one row does.
std::int64_t rows_that_fit(BenchProblem problem, int samples, double bytes);

}  // namespace jensen
