#include "jensen/fit.hpp"

#include <cmath>

#include "jensen/errors.hpp"
#include "noise.hpp"

namespace jensen {
namespace {

constexpr double normal_95 = 1.6448536269514722;  // standard normal quantile

double constrain(Transform transform, double u) { return transform == Transform::exponential ? std::exp(u) : u; }

}  // namespace

std::vector<ParameterSummary> Fit::summarize() const {
  const std::size_t d = parameters.size();
  std::vector<ParameterSummary> out;
  for (std::size_t i = 0; i < d; ++i) {
    double variance = 0;
    for (std::size_t j = 0; j < d; ++j) variance += factor[i * d + j] * factor[i * d + j];
    const double m = mean[i];
    const double s = std::sqrt(variance);
    const Transform transform = parameters[i].transform;
    ParameterSummary row{parameters[i].name, m, s, 0, 0, 0};
    if (transform == Transform::exponential) {  // log-normal
      row.mean = std::exp(m + variance / 2);
      row.sd = row.mean * std::sqrt(std::expm1(variance));
    }
    row.q05 = constrain(transform, m - normal_95 * s);
    row.q50 = constrain(transform, m);
    row.q95 = constrain(transform, m + normal_95 * s);
    out.push_back(std::move(row));
  }
  return out;
}

std::vector<double> Fit::draw(std::size_t count, std::uint64_t seed) const {
  const std::size_t d = parameters.size();
  if (count >= (std::size_t{1} << 32U)) throw InputError("too many draws (num); ask for fewer than 4,294,967,296");
  std::vector<double> out(count * d);
  std::vector<double> eps(d + 3);
  for (std::size_t s = 0; s < count; ++s) {
    for (std::size_t quad = 0; 4 * quad < d; ++quad) {
      const Normals n =
          standard_normals(seed, Purpose::draw, 0, static_cast<std::uint32_t>(s), static_cast<std::uint32_t>(quad));
      for (std::size_t k = 0; k < 4; ++k) eps[4 * quad + k] = static_cast<double>(n.n[k]);
    }
    for (std::size_t i = 0; i < d; ++i) {
      double u = mean[i];
      for (std::size_t j = 0; j < d; ++j) u += factor[i * d + j] * eps[j];
      out[s * d + i] = constrain(parameters[i].transform, u);
    }
  }
  return out;
}

}  // namespace jensen
