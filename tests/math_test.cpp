#include "math.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include "tolerances.hpp"

namespace jensen {
namespace {

constexpr float infinity = std::numeric_limits<float>::infinity();
constexpr double largest = std::numeric_limits<float>::max();

/// |got - want| in units of the last place that a float near `want` has (2^-149 below the normal range).
double ulps(float got, double want) {
  int exponent = 0;
  std::frexp(want, &exponent);
  const double unit = std::ldexp(1.0, std::max(exponent - 24, -149));
  return std::abs(static_cast<double>(got) - want) / unit;
}

struct Worst {
  double ulps = 0;
  float at = 0;
  void see(float x, float got, double want) {
    const double error = ulps(got, want);
    if (!(error <= ulps_seen())) *this = {error, x};
  }
  double ulps_seen() const { return ulps; }
  static double ulps(float got, double want) { return jensen::ulps(got, want); }
};

}  // namespace
}  // namespace jensen
