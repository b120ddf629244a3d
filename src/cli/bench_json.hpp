#pragma once
/// \file A benchmark's result as a program reads it.

#include <string>

#include "jensen/bench.hpp"

namespace jensen::cli {

/// One JSON object, a line for each measurement. Seconds, bytes, operations.
std::string bench_json(const BenchResult& result);

}  // namespace jensen::cli
