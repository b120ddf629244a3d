#pragma once
/// \file As many numbers as a register holds, as one number: for arithmetic that is written for any type.

#include <utility>

#include "cpu_lanes.hpp"
#include "math.hpp"
#include "sample_lanes.hpp"

namespace jensen {
namespace JENSEN_ISA {
namespace {

template <class R>
struct Pack;

template <>
struct Pack<float> {
  using Vector = Vec;
  Vector v;

  Pack() = default;
  JENSEN_HD Pack(float number) : v(Vector{} + number) {}  // NOLINT(google-explicit-constructor): numbers are to convert
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

/// As many in double, in two registers: g++ keeps a vector wider than a register in memory, and adds its numbers one by
/// one.
template <>
struct Pack<double> {
  static constexpr int half = width / 2;
  using Vector = typename VectorOf<half, double>::type;
  Vector low, high;

  Pack() = default;
  JENSEN_HD Pack(double number)  // NOLINT(google-explicit-constructor): numbers are to convert
      : low(Vector{} + number), high(low) {}
  JENSEN_HD Pack(const Vector& first, const Vector& second) : low(first), high(second) {}
  JENSEN_HD double operator[](int l) const { return l < half ? low[l] : high[l - half]; }

  friend JENSEN_HD Pack operator+(const Pack& a, const Pack& b) { return {a.low + b.low, a.high + b.high}; }
  friend JENSEN_HD Pack operator-(const Pack& a, const Pack& b) { return {a.low - b.low, a.high - b.high}; }
  friend JENSEN_HD Pack operator*(const Pack& a, const Pack& b) { return {a.low * b.low, a.high * b.high}; }
  friend JENSEN_HD Pack operator-(const Pack& a) { return {-a.low, -a.high}; }
  JENSEN_HD Pack& operator+=(const Pack& b) { return *this = *this + b; }
  JENSEN_HD Pack& operator-=(const Pack& b) { return *this = *this - b; }
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
JENSEN_HD JENSEN_ISA::Pack<float> exp(const JENSEN_ISA::Pack<float>& x) {
  return JENSEN_ISA::each(
      x, [](float a) __attribute__((always_inline)) { return exp(a); });
}
JENSEN_HD JENSEN_ISA::Pack<float> expm1(const JENSEN_ISA::Pack<float>& x) {
  return JENSEN_ISA::each(
      x, [](float a) __attribute__((always_inline)) { return expm1(a); });
}
}  // namespace math

template <>
struct SampleLanes<JENSEN_ISA::Pack<float>> {
  using Numbers = JENSEN_ISA::Pack<float>;
  using Wide = JENSEN_ISA::Pack<double>;
  static_assert(JENSEN_ISA::width <= most_sample_lanes);

  static JENSEN_HD Numbers load(const float* from) { return Numbers(JENSEN_ISA::load<typename Numbers::Vector>(from)); }
  static JENSEN_HD Wide load(const double* from) {
    return {JENSEN_ISA::load<typename Wide::Vector>(from), JENSEN_ISA::load<typename Wide::Vector>(from + Wide::half)};
  }
  static JENSEN_HD void store(float* to, const Numbers& value) { JENSEN_ISA::store(to, value.v); }
  static JENSEN_HD void store(double* to, const Wide& value) {
    JENSEN_ISA::store(to, value.low);
    JENSEN_ISA::store(to + Wide::half, value.high);
  }
  static JENSEN_HD Wide wide(const Numbers& value) {
    return widened(value.v, std::make_integer_sequence<int, Wide::half>{});
  }
  static JENSEN_HD Numbers narrow(const Wide& value) {
    return narrowed(value, std::make_integer_sequence<int, JENSEN_ISA::width>{});
  }
  static JENSEN_HD void replace(Numbers& value, int first, int at, float to) {
    if (at >= first && at < first + JENSEN_ISA::width) value.v[at - first] = to;
  }
  template <class F>
  static JENSEN_HD void for_each(const Wide& value, int first, int samples, F&& f) {
    for (int l = 0; l < JENSEN_ISA::width && first + l < samples; ++l) f(first + l, value[l]);
  }

 private:
  template <int... I>
  static JENSEN_HD Wide widened(const typename Numbers::Vector& v, std::integer_sequence<int, I...>) {
    return {__builtin_convertvector(__builtin_shufflevector(v, v, I...), typename Wide::Vector),
            __builtin_convertvector(__builtin_shufflevector(v, v, (Wide::half + I)...), typename Wide::Vector)};
  }
  template <int... I>
  static JENSEN_HD Numbers narrowed(const Wide& value, std::integer_sequence<int, I...>) {
    using Half = typename JENSEN_ISA::VectorOf<Wide::half>::type;
    return Numbers(__builtin_shufflevector(__builtin_convertvector(value.low, Half),
                                           __builtin_convertvector(value.high, Half), I...));
  }
};

}  // namespace jensen
