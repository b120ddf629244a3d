#include "jensen/pieces.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>

#include "constrain.hpp"
#include "jensen/errors.hpp"
#include "model/coordinate_transforms.hpp"
#include "model/linear_algebra.hpp"
#include "noise.hpp"
#include "show.hpp"

namespace jensen {
namespace {

void check_size(std::size_t given, std::size_t wanted, std::string_view what) {
  if (given == wanted) return;
  throw InputError(fmt::format("{} numbers for {} {}; give one each", given, wanted, what));
}

/// log q's constant: the entropy of N(0, I) and the log determinant are made of it.
const double log_two_pi = std::log(2 * std::numbers::pi);

double log_determinant(std::span<const double> factor, std::size_t d) {
  double sum = 0;
  for (std::size_t i = 0; i < d; ++i) sum += std::log(factor[i * d + i]);
  return sum;
}

}  // namespace

std::vector<double> constrain(std::span<const Parameter> parameters, std::span<const double> u) {
  check_size(u.size(), parameters.size(), "parameters");
  const std::vector<CoordinateTransform> transforms = coordinate_transforms(parameters);
  std::vector<double> theta(u.size());
  const Constrain one{transforms.data(), u.data(), static_cast<int>(u.size()), theta.data()};
  for (std::size_t i = 0; i < u.size(); ++i) one(static_cast<std::int64_t>(i));
  return theta;
}

std::vector<double> unconstrain(std::span<const Parameter> parameters, std::span<const double> values) {
  check_size(values.size(), parameters.size(), "parameters");
  const std::vector<CoordinateTransform> transforms = coordinate_transforms(parameters);
  std::vector<double> u;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const double before = i > 0 ? values[i - 1] : 0;
    u.push_back(unconstrained(transforms[i], values[i], before));
    if (!std::isfinite(u.back())) {
      throw InputError(
          fmt::format("{} cannot be {}: its transform does not reach that", show(parameters[i].name), values[i]));
    }
  }
  return u;
}

double log_jacobian(std::span<const Parameter> parameters, std::span<const double> u) {
  check_size(u.size(), parameters.size(), "parameters");
  const std::vector<CoordinateTransform> transforms = coordinate_transforms(parameters);
  double sum = 0;
  for (std::size_t i = 0; i < u.size(); ++i) sum += Unconstrain::log_jacobian(transforms[i], u[i]);
  return sum;
}

NormalGuide::NormalGuide(std::vector<double> mean, std::vector<double> factor)
    : mean_(std::move(mean)), factor_(std::move(factor)) {
  const std::size_t d = dimension();
  check_size(factor_.size(), d * d, "elements of a factor");
  for (std::size_t i = 0; i < d; ++i) {
    if (!(factor_[i * d + i] > 0)) {
      throw InputError(
          fmt::format("element {} of the factor's diagonal is {}; give a positive one", i + 1, factor_[i * d + i]));
    }
    for (std::size_t j = i + 1; j < d; ++j) factor_[i * d + j] = 0;
  }
}

std::vector<double> NormalGuide::draw(std::size_t count, std::uint64_t seed) const {
  if (count > 0xFFFFFFFFU) throw InputError(fmt::format("{} draws are more than 2^32; draw fewer at a time", count));
  const std::size_t d = dimension();
  std::vector<double> out, eps(d);
  out.reserve(count * d);
  for (std::size_t s = 0; s < count; ++s) {
    for (std::size_t i = 0; i < d; ++i) {
      // quads of normals: drawn again for each of the four, which is not where time goes
      const auto quad = static_cast<std::uint32_t>(i / 4);
      eps[i] =
          static_cast<double>(standard_normals(seed, Purpose::draw, 0, static_cast<std::uint32_t>(s), quad).n[i % 4]);
    }
    for (std::size_t i = 0; i < d; ++i) {
      double sum = mean_[i];
      for (std::size_t j = 0; j <= i; ++j) sum += factor_[i * d + j] * eps[j];
      out.push_back(sum);
    }
  }
  return out;
}

double NormalGuide::log_density(std::span<const double> u) const {
  const std::size_t d = dimension();
  check_size(u.size(), d, "coordinates");
  std::vector<double> eps(d);  // L eps = u - mean
  double square = 0;
  for (std::size_t i = 0; i < d; ++i) {
    double sum = u[i] - mean_[i];
    for (std::size_t j = 0; j < i; ++j) sum -= factor_[i * d + j] * eps[j];
    eps[i] = sum / factor_[i * d + i];
    square += eps[i] * eps[i];
  }
  return -0.5 * square - 0.5 * static_cast<double>(d) * log_two_pi - log_determinant(factor_, d);
}

double NormalGuide::entropy() const {
  return 0.5 * static_cast<double>(dimension()) * (1 + log_two_pi) + log_determinant(factor_, dimension());
}

NormalGuide guide_of(const Fit& fit) {
  const std::size_t h = fit.parameters.size();
  const std::size_t f = h == 0 ? 0 : static_cast<std::size_t>(std::lround(std::sqrt(fit.factor.size())));
  Matrix covariance(h, h);
  for (std::size_t i = 0; i < h; ++i) {
    for (std::size_t j = 0; j < h; ++j) {
      for (std::size_t k = 0; k < f; ++k) covariance(i, j) += fit.factor[i * f + k] * fit.factor[j * f + k];
    }
  }
  const Cholesky r = cholesky(covariance, 0);
  if (r.deficient != h) throw InputError("the fit's factor is not of full rank (guide_of); train again");
  std::vector<double> lower(h * h);
  for (std::size_t i = 0; i < h; ++i) {
    for (std::size_t j = 0; j <= i; ++j) lower[i * h + j] = r.upper(j, i);
  }
  return {{fit.mean.begin(), fit.mean.begin() + static_cast<std::ptrdiff_t>(h)}, std::move(lower)};
}

}  // namespace jensen
