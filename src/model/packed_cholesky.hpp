#pragma once
/// \file Symmetric matrices as small as a level's: q x q with q at most max_effects, the lower triangle packed by rows.

#include <algorithm>
#include <cmath>

#include "group_map.hpp"

namespace jensen {

/// A = L L^T, in place.
inline void packed_cholesky(int q, double* a) {
  for (int j = 0; j < q; ++j) {
    for (int i = j; i < q; ++i) {
      double sum = a[packed(i, j)];
      for (int l = 0; l < j; ++l) sum -= a[packed(i, l)] * a[packed(j, l)];
      a[packed(i, j)] = i == j ? std::sqrt(sum) : sum / a[packed(j, j)];
    }
  }
}

/// b := L^-1 b for `width` columns (q x width).
inline void packed_forward(int q, const double* l, double* b, int width = 1) {
  for (int i = 0; i < q; ++i) {
    for (int k = 0; k < i; ++k) {
      for (int m = 0; m < width; ++m) b[i * width + m] -= l[packed(i, k)] * b[k * width + m];
    }
    for (int m = 0; m < width; ++m) b[i * width + m] /= l[packed(i, i)];
  }
}

/// b := L^-T b
inline void packed_backward(int q, const double* l, double* b, int width = 1) {
  for (int i = q - 1; i >= 0; --i) {
    for (int k = i + 1; k < q; ++k) {
      for (int m = 0; m < width; ++m) b[i * width + m] -= l[packed(k, i)] * b[k * width + m];
    }
    for (int m = 0; m < width; ++m) b[i * width + m] /= l[packed(i, i)];
  }
}

/// b := (L L^T)^-1 b
inline void packed_solve(int q, const double* l, double* b, int width = 1) {
  packed_forward(q, l, b, width);
  packed_backward(q, l, b, width);
}

/// (L L^T)^-1, packed.
inline void packed_inverse(int q, const double* l, double* inverse) {
  double columns[max_effects * max_effects] = {};
  for (int i = 0; i < q; ++i) columns[i * q + i] = 1;
  packed_solve(q, l, columns, q);
  for (int i = 0; i < q; ++i) {
    for (int j = 0; j <= i; ++j) inverse[packed(i, j)] = columns[i * q + j];
  }
}

/// y := y + S x, S symmetric, for `width` columns.
inline void packed_multiply_add(int q, const double* s, const double* x, double* y, int width = 1) {
  for (int i = 0; i < q; ++i) {
    for (int j = 0; j < q; ++j) {
      const double factor = i >= j ? s[packed(i, j)] : s[packed(j, i)];
      for (int m = 0; m < width; ++m) y[i * width + m] += factor * x[j * width + m];
    }
  }
}

/// tr(A B), both symmetric.
template <class T>
double packed_trace(int q, const T* a, const double* b) {
  double sum = 0;
  for (int i = 0; i < q; ++i) {
    for (int j = 0; j <= i; ++j) sum += (i == j ? 1 : 2) * static_cast<double>(a[packed(i, j)]) * b[packed(i, j)];
  }
  return sum;
}

/// The semidefinite matrix nearest to A, in place: its negative eigenvalues become 0. Jacobi's rotations: cycles of
/// them until what is left off the diagonal is rounding (Golub & Van Loan, "Matrix Computations", section 8.5).
inline void packed_semidefinite(int q, double* a) {
  constexpr int most_cycles = 30;  // a few are enough
  double d[max_effects * max_effects], vectors[max_effects * max_effects] = {};
  for (int i = 0; i < q; ++i) {
    vectors[i * q + i] = 1;
    for (int j = 0; j < q; ++j) d[i * q + j] = i >= j ? a[packed(i, j)] : a[packed(j, i)];
  }
  bool rotated = true;
  for (int cycle = 0; cycle < most_cycles && rotated; ++cycle) {
    rotated = false;
    for (int i = 1; i < q; ++i) {
      for (int j = 0; j < i; ++j) {
        const double off = d[i * q + j], gap = d[i * q + i] - d[j * q + j];
        if (!(std::abs(off) > 1e-16 * (std::abs(d[i * q + i]) + std::abs(d[j * q + j])))) continue;
        rotated = true;
        const double ratio = 0.5 * gap / off;
        const double tangent = (ratio < 0 ? -1 : 1) / (std::abs(ratio) + std::sqrt(1 + ratio * ratio));
        const double cosine = 1 / std::sqrt(1 + tangent * tangent), sine = tangent * cosine;
        const auto rotate = [&](double& x, double& y) {  // x of j, y of i
          const double before = x;
          x = cosine * before - sine * y;
          y = sine * before + cosine * y;
        };
        for (int k = 0; k < q; ++k) rotate(d[k * q + j], d[k * q + i]);
        for (int k = 0; k < q; ++k) rotate(d[j * q + k], d[i * q + k]);
        for (int k = 0; k < q; ++k) rotate(vectors[k * q + j], vectors[k * q + i]);
      }
    }
  }
  bool negative = false;
  for (int k = 0; k < q; ++k) negative = negative || d[k * q + k] < 0;
  if (!negative) return;  // A itself, to the bit
  for (int i = 0; i < q; ++i) {
    for (int j = 0; j <= i; ++j) {
      double sum = 0;
      for (int k = 0; k < q; ++k) sum += vectors[i * q + k] * std::max(d[k * q + k], 0.0) * vectors[j * q + k];
      a[packed(i, j)] = sum;
    }
  }
}

}  // namespace jensen
