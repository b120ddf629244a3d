#pragma once
/// \file What is expected of a response given its parameters. docs/families.md has the densities.

#include <array>
#include <span>

#include "jensen/model.hpp"

namespace jensen {

/// Parameters of one response.
struct ResponseParameters {
  double eta = 0;                  ///< linear predictor of mu
  std::array<double, 2> others{};  ///< in the order of FamilyInfo::others, on their own scales
  double trials = 1;               ///< binomial
};

/// mu of eta. Not for softmax.
double inverse_link(Link link, double eta);

/// True if the expected response is inverse_link(eta), times the trials of a binomial, whatever the other parameters.
bool mean_is_inverse_link(Family family);

/// E y. Of student_t its location, which is the mean if nu > 1. Not for families with categories.
double response_mean(Family family, Link link, const ResponseParameters& p);

/// P(y = k), k = 1, .., thresholds + 1: logistic(threshold_k - eta) - logistic(threshold_(k-1) - eta).
void cumulative_probabilities(double eta, std::span<const double> thresholds, double* out);

/// exp(eta_k) / sum of exp(eta_j) for the categories after the first, whose eta is 0; out: one more than etas.
void softmax_probabilities(std::span<const double> etas, double* out);

}  // namespace jensen
