#include "model/linear_algebra.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "tolerances.hpp"

namespace jensen {
namespace {

constexpr double deficiency = 1e-10;

Matrix random_matrix(std::size_t rows, std::size_t columns, std::mt19937_64& generator) {
  std::normal_distribution<double> normal;
  Matrix m(rows, columns);
  for (double& v : m.values) v = normal(generator);
  return m;
}

double largest_difference(const Matrix& a, const Matrix& b) {
  EXPECT_EQ(a.rows, b.rows);
  EXPECT_EQ(a.columns, b.columns);
  double largest = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) largest = std::max(largest, std::abs(a.values[i] - b.values[i]));
  return largest;
}

/// X^T X of n columns and 4 n + 8 rows: by Marchenko and Pastur's law its condition number is near (3/1)^2 = 9, and
/// below 40 for the small n here.
Matrix random_gram(std::size_t n, std::mt19937_64& generator) {
  const Matrix x = random_matrix(4 * n + 8, n, generator);
  return transposed(x) * x;
}
constexpr double condition = 40;

TEST(Product, OfHandSizedMatrices) {
  Matrix a(2, 3);
  a.values = {1, 2, 3, 4, 5, 6};
  Matrix b(3, 2);
  b.values = {7, 8, 9, 10, 11, 12};
  EXPECT_EQ((a * b).values, (std::vector<double>{58, 64, 139, 154}));
  EXPECT_EQ(a * std::vector<double>({1, 0, -1}), (std::vector<double>{-2, -2}));
  EXPECT_EQ((a * Matrix::identity(3)).values, a.values);
}

TEST(Cholesky, OfAHandSizedMatrix) {
  Matrix h(3, 3);
  h.values = {4, 12, -16, 12, 37, -43, -16, -43, 98};
  const Cholesky c = cholesky(h, deficiency);
  EXPECT_EQ(c.deficient, 3U);
  EXPECT_EQ(c.upper.values, (std::vector<double>{2, 6, -8, 0, 1, 5, 0, 0, 3}));
}

TEST(Cholesky, GivesTheMatrixBack) {
  std::mt19937_64 generator(1);
  for (const std::size_t n : {1U, 2U, 3U, 5U, 17U, 60U}) {
    const Matrix h = random_gram(n, generator);
    const Cholesky c = cholesky(h, deficiency);
    ASSERT_EQ(c.deficient, n);
    const double size = largest_difference(h, Matrix(n, n));
    EXPECT_LE(largest_difference(transposed(c.upper) * c.upper, h),
              tolerance::linear_algebra(static_cast<double>(n), 1) * size)
        << n;
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_GT(c.upper(i, i), 0);
      for (std::size_t j = 0; j < i; ++j) EXPECT_EQ(c.upper(i, j), 0);
    }
  }
}

TEST(Cholesky, ReadsTheUpperTriangleAlone) {
  std::mt19937_64 generator(2);
  const Matrix h = random_gram(6, generator);
  Matrix upper = h;
  for (std::size_t i = 0; i < 6; ++i) {
    for (std::size_t j = 0; j < i; ++j) upper(i, j) = std::numeric_limits<double>::quiet_NaN();
  }
  EXPECT_EQ(cholesky(upper, deficiency).upper.values, cholesky(h, deficiency).upper.values);
}

TEST(Cholesky, NamesTheFirstColumnThatDependsOnThoseBefore) {
  std::mt19937_64 generator(3);
  constexpr std::size_t n = 7;
  for (std::size_t dependent = 1; dependent < n; ++dependent) {
    Matrix x = random_matrix(40, n, generator);
    for (std::size_t i = 0; i < x.rows; ++i) {
      x(i, dependent) = 0;
      for (std::size_t j = 0; j < dependent; ++j) x(i, dependent) += (1.0 + static_cast<double>(j)) * x(i, j);
    }
    EXPECT_EQ(cholesky(transposed(x) * x, deficiency).deficient, dependent);
  }
}

// The tolerance is relative to each column's own diagonal, so units do not matter.
TEST(Cholesky, JudgesColumnsInTheirOwnUnits) {
  std::mt19937_64 generator(4);
  Matrix x = random_matrix(40, 4, generator);
  const double units[] = {1e-8, 1e8, 1, 1e-4};
  for (std::size_t i = 0; i < x.rows; ++i) {
    for (std::size_t j = 0; j < 4; ++j) x(i, j) *= units[j];
  }
  EXPECT_EQ(cholesky(transposed(x) * x, deficiency).deficient, 4U);
  for (std::size_t i = 0; i < x.rows; ++i) x(i, 3) = x(i, 0) * 1e4;
  EXPECT_EQ(cholesky(transposed(x) * x, deficiency).deficient, 3U);
}

TEST(Cholesky, RefusesZeroNegativeAndNaNPivots) {
  for (const double bad : {0.0, -1.0, std::numeric_limits<double>::quiet_NaN()}) {
    Matrix h = Matrix::identity(3);
    h(1, 1) = bad;
    EXPECT_EQ(cholesky(h, deficiency).deficient, 1U) << bad;
    h(0, 0) = bad;
    EXPECT_EQ(cholesky(h, deficiency).deficient, 0U) << bad;
  }
}

TEST(Cholesky, OfNothingIsComplete) { EXPECT_EQ(cholesky(Matrix(0, 0), deficiency).deficient, 0U); }

TEST(InverseUpper, TimesTheMatrixIsTheIdentity) {
  std::mt19937_64 generator(5);
  for (const std::size_t n : {1U, 2U, 3U, 5U, 17U, 60U}) {
    const Matrix r = cholesky(random_gram(n, generator), deficiency).upper;
    const Matrix inverse = inverse_upper(r);
    const double room = tolerance::linear_algebra(static_cast<double>(n), std::sqrt(condition));
    EXPECT_LE(largest_difference(r * inverse, Matrix::identity(n)), room) << n;
    EXPECT_LE(largest_difference(inverse * r, Matrix::identity(n)), room) << n;
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < i; ++j) EXPECT_EQ(inverse(i, j), 0);
    }
  }
}

TEST(Solve, FindsTheKnownSolution) {
  std::mt19937_64 generator(6);
  for (const std::size_t n : {1U, 2U, 3U, 5U, 17U, 60U}) {
    const Matrix h = random_gram(n, generator);
    const std::vector<double> x = random_matrix(n, 1, generator).values;
    const std::vector<double> found = solve(cholesky(h, deficiency).upper, h * x);
    ASSERT_EQ(found.size(), n);
    for (std::size_t i = 0; i < n; ++i) {
      EXPECT_NEAR(found[i], x[i], tolerance::linear_algebra(static_cast<double>(n), condition)) << n;
    }
  }
}

TEST(OneByOne, IsArithmetic) {
  Matrix h(1, 1);
  h(0, 0) = 16;
  const Cholesky c = cholesky(h, deficiency);
  EXPECT_EQ(c.deficient, 1U);
  EXPECT_EQ(c.upper(0, 0), 4);
  EXPECT_EQ(inverse_upper(c.upper)(0, 0), 0.25);
  EXPECT_EQ(solve(c.upper, {8}), (std::vector<double>{0.5}));
}

TEST(MultiplyUpper, EqualsThePlainProductOfOddShapes) {
  std::mt19937_64 generator(9);
  std::normal_distribution<double> normal;
  for (const std::size_t columns : {1U, 3U, 7U, 8U, 9U, 16U, 21U}) {
    for (const std::size_t rows : {0U, 1U, 2U, 5U}) {
      Matrix r(columns, columns);
      for (std::size_t k = 0; k < columns; ++k) {
        for (std::size_t j = k; j < columns; ++j) r(k, j) = normal(generator);
      }
      std::vector<double> x(rows * columns);
      for (double& value : x) value = normal(generator);
      std::vector<float> out(rows * columns, -1.0F);
      multiply_upper(x.data(), rows, r, out.data());
      for (std::size_t i = 0; i < rows; ++i) {
        for (std::size_t j = 0; j < columns; ++j) {
          double want = 0, size = 0;
          for (std::size_t k = 0; k < columns; ++k) {
            want += x[i * columns + k] * r(k, j);
            size += std::abs(x[i * columns + k] * r(k, j));
          }
          EXPECT_NEAR(static_cast<double>(out[i * columns + j]), want, 1e-7 * size) << columns << ' ' << i << ' ' << j;
        }
      }
    }
  }
}

/// Of columns a, b, a + b, c the third has its diagonal for a pivot; the rest is the factor without it.
TEST(Cholesky, LiftsColumnsThatDependOnThoseBefore) {
  Matrix x(4, 4);
  for (std::size_t i = 0; i < 4; ++i) {
    const double a = static_cast<double>(i) - 1.3, b = i % 2 == 0 ? 1 : -0.5, c = i == 3 ? 2 : 0.1;
    const double row[] = {a, b, a + b, c};
    std::copy_n(row, 4, x.values.begin() + static_cast<std::ptrdiff_t>(4 * i));
  }
  const Matrix h = transposed(x) * x;
  std::vector<std::size_t> lifted;
  const Matrix r = lifted_cholesky(h, 1e-10, 1e-7, lifted);
  EXPECT_EQ(lifted, std::vector<std::size_t>{2});
  EXPECT_NEAR(r(2, 2) * r(2, 2), h(2, 2), 1e-12);
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = i; j < 4; ++j) {
      double sum = 0;
      for (std::size_t k = 0; k <= i; ++k) sum += r(k, i) * r(k, j);
      if (i != 2 || j != 2) {
        EXPECT_NEAR(sum, h(i, j), 1e-12) << i << j;
      }
    }
  }
  lifted.clear();
  const Matrix full = Matrix::identity(3);
  EXPECT_EQ(lifted_cholesky(full, 1e-10, 1e-7, lifted).values, cholesky(full, 1e-10).upper.values);
  EXPECT_TRUE(lifted.empty());
}

}  // namespace
}  // namespace jensen
