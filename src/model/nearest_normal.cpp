#include "model/nearest_normal.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <vector>

#include "model/fixed_blocks.hpp"
#include "model/mixed_system.hpp"

namespace jensen {
namespace {

constexpr double parabola_spread = 0.3;
constexpr double normal_pivot = 1e-8;
constexpr double enough_gain = 1e-5;  // nats a step: steps may be short
constexpr int most_normal_steps = 60;
constexpr int most_shortenings = 12;
constexpr std::size_t least_parts = 64;
constexpr std::size_t most_part_products = 100'000'000;  // of rows and C^2: a step then takes a tenth of a second or so

/// What is not a parabola: a row, or a prior that is not normal. Its argument is t = v . w in the coordinates w of
/// which the normal at the mode is N(0, I).
struct CurvedPart {
  std::vector<double> v;
  std::int64_t row = -1;
  const FunctionalPrior* prior = nullptr;
};

/// x^T R^-1 for an upper triangular R.
std::vector<double> whitened(const double* x, const Matrix& inverse) {
  std::vector<double> v(inverse.rows);
  for (std::size_t k = 0; k < v.size(); ++k) {
    for (std::size_t j = k; j < v.size(); ++j) v[j] += x[k] * inverse(k, j);
  }
  return v;
}

/// q(w) = N(mean, M^-1), M = U^T U.
struct Normal {
  std::vector<double> mean;
  Matrix precision, upper, inverse;  ///< M, U, U^-1

  /// False if M is not positive definite.
  bool factorise() {
    const Cholesky root = cholesky(precision, normal_pivot);
    if (root.deficient < mean.size()) return false;
    upper = root.upper;
    inverse = inverse_upper(upper);
    return true;
  }
};

/// m += sum over parts of factor(i) v v^T.
template <class F>
void add_squares(Matrix& m, const std::vector<CurvedPart>& parts, F factor) {
  std::vector<double> weighed;
  weighed.reserve(parts.size() * m.columns);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    const double by = factor(i);
    for (const double v : parts[i].v) weighed.push_back(by * v);
  }
  std::vector<const double*> x, y;
  for (std::size_t i = 0; i < parts.size(); ++i) {
    x.push_back(parts[i].v.data());
    y.push_back(weighed.data() + i * m.columns);
  }
  add_products(m, x.data(), y.data(), static_cast<int>(parts.size()));
}

/// The bound on the block's evidence but for a constant, and what its natural gradient needs.
///
/// The rest of the log joint, all but the parts, is the parabola -1/2 w^T P w + h . w.
class Bound {
 public:
  Bound(const ModeProblem& problem, const ModeRows& rows, std::size_t index, const BlockNormal& block)
      : problem_(problem), rows_(rows), index_(index), block_(block) {
    find_parts();
    const std::size_t c = block.mean.size();
    rest_ = Matrix::identity(c);
    slope_.assign(c, 0.0);
    add_squares(rest_, parts_, [&](std::size_t i) {
      const CurvedPart& part = parts_[i];
      const Expectation at = at_mode(part);
      for (std::size_t j = 0; j < c; ++j) slope_[j] -= at.slope * part.v[j];
      return part.prior == nullptr ? -at.curvature : -std::max(at.curvature, 0.0);  // as the search takes a prior's
    });
  }

  bool has_rows() const { return !parts_.empty() && parts_.front().row >= 0; }
  /// False if P is not positive definite.
  bool factorise_rest() {
    const Cholesky root = cholesky(rest_, normal_pivot);
    rest_upper_ = root.upper;
    return root.deficient == rest_.rows;
  }

  /// The normal at the mode, narrowed until it knows every part to within 1: from there it widens.
  Normal first() const {
    Normal q{std::vector<double>(block_.mean.size()), Matrix::identity(block_.mean.size()), {}, {}};
    add_squares(q.precision, parts_, [&](std::size_t i) {
      const double square = dot(parts_[i].v, parts_[i].v);
      return square > 1 ? 1 - 1 / square : 0.0;
    });
    q.factorise();
    return q;
  }

  /// -E[d2 / dw dw^T] and E[d / dw] of the log joint under q; its expectation and q's entropy.
  struct At {
    double value = 0;
    Matrix curvature;
    std::vector<double> slope;
  };
  At at(const Normal& q) const {
    const std::size_t c = q.mean.size();
    std::vector<Expectation> of(parts_.size());
    for_fixed_blocks(static_cast<std::int64_t>(parts_.size()), usual_blocks,
                     [&](int, std::int64_t begin, std::int64_t end) {
                       for (auto i = size_of(begin); i < size_of(end); ++i) of[i] = expectation(parts_[i], q);
                     });
    // With P = V^T V: w^T P w = |V w|^2, trace(P M^-1) = |V U^-1|^2.
    const std::vector<double> at_mean = rest_upper_ * q.mean;
    const Matrix spread = rest_upper_ * q.inverse;
    At out{dot(slope_, q.mean) - 0.5 * dot(at_mean, at_mean) - 0.5 * dot(spread.values, spread.values), rest_, slope_};
    for (std::size_t i = 0; i < c; ++i) {
      out.value -= std::log(q.upper(i, i));
      for (std::size_t k = 0; k <= i; ++k) out.slope[i] -= rest_upper_(k, i) * at_mean[k];
    }
    add_squares(out.curvature, parts_, [&](std::size_t i) { return of[i].curvature; });
    for (std::size_t i = 0; i < parts_.size(); ++i) {
      out.value += of[i].value;
      for (std::size_t j = 0; j < c; ++j) out.slope[j] += of[i].slope * parts_[i].v[j];
    }
    return out;
  }

 private:
  void find_parts() {
    const std::size_t c = block_.mean.size();
    std::vector<std::vector<CurvedPart>> found(size_of(usual_blocks));
    for_fixed_blocks(rows_.count(), usual_blocks, [&](int b, std::int64_t begin, std::int64_t end) {
      std::vector<double> buffer(size_of(matrix_rows) * c);
      std::vector<float> v(buffer.size());
      for (std::int64_t first = begin; first < end; first += matrix_rows) {
        const std::int64_t count = std::min(matrix_rows, end - first);
        const double* x = rows_.design(index_, 0, first, count, buffer.data());
        multiply_upper(x, size_of(count), block_.inverse, v.data());
        for (std::size_t i = 0; i < size_of(count); ++i) {
          float square = 0;
          for (std::size_t j = 0; j < c; ++j) square += v[i * c + j] * v[i * c + j];
          if (square < parabola_spread * parabola_spread) continue;
          found[size_of(b)].push_back({whitened(x + i * c, block_.inverse), first + static_cast<std::int64_t>(i), {}});
        }
      }
    });
    for (auto& some : found) std::ranges::move(some, std::back_inserter(parts_));
    if (const std::size_t most = std::max(least_parts, most_part_products / (c * c)); parts_.size() > most) {
      const auto known_less = [](const CurvedPart& a, const CurvedPart& b) {
        const double x = dot(a.v, a.v), y = dot(b.v, b.v);
        return x != y ? x > y : a.row < b.row;
      };
      std::ranges::nth_element(parts_, parts_.begin() + static_cast<std::ptrdiff_t>(most), known_less);
      parts_.resize(most);
    }
    for (const FunctionalPrior& prior : problem_.blocks[index_].priors) {
      if (prior.density == DensityKind::normal_prior || std::isfinite(prior.low) || std::isfinite(prior.high)) continue;
      parts_.push_back({whitened(prior.row.data(), block_.inverse), -1, &prior});
    }
  }

  Expectation at_mode(const CurvedPart& part) const {
    constexpr double narrow = 1e-4;  // the expectation over so little is the value at the mode
    return part.prior == nullptr ? rows_.expectation(index_, part.row, 0, narrow)
                                 : expectation(*part.prior, dot(part.prior->row, block_.mean), narrow);
  }
  Expectation expectation(const CurvedPart& part, const Normal& q) const {
    const std::vector<double> spread = whitened(part.v.data(), q.inverse);
    const double moved = dot(part.v, q.mean), sd = std::sqrt(dot(spread, spread));
    return part.prior == nullptr ? rows_.expectation(index_, part.row, moved, sd)
                                 : expectation(*part.prior, dot(part.prior->row, block_.mean) + moved, sd);
  }
  static Expectation expectation(const FunctionalPrior& prior, double a, double sd) {
    return expectation_over_normal(sd, [&](double moved) {
      double at[1 + most_shared] = {a + prior.shift + moved}, d[1 + most_shared];
      const double value = evaluate_density(prior.density, prior.constants.data(), at, 1, d);
      return std::pair{value, d[0]};
    });
  }

  const ModeProblem& problem_;
  const ModeRows& rows_;
  std::size_t index_;
  const BlockNormal& block_;
  std::vector<CurvedPart> parts_;
  Matrix rest_, rest_upper_;   ///< P, V
  std::vector<double> slope_;  ///< h
};

/// A part `length` of the natural gradient's step. False if what comes out is no normal.
bool move(const Normal& from, const Bound::At& at, double length, Normal& to) {
  to = from;
  for (std::size_t k = 0; k < to.precision.values.size(); ++k) {
    to.precision.values[k] += length * (at.curvature.values[k] - from.precision.values[k]);
  }
  if (!to.factorise()) return false;
  const std::vector<double> step = solve(to.upper, at.slope);
  for (std::size_t j = 0; j < step.size(); ++j) to.mean[j] += length * step[j];
  return true;
}

}  // namespace

void find_nearest_normal(const ModeProblem& problem, const ModeRows& rows, std::size_t index, BlockNormal& block) {
  if (problem.blocks[index].feeds.size() > 1 || block.mean.size() > most_dense) return;
  Bound bound(problem, rows, index, block);
  if (!bound.has_rows() || !bound.factorise_rest()) return;
  Normal q = bound.first();
  Bound::At at = bound.at(q);
  if (!std::isfinite(at.value)) return;
  double length = 1;
  for (int step = 0; step < most_normal_steps; ++step) {
    double gain = 0;
    for (int halving = 0; halving < most_shortenings && !(gain > 0); ++halving, length /= 2) {
      Normal next;
      if (!move(q, at, length, next)) continue;
      Bound::At there = bound.at(next);
      if (!std::isfinite(there.value) || !(there.value > at.value)) continue;
      gain = there.value - at.value;
      q = std::move(next);
      at = std::move(there);
    }
    if (gain < enough_gain) break;
    length = std::min(1.0, 4 * length);  // a halving too many was made
  }
  const std::vector<double> moved = block.inverse * q.mean;
  for (std::size_t j = 0; j < moved.size(); ++j) block.mean[j] += moved[j];
  block.upper = q.upper * block.upper;
  block.inverse = inverse_upper(block.upper);
}

}  // namespace jensen
