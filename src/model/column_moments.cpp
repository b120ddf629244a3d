#include "model/column_moments.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>

#include "jensen/errors.hpp"

namespace jensen {
namespace {

constexpr std::int64_t rows_at_once = 4096;
constexpr std::size_t most_columns = 4096;

/// Of the columns less `center`, K each.
struct ColumnScan {
  std::vector<double> sum, square, least, greatest;
};

/// In fixed blocks, so that threads do not change the bits.
ColumnScan scan_columns(const PredictorDesign& design, const std::vector<std::uint32_t>& rows,
                        const std::vector<double>& center) {
  const std::size_t k = design.columns();
  const auto n = static_cast<std::int64_t>(rows.size());
  const std::int64_t blocks = (n + rows_at_once - 1) / rows_at_once;
  constexpr double infinity = std::numeric_limits<double>::infinity();
  const ColumnScan none{std::vector<double>(k), std::vector<double>(k), std::vector<double>(k, infinity),
                        std::vector<double>(k, -infinity)};
  std::vector<ColumnScan> partial(static_cast<std::size_t>(blocks), none);
#pragma omp parallel
  {
    std::vector<double> x(static_cast<std::size_t>(rows_at_once) * k);
#pragma omp for schedule(static)
    for (std::int64_t b = 0; b < blocks; ++b) {
      const auto begin = static_cast<std::size_t>(b * rows_at_once);
      const std::size_t count = std::min(static_cast<std::size_t>(rows_at_once), rows.size() - begin);
      design.fill(std::span(rows).subspan(begin, count), x.data());
      ColumnScan& of = partial[static_cast<std::size_t>(b)];
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < k; ++j) {
          const double v = x[i * k + j] - center[j];
          of.sum[j] += v;
          of.square[j] += v * v;
          of.least[j] = std::min(of.least[j], v);
          of.greatest[j] = std::max(of.greatest[j], v);
        }
      }
    }
  }
  ColumnScan all = none;
  for (const ColumnScan& of : partial) {
    for (std::size_t j = 0; j < k; ++j) {
      all.sum[j] += of.sum[j];
      all.square[j] += of.square[j];
      all.least[j] = std::min(all.least[j], of.least[j]);
      all.greatest[j] = std::max(all.greatest[j], of.greatest[j]);
    }
  }
  return all;
}

/// What default priors are scaled by: the column's sd, but at least a 20th of its range, of a column of two values a
/// fifth. The sd of a column that few rows have is small for their number alone, and the prior would allow it effects
/// without end: one row of 200,000 a log odds ratio of 1,118. A prior of sd 2.5 / unit has no more than a 1,250th of
/// the column's sum of squares about its mean as precision, a 150th if there are two values.
double prior_unit(const ColumnScan& about_mean, std::size_t j, double n, double sd) {
  const double least = about_mean.least[j], greatest = about_mean.greatest[j];
  // Only two values make the variance as large as it can be (Bhatia & Davis 2000).
  const double largest = -least * greatest * n;
  const bool two_values = std::abs(about_mean.square[j] - largest) <= 1e-9 * largest;
  return std::max(sd, (greatest - least) / (two_values ? 5 : 20));
}

}  // namespace

void check_scale(const std::string& column, double size) {
  if (size == 0 || (size > 1e-36 && size < 1e36)) return;
  throw InputError(std::isfinite(size)
                       ? fmt::format("column '{}' has values of size {:.2g}; give it in other units", column, size)
                       : fmt::format("column '{}' has values beyond 1e36 in size; give it in other units", column));
}

void find_column_moments(const ModelData& data, PredictorData& p) {
  const std::size_t k = p.design->columns();
  if (k + 1 > most_columns) {
    throw InputError(
        fmt::format("the formula makes {} columns, more than {} (formula); use fewer factor levels, or make the "
                    "factor a group: (1 | g)",
                    k, most_columns));
  }
  const auto n = static_cast<double>(data.size());
  std::vector<double> mean = scan_columns(*p.design, data.rows, std::vector<double>(k, 0.0)).sum;
  for (double& value : mean) value /= n;
  const ColumnScan about_mean = scan_columns(*p.design, data.rows, mean);
  p.center = p.centred ? mean : std::vector<double>(k, 0.0);
  for (std::size_t j = 0; j < k; ++j) {
    const double variance = about_mean.square[j] / n;
    const double size = p.centred ? std::sqrt(variance) : std::sqrt(variance + mean[j] * mean[j]);
    check_scale(p.design->names()[j], size);
    if (!(size > 1e-12 * std::abs(mean[j]))) {
      throw InputError(
          fmt::format("column '{}' of the design is constant over the {} rows used (formula); remove the term",
                      p.design->names()[j], data.size()));
    }
    p.scale.push_back(size);
    const double sd = variance > 0 ? std::sqrt(about_mean.square[j] / std::max(n - 1, 1.0)) : size;
    p.prior_unit.push_back(prior_unit(about_mean, j, n, sd));
  }
}

}  // namespace jensen
