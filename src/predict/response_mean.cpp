#include "predict/response_mean.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace jensen {
namespace {

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

}  // namespace

double inverse_link(Link link, double eta) {
  switch (link) {
    case Link::identity:
    case Link::softmax:
      break;
    case Link::log:
      return std::exp(eta);
    case Link::logit:
      return logistic(eta);
    case Link::probit:
      return 0.5 * std::erfc(-eta / std::numbers::sqrt2);
    case Link::cloglog:
      return -std::expm1(-std::exp(eta));
  }
  return eta;
}

bool mean_is_inverse_link(Family family) {
  switch (family) {
    case Family::lognormal:
    case Family::zero_inflated_poisson:
    case Family::hurdle_poisson:
    case Family::cumulative:
    case Family::categorical:
      return false;
    default:
      return true;
  }
}

double response_mean(Family family, Link link, const ResponseParameters& p) {
  const double mu = inverse_link(link, p.eta);
  switch (family) {
    case Family::binomial:
      return p.trials * mu;
    case Family::lognormal:
      return std::exp(mu + p.others[0] * p.others[0] / 2);
    case Family::zero_inflated_poisson:
      return (1 - p.others[0]) * mu;
    case Family::hurdle_poisson:  // a rate of 0 makes every count that is not 0 a 1
      return (1 - p.others[0]) * (mu > 0 ? mu / -std::expm1(-mu) : 1);
    default:
      return mu;
  }
}

void cumulative_probabilities(double eta, std::span<const double> thresholds, double* out) {
  for (std::size_t k = 0; k <= thresholds.size(); ++k) {
    if (k == 0) {
      out[k] = logistic(thresholds.front() - eta);
    } else if (k == thresholds.size()) {
      out[k] = logistic(eta - thresholds.back());
    } else {
      // from the tail that is smaller, so that the difference keeps its digits
      const double a = thresholds[k - 1] - eta;
      const double b = thresholds[k] - eta;
      out[k] = a > 0 ? logistic(-a) - logistic(-b) : logistic(b) - logistic(a);
    }
  }
}

void softmax_probabilities(std::span<const double> etas, double* out) {
  double largest = 0;
  for (const double eta : etas) largest = std::max(largest, eta);
  out[0] = std::exp(-largest);
  double total = out[0];
  for (std::size_t k = 0; k < etas.size(); ++k) {
    out[k + 1] = std::exp(etas[k] - largest);
    total += out[k + 1];
  }
  for (std::size_t k = 0; k <= etas.size(); ++k) out[k] /= total;
}

}  // namespace jensen
