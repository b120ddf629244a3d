#pragma once
/// \file The data's share of the log joint of a ModeProblem: values and derivatives in the arguments, row by row, and
/// the rows of the design.

#include <cstdint>
#include <vector>

#include "model/mode.hpp"

namespace jensen {

constexpr std::size_t most_feeds = 3;     ///< of one block
constexpr std::size_t most_dense = 1024;  ///< with more coefficients only the Hessian's diagonal is used

/// Index of (k, l), k <= l, in the packed upper triangle of a symmetric F x F matrix.
inline std::size_t pair_index(std::size_t k, std::size_t l, std::size_t feeds) {
  return k * feeds - k * (k + 1) / 2 + l;
}

/// Derivatives of the data's log density in the arguments that a block feeds (F of them), weights included.
struct RowDerivatives {
  double value = 0;                            ///< the sum over the rows
  std::vector<std::vector<double>> slope;      ///< F x rows
  std::vector<std::vector<double>> curvature;  ///< F (F + 1) / 2 x rows: minus the second derivatives, semidefinite
};

/// The rows in use, and the value of every argument at them.
///
/// An argument with groups is known with a spread: the conditional posterior sd of its groups' effects. Other
/// arguments' blocks see the expectation over it (third-degree cubature, 2 points for each such argument, exact for
/// quadratics), as EM wants: at the plain mode the effects of small levels explain their rows too well, and sigma would
/// collapse.
class ModeRows {
 public:
  explicit ModeRows(const ModeProblem& problem);

  std::int64_t used() const { return used_; }

  /// Rows begin .. begin + count of the design of a block's feed, count x C: either kept or written to the buffer.
  const double* design(std::size_t block, std::size_t feed, std::int64_t begin, std::int64_t count,
                       double* buffer) const;

  RowDerivatives derivatives(std::size_t block) const;
  /// The sum over the rows with argument of feed k moved by length * step[k].
  double value(std::size_t block, const std::vector<std::vector<double>>& step, double length) const;
  void move(std::size_t block, const std::vector<std::vector<double>>& step, double length);

  std::vector<std::vector<double>> spread;  ///< for each argument: the sd for each row, or empty

 private:
  struct Node {
    int argument;
    double distance;  ///< in spreads
  };
  std::int64_t row(std::int64_t i) const { return at_.empty() ? i : at_[static_cast<std::size_t>(i)]; }
  double weight(std::int64_t i) const {
    return problem_.weights == nullptr ? scale_ : scale_ * problem_.weights[row(i)];
  }
  void constants(std::int64_t i, double* out) const;
  std::vector<Node> nodes(std::size_t block) const;

  const ModeProblem& problem_;
  std::int64_t used_ = 0;
  double scale_ = 1;                                    ///< N / used
  std::vector<std::int64_t> at_;                        ///< which rows, if not all
  std::vector<std::vector<double>> argument_;           ///< arguments x used
  std::vector<std::vector<std::vector<double>>> kept_;  ///< for each block and feed: its design, or empty
};

}  // namespace jensen
