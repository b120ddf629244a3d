#pragma once
/// \file The linear systems of a mixed model: minus the Hessian of the log joint in (theta, u), never formed as a
/// whole.
///
///     H = [ H_tt   T^T ]     H_tt: C x C; for each group T = H_ut (J q x C), and H_uu with W_j + P on the diagonal
///         [ T     H_uu ]     (P = (B B^T)^-1); between groups H_uu is the rows' sum of z_g w z_h^T, which is sparse.
///
/// One group: its levels are eliminated exactly (H is an arrow). Several: preconditioned conjugate gradients; the
/// preconditioner eliminates the group with the most levels and takes the others' blocks alone.

#include <cstdint>
#include <vector>

#include "model/cross_products.hpp"
#include "model/level_rows.hpp"
#include "model/linear_algebra.hpp"
#include "model/mode.hpp"

namespace jensen {

/// A symmetric C x C matrix, zero: the upper triangle counts. Above most_dense columns it has its diagonal only (1 x
/// C); the functions below know both.
Matrix symmetric_matrix(std::size_t c);
Cholesky symmetric_cholesky(const Matrix& h, double tolerance);
/// An upper triangular factor, or the diagonal of one, as C x C.
Matrix expanded(const Matrix& factor);

/// h += sum of x y^T over `count` pairs of rows, the upper triangle.
void add_products(Matrix& h, const double* const* x, const double* const* y, int count);

struct SystemGroup {
  const ModeGroup* group = nullptr;
  const LevelRows* rows = nullptr;
  std::vector<double> precision;    ///< P, packed
  std::vector<double> information;  ///< J x packed_size(q): W
  std::vector<double> coupling;     ///< J x q x C: T
  std::vector<double> pivot;        ///< J x packed_size(q): Cholesky factor of W + P

  void factorise();                        ///< The pivot, from the information and the precision.
  std::vector<double> covariance() const;  ///< P^-1, packed
};

/// theta: C, or empty where the coefficients are held; effects: for each group J x q x width.
struct MixedVector {
  std::vector<double> theta;
  std::vector<std::vector<double>> effects;
};

struct MixedSystem {
  Matrix hessian;  ///< H_tt
  std::vector<SystemGroup> groups;
  const double* curvature = nullptr;  ///< w for each row, in the argument that the groups feed
  std::size_t head = 0;               ///< E: so many of the coefficients, the last, are effects of groups in the head
  std::size_t primary = 0;            ///< the group with the most levels
  std::vector<std::vector<CrossProducts>> cross;  ///< of each group with each other
  Matrix reduced;                                 ///< H_tt - T^T (W + P)^-1 T over the primary group
  Matrix factor;                                  ///< its Cholesky factor
  std::size_t deficient = 0;  ///< the first column without a pivot of its own in H_tt or in `reduced`; C if none

  /// From hessian, groups' precision, information and coupling: everything else.
  void factorise();

  /// H x = b, relative to the preconditioner's norm.
  MixedVector solve(const MixedVector& b, double tolerance) const;
};

/// How the effects follow the coefficients, A = du / dtheta = -H_uu^-1 T, and H with the effects integrated out. With
/// several groups and more coefficients than can be solved for, only the primary group follows and is integrated out.
struct Elimination {
  Matrix schur;                               ///< C x C: H_tt + T^T A
  std::vector<std::vector<double>> coupling;  ///< for each group J x q x C: -(W_j + P) A_j
  bool complete = true;                       ///< all groups follow, and H_tt is more than its diagonal
};
Elimination eliminate(const MixedSystem& system, double tolerance);

}  // namespace jensen
