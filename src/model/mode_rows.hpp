#pragma once
/// \file The data's share of the log joint of a ModeProblem: values and derivatives in the arguments, row by row, and
/// the rows of the design.

#include <cmath>
#include <cstdint>
#include <utility>
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
  std::vector<std::vector<double>> curvature;  ///< F (F + 1) / 2 x rows: minus the second derivatives
};

/// For each row minus the third and fourth derivatives in the argument of a block's first feed, as expected over the
/// argument's spread, or over a little where that is narrow; 0 where it is so narrow that they do not matter.
struct HigherDerivatives {
  std::vector<double> third, fourth;
};

/// Of a log density f of one argument under a normal of that argument.
struct Expectation {
  double value = 0;      ///< E f
  double slope = 0;      ///< E f'
  double curvature = 0;  ///< -E f''
};
/// Under N(0, sd^2), from f(t) = {value, slope}: the trapezoidal rule to six sds, further than training's draws go, and
/// by Stein's identity -E f'' = -E[t f'(t)] / sd^2.
template <class F>
Expectation expectation_over_normal(double sd, F&& f) {
  constexpr int half_nodes = 24;
  Expectation sum;
  double total = 0;
  for (int k = -half_nodes; k <= half_nodes; ++k) {
    const double z = 0.25 * k, weight = std::exp(-0.5 * z * z);
    const auto [value, slope] = f(sd * z);
    total += weight;
    sum.value += weight * value;
    sum.slope += weight * slope;
    sum.curvature -= weight * z * slope / sd;
  }
  return {sum.value / total, sum.slope / total, sum.curvature / total};
}

/// Makes every row's second derivatives positive semidefinite: no negative diagonal, no partial correlation beyond 1.
/// Where f depends on differences of its arguments alone the matrix is singular, and rounding decides.
void make_semidefinite(RowDerivatives& local);

/// The rows, and the value of every argument at them.
///
/// An argument with groups is known with a spread: the conditional posterior sd of its groups' effects; and so is one
/// with nearly as many coefficients as rows: the sd that those leave. Other arguments' blocks see the expectation over
/// it (third-degree cubature, 2 points for each such argument, exact for quadratics), as EM wants: at the plain mode
/// the effects of small levels, or the coefficients, explain their rows too well, and sigma would collapse.
class ModeRows {
 public:
  explicit ModeRows(const ModeProblem& problem);

  std::int64_t count() const { return problem_.rows; }

  /// Rows begin .. begin + count of the design of a block's feed, count x C: either kept or written to the buffer.
  const double* design(std::size_t block, std::size_t feed, std::int64_t begin, std::int64_t count,
                       double* buffer) const;

  RowDerivatives derivatives(std::size_t block) const;
  HigherDerivatives higher_derivatives(std::size_t block) const;
  /// The sum over the rows with argument of feed k moved by length * step[k].
  double value(std::size_t block, const std::vector<std::vector<double>>& step, double length) const;
  void move(std::size_t block, const std::vector<std::vector<double>>& step, double length);
  /// Of row i's log density, weighted, under a normal of the argument of the block's first feed: `moved` off where it
  /// is, with this sd. All other arguments are where they are, without their spread.
  Expectation expectation(std::size_t block, std::int64_t i, double moved, double sd) const;

  std::vector<std::vector<double>> spread;  ///< for each argument: the sd for each row, or empty
  bool over_own = false;                    ///< a block sees the expectation over the spread of its own arguments too

 private:
  struct Node {
    int argument;
    double distance;  ///< in spreads
    double least;     ///< a narrower spread is none
  };
  double weight(std::int64_t i) const { return problem_.weights == nullptr ? 1.0 : problem_.weights[i]; }
  void constants(std::int64_t i, double* out) const;
  std::vector<Node> nodes(std::size_t block) const;
  /// Whether an argument that these nodes move is known with a spread worth looking at in row i.
  bool is_spread(const std::vector<Node>& at, std::size_t i) const;

  const ModeProblem& problem_;
  std::vector<std::vector<double>> argument_;           ///< arguments x rows
  std::vector<std::vector<std::vector<double>>> kept_;  ///< for each block and feed: its design, or empty
};

}  // namespace jensen
