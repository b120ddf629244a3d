#pragma once
/// \file Small problems for find_mode(), and plain dense answers to compare with.

#include <cmath>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "model/mode.hpp"

namespace jensen::testing {

/// A design (rows x columns, row-major) as a feed.
inline ModeBlock::Feed feed(int argument, std::shared_ptr<const std::vector<double>> x, std::size_t columns) {
  return {argument, [x, columns](std::int64_t begin, std::int64_t count, double* out) {
            const double* from = x->data() + static_cast<std::size_t>(begin) * columns;
            std::copy(from, from + static_cast<std::size_t>(count) * columns, out);
          }};
}

inline ModeBlock block(const std::string& name, int argument, std::vector<double> x, std::size_t columns) {
  ModeBlock b;
  b.name = name;
  for (std::size_t j = 0; j < columns; ++j) b.columns.push_back(name + std::to_string(j));
  b.feeds.push_back(feed(argument, std::make_shared<const std::vector<double>>(std::move(x)), columns));
  b.start.assign(columns, 0.0);
  return b;
}

/// A column of ones, as the block of a parameter that all rows share.
inline ModeBlock scalar(const std::string& name, int argument, std::size_t rows) {
  return block(name, argument, std::vector<double>(rows, 1.0), 1);
}

/// normal(0, sd) on coefficient j of `columns`.
inline FunctionalPrior normal_prior(std::size_t columns, std::size_t j, double sd) {
  FunctionalPrior prior{DensityKind::normal_prior, {0, 1 / sd, 0}, std::vector<double>(columns), 0};
  prior.row[j] = 1;
  return prior;
}

/// An intercept and standard normal columns.
inline std::vector<double> random_design(std::size_t rows, std::size_t columns, std::mt19937_64& generator) {
  std::normal_distribution<double> normal;
  std::vector<double> x(rows * columns);
  for (std::size_t k = 0; k < x.size(); ++k) x[k] = k % columns == 0 ? 1.0 : normal(generator);
  return x;
}

/// Solves A x = b for `width` right-hand sides (n x width) by Gauss-Jordan with the largest pivots; A n x n.
inline std::vector<double> dense_solve(std::vector<double> a, std::vector<double> b, std::size_t n, std::size_t width) {
  for (std::size_t p = 0; p < n; ++p) {
    std::size_t best = p;
    for (std::size_t i = p; i < n; ++i) {
      if (std::abs(a[i * n + p]) > std::abs(a[best * n + p])) best = i;
    }
    for (std::size_t k = 0; k < n; ++k) std::swap(a[p * n + k], a[best * n + k]);
    for (std::size_t k = 0; k < width; ++k) std::swap(b[p * width + k], b[best * width + k]);
    for (std::size_t i = 0; i < n; ++i) {
      const double factor = i == p ? 0 : a[i * n + p] / a[p * n + p];
      if (factor == 0) continue;
      for (std::size_t k = p; k < n; ++k) a[i * n + k] -= factor * a[p * n + k];
      for (std::size_t k = 0; k < width; ++k) b[i * width + k] -= factor * b[p * width + k];
    }
  }
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < width; ++k) b[i * width + k] /= a[i * n + i];
  }
  return b;
}

/// (R^T R)_ij
inline double hessian(const Matrix& upper, std::size_t i, std::size_t j) {
  double sum = 0;
  for (std::size_t k = 0; k < upper.rows; ++k) sum += upper(k, i) * upper(k, j);
  return sum;
}

}  // namespace jensen::testing
