#include "model/collinear.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "jensen/errors.hpp"
#include "model/fixed_blocks.hpp"
#include "model/mixed_system.hpp"

namespace jensen {
namespace {

constexpr double most_products = 4e10;  // rows x C^2: some ten seconds
constexpr std::int64_t blocks = 16;
constexpr double suspicious = 1e-7;  // a pivot relative to its diagonal; sums over rows and C columns may hide less
constexpr double tolerance = 1e-11;  // what is left of a column's square sum without the combination, relative to it

/// f(x, count, block) for the standardised rows 0, every, 2 every, .. of a predictor (count x C at a time), in fixed
/// blocks.
template <class F>
void for_rows(const ModelData& data, const PredictorData& p, std::int64_t every, F f) {
  const std::size_t c = p.coefficients();
  const std::int64_t n = (static_cast<std::int64_t>(data.size()) + every - 1) / every;
#pragma omp parallel for schedule(static)
  for (std::int64_t b = 0; b < blocks; ++b) {
    std::vector<double> x(static_cast<std::size_t>(matrix_rows) * c);
    for (std::int64_t begin = n * b / blocks; begin < n * (b + 1) / blocks; begin += matrix_rows) {
      const std::int64_t count = std::min(matrix_rows, n * (b + 1) / blocks - begin);
      if (every == 1) data.standardised(p, begin, count, x.data());
      for (std::int64_t i = 0; i < count && every > 1; ++i) {
        data.standardised(p, (begin + i) * every, 1, x.data() + static_cast<std::size_t>(i) * c);
      }
      f(x.data(), static_cast<std::size_t>(count), static_cast<std::size_t>(b));
    }
  }
}

Matrix products(const ModelData& data, const PredictorData& p, std::int64_t every) {
  const std::size_t c = p.coefficients();
  std::vector<Matrix> partial(blocks, Matrix(c, c));
  for_rows(data, p, every, [&](const double* x, std::size_t count, std::size_t b) {
    std::vector<const double*> row;
    for (std::size_t i = 0; i < count; ++i) row.push_back(x + i * c);
    add_products(partial[b], row.data(), row.data(), static_cast<int>(count));
  });
  for (std::size_t b = 1; b < blocks; ++b) {
    for (std::size_t i = 0; i < c * c; ++i) partial[0].values[i] += partial[b].values[i];
  }
  return std::move(partial[0]);
}

/// x_k less the combination of the columns before it that is nearest to it, as weights of the columns, for each k.
std::vector<std::vector<double>> remainders(const Matrix& root, const std::vector<std::size_t>& columns) {
  std::vector<std::vector<double>> all;
  for (const std::size_t k : columns) {
    std::vector<double>& v = all.emplace_back(k + 1);
    v[k] = 1;
    for (std::size_t i = k; i-- > 0;) {  // R_11 v = -R_1k
      double sum = -root(i, k);
      for (std::size_t j = i + 1; j < k; ++j) sum -= root(i, j) * v[j];
      v[i] = sum / root(i, i);
    }
  }
  return all;
}

/// The share of each of these columns' sum of squares that such combinations leave, over all rows.
std::vector<double> shares_left(const ModelData& data, const PredictorData& p,
                                const std::vector<std::vector<double>>& weights) {
  struct Sums {
    double left = 0, all = 0;
  };
  const std::size_t c = p.coefficients();
  std::vector<std::vector<Sums>> partial(blocks, std::vector<Sums>(weights.size()));
  for_rows(data, p, 1, [&](const double* x, std::size_t count, std::size_t b) {
    for (std::size_t i = 0; i < count; ++i) {
      for (std::size_t k = 0; k < weights.size(); ++k) {
        const std::vector<double>& v = weights[k];
        const double left = std::inner_product(v.begin(), v.end(), x + i * c, 0.0);
        const double own = x[i * c + v.size() - 1];
        partial[b][k].left += left * left;
        partial[b][k].all += own * own;
      }
    }
  });
  std::vector<double> shares;
  for (std::size_t k = 0; k < weights.size(); ++k) {
    Sums sums;
    for (const auto& one : partial) sums = {sums.left + one[k].left, sums.all + one[k].all};
    shares.push_back(sums.left / sums.all);
  }
  return shares;
}

}  // namespace

void check_collinear(const ModelData& data, const PredictorData& p, const std::vector<Prior>& given) {
  const std::size_t c = p.coefficients();
  if (p.design == nullptr || p.columns() < 1 || c < 2) return;
  const auto n = static_cast<std::int64_t>(data.size());
  if (n < static_cast<std::int64_t>(c)) return;  // then all are, and priors are meant to tell them apart
  const auto has_prior = [&](const std::string& name) {
    const std::string class_of = p.infix.empty() ? "b" : "b_" + p.infix.substr(0, p.infix.size() - 1);
    return std::ranges::any_of(given, [&](const Prior& prior) {
      return prior.kind != PriorKind::flat && (prior.target == class_of || prior.target == "b_" + p.infix + name);
    });
  };
  const auto enough = static_cast<std::int64_t>(most_products / static_cast<double>(c * c));
  if (enough < 4 * static_cast<std::int64_t>(c)) return;
  std::vector<std::size_t> columns;
  const Matrix root = lifted_cholesky(products(data, p, (n + enough - 1) / enough), tolerance, suspicious, columns);
  if (columns.empty()) return;
  columns.resize(std::min(
      columns.size(), static_cast<std::size_t>(most_products / static_cast<double>(n) / static_cast<double>(c)) + 1));
  const std::vector<double> shares = shares_left(data, p, remainders(root, columns));
  for (std::size_t k = 0; k < columns.size(); ++k) {
    if (!(shares[k] <= tolerance)) continue;
    const std::string& name = p.design->names()[columns[k] - (p.intercept ? 1 : 0)];
    if (has_prior(name)) continue;
    throw InputError(
        fmt::format("column '{}' is a linear combination of the columns before it (formula); remove a term, or give "
                    "its coefficient a prior that tells them apart: --prior 'b_{}{} ~ normal(0, 1)'",
                    name, p.infix, name));
  }
}

}  // namespace jensen
