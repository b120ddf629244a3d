#include "design/learned_columns.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>

#include "jensen/errors.hpp"
#include "show.hpp"

namespace jensen {
namespace {

// Sum of value(i) over i < count. Blocks keep rounding small; their shape is fixed, so threads do not change the bits.
template <class Value>
double sum(std::size_t count, Value value) {
  constexpr std::size_t block = 4096;
  const auto blocks = static_cast<std::int64_t>((count + block - 1) / block);
  std::vector<double> partial(static_cast<std::size_t>(blocks));
#pragma omp parallel for schedule(static)
  for (std::int64_t b = 0; b < blocks; ++b) {
    const std::size_t begin = static_cast<std::size_t>(b) * block;
    double total = 0;
    for (std::size_t i = begin; i < std::min(count, begin + block); ++i) total += value(i);
    partial[static_cast<std::size_t>(b)] = total;
  }
  double total = 0;
  for (const double part : partial) total += part;
  return total;
}

Column new_column(std::size_t table_rows, std::vector<double>*& values) {
  const auto owner = std::make_shared<std::vector<double>>(table_rows, std::numeric_limits<double>::quiet_NaN());
  values = owner.get();
  Column column;
  column.doubles = *owner;
  column.owner = owner;
  return column;
}

std::size_t count_distinct(const std::vector<double>& x, std::size_t most) {
  std::vector<double> seen;
  for (const double value : x) {
    if (std::ranges::find(seen, value) == seen.end()) seen.push_back(value);
    if (seen.size() == most) break;
  }
  return seen.size();
}

std::vector<double> gather(const Column& x, std::span<const std::uint32_t> rows) {
  std::vector<double> values(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) values[i] = x.number(rows[i]);
  return values;
}

}  // namespace

std::vector<double> learn_polynomials(const Column& column, std::span<const std::uint32_t> rows, int degree,
                                      const std::string& label, const std::string& source) {
  const std::vector<double> x = gather(column, rows);
  const std::size_t n = x.size();
  const auto k = static_cast<std::size_t>(degree);
  if (const std::size_t distinct = count_distinct(x, k + 1); distinct <= k) {
    throw InputError(
        fmt::format("{} needs more than {} distinct values, and there are {} in the complete rows ({}); "
                    "lower the degree",
                    show(label), k, distinct, source));
  }
  std::vector<double> alpha(k), beta(k + 1);
  beta[0] = std::sqrt(static_cast<double>(n));
  std::vector<double> before(n, 0.0), q(n, 1 / beta[0]);
  // alpha is a mean of x weighted by q^2; taken about one of the values, it keeps its digits where x is far from 0.
  const double origin = x.front();
  for (std::size_t j = 0; j < k; ++j) {
    alpha[j] = origin + sum(n, [&](std::size_t i) { return (x[i] - origin) * q[i] * q[i]; });
    const double last = j == 0 ? 0 : beta[j];
    for (std::size_t i = 0; i < n; ++i) before[i] = (x[i] - alpha[j]) * q[i] - last * before[i];
    std::swap(before, q);
    beta[j + 1] = std::sqrt(sum(n, [&](std::size_t i) { return q[i] * q[i]; }));
    for (double& value : q) value /= beta[j + 1];
  }
  std::vector<double> coefficients = alpha;
  coefficients.insert(coefficients.end(), beta.begin(), beta.end());
  for (const double value : coefficients) {
    if (std::isfinite(value)) continue;
    throw InputError(fmt::format("{} overflows ({}); give the column in other units", show(label), source));
  }
  return coefficients;
}

std::vector<Column> polynomials(const Column& x, std::span<const std::uint32_t> rows,
                                const std::vector<double>& coefficients) {
  const std::size_t k = (coefficients.size() - 1) / 2;
  const double* const alpha = coefficients.data();
  const double* const beta = coefficients.data() + k;
  std::vector<Column> columns(k);
  std::vector<std::vector<double>*> values(k);
  for (std::size_t j = 0; j < k; ++j) columns[j] = new_column(x.rows(), values[j]);
#pragma omp parallel for schedule(static)
  for (std::int64_t i = 0; i < static_cast<std::int64_t>(rows.size()); ++i) {
    const std::uint32_t row = rows[static_cast<std::size_t>(i)];
    double before = 0, q = 1 / beta[0];
    for (std::size_t j = 0; j < k; ++j) {
      const double next = ((x.number(row) - alpha[j]) * q - (j == 0 ? 0 : beta[j]) * before) / beta[j + 1];
      before = q;
      q = next;
      (*values[j])[row] = q;
    }
  }
  return columns;
}

std::vector<double> learn_scale(const Column& column, std::span<const std::uint32_t> rows, const std::string& label,
                                const std::string& source) {
  const std::vector<double> x = gather(column, rows);
  const auto n = static_cast<double>(x.size());
  const double origin = x.front();
  const double mean = origin + sum(x.size(), [&](std::size_t i) { return x[i] - origin; }) / n;
  const double squares = sum(x.size(), [&](std::size_t i) { return (x[i] - mean) * (x[i] - mean); });
  const double sd = std::sqrt(squares / (n - 1));
  if (!(sd > 0) || !std::isfinite(sd)) {
    throw InputError(
        fmt::format("{} has no finite standard deviation above 0 in the complete rows ({}); remove it from "
                    "the formula",
                    show(label), source));
  }
  return {mean, sd};
}

Column scaled(const Column& x, std::span<const std::uint32_t> rows, const std::vector<double>& mean_and_sd) {
  std::vector<double>* values = nullptr;
  Column column = new_column(x.rows(), values);
  for (const std::uint32_t row : rows) (*values)[row] = (x.number(row) - mean_and_sd[0]) / mean_and_sd[1];
  return column;
}

}  // namespace jensen
