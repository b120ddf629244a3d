#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

#include "design/formula.hpp"
#include "design/model_matrix.hpp"
#include "jensen/train.hpp"

namespace jensen {
namespace {

constexpr double normal_95 = 1.6448536269514722;
constexpr std::size_t block_rows = 1024;

double inverse_link(Family family, double eta) {
  switch (family) {
    case Family::gaussian:
      return eta;
    case Family::bernoulli:
      return 1 / (1 + std::exp(-eta));
    default:
      break;
  }
  return std::exp(eta);
}

/// E of the inverse link over eta ~ N(m, s). The logistic one by the trapezoidal rule on [-8, 8], whose error falls
/// exponentially with the number of nodes for such integrands (Trefethen & Weideman 2014).
double expected_response(Family family, double m, double s) {
  if (family == Family::gaussian) return m;
  if (family == Family::poisson) return std::exp(m + s * s / 2);
  constexpr int half_nodes = 40;
  constexpr double width = 8.0 / half_nodes;
  double sum = 0;
  for (int i = -half_nodes; i <= half_nodes; ++i) {
    const double t = i * width;
    sum += std::exp(-t * t / 2) * inverse_link(family, m + s * t);
  }
  return sum * width / std::sqrt(2 * std::numbers::pi);
}

}  // namespace

Prediction predict(const Fit& fit, const Table& table) {
  const Formula formula = parse_formula(fit.formula);
  const ModelMatrix design = ModelMatrix::apply(formula, table, fit.factors);
  const std::size_t k = design.columns();
  const std::size_t d = fit.parameters.size();
  const std::size_t first = formula.intercept ? 1 : 0;
  const Family family = fit.options.family;
  const auto& rows = design.complete_rows();

  const double missing = std::numeric_limits<double>::quiet_NaN();
  Prediction out;
  for (auto* column : {&out.mean, &out.q05, &out.q95}) column->assign(table.rows(), missing);
  const auto blocks = static_cast<std::int64_t>((rows.size() + block_rows - 1) / block_rows);
#pragma omp parallel
  {
    std::vector<double> x(block_rows * k);
    std::vector<double> along(d);
#pragma omp for schedule(static)
    for (std::int64_t b = 0; b < blocks; ++b) {
      const std::size_t begin = static_cast<std::size_t>(b) * block_rows;
      const std::size_t count = std::min(block_rows, rows.size() - begin);
      design.fill(std::span(rows).subspan(begin, count), x.data());
      for (std::size_t i = 0; i < count; ++i) {
        // eta = x . u is normal: mean x . mean, variance |factor^T x|^2
        const std::uint32_t row = rows[begin + i];
        double m = design.offset(row);
        std::fill(along.begin(), along.end(), 0.0);
        for (std::size_t j = 0; j < first + k; ++j) {
          const double value = j < first ? 1.0 : x[i * k + j - first];
          if (value == 0) continue;
          m += value * fit.mean[j];
          const double* factor = fit.factor.data() + j * d;
          for (std::size_t c = 0; c < d; ++c) along[c] += value * factor[c];
        }
        double variance = 0;
        for (const double a : along) variance += a * a;
        const double s = std::sqrt(variance);
        out.mean[row] = expected_response(family, m, s);
        out.q05[row] = inverse_link(family, m - normal_95 * s);
        out.q95[row] = inverse_link(family, m + normal_95 * s);
      }
    }
  }
  return out;
}

}  // namespace jensen
