#pragma once
/// \file Small dense matrices in double, row-major: what conditioning and reporting need, no more.

#include <cstddef>
#include <vector>

namespace jensen {

struct Matrix {
  std::size_t rows = 0, columns = 0;
  std::vector<double> values;

  Matrix() = default;
  Matrix(std::size_t r, std::size_t c) : rows(r), columns(c), values(r * c) {}
  static Matrix identity(std::size_t n);
  double& operator()(std::size_t i, std::size_t j) { return values[i * columns + j]; }
  double operator()(std::size_t i, std::size_t j) const { return values[i * columns + j]; }
  const double* row(std::size_t i) const { return values.data() + i * columns; }
};

Matrix operator*(const Matrix& a, const Matrix& b);
std::vector<double> operator*(const Matrix& a, const std::vector<double>& x);
Matrix transposed(const Matrix& a);
double dot(const std::vector<double>& a, const std::vector<double>& b);
inline std::vector<float> to_float(const std::vector<double>& values) { return {values.begin(), values.end()}; }

/// H = R^T R with R upper triangular. `deficient` is the first column whose pivot fell below `tolerance` times its
/// diagonal (it depends on the columns before), or H.rows if there is none; R is then not to be used.
struct Cholesky {
  Matrix upper;
  std::size_t deficient = 0;
};
Cholesky cholesky(const Matrix& h, double tolerance);
/// R, not ending at such a column but giving it its diagonal for a pivot, as if it were orthogonal to those before it.
/// Lists the columns whose pivots are below `suspicious` times their diagonals.
Matrix lifted_cholesky(const Matrix& h, double tolerance, double suspicious, std::vector<std::size_t>& listed);
/// Inverse of an upper triangular matrix.
Matrix inverse_upper(const Matrix& r);
/// out = X R for X of `rows` rows and R upper triangular, its zeros included.
void multiply_upper(const double* x, std::size_t rows, const Matrix& r, float* out);
/// Solves R^T R x = b.
std::vector<double> solve(const Matrix& r, std::vector<double> b);

}  // namespace jensen
