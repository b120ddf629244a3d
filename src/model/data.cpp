#include "model/data.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "jensen/errors.hpp"

namespace jensen {
namespace {

constexpr std::size_t block_rows = 4096;

void check_response(const ModelMatrix& design, const Table& table, Family family, double y, std::uint32_t row) {
  const auto refuse = [&](std::string_view range) {
    throw InputError(
        fmt::format("{}: row {}, column '{}': {} is not {} ({} family); correct the row or choose another family",
                    table.source(), row + 1, design.formula().response, y, range, to_string(family)));
  };
  if (family == Family::bernoulli && y != 0 && y != 1) refuse("0 or 1");
  if (family == Family::poisson && !(y >= 0 && y == std::floor(y) && y < 2147483648.0)) refuse("a count 0, 1, 2, ...");
}

/// Beyond these sizes squares of a double overflow or vanish.
void check_scale(const std::string& column, double size) {
  if (size == 0 || (size > 1e-100 && size < 1e100)) return;
  throw InputError(fmt::format("column '{}' has values of size {:.2g}; give it in other units", column, size));
}

/// Column sums and sums of squares about `center`, in fixed blocks so that threads do not change the bits.
std::vector<double> block_sums(const ModelMatrix& design, const std::vector<double>& center, bool squares) {
  const std::size_t k = design.columns();
  const auto& rows = design.complete_rows();
  const auto blocks = static_cast<std::int64_t>((rows.size() + block_rows - 1) / block_rows);
  std::vector<double> partial(static_cast<std::size_t>(blocks) * k);
#pragma omp parallel
  {
    std::vector<double> x(block_rows * k);
#pragma omp for schedule(static)
    for (std::int64_t b = 0; b < blocks; ++b) {
      const std::size_t begin = static_cast<std::size_t>(b) * block_rows;
      const std::size_t count = std::min(block_rows, rows.size() - begin);
      design.fill(std::span(rows).subspan(begin, count), x.data());
      double* sums = partial.data() + static_cast<std::size_t>(b) * k;
      for (std::size_t i = 0; i < count; ++i) {
        for (std::size_t j = 0; j < k; ++j) {
          const double v = x[i * k + j] - center[j];
          sums[j] += squares ? v * v : v;
        }
      }
    }
  }
  std::vector<double> sums(k);
  for (std::size_t b = 0; b < static_cast<std::size_t>(blocks); ++b) {
    for (std::size_t j = 0; j < k; ++j) sums[j] += partial[b * k + j];
  }
  return sums;
}

}  // namespace

void RegressionData::standardised(std::span<const std::uint32_t> at, double* out) const {
  const std::size_t k = scale.size();
  const std::size_t c = coefficients();
  std::vector<std::uint32_t> rows_of(at.size());
  for (std::size_t i = 0; i < at.size(); ++i) rows_of[i] = design->complete_rows()[at[i]];
  std::vector<double> raw(at.size() * k);
  design->fill(rows_of, raw.data());
  for (std::size_t i = 0; i < at.size(); ++i) {
    double* row = out + i * c;
    if (intercept) *row++ = 1;
    for (std::size_t j = 0; j < k; ++j) row[j] = (raw[i * k + j] - center[j]) / scale[j];
  }
}

RegressionData read_regression(const ModelMatrix& design, const Table& table, const TrainOptions& options) {
  if (options.family != Family::gaussian && options.family != Family::bernoulli && options.family != Family::poisson) {
    throw InputError(fmt::format("training takes no {} family (--family); use gaussian, bernoulli or poisson",
                                 to_string(options.family)));
  }
  const auto& rows = design.complete_rows();
  if (options.missing == MissingPolicy::error && rows.size() < design.table_rows()) {
    throw InputError(
        fmt::format("{}: row {}, column '{}': missing value; complete the row, or drop such rows (--na drop)",
                    table.source(), design.first_missing().row + 1, design.first_missing().column));
  }
  RegressionData data;
  data.design = &design;
  data.family = options.family;
  data.intercept = design.formula().intercept;
  data.response.reserve(rows.size());
  for (const std::uint32_t row : rows) {
    data.response.push_back(design.response(row));
    check_response(design, table, options.family, data.response.back(), row);
  }
  const auto n = static_cast<double>(rows.size());
  data.response_mean = std::accumulate(data.response.begin(), data.response.end(), 0.0) / n;
  double squares = 0;
  for (const double y : data.response) squares += (y - data.response_mean) * (y - data.response_mean);
  data.response_sd = std::sqrt(squares / std::max(n - 1, 1.0));
  const auto [least, most] = std::minmax_element(data.response.begin(), data.response.end());
  if (*least == *most) {
    throw InputError(
        fmt::format("{}: column '{}': the response is {} in every row, so there is nothing to learn; check the column",
                    table.source(), design.formula().response, *least));
  }
  check_scale(design.formula().response, std::max(std::abs(*least), std::abs(*most)));
  check_scale(design.formula().response, data.response_sd);
  if (!design.formula().offsets.empty()) {
    for (const std::uint32_t row : rows) data.offset.push_back(design.offset(row));
  }

  const std::size_t k = design.columns();
  if (k + (data.intercept ? 1 : 0) == 0)
    throw InputError("the formula has no coefficients (--formula); add a term or the intercept");
  if (k + 1 > 4096) {
    throw InputError(
        fmt::format("the formula makes {} columns, more than 4096 (--formula); use fewer factor levels", k));
  }
  std::vector<double> mean = block_sums(design, std::vector<double>(k, 0.0), false);
  for (double& value : mean) value /= n;
  const std::vector<double> about_mean = block_sums(design, mean, true);
  data.center = data.intercept ? mean : std::vector<double>(k, 0.0);
  for (std::size_t j = 0; j < k; ++j) {
    const double variance = about_mean[j] / n;
    const double size = data.intercept ? std::sqrt(variance) : std::sqrt(variance + mean[j] * mean[j]);
    check_scale(design.names()[j], size);
    if (!(size > 1e-12 * std::abs(mean[j]))) {
      throw InputError(
          fmt::format("column '{}' of the design is constant over the {} rows used (--formula); remove the term",
                      design.names()[j], rows.size()));
    }
    data.scale.push_back(size);
    data.sd.push_back(variance > 0 ? std::sqrt(about_mean[j] / std::max(n - 1, 1.0)) : size);
  }
  if (options.family == Family::gaussian) {
    data.eta_center = data.intercept ? data.response_mean : 0;
    data.eta_scale = data.response_sd;
  }
  return data;
}

}  // namespace jensen
