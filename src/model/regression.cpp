#include "model/regression.hpp"

#include <cmath>
#include <numbers>
#include <numeric>

#include "model/density_of.hpp"
#include "model/families.hpp"

namespace jensen {
namespace {

constexpr std::size_t block_rows = 2048;

/// Keeps a column alive in the regression and returns where it is.
const float* keep(Regression& regression, std::vector<float> column) {
  regression.columns.push_back(std::move(column));
  return regression.columns.back().data();
}

template <class F>
std::vector<float> make_column(std::size_t rows, F f) {
  std::vector<float> column(rows);
  for (std::size_t i = 0; i < rows; ++i) column[i] = static_cast<float>(f(i));
  return column;
}

Part dense_part(const float* x, std::size_t columns) { return {PartKind::dense, 0, static_cast<int>(columns), 1, x}; }

/// What the family's kernel density leaves out, summed over the rows.
double left_out(const RegressionData& data) {
  const auto n = static_cast<double>(data.rows());
  double total = 0;
  if (data.family == Family::gaussian) total = -0.5 * n * std::log(2 * std::numbers::pi) - n * std::log(data.eta_scale);
  if (data.family == Family::poisson) {
    for (const double y : data.response) total += y > 0 ? y * std::log(y) - y - std::lgamma(y + 1) : 0;
  }
  return total;
}

/// The likelihood: whitened design X R^-1, and as offset the linear predictor at the mode.
void add_data_term(Regression& regression, const RegressionData& data, const Conditioning& conditioning,
                   double log_sigma_scale) {
  const std::size_t n = data.rows();
  const std::size_t c = data.coefficients();
  std::vector<float> x(n * c);
  std::vector<float> offset(n);
  const auto blocks = static_cast<std::int64_t>((n + block_rows - 1) / block_rows);
#pragma omp parallel
  {
    std::vector<double> raw(block_rows * c);
    std::vector<double> white(c);
    std::vector<std::uint32_t> at(block_rows);
#pragma omp for schedule(static)
    for (std::int64_t b = 0; b < blocks; ++b) {
      const std::size_t begin = static_cast<std::size_t>(b) * block_rows;
      const std::size_t count = std::min(block_rows, n - begin);
      at.resize(count);
      std::iota(at.begin(), at.end(), static_cast<std::uint32_t>(begin));
      data.standardised(at, raw.data());
      for (std::size_t i = 0; i < count; ++i) {
        const double* row = raw.data() + i * c;
        std::fill(white.begin(), white.end(), 0.0);
        double eta = data.offset.empty() ? 0 : data.offset[begin + i] / data.eta_scale;
        for (std::size_t k = 0; k < c; ++k) {
          eta += row[k] * conditioning.mode[k];
          const double* inverse = conditioning.inverse.row(k);
          if (row[k] == 0) continue;
          for (std::size_t j = k; j < c; ++j) white[j] += row[k] * inverse[j];
        }
        for (std::size_t j = 0; j < c; ++j) x[(begin + i) * c + j] = static_cast<float>(white[j]);
        offset[begin + i] = static_cast<float>(eta);
      }
    }
  }

  Term term;
  term.density = density_of(data.family, info_of(data.family).links.front());
  term.subsampled = true;
  term.rows = static_cast<std::int64_t>(n);
  term.constant = left_out(data);
  term.constants[0] = keep(
      regression, make_column(n, [&](std::size_t i) { return (data.response[i] - data.eta_center) / data.eta_scale; }));
  if (data.family == Family::poisson) {
    term.constants[1] =
        keep(regression,
             make_column(n, [&](std::size_t i) { return data.response[i] > 0 ? std::log(data.response[i]) : 0.0; }));
  }
  term.arguments[0].part_count = 1;
  term.arguments[0].parts[0] = dense_part(keep(regression, std::move(x)), c);
  term.arguments[0].offset = keep(regression, std::move(offset));
  if (data.family == Family::gaussian) {
    term.argument_count = 2;
    term.arguments[1].part_count = 1;
    term.arguments[1].parts[0] = {PartKind::scalar, static_cast<int>(c), 1, static_cast<float>(log_sigma_scale),
                                  nullptr};
    term.arguments[1].constant = static_cast<float>(conditioning.log_sigma);
  }
  regression.terms.push_back(term);
}

/// All priors of one kind as one term: its rows are the functionals of w that have such a prior.
void add_prior_term(Regression& regression, const std::vector<PriorRow>& rows, PriorKind kind,
                    const Conditioning& conditioning) {
  const std::size_t c = conditioning.mode.size();
  std::vector<float> x, offset;
  std::vector<float> constants[3];
  double normalizer = 0;
  for (const PriorRow& row : rows) {
    if (row.prior.kind != kind) continue;
    double at_mode = row.shift;
    for (std::size_t k = 0; k < c; ++k) at_mode += row.row[k] * conditioning.mode[k];
    // Shifted so that the argument is the distance from the prior's location: exact where the location is large.
    offset.push_back(static_cast<float>(at_mode - row.prior.location));
    for (std::size_t j = 0; j < c; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k <= j; ++k) sum += row.row[k] * conditioning.inverse(k, j);
      x.push_back(static_cast<float>(sum));
    }
    const auto values = constants_of(row.prior);
    constants[0].push_back(0);
    for (std::size_t i = 1; i < 3; ++i) constants[i].push_back(static_cast<float>(values[i]));
    normalizer += log_normalizer(row.prior);
  }
  if (offset.empty()) return;
  Term term;
  term.density = density_of(kind);
  term.rows = static_cast<std::int64_t>(offset.size());
  term.constant = normalizer;
  for (int i = 0; i < 3; ++i) term.constants[i] = keep(regression, std::move(constants[i]));
  term.arguments[0].part_count = 1;
  term.arguments[0].parts[0] = dense_part(keep(regression, std::move(x)), c);
  term.arguments[0].offset = keep(regression, std::move(offset));
  regression.terms.push_back(term);
}

void add_sigma_prior(Regression& regression, const Prior& prior, std::size_t latent, double log_sigma, double scale) {
  Term term;
  term.density = density_of(prior.kind);
  term.rows = 1;
  term.constant = log_normalizer(prior);
  const auto values = constants_of(prior);
  for (std::size_t i = 0; i < 3; ++i) term.constants[i] = keep(regression, {static_cast<float>(values[i])});
  term.arguments[0].part_count = 1;
  term.arguments[0].parts[0] = {PartKind::scalar, static_cast<int>(latent), 1, static_cast<float>(scale), nullptr};
  term.arguments[0].constant = static_cast<float>(log_sigma);
  regression.terms.push_back(term);
}

}  // namespace

Regression build_regression(const RegressionData& data, const std::vector<Prior>& given) {
  const ResolvedPriors priors = resolve_priors(given, data);
  const std::vector<PriorRow> rows = prior_rows(data, priors);
  const Conditioning conditioning = condition(data, rows);
  const bool gaussian = data.family == Family::gaussian;
  const std::size_t c = data.coefficients();
  const std::size_t d = c + (gaussian ? 1 : 0);
  const double log_sigma_scale = 1 / std::sqrt(2 * static_cast<double>(data.rows()));  // its sd where n is large

  Regression regression;
  regression.priors = priors.listed;
  if (data.intercept) regression.parameters.push_back({"b_Intercept", Transform::identity});
  for (const std::string& name : data.design->names())
    regression.parameters.push_back({"b_" + name, Transform::identity});
  if (gaussian) regression.parameters.push_back({"sigma", Transform::exponential});

  // u = B v + b0 on the coefficients, v = mode + R^-1 w; the raw intercept takes the centring back.
  Matrix to_raw(c, c);
  const std::size_t first = data.intercept ? 1 : 0;
  for (std::size_t j = first; j < c; ++j) {
    to_raw(j, j) = data.eta_scale / data.scale[j - first];
    if (data.intercept) to_raw(0, j) = -to_raw(j, j) * data.center[j - first];
    regression.log_determinant += std::log(to_raw(j, j) * conditioning.inverse(j, j));
  }
  if (data.intercept) {
    to_raw(0, 0) = data.eta_scale;
    regression.log_determinant += std::log(data.eta_scale * conditioning.inverse(0, 0));
  }
  const Matrix map = to_raw * conditioning.inverse;
  regression.shift = to_raw * conditioning.mode;
  if (data.intercept) regression.shift[0] += data.eta_center;

  regression.to_user = Matrix(d, d);
  regression.basis = Matrix::identity(d);
  for (std::size_t i = 0; i < c; ++i) {
    for (std::size_t j = 0; j < c; ++j) {
      regression.to_user(i, j) = map(i, j);
      // Column j in units of the conditional sd of v_j, mean-field's optimum if the posterior is normal.
      double norm = 0;
      for (std::size_t k = 0; k <= j; ++k) norm += conditioning.upper(k, j) * conditioning.upper(k, j);
      regression.basis(i, j) = i <= j ? conditioning.upper(i, j) / std::sqrt(norm) : 0;
    }
    regression.log_basis_determinant += std::log(regression.basis(i, i));
  }
  if (gaussian) {
    regression.to_user(c, c) = log_sigma_scale;
    regression.shift.push_back(conditioning.log_sigma + std::log(data.eta_scale));
    regression.log_determinant += std::log(log_sigma_scale);
  }

  add_data_term(regression, data, conditioning, log_sigma_scale);
  for (const PriorKind kind : {PriorKind::normal, PriorKind::student_t})
    add_prior_term(regression, rows, kind, conditioning);
  if (gaussian) {
    add_sigma_prior(regression, priors.sigma, c, regression.shift[c], log_sigma_scale);
  }
  return regression;
}

}  // namespace jensen
