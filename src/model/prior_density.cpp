#include "model/prior_density.hpp"

#include <cmath>
#include <numbers>

namespace jensen {
namespace {

DensityKind density_on_real(PriorKind kind) {
  switch (kind) {
    case PriorKind::student_t:
    case PriorKind::cauchy:
      return DensityKind::student_t_prior;
    case PriorKind::laplace:
      return DensityKind::laplace_prior;
    case PriorKind::logistic:
      return DensityKind::logistic_prior;
    case PriorKind::uniform:
      return DensityKind::uniform_prior;
    case PriorKind::horseshoe:
      return DensityKind::horseshoe;
    default:
      return DensityKind::normal_prior;
  }
}

DensityKind density_on_positive(PriorKind kind) {
  switch (kind) {
    case PriorKind::half_normal:
      return DensityKind::half_normal_prior;
    case PriorKind::half_student_t:
    case PriorKind::half_cauchy:
      return DensityKind::half_student_t_prior;
    case PriorKind::exponential:
      return DensityKind::exponential_prior;
    case PriorKind::gamma:
      return DensityKind::gamma_prior;
    case PriorKind::inverse_gamma:
      return DensityKind::inverse_gamma_prior;
    case PriorKind::lognormal:
      return DensityKind::normal_prior;
    case PriorKind::uniform:
      return DensityKind::uniform_positive_prior;
    default:
      return DensityKind::flat_positive_prior;
  }
}

/// log(upper - lower), where the difference itself may overflow.
double log_width(double lower, double upper) { return std::log(upper / 2 - lower / 2) + std::numbers::ln2; }

double log_beta(double a, double b) { return std::lgamma(a) + std::lgamma(b) - std::lgamma(a + b); }

double normal_normalizer(double scale) { return -0.5 * std::log(2 * std::numbers::pi) - std::log(scale); }

double student_t_normalizer(double df, double scale) {
  return std::lgamma((df + 1) / 2) - std::lgamma(df / 2) - 0.5 * std::log(df * std::numbers::pi) - std::log(scale);
}

/// Of gamma and inverse_gamma alike, whose kernels are relative to their largest value.
double gamma_normalizer(double shape) { return shape * std::log(shape) - shape - std::lgamma(shape); }

/// Of beta, likewise.
double beta_normalizer(double a, double b) { return -a * std::log1p(b / a) - b * std::log1p(a / b) - log_beta(a, b); }

/// Of (1 - p^2)^(b - 1), -1 < p < 1.
double partial_normalizer(double b) { return -(2 * b - 1) * std::numbers::ln2 - log_beta(b, b); }

}  // namespace

double logit(double p) { return std::log(p) - std::log1p(-p); }

DensityKind density_of(PriorKind kind, Support support) {
  switch (support) {
    case Support::real:
    case Support::increasing:
      return density_on_real(kind);
    case Support::positive:
      return density_on_positive(kind);
    case Support::unit:
      return kind == PriorKind::uniform ? DensityKind::uniform_unit_prior : DensityKind::beta_prior;
    case Support::correlation:
      break;
  }
  return DensityKind::lkj_partial;
}

std::array<double, 3> constants_of(const Prior& prior, Support support) {
  const std::vector<double>& a = prior.arguments;
  switch (prior.kind) {
    case PriorKind::normal:
    case PriorKind::laplace:
    case PriorKind::logistic:
    case PriorKind::lognormal:
      return {a[0], 1 / a[1], 0};
    case PriorKind::student_t:
      return {a[1], 1 / a[2], a[0]};
    case PriorKind::cauchy:
      return {a[0], 1 / a[1], 1};
    case PriorKind::half_normal:
      return {0, 1 / a[0], 0};
    case PriorKind::half_student_t:
      return {0, 1 / a[1], a[0]};
    case PriorKind::half_cauchy:
      return {0, 1 / a[0], 1};
    case PriorKind::exponential:
      return {0, a[0], 0};
    case PriorKind::gamma:
      return {a[0], std::log(a[0]) - std::log(a[1]), 0};
    case PriorKind::inverse_gamma:
      return {a[0], std::log(a[1]) - std::log(a[0]), 0};
    case PriorKind::uniform:
      if (support == Support::positive) return {std::log(a[0]), std::log(a[1]), 0};
      if (support == Support::unit) return {logit(a[0]), logit(a[1]), 0};
      return {a[0], 0.5 / (a[1] / 2 - a[0] / 2), 0};
    case PriorKind::beta:
      return {a[0], a[1], std::log(a[0]) - std::log(a[1])};
    case PriorKind::lkj:
      return {a[0], 0, 0};
    case PriorKind::flat:
    case PriorKind::horseshoe:
      break;
  }
  return {};
}

double log_normalizer(const Prior& prior) {
  const std::vector<double>& a = prior.arguments;
  switch (prior.kind) {
    case PriorKind::normal:
    case PriorKind::lognormal:
      return normal_normalizer(a[1]);
    case PriorKind::student_t:
      return student_t_normalizer(a[0], a[2]);
    case PriorKind::cauchy:
      return student_t_normalizer(1, a[1]);
    case PriorKind::laplace:
      return -std::numbers::ln2 - std::log(a[1]);
    case PriorKind::logistic:
      return -std::log(a[1]);
    case PriorKind::half_normal:
      return std::numbers::ln2 + normal_normalizer(a[0]);
    case PriorKind::half_student_t:
      return std::numbers::ln2 + student_t_normalizer(a[0], a[1]);
    case PriorKind::half_cauchy:
      return std::numbers::ln2 + student_t_normalizer(1, a[0]);
    case PriorKind::exponential:
      return std::log(a[0]);
    case PriorKind::gamma:
    case PriorKind::inverse_gamma:
      return gamma_normalizer(a[0]);
    case PriorKind::uniform:
      return -log_width(a[0], a[1]);
    case PriorKind::beta:
      return beta_normalizer(a[0], a[1]);
    case PriorKind::lkj:
      return partial_normalizer(a[0]);
    case PriorKind::horseshoe:
      return normal_normalizer(1);
    case PriorKind::flat:
      break;
  }
  return 0;
}

double lkj_exponent(double eta, std::size_t size, std::size_t column) {
  return eta + (static_cast<double>(size) - 2 - static_cast<double>(column)) / 2;
}

double lkj_log_normalizer(double eta, std::size_t size) {
  double total = 0;
  for (std::size_t column = 0; column + 1 < size; ++column) {
    total += static_cast<double>(size - 1 - column) * partial_normalizer(lkj_exponent(eta, size, column));
  }
  return total;
}

HorseshoeScales horseshoe_scales(const Prior& prior) {
  const std::vector<double>& a = prior.arguments;
  const double shape = a[2] / 2;
  HorseshoeScales scales;
  scales.local = prior_density({"", PriorKind::half_student_t, {a[0], 1}}, Support::positive);
  scales.global = prior_density({"", PriorKind::half_cauchy, {a[1]}}, Support::positive);
  // c^2 = exp(2 log c): the Jacobian of log c^2 adds log 2. scale / shape = scale_slab^2.
  scales.slab = {DensityKind::inverse_gamma_of_square_prior,
                 {shape, 2 * std::log(a[3]), 0},
                 gamma_normalizer(shape) + std::numbers::ln2};
  return scales;
}

}  // namespace jensen
