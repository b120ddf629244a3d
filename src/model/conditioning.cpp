#include "model/conditioning.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "densities/list.hpp"
#include "jensen/errors.hpp"
#include "model/density_of.hpp"
#include "model/families.hpp"

namespace jensen {
namespace {

constexpr std::size_t most_rows = 65536;
constexpr std::size_t most_products = 2'000'000'000;   // rows x C^2 in one Hessian: about a second on one core
constexpr std::size_t most_block_values = 16'000'000;  // doubles in all partial Hessians: 128 MB
constexpr std::size_t most_dense = 1024;

struct Local {
  double value, slope, curvature;  ///< curvature >= 0: minus the second derivative
};

/// A density of one argument with its derivatives; the second by central differences of the first.
template <class Density>
Local local(const double* constants, double a, double shared) {
  const double arguments[max_shared] = {shared};
  const auto prepared = Density::prepare(arguments);
  const auto at = Density::evaluate(constants, a, prepared);
  const double h = 1e-5 * std::max(1.0, std::abs(a));
  const double above = Density::evaluate(constants, a + h, prepared).d[0];
  const double below = Density::evaluate(constants, a - h, prepared).d[0];
  return {at.log_density, at.d[0], std::max((below - above) / (2 * h), 0.0)};
}

/// A gradient, and the upper triangle of minus a Hessian, as sums over rows x of slope x and curvature x x^T.
struct Sums {
  std::vector<double> gradient;
  Matrix hessian;

  Sums() = default;
  explicit Sums(std::size_t c) : gradient(c), hessian(c, c) {}
  void add(const double* x, double slope, double curvature) {
    const std::size_t c = gradient.size();
    for (std::size_t j = 0; j < c; ++j) {
      gradient[j] += slope * x[j];
      const double scaled = curvature * x[j];
      if (scaled == 0) continue;
      double* row = hessian.values.data() + j * c;
      const std::size_t end = c <= most_dense ? c : j + 1;  // above, only the diagonal is used
      for (std::size_t k = j; k < end; ++k) row[k] += scaled * x[k];
    }
  }
  void add(const Sums& other) {
    for (std::size_t j = 0; j < gradient.size(); ++j) gradient[j] += other.gradient[j];
    for (std::size_t i = 0; i < hessian.values.size(); ++i) hessian.values[i] += other.hessian.values[i];
  }
};

/// The log joint of the rows in use, as a function of v, in double.
class Objective {
 public:
  Objective(const RegressionData& data, const std::vector<PriorRow>& priors)
      : priors_(priors), c_(data.coefficients()) {
    const std::size_t n = data.rows();
    const std::size_t used = std::min(n, std::max(std::min(most_rows, most_products / (c_ * c_)), 32 * c_));
    weight_ = static_cast<double>(n) / static_cast<double>(used);
    std::vector<std::uint32_t> at(used);
    for (std::size_t i = 0; i < used; ++i) at[i] = static_cast<std::uint32_t>(i * n / used);
    x_.resize(used * c_);
    data.standardised(at, x_.data());
    for (const std::uint32_t i : at) {
      const double y = (data.response[i] - data.eta_center) / data.eta_scale;
      constants_.push_back({y, data.family == Family::poisson && y > 0 ? std::log(y) : 0.0, 0.0});
      offset_.push_back(data.offset.empty() ? 0.0 : data.offset[i] / data.eta_scale);
    }
    kind_ = density_of(data.family, info_of(data.family).links.front());
  }

  std::size_t used() const { return offset_.size(); }
  double weight() const { return weight_; }

  /// The log joint at v; if asked, its gradient and (the upper triangle of) minus its Hessian. The rows are summed in
  /// blocks whose number depends on the sizes alone, so that threads do not change the bits.
  double operator()(const std::vector<double>& v, double log_sigma, Sums* derivatives) const {
    const std::size_t blocks = std::clamp<std::size_t>(most_block_values / (c_ * c_), 1, 32);
    std::vector<Sums> partial(blocks);
    std::vector<double> values(blocks);
#pragma omp parallel for schedule(static)
    for (std::int64_t b = 0; b < static_cast<std::int64_t>(blocks); ++b) {
      const auto block = static_cast<std::size_t>(b);
      Sums* sums = derivatives == nullptr ? nullptr : &partial[block];
      if (sums != nullptr) *sums = Sums(c_);
      values[block] = add_rows(used() * block / blocks, used() * (block + 1) / blocks, v, log_sigma, sums);
    }
    double total = 0;
    if (derivatives != nullptr) *derivatives = Sums(c_);
    for (std::size_t b = 0; b < blocks; ++b) {
      total += values[b];
      if (derivatives != nullptr) derivatives->add(partial[b]);
    }
    return total + add_priors(v, derivatives);
  }

  /// Log of the root mean square residual. With hardly more rows than coefficients the residuals say nothing of sigma
  /// (they may all be zero): a tenth of the response's sd is then the least.
  double log_residual(const std::vector<double>& v) const {
    double squares = 0;
    for (std::size_t i = 0; i < used(); ++i) {
      double r = constants_[i][0] - offset_[i];
      for (std::size_t j = 0; j < c_; ++j) r -= x_[i * c_ + j] * v[j];
      squares += r * r;
    }
    return 0.5 * std::log(std::max(squares / static_cast<double>(used()), used() <= 2 * c_ ? 1e-2 : 1e-12));
  }

 private:
  double add_rows(std::size_t begin, std::size_t end, const std::vector<double>& v, double log_sigma,
                  Sums* sums) const {
    double total = 0;
    with_density(kind_, [&](auto density) {
      for (std::size_t i = begin; i < end; ++i) {
        const double* x = x_.data() + i * c_;
        double eta = offset_[i];
        for (std::size_t j = 0; j < c_; ++j) eta += x[j] * v[j];
        const Local f = local<decltype(density)>(constants_[i].data(), eta, log_sigma);
        total += weight_ * f.value;
        if (sums != nullptr) sums->add(x, weight_ * f.slope, weight_ * std::max(f.curvature, 1e-12));
      }
    });
    return total;
  }

  double add_priors(const std::vector<double>& v, Sums* sums) const {
    double total = 0;
    for (const PriorRow& row : priors_) {
      if (row.prior.kind == PriorKind::flat) continue;
      double a = row.shift;
      for (std::size_t j = 0; j < c_; ++j) a += row.row[j] * v[j];
      const auto constants = constants_of(row.prior);
      with_density(density_of(row.prior.kind), [&](auto density) {
        const Local f = local<decltype(density)>(constants.data(), a, 0);
        total += f.value;
        if (sums != nullptr) sums->add(row.row.data(), f.slope, f.curvature);
      });
    }
    return total;
  }

  const std::vector<PriorRow>& priors_;
  std::size_t c_;
  double weight_ = 1;
  DensityKind kind_{};
  std::vector<double> x_, offset_;
  std::vector<std::array<double, 3>> constants_;
};

/// Intercept at which the expected total is the observed one: log mean(y) - log mean(exp(offset)), without overflow.
double log_rate(const RegressionData& data) {
  double largest = 0;
  if (!data.offset.empty()) largest = *std::max_element(data.offset.begin(), data.offset.end());
  double sum = 0;
  for (const double offset : data.offset) sum += std::exp(offset - largest);
  const double mean = data.offset.empty() ? 1 : sum / static_cast<double>(data.rows());
  return std::log(data.response_mean) - std::log(mean) - largest;
}

std::string coefficient_name(const RegressionData& data, std::size_t j) {
  if (data.intercept && j == 0) return "Intercept";
  return data.design->names()[j - (data.intercept ? 1 : 0)];
}

Matrix factor(const RegressionData& data, const Matrix& hessian) {
  const std::size_t c = hessian.rows;
  const Cholesky result = cholesky(hessian, 1e-11);
  if (result.deficient < c) {
    throw InputError(
        fmt::format("column '{}' is a linear combination of the columns before it, and its prior is "
                    "too weak to tell them apart (--formula); remove a term or give b a prior",
                    coefficient_name(data, result.deficient)));
  }
  return result.upper;
}

}  // namespace

std::vector<PriorRow> prior_rows(const RegressionData& data, const ResolvedPriors& priors) {
  const std::size_t c = data.coefficients();
  const std::size_t first = data.intercept ? 1 : 0;
  std::vector<PriorRow> rows;
  if (data.intercept) {
    PriorRow row{priors.intercept, std::vector<double>(c), data.eta_center};
    row.row[0] = data.eta_scale;
    if (priors.intercept.target != "Intercept_centered") {
      for (std::size_t j = 0; j + 1 < c; ++j) row.row[j + 1] = -data.eta_scale * data.center[j] / data.scale[j];
    }
    rows.push_back(std::move(row));
  }
  for (std::size_t j = 0; j < priors.coefficients.size(); ++j) {
    PriorRow row{priors.coefficients[j], std::vector<double>(c), 0};
    row.row[first + j] = data.eta_scale / data.scale[j];
    rows.push_back(std::move(row));
  }
  return rows;
}

Conditioning condition(const RegressionData& data, const std::vector<PriorRow>& priors) {
  const std::size_t c = data.coefficients();
  const bool gaussian = data.family == Family::gaussian;
  const Objective objective(data, priors);
  std::vector<double> v(c);
  if (data.family == Family::poisson && data.intercept) v[0] = log_rate(data);
  double log_sigma = gaussian ? objective.log_residual(v) : 0;
  Matrix upper;
  for (int iteration = 0; iteration < 30; ++iteration) {
    Sums sums;
    const double value = objective(v, log_sigma, &sums);
    if (!std::isfinite(value)) {
      throw InputError("the log density is not finite where training starts (--formula); check the size of the offset");
    }
    upper = factor(data, sums.hessian);
    const std::vector<double> direction = solve(upper, sums.gradient);
    double decrement = 0;
    for (std::size_t j = 0; j < c; ++j) decrement += direction[j] * sums.gradient[j];
    // Newton's decrement is the squared distance to the mode in posterior sds: a thousandth is plenty to start from.
    if (!(decrement > 1e-6)) break;
    double length = 1;
    std::vector<double> next(c);
    for (int halving = 0; halving < 30; ++halving, length /= 2) {
      for (std::size_t j = 0; j < c; ++j) next[j] = v[j] + length * direction[j];
      const double reached = objective(next, log_sigma, nullptr);
      if (reached >= value) break;  // false for NaN
    }
    v = next;
    if (gaussian) log_sigma = objective.log_residual(v);
  }
  return {v, upper, inverse_upper(upper), log_sigma};
}

}  // namespace jensen
