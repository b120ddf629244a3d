#include "posterior/parameter_draws.hpp"

#include <algorithm>
#include <cmath>

#include "group_map.hpp"
#include "jensen/errors.hpp"
#include "noise.hpp"
#include "posterior/fit_shape.hpp"

namespace jensen {
namespace {

/// F x S, coordinate by coordinate.
std::vector<float> factor_noise(std::size_t columns, const DrawPlan& plan) {
  std::vector<float> out(columns * plan.count);
  const auto draws = static_cast<std::int64_t>(plan.count);
#pragma omp parallel for schedule(static)
  for (std::int64_t s = 0; s < draws; ++s) {
    const std::size_t number = plan.first + static_cast<std::size_t>(s);
    const auto sample = static_cast<std::uint32_t>(plan.antithetic ? number / 2 : number);
    const float sign = plan.antithetic && number % 2 == 1 ? -1.0F : 1.0F;
    for (std::size_t quad = 0; 4 * quad < columns; ++quad) {
      const Normals n = standard_normals(plan.seed, Purpose::draw, 0, sample, static_cast<std::uint32_t>(quad));
      for (std::size_t k = 4 * quad; k < std::min(4 * quad + 4, columns); ++k) {
        out[k * plan.count + static_cast<std::size_t>(s)] = sign * n.n[k % 4];
      }
    }
  }
  return out;
}

/// u = mean + factor eps of one coordinate, in every draw.
void combine(const Fit& fit, std::size_t place, std::size_t columns, std::size_t count, const float* noise,
             double* out) {
  std::fill(out, out + count, fit.mean[place]);
  const double* row = fit.factor.data() + place * columns;
  for (std::size_t j = 0; j < columns; ++j) {
    if (row[j] == 0) continue;
    const float* eps = noise + j * count;
    for (std::size_t s = 0; s < count; ++s) out[s] += row[j] * static_cast<double>(eps[s]);
  }
}

/// The elements below the diagonal of a group's correlation matrix, from its partial correlations.
void fill_correlations(const GroupPosterior& group, std::size_t count, const double* coordinates, double* values) {
  const auto q = static_cast<int>(group.effects.size());
  const auto size = static_cast<std::size_t>(q * (q - 1) / 2);
  if (group.first_correlation == 0) return;
  std::vector<double> partial(size), factor(static_cast<std::size_t>(packed_size(q)));
  const std::vector<double> log_sd(static_cast<std::size_t>(q), 0.0);
  for (std::size_t s = 0; s < count; ++s) {
    for (std::size_t k = 0; k < size; ++k) partial[k] = coordinates[(group.first_correlation + k) * count + s];
    covariance_factor(q, log_sd.data(), partial.data(), factor.data());
    std::size_t place = group.first_correlation;
    for (int i = 0; i < q; ++i) {
      for (int j = 0; j < i; ++j, ++place) {
        double sum = 0;
        for (int l = 0; l <= j; ++l) {
          sum += factor[static_cast<std::size_t>(packed(i, l))] * factor[static_cast<std::size_t>(packed(j, l))];
        }
        values[place * count + s] = sum;
      }
    }
  }
}

}  // namespace

ParameterDraws::ParameterDraws(const Fit& fit, const DrawPlan& plan) : plan_(plan), columns_(factor_columns(fit)) {
  if (plan.first + plan.count > (std::size_t{1} << 32U)) {
    throw InputError("too many draws (num); ask for at most 4,294,967,296");
  }
  const std::size_t count = plan.count;
  const std::size_t parameters = fit.parameters.size();
  noise_ = factor_noise(columns_, plan);
  coordinates_.resize(parameters * count);
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(parameters); ++i) {
    const auto place = static_cast<std::size_t>(i);
    combine(fit, place, columns_, count, noise_.data(), coordinates_.data() + place * count);
  }
  values_ = coordinates_;
  for (std::size_t i = 0; i < parameters; ++i) {
    double* value = values_.data() + i * count;
    switch (fit.parameters[i].transform) {
      case Transform::identity:
      case Transform::correlation:  // below, a group at a time
        break;
      case Transform::exponential:
        for (std::size_t s = 0; s < count; ++s) value[s] = std::exp(value[s]);
        break;
      case Transform::logistic:
        for (std::size_t s = 0; s < count; ++s) value[s] = 1 / (1 + std::exp(-value[s]));
        break;
      case Transform::increment:
        for (std::size_t s = 0; s < count; ++s) value[s] = value[s - count] + std::exp(value[s]);
        break;
    }
  }
  for (const GroupPosterior& group : fit.groups) fill_correlations(group, count, coordinates_.data(), values_.data());
}

std::vector<double> ParameterDraws::along(const Fit& fit, std::size_t place) const {
  std::vector<double> out(plan_.count);
  combine(fit, place, columns_, plan_.count, noise_.data(), out.data());
  return out;
}

}  // namespace jensen
