#include "model/collinear.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "jensen/errors.hpp"
#include "model/fixed_blocks.hpp"
#include "model/mixed_system.hpp"

namespace jensen {
namespace {

constexpr double most_products = 4e10;  // rows x C^2: some ten seconds
constexpr std::int64_t blocks = 16;
constexpr double tolerance =
    1e-11;  // of a pivot, relative to its diagonal: columns are exact to 1e-16, products to that

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
    std::vector<const double*> row;
    Matrix& sums = partial[static_cast<std::size_t>(b)];
    for (std::int64_t begin = n * b / blocks; begin < n * (b + 1) / blocks; begin += matrix_rows) {
      const std::int64_t count = std::min(matrix_rows, n * (b + 1) / blocks - begin);
      data.standardised(p, begin, count, x.data());
      row.clear();
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i) row.push_back(x.data() + i * c);
      add_products(sums, row.data(), row.data(), static_cast<int>(count));
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
      fmt::format("column '{}' is a linear combination of the columns before it (formula); remove a term, or give "
                  "its coefficient a prior that tells them apart: --prior 'b_{}{} ~ normal(0, 1)'",
                  name, p.infix, name));
}

}  // namespace jensen
