#include "predict/random_response.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>

namespace jensen {
namespace {

/// (0, 1): the middles of 2^52 cells.
double uniform(ResponseNoise& noise) {
  const std::uint64_t high = noise() >> 6U;
  const std::uint64_t low = noise() >> 6U;
  return (static_cast<double>((high << 26U) | low) + 0.5) * 0x1p-52;
}

double standard_normal(ResponseNoise& noise) { return std::normal_distribution<double>()(noise); }

/// log of a standard gamma variable of this shape, also where the variable itself would be 0: G(a) = G(a + 1) U^(1/a).
double log_gamma_variable(double shape, ResponseNoise& noise) {
  if (shape >= 1) return std::log(std::gamma_distribution<double>(shape)(noise));
  return std::log(std::gamma_distribution<double>(shape + 1)(noise)) + std::log(uniform(noise)) / shape;
}

double poisson(double mean, ResponseNoise& noise) {
  constexpr double most = 0x1p52;  // beyond, doubles are too coarse to be counts: the normal limit is as good
  if (!(mean > 0)) return 0;
  if (mean > most) return std::round(mean + std::sqrt(mean) * standard_normal(noise));
  return static_cast<double>(std::poisson_distribution<std::int64_t>(mean)(noise));
}

/// Poisson given that it is not 0. The first arrival in a process of unit rate, given that it is before `mean`, is at
/// t = -log(1 - U (1 - exp(-mean))); what follows is a Poisson variable of mean - t.
double positive_poisson(double mean, ResponseNoise& noise) {
  const double first = -std::log1p(uniform(noise) * std::expm1(-mean));
  return 1 + poisson(mean - first, noise);
}

}  // namespace

double random_response(Family family, Link link, const ResponseParameters& p, ResponseNoise& noise) {
  const double mu = inverse_link(link, p.eta);
  const auto [first, second] = p.others;
  if (std::isnan(mu) || !std::isfinite(first) || !std::isfinite(second)) {
    return std::numeric_limits<double>::quiet_NaN();
  }
  if (std::isinf(mu)) return mu;
  switch (family) {
    case Family::gaussian:
      return mu + first * standard_normal(noise);
    case Family::student_t: {
      const double z = standard_normal(noise);
      return mu + first * z * std::exp(-0.5 * (log_gamma_variable(second / 2, noise) - std::log(second / 2)));
    }
    case Family::bernoulli:
      return uniform(noise) < mu ? 1 : 0;
    case Family::binomial:
      return static_cast<double>(
          std::binomial_distribution<std::int64_t>(static_cast<std::int64_t>(p.trials), mu)(noise));
    case Family::poisson:
      return poisson(mu, noise);
    case Family::negative_binomial:  // a Poisson variable whose mean is a gamma variable
      return poisson(std::exp(log_gamma_variable(first, noise) - std::log(first)) * mu, noise);
    case Family::gamma:
      return std::exp(log_gamma_variable(first, noise) - std::log(first)) * mu;
    case Family::beta: {
      const double a = log_gamma_variable(mu * first, noise);
      const double b = log_gamma_variable((1 - mu) * first, noise);
      return 1 / (1 + std::exp(b - a));
    }
    case Family::lognormal:
      return std::exp(mu + first * standard_normal(noise));
    case Family::exponential:
      return -mu * std::log(uniform(noise));
    case Family::weibull:
      return mu * std::exp(std::log(-std::log(uniform(noise))) / first - std::lgamma(1 + 1 / first));
    case Family::zero_inflated_poisson:
      return uniform(noise) < first ? 0 : poisson(mu, noise);
    case Family::hurdle_poisson:
      return uniform(noise) < first ? 0 : positive_poisson(mu, noise);
    case Family::cumulative:
    case Family::categorical:
      break;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

double random_category(std::span<const double> probabilities, ResponseNoise& noise) {
  double left = uniform(noise);
  for (std::size_t k = 0; k + 1 < probabilities.size(); ++k) {
    left -= probabilities[k];
    if (left < 0) return static_cast<double>(k + 1);
  }
  return std::isnan(left) ? left : static_cast<double>(probabilities.size());
}

}  // namespace jensen
