#pragma once
/// \file One sample's number or those of several side by side, for stages that are written once: a GPU's thread has one
/// sample, a CPU's register as many as it holds (cpu_pack.hpp).
///
/// Arrays of such stages have the samples of each element next to one another, `stride` of them, a multiple of
/// most_sample_lanes (those of rows may have fewer, see TermSet::value_stride()): what a register holds beyond the last
/// sample is worked on, and not used. A lone sample has no lanes on a CPU either.

#include <cstdint>

#include "host_device.hpp"

namespace jensen {

constexpr std::int64_t most_sample_lanes = 16;

/// How numbers of the type R, in float, are read and written, and their counterpart in double.
template <class R>
struct SampleLanes;

template <>
struct SampleLanes<float> {
  using Wide = double;
  static JENSEN_HD float load(const float* from) { return *from; }
  static JENSEN_HD double load(const double* from) { return *from; }
  static JENSEN_HD void store(float* to, float value) { *to = value; }
  static JENSEN_HD void store(double* to, double value) { *to = value; }
  static JENSEN_HD double wide(float value) { return static_cast<double>(value); }
  static JENSEN_HD float narrow(double value) { return static_cast<float>(value); }
  /// The number of sample `at`, of those from `first` on, becomes `to`.
  static JENSEN_HD void replace(float& value, int first, int at, float to) {
    if (first == at) value = to;
  }
  /// f(sample, its number) for those from `first` on that are among `samples`.
  template <class F>
  static JENSEN_HD void for_each(double value, int first, int, F&& f) {
    f(first, value);
  }
};

}  // namespace jensen
