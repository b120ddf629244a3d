#pragma once
/// \file Timing: repeats, quartiles, and the limits measured between them.

#include <functional>
#include <vector>

#include "jensen/bench.hpp"

namespace jensen {

/// How often a measurement is repeated.
struct Repeats {
  int wanted = 15;
  int least = 3;       ///< however long it takes
  double budget = 20;  ///< seconds after which there are no more than `least`
};

/// Nearest rank.
BenchTime quartiles(std::vector<double> seconds);
double median(std::vector<double> values);

/// Seconds of one piece of work by the median over repeats. time(count) does `count` times `pieces` of them and returns
/// the seconds of `count`, each repeat long enough for the clock. `between` is called before each repeat.
BenchTime measure(
    const std::function<double(int)>& time, const Repeats& repeats, double pieces = 1,
    const std::function<void()>& between = [] {});

}  // namespace jensen
