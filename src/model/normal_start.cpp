#include "model/normal_start.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <deque>
#include <numeric>
#include <random>

#include "jensen/errors.hpp"

namespace jensen {
namespace {

using Vector = std::vector<double>;

constexpr std::size_t first_points = 16;  // as many as an engine evaluates at once
constexpr std::size_t climbs = 8;         // from the given one and the best of the others
constexpr std::size_t memory = 10;        // of L-BFGS
constexpr int most_search_steps = 500;
constexpr double least_gain = 1e-3;      // nats: 0.04 posterior sds from the mode
constexpr double least_increase = 1e-4;  // Armijo's constant
constexpr int most_halvings = 30;
constexpr std::size_t most_hessian = 2048;
constexpr double first_difference = 1e-3;  // of the scale
/// In posterior sds: so far that the curvature is that of the bulk and single precision does not show.
constexpr double difference = 0.3;

/// l and its gradient at one point.
struct Place {
  Vector u, gradient;
  double value = 0;
  bool finite() const {
    return std::isfinite(value) && std::ranges::all_of(gradient, [](double g) { return std::isfinite(g); });
  }
};

std::vector<Place> places_at(const JointAt& joint, const std::vector<Vector>& points) {
  Vector flat;
  for (const Vector& u : points) flat.insert(flat.end(), u.begin(), u.end());
  const Vector rows = joint(flat);
  std::vector<Place> out;
  const double* row = rows.data();
  for (const Vector& u : points) {
    out.push_back({u, Vector(row + 1, row + 1 + u.size()), *row});
    row += 1 + u.size();
  }
  return out;
}
Place place_at(const JointAt& joint, Vector u) { return places_at(joint, {std::move(u)}).front(); }

/// Pairs of steps and of the gradient's changes, which stand for the inverse of minus the Hessian.
class InverseHessian {
 public:
  explicit InverseHessian(const Vector& scale) : scale_(scale) {}

  /// Times a vector: the two-loop recursion.
  Vector operator*(Vector q) const {
    Vector alpha(pairs_.size());
    for (std::size_t k = pairs_.size(); k-- > 0;) {
      alpha[k] = pairs_[k].rho * dot(pairs_[k].step, q);
      for (std::size_t i = 0; i < q.size(); ++i) q[i] -= alpha[k] * pairs_[k].change[i];
    }
    for (std::size_t i = 0; i < q.size(); ++i) q[i] *= gamma_ * scale_[i] * scale_[i];
    for (std::size_t k = 0; k < pairs_.size(); ++k) {
      const double beta = pairs_[k].rho * dot(pairs_[k].change, q);
      for (std::size_t i = 0; i < q.size(); ++i) q[i] += (alpha[k] - beta) * pairs_[k].step[i];
    }
    return q;
  }
  bool empty() const { return pairs_.empty(); }
  void clear() {
    pairs_.clear();
    gamma_ = 1;
  }
  void add(const Place& from, const Place& to) {
    Pair pair;
    double scaled = 0;
    for (std::size_t i = 0; i < from.u.size(); ++i) {
      pair.step.push_back(to.u[i] - from.u[i]);
      pair.change.push_back(from.gradient[i] - to.gradient[i]);
      scaled += pair.change[i] * pair.change[i] * scale_[i] * scale_[i];
    }
    const double curvature = dot(pair.step, pair.change);
    if (!(curvature > 1e-10 * std::sqrt(dot(pair.step, pair.step) * dot(pair.change, pair.change)))) return;
    pair.rho = 1 / curvature;
    gamma_ = curvature / scaled;
    pairs_.push_back(std::move(pair));
    if (pairs_.size() > memory) pairs_.pop_front();
  }

 private:
  struct Pair {
    Vector step, change;
    double rho = 0;
  };
  const Vector& scale_;
  std::deque<Pair> pairs_;
  double gamma_ = 1;
};

Place climb(const JointAt& joint, Place at, const Vector& scale) {
  InverseHessian inverse(scale);
  for (int iteration = 0; iteration < most_search_steps; ++iteration) {
    Vector direction = inverse * at.gradient;
    const double slope = dot(direction, at.gradient);
    if (slope == 0 || (0.5 * slope < least_gain && !inverse.empty())) return at;
    // The first step knows no curvature: it goes no further than a scale.
    double length = 1;
    if (inverse.empty()) {
      double square = 0;
      for (std::size_t i = 0; i < scale.size(); ++i) square += direction[i] * direction[i] / (scale[i] * scale[i]);
      length = 1 / std::max(1.0, std::sqrt(square));
    }
    bool higher = false;
    for (int halving = 0; halving < most_halvings && !higher; ++halving, length /= 2) {
      Vector u = at.u;
      for (std::size_t i = 0; i < u.size(); ++i) u[i] += length * direction[i];
      Place next = place_at(joint, std::move(u));
      higher = next.finite() && next.value >= at.value + least_increase * length * slope;
      if (!higher) continue;
      inverse.add(at, next);
      at = std::move(next);
    }
    if (higher) continue;
    if (inverse.empty()) return at;  // steepest ascent finds nothing higher: rounding hides what is left
    inverse.clear();
  }
  return at;
}

/// Minus the gradient's derivatives at the mode by one coordinate.
struct CurvatureColumn {
  Vector by;  ///< empty: not known
  /// The second difference of the values, and what it is by the gradient: nats. Equal but for the fourth derivative.
  double by_values = 0, by_gradient = 0;
};

/// By coordinate i, from points `h` apart, which are drawn together until both are finite and so is their difference.
CurvatureColumn curvature_column(const JointAt& joint, const Place& mode, std::size_t i, double h) {
  for (int attempt = 0; attempt < 6; ++attempt, h /= 4) {
    std::vector<Vector> points(2, mode.u);
    points[0][i] += h;
    points[1][i] -= h;
    const std::vector<Place> both = places_at(joint, points);
    if (!both[0].finite() || !both[1].finite()) continue;
    Vector column(mode.u.size());
    for (std::size_t k = 0; k < column.size(); ++k) {
      column[k] = (both[1].gradient[k] - both[0].gradient[k]) / (points[0][i] - points[1][i]);
    }
    if (!std::ranges::all_of(column, [](double c) { return std::isfinite(c); })) continue;  // overflow, or h is 0
    const double by_gradient = -h * h * column[i];
    return {std::move(column), both[0].value - 2 * mode.value + both[1].value, by_gradient};
  }
  return {};
}

/// Whether values and gradient tell of two functions: a seventh apart, beyond what rounding of the values to six digits
/// (as a solver's tolerance may do) leaves of a second difference. At steps of 0.3 sds even a Cauchy density puts them
/// a fiftieth apart alone.
bool disagree(const CurvatureColumn& column, const Place& mode) {
  const double noise = 4e-6 * (std::abs(mode.value) + 1);
  const double size = std::max(std::abs(column.by_values), std::abs(column.by_gradient));
  return std::abs(column.by_values - column.by_gradient) > noise + 0.15 * size;
}

/// Also the coordinates in which the gradient is not that of the values.
Matrix curvature(const JointAt& joint, const Place& mode, const Vector& scale, std::vector<std::size_t>& doubtful) {
  const std::size_t d = mode.u.size();
  Matrix h(d, d);
  for (std::size_t i = 0; i < d; ++i) {
    const double by_scale = 1 / (scale[i] * scale[i]);
    CurvatureColumn found;
    Vector& column = found.by;
    double step = first_difference * scale[i];
    if (d <= most_hessian) found = curvature_column(joint, mode, i, step);
    if (!column.empty() && column[i] > 0) {
      step = std::min(difference / std::sqrt(column[i]), scale[i]);
      if (CurvatureColumn better = curvature_column(joint, mode, i, step); !better.by.empty())
        found = std::move(better);
      if (disagree(found, mode)) doubtful.push_back(i);
    } else if (!column.empty() && disagree(curvature_column(joint, mode, i, difference * scale[i]), mode)) {
      doubtful.push_back(i);  // the values have a mode where the gradient has none
    }
    if (column.empty()) {
      h(i, i) += by_scale;
      continue;
    }
    for (std::size_t k = 0; k < d; ++k) {
      h(i, k) += 0.5 * column[k];
      h(k, i) += 0.5 * column[k];
    }
  }
  return h;
}

/// The Cholesky factor of h, or where h is not positive definite, of h plus as little as is needed on its diagonal.
Matrix upper_factor(const Matrix& h, const Vector& scale) {
  constexpr double tolerance = 1e-10;
  for (double add = 0;; add = add == 0 ? 1e-3 : 4 * add) {
    Matrix more = h;
    for (std::size_t i = 0; i < scale.size(); ++i) {
      more(i, i) += add * std::max(std::abs(h(i, i)), 1 / (scale[i] * scale[i]));
    }
    if (Cholesky r = cholesky(more, tolerance); r.deficient == h.rows) return r.upper;
  }
}

Place find_mode(const JointAt& joint, const StartPoint& first, std::size_t dimension) {
  std::mt19937_64 random(first.seed);
  std::vector<Vector> points(first_points, first.u.empty() ? Vector(dimension) : first.u);
  for (auto point = points.begin() + 1; point != points.end(); ++point) {
    for (std::size_t i = 0; i < dimension; ++i) {
      const double uniform = std::ldexp(static_cast<double>(random() >> 12U), -50) - 2;  // in [-2, 2)
      (*point)[i] += uniform * first.scale[i];
    }
  }
  std::vector<Place> places = places_at(joint, points);
  std::stable_sort(places.begin() + 1, places.end(), [](const Place& a, const Place& b) {
    return a.finite() != b.finite() ? a.finite() : a.finite() && a.value > b.value;
  });
  places.resize(climbs);
  std::erase_if(places, [](const Place& place) { return !place.finite(); });
  if (places.empty()) {
    throw InputError(
        "the log density or its gradient is not finite where the search for a start begins "
        "(TargetModel::start); give a start where it is");
  }
  for (Place& place : places) place = climb(joint, std::move(place), first.scale);
  return *std::ranges::max_element(places, {}, &Place::value);
}

}  // namespace

NormalStart find_normal_start(const JointAt& joint, const StartPoint& first, std::size_t dimension) {
  NormalStart start;
  if (first.has_gradient) {
    const Place mode = find_mode(joint, first, dimension);
    start.shift = mode.u;
    start.inverse = upper_factor(curvature(joint, mode, first.scale, start.doubtful), first.scale);
  } else {
    start.shift = first.u.empty() ? Vector(dimension) : first.u;
    start.inverse = Matrix(dimension, dimension);
    for (std::size_t i = 0; i < dimension; ++i) start.inverse(i, i) = 1 / first.scale[i];
  }
  start.factor = inverse_upper(start.inverse);
  return start;
}

std::string problem_with_gradient(const JointAt& joint, const StartPoint& first, std::size_t dimension) {
  std::mt19937_64 random(first.seed + 1);
  std::vector<Vector> points(3, first.u.empty() ? Vector(dimension) : first.u);
  Vector direction;
  for (std::size_t i = 0; i < dimension; ++i) {
    direction.push_back(first.scale[i] * (0.5 + std::ldexp(static_cast<double>(random() >> 12U), -52)));
    points[1][i] += first_difference * direction[i];
    points[2][i] -= first_difference * direction[i];
  }
  const std::vector<Place> at = places_at(joint, points);
  const double by_gradient = dot(at[0].gradient, direction);
  const double by_values = (at[1].value - at[2].value) / (2 * first_difference);
  // What rounding of the values to six digits, as a solver's tolerance may do, leaves of a difference.
  const double noise = 1e-6 * (std::abs(at[0].value) + 1) / first_difference;
  const double apart = std::abs(by_gradient - by_values);
  if (!(apart > noise + 0.1 * std::max(std::abs(by_gradient), std::abs(by_values)))) return {};
  if (!std::isfinite(apart)) return {};
  return fmt::format(
      "the gradient is not that of the log density: along one direction at the start it says {:.4g}, "
      "the values {:.4g}; check the target",
      by_gradient, by_values);
}

void set_coordinates(Model& model, const NormalStart& start) {
  const std::size_t d = start.shift.size();
  model.to_user = start.factor;
  model.shift = start.shift;
  model.basis = start.inverse;
  model.log_determinant = model.log_basis_determinant = 0;
  for (std::size_t j = 0; j < d; ++j) {
    double square = 0;
    for (std::size_t i = 0; i <= j; ++i) square += start.inverse(i, j) * start.inverse(i, j);
    for (std::size_t i = 0; i <= j; ++i) model.basis(i, j) /= std::sqrt(square);
    model.log_determinant += std::log(start.factor(j, j));
    model.log_basis_determinant += std::log(model.basis(j, j));
  }
}

}  // namespace jensen
