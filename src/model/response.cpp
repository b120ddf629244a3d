#include "model/response.hpp"

#include <cmath>
#include <numbers>

#include "math_gamma.hpp"
#include "model/families.hpp"

namespace jensen {
namespace {

constexpr double most_count = 2147483648.0;

const double half_log_two_pi = 0.5 * std::log(2 * std::numbers::pi);

bool whole(double value) { return value >= 0 && value < most_count && value == std::floor(value); }

double log_or_zero(double value) { return value > 0 ? std::log(value) : 0; }

/// x log(x) - x - log x!, the largest log Poisson(x | .), by Stirling's formula: no difference of large numbers.
double poisson_peak(double x) { return x > 0 ? -half_log_two_pi - 0.5 * std::log(x) - math::stirling(x).remainder : 0; }

/// y log(y / n) + (n - y) log(1 - y / n).
double binomial_constant(double y, double n) {
  return (y > 0 ? y * std::log(y / n) : 0) + (n > y ? (n - y) * std::log((n - y) / n) : 0);
}

/// The largest log Binomial(y | n, .), likewise.
double binomial_peak(double y, double n) {
  if (!(y > 0 && y < n)) return 0;
  return 0.5 * std::log(n / y / (n - y)) - half_log_two_pi + math::stirling(n).remainder - math::stirling(y).remainder -
         math::stirling(n - y).remainder;
}

ResponseRow on_density_scale(Family family, ResponseRow row) {
  if (family == Family::lognormal) row.y = std::log(row.y);
  return row;
}

}  // namespace

const char* response_problem(Family family, const ResponseRow& row) {
  const double y = row.y;
  bool right = std::isfinite(y);
  switch (family) {
    case Family::gaussian:
    case Family::student_t:
      break;
    case Family::bernoulli:
      right = y == 0 || y == 1;
      break;
    case Family::binomial:
      right = whole(y) && whole(row.trials) && y <= row.trials;
      break;
    case Family::poisson:
    case Family::negative_binomial:
    case Family::zero_inflated_poisson:
    case Family::hurdle_poisson:
    case Family::cumulative:
    case Family::categorical:
      if (y >= most_count && y == std::floor(y)) return "a count below 2^31";
      right = whole(y);
      break;
    case Family::gamma:
    case Family::lognormal:
    case Family::weibull:
      right = right && y > 0;
      break;
    case Family::beta:
      right = y > 0 && y < 1;
      break;
    case Family::exponential:
      right = right && y >= 0;
      break;
  }
  return right ? nullptr : info_of(family).response.data();
}

std::array<double, 3> response_constants(DensityKind density, const ResponseRow& row) {
  const double y = row.y;
  const double censored = row.censored ? 1 : 0;
  switch (density) {
    case DensityKind::binomial_logit:
    case DensityKind::binomial_probit:
    case DensityKind::binomial_cloglog:
      return {y, row.trials, binomial_constant(y, row.trials)};
    case DensityKind::poisson_log:
    case DensityKind::negative_binomial_log:
    case DensityKind::zero_inflated_poisson:
      return {y, log_or_zero(y), 0};
    case DensityKind::hurdle_poisson:
      return {y, log_or_zero(y - 1), 0};
    case DensityKind::gamma_log:
      return {std::log(y), 0, 0};
    case DensityKind::beta_logit:
      return {std::log(y), std::log1p(-y), y < 0.5 ? y : y - 1};
    case DensityKind::exponential_log:
      return {y, censored, 0};
    case DensityKind::weibull_log:
      return {std::log(y), censored, 0};
    default:
      return {y, 0, 0};
  }
}

double left_out(DensityKind density, const ResponseRow& row) {
  const double y = row.y;
  switch (density) {
    case DensityKind::gaussian:
    case DensityKind::student_t:
      return -half_log_two_pi;
    case DensityKind::binomial_logit:
    case DensityKind::binomial_probit:
    case DensityKind::binomial_cloglog:
      return binomial_peak(y, row.trials);
    case DensityKind::poisson_log:
    case DensityKind::negative_binomial_log:
    case DensityKind::zero_inflated_poisson:
      return poisson_peak(y);
    case DensityKind::hurdle_poisson:
      return y > 1 ? poisson_peak(y - 1) - std::log(y) : 0;
    case DensityKind::gamma_log:
      return -std::log(y) - half_log_two_pi;
    case DensityKind::beta_logit:
      return -std::log(y) - std::log1p(-y) - half_log_two_pi;
    case DensityKind::weibull_log:
      return row.censored ? 0 : -std::log(y);
    default:
      return 0;
  }
}

std::array<double, 3> response_constants(Family family, Link link, const ResponseRow& row) {
  return response_constants(density_of(family, link), on_density_scale(family, row));
}

double left_out(Family family, Link link, const ResponseRow& row) {
  const double jacobian = family == Family::lognormal ? -std::log(row.y) : 0;
  return left_out(density_of(family, link), on_density_scale(family, row)) + jacobian;
}

}  // namespace jensen
