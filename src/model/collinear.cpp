#include "model/collinear.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "jensen/errors.hpp"
#include "model/fixed_blocks.hpp"
#include "model/linear_algebra.hpp"

namespace jensen {
namespace {

constexpr double most_products = 4e10;  // rows x C^2: some ten seconds
constexpr std::int64_t blocks = 16;
constexpr double tolerance =
    1e-11;  // of a pivot, relative to its diagonal: columns are exact to 1e-16, products to that

/// Adds the upper triangle of x x^T.
void add_products(const double* x, Matrix& sums) {
  const std::size_t c = sums.rows;
  for (std::size_t j = 0; j < c; ++j) {
    if (x[j] == 0) continue;
    for (std::size_t k = j; k < c; ++k) sums(j, k) += x[j] * x[k];
  }
}

}  // namespace

void check_collinear(const ModelData& data, const PredictorData& p, const std::vector<Prior>& given) {
  const std::size_t c = p.coefficients();
  if (p.design == nullptr || p.columns() < 1 || c < 2) return;
  const auto has_prior = [&](const std::string& name) {
    const std::string class_of = p.infix.empty() ? "b" : "b_" + p.infix.substr(0, p.infix.size() - 1);
    return std::ranges::any_of(given, [&](const Prior& prior) {
      return prior.kind != PriorKind::flat && (prior.target == class_of || prior.target == "b_" + p.infix + name);
    });
  };
  const auto n = static_cast<std::int64_t>(data.size());
  if (static_cast<double>(n) * static_cast<double>(c * c) > most_products) return;
  if (n < static_cast<std::int64_t>(c)) return;  // then all are, and priors are meant to tell them apart
  std::vector<Matrix> partial(blocks, Matrix(c, c));
#pragma omp parallel for schedule(static)
  for (std::int64_t b = 0; b < blocks; ++b) {
    std::vector<double> x(static_cast<std::size_t>(matrix_rows) * c);
    Matrix& sums = partial[static_cast<std::size_t>(b)];
    for (std::int64_t begin = n * b / blocks; begin < n * (b + 1) / blocks; begin += matrix_rows) {
      const std::int64_t count = std::min(matrix_rows, n * (b + 1) / blocks - begin);
      data.standardised(p, begin, count, x.data());
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) add_products(x.data() + i * c, sums);
    }
  }
  Matrix products(c, c);
  for (const Matrix& sums : partial) {
    for (std::size_t i = 0; i < products.values.size(); ++i) products.values[i] += sums.values[i];
  }
  const Cholesky result = cholesky(products, tolerance);
  if (result.deficient >= c) return;
  const std::string& name = p.design->names()[result.deficient - (p.intercept ? 1 : 0)];
  if (has_prior(name)) return;
  throw InputError(
      fmt::format("column '{}' is a linear combination of the columns before it (--formula); remove a term, or give "
                  "its coefficient a prior that tells them apart: --prior 'b_{}{} ~ normal(0, 1)'",
                  name, p.infix, name));
}

}  // namespace jensen
