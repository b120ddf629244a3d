#include "model/linear_algebra.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>

namespace jensen {

Matrix Matrix::identity(std::size_t n) {
  Matrix m(n, n);
  for (std::size_t i = 0; i < n; ++i) m(i, i) = 1;
  return m;
}

Matrix operator*(const Matrix& a, const Matrix& b) {
  Matrix c(a.rows, b.columns);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t k = 0; k < a.columns; ++k) {
      const double factor = a(i, k);
      if (factor == 0) continue;
      for (std::size_t j = 0; j < b.columns; ++j) c(i, j) += factor * b(k, j);
    }
  }
  return c;
}

std::vector<double> operator*(const Matrix& a, const std::vector<double>& x) {
  std::vector<double> y(a.rows);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t k = 0; k < a.columns; ++k) y[i] += a(i, k) * x[k];
  }
  return y;
}

Matrix transposed(const Matrix& a) {
  Matrix result(a.columns, a.rows);
  for (std::size_t i = 0; i < a.rows; ++i) {
    for (std::size_t j = 0; j < a.columns; ++j) result(j, i) = a(i, j);
  }
  return result;
}

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

namespace {

/// Row i of R, and what is left of those below it.
void eliminate_row(Matrix& r, std::size_t i) {
  const std::size_t n = r.rows;
  const double pivot = std::sqrt(r(i, i));
  for (std::size_t j = i; j < n; ++j) r(i, j) /= pivot;
  r(i, i) = pivot;
  for (std::size_t k = i + 1; k < n; ++k) {
    const double factor = r(i, k);
    if (factor == 0) continue;
    for (std::size_t j = k; j < n; ++j) r(k, j) -= factor * r(i, j);
  }
  for (std::size_t j = 0; j < i; ++j) r(i, j) = 0;
}

}  // namespace

Cholesky cholesky(const Matrix& h, double tolerance) {
  Cholesky result{h, h.rows};
  Matrix& r = result.upper;
  for (std::size_t i = 0; i < h.rows; ++i) {
    if (!(r(i, i) > tolerance * h(i, i))) {
      result.deficient = i;
      return result;
    }
    eliminate_row(r, i);
  }
  return result;
}

Matrix lifted_cholesky(const Matrix& h, double tolerance, double suspicious, std::vector<std::size_t>& listed) {
  Matrix r = h;
  for (std::size_t i = 0; i < h.rows; ++i) {
    if (!(r(i, i) > suspicious * h(i, i))) listed.push_back(i);
    if (!(r(i, i) > tolerance * h(i, i))) r(i, i) = h(i, i) > 0 ? h(i, i) : 1;
    eliminate_row(r, i);
  }
  return r;
}

Matrix inverse_upper(const Matrix& r) {
  const std::size_t n = r.rows;
  Matrix inverse(n, n);
  for (std::size_t i = n; i-- > 0;) {  // row i of r times the inverse is row i of the identity
    inverse(i, i) = 1;
    for (std::size_t k = i + 1; k < n; ++k) {
      const double factor = r(i, k);
      if (factor == 0) continue;
      for (std::size_t j = k; j < n; ++j) inverse(i, j) -= factor * inverse(k, j);
    }
    for (std::size_t j = i; j < n; ++j) inverse(i, j) /= r(i, i);
  }
  return inverse;
}

void multiply_upper(const double* x, std::size_t rows, const Matrix& r, float* out) {
  using Two = double __attribute__((vector_size(16)));
  constexpr std::size_t lanes = 2, pairs = 4, panel = lanes * pairs;  // columns of a row whose sums stay in registers
  const std::size_t n = r.rows;
  std::size_t j = 0;
  for (; j + panel <= n; j += panel) {
    std::size_t first = 0;  // row of the panel that is not all zeros: of a diagonal R the j-th
    while (first < j && std::all_of(r.row(first) + j, r.row(first) + j + panel, [](double v) { return v == 0; }))
      ++first;
    for (std::size_t i = 0; i < rows; ++i) {
      Two sum[pairs] = {};
      for (std::size_t k = first; k < j + panel; ++k) {
        const double* from = r.row(k) + j;
        for (std::size_t p = 0; p < pairs; ++p) {
          Two factor;
          std::memcpy(&factor, from + p * lanes, sizeof factor);
          sum[p] += x[i * n + k] * factor;
        }
      }
      for (std::size_t l = 0; l < panel; ++l) out[i * n + j + l] = static_cast<float>(sum[l / lanes][l % lanes]);
    }
  }
  for (; j < n; ++j) {
    for (std::size_t i = 0; i < rows; ++i) {
      double sum = 0;
      for (std::size_t k = 0; k <= j; ++k) sum += x[i * n + k] * r(k, j);
      out[i * n + j] = static_cast<float>(sum);
    }
  }
}

std::vector<double> solve(const Matrix& r, std::vector<double> b) {
  const std::size_t n = r.rows;
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= r(k, i) * b[k];
    b[i] /= r(i, i);
  }
  for (std::size_t i = n; i-- > 0;) {
    for (std::size_t k = i + 1; k < n; ++k) b[i] -= r(i, k) * b[k];
    b[i] /= r(i, i);
  }
  return b;
}

}  // namespace jensen
