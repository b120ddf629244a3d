#pragma once
/// \file A ModeProblem on a few of its rows.

#include <cstdint>
#include <vector>

#include "model/mode.hpp"

namespace jensen {

/// A sample of the rows, each weighed by the inverse of its chance to be picked, so that sums over the sample estimate
/// those over all rows.
///
/// The chance is in proportion to what the row holds of the sums of squares about the mean of the columns and of the
/// response, and of the weight: rows that alone speak for a rare level, a far value or a rare response are all in it.
///
///     p_i = min(1, n w_i (1 / (2 sum_j w_j) + 1 / (2 K) sum_k (x_ik - m_k)^2 / sum_j w_j (x_jk - m_k)^2))
///
/// over the K columns that are not constant. Of every column a sample of n rows has those of the sum's large terms and
/// as many of the small ones as keep its error near sqrt(2 K / n). (Leverage scores where the columns are
/// uncorrelated: Drineas, Mahoney & Muthukrishnan 2006, "Sampling algorithms for l2 regression".)
class ThinProblem {
 public:
  /// About n rows of `of`, n >= 1, which must outlive this. The same ones every time.
  ThinProblem(const ModeProblem& of, std::int64_t n);
  ThinProblem(const ThinProblem&) = delete;
  ThinProblem& operator=(const ThinProblem&) = delete;

  const ModeProblem& problem() const { return problem_; }

 private:
  std::vector<std::int64_t> at_;  ///< the rows
  std::vector<double> weights_;
  std::vector<std::vector<double>> numbers_;
  std::vector<std::vector<std::int32_t>> levels_;
  std::vector<std::vector<float>> covariates_;
  ModeProblem problem_;
};

}  // namespace jensen
