#pragma once
/// \file As many numbers as a register holds, as one number: for arithmetic that is written for any type.

#include <cstring>

#include "cpu_lanes.hpp"
#include "math.hpp"
#include "sample_lanes.hpp"

namespace jensen {
namespace JENSEN_ISA {
namespace {

/// R: float, or double for as many as there are of float.
template <class R>
struct Pack {
  using Vector = typename VectorOf<width, R>::type;
  Vector v;

  Pack() = default;
  JENSEN_HD Pack(R number) : v(Vector{} + number) {}  // NOLINT(google-explicit-constructor): numbers are to convert
  JENSEN_HD explicit Pack(const Vector& numbers) : v(numbers) {}

  friend JENSEN_HD Pack operator+(const Pack& a, const Pack& b) { return Pack(a.v + b.v); }
  friend JENSEN_HD Pack operator-(const Pack& a, const Pack& b) { return Pack(a.v - b.v); }
  friend JENSEN_HD Pack operator*(const Pack& a, const Pack& b) { return Pack(a.v * b.v); }
  friend JENSEN_HD Pack operator/(const Pack& a, const Pack& b) { return Pack(a.v / b.v); }
  friend JENSEN_HD Pack operator-(const Pack& a) { return Pack(-a.v); }
  JENSEN_HD Pack& operator+=(const Pack& b) { return *this = *this + b; }
  JENSEN_HD Pack& operator-=(const Pack& b) { return *this = *this - b; }
  JENSEN_HD Pack& operator/=(const Pack& b) { return *this = *this / b; }
};

template <class F>
JENSEN_HD Pack<float> each(const Pack<float>& x, F f) {
  alignas(64) float of[width];
  store(of, x.v);
#pragma omp simd
  for (int l = 0; l < width; ++l) of[l] = f(of[l]);  // NOLINT(modernize-loop-convert): omp simd takes no other
  return Pack<float>(load(of));
}

}  // namespace
}  // namespace JENSEN_ISA

namespace math {
JENSEN_HD JENSEN_ISA::Pack<float> sqrt(const JENSEN_ISA::Pack<float>& x) {
  return JENSEN_ISA::each(
      x, [](float a) __attribute__((always_inline)) { return sqrt(a); });
}
JENSEN_HD JENSEN_ISA::Pack<float> log(const JENSEN_ISA::Pack<float>& x) {
  return JENSEN_ISA::each(
      x, [](float a) __attribute__((always_inline)) { return log(a); });
}
}  // namespace math

template <>
struct SampleLanes<JENSEN_ISA::Pack<float>> {
  using Numbers = JENSEN_ISA::Pack<float>;
  using Wide = JENSEN_ISA::Pack<double>;
  static_assert(JENSEN_ISA::width <= most_sample_lanes);

  static JENSEN_HD Numbers load(const float* from) { return Numbers(JENSEN_ISA::load<typename Numbers::Vector>(from)); }
  static JENSEN_HD Wide load(const double* from) { return Wide(JENSEN_ISA::load<typename Wide::Vector>(from)); }
  static JENSEN_HD void store(float* to, const Numbers& value) { JENSEN_ISA::store(to, value.v); }
  static JENSEN_HD void store(double* to, const Wide& value) { JENSEN_ISA::store(to, value.v); }
  static JENSEN_HD Wide wide(const Numbers& value) {
    return Wide(__builtin_convertvector(value.v, typename Wide::Vector));
  }
  static JENSEN_HD Numbers narrow(const Wide& value) {
    return Numbers(__builtin_convertvector(value.v, typename Numbers::Vector));
  }
  static JENSEN_HD void replace(Numbers& value, int first, int at, float to) {
    if (at >= first && at < first + JENSEN_ISA::width) value.v[at - first] = to;
  }
  template <class F>
  static JENSEN_HD void for_each(const Wide& value, int first, int samples, F&& f) {
    for (int l = 0; l < JENSEN_ISA::width && first + l < samples; ++l) f(first + l, value.v[l]);
  }
};

}  // namespace jensen
