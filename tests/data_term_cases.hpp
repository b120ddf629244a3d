#pragma once
/// \file Random terms of any shape, and their sums in double with the room that float arithmetic needs.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <memory>
#include <numeric>
#include <ostream>
#include <random>
#include <vector>

#include "density_magnitude.hpp"
#include "model/response.hpp"
#include "term.hpp"
#include "tolerances.hpp"

namespace jensen {

/// What a case is made from. Everything else about it is drawn from `seed`.
struct CaseShape {
  DensityKind density = DensityKind::gaussian;
  std::int64_t rows = 0;
  int columns = 0;  ///< of a_0's dense part; 0: no such part
  int samples = 1;
  std::uint32_t seed = 0;
  bool two_dense_parts = false;  ///< a second dense part in a_0: not a shape of the fast data terms
};

inline std::ostream& operator<<(std::ostream& out, const CaseShape& s) {
  return out << density_name(s.density) << ", rows " << s.rows << ", columns " << s.columns << ", samples " << s.samples
             << ", seed " << s.seed;
}

/// A term and the memory that its pointers are into.
struct TermCase {
  CaseShape shape;
  std::vector<float> x, second_x, offset, constants[max_constants], z;
  std::vector<std::uint32_t> indices;
  Term term;
  RowList rows;
  int dimension = 0;

  explicit TermCase(const CaseShape& wanted) : shape(wanted), generator_(wanted.seed) {
    make_predictors();
    make_rows();
    make_constants();
    // Predictors of order one, whatever the number of columns: standard normal columns times small coefficients.
    const double scale = 0.7 / std::sqrt(1.0 + shape.columns);
    z = normals(static_cast<std::size_t>(shape.samples) * static_cast<std::size_t>(dimension), scale);
  }
  TermCase(const TermCase&) = delete;
  TermCase& operator=(const TermCase&) = delete;

  const float* latent(int sample) const { return z.data() + static_cast<std::size_t>(sample) * dimension; }
  int slots() const { return slot_count(term); }

 private:
  bool coin() { return generator_() % 2 == 0; }
  std::vector<float> normals(std::size_t n, double scale) {
    std::normal_distribution<float> normal(0, static_cast<float>(scale));
    std::vector<float> values(n);
    for (float& v : values) v = normal(generator_);
    return values;
  }

  void make_predictors() {
    term.density = shape.density;
    term.subsampled = true;
    // The term reads some of the latent coordinates: others lie before, between and after.
    dimension = 2;
    Predictor& first = term.arguments[0];
    const auto add = [&](Predictor& to, const Part& part) { to.parts[to.part_count++] = part; };
    const Part dense{PartKind::dense, dimension, shape.columns, 1, nullptr};
    const bool has_dense = shape.columns > 0;
    dimension += shape.columns + 1;
    const int second_dense = dimension;
    if (shape.two_dense_parts) dimension += 3;
    const Part scalar{PartKind::scalar, dimension++, 1, coin() ? 1.0F : -0.6F, nullptr};
    const bool scalar_first = coin();
    if (coin() && !shape.two_dense_parts) {
      if (scalar_first || !has_dense) add(first, scalar);
      if (has_dense) add(first, dense);
      if (!scalar_first && has_dense) add(first, scalar);
    } else if (has_dense) {
      add(first, dense);
    }
    if (shape.two_dense_parts) add(first, {PartKind::dense, second_dense, 3, 1, nullptr});
    first.constant = coin() ? 0.2F : 0.0F;
    term.argument_count = 1 + shared_arguments(shape.density);
    for (int a = 1; a < term.argument_count; ++a) {
      Predictor& shared = term.arguments[a];
      const int parts = static_cast<int>(generator_() % 3);
      for (int p = 0; p < parts; ++p) add(shared, {PartKind::scalar, dimension++, 1, p == 0 ? 1.0F : 0.5F, nullptr});
      shared.constant = coin() ? -0.3F : 0.0F;
      if (shape.density == DensityKind::cumulative_logit)
        shared.constant = a == 1 ? -3.0F : 3.0F;  // thresholds in order
    }
    dimension += 2;
  }

  /// The rows in order, all or the first of a larger table, or a shuffled part of one.
  void make_rows() {
    const bool listed = coin();
    term.rows = listed || coin() ? shape.rows + shape.rows / 3 + 1 : shape.rows;
    rows.count = shape.rows;
    if (listed) {
      indices.resize(static_cast<std::size_t>(term.rows));
      std::iota(indices.begin(), indices.end(), 0U);
      std::shuffle(indices.begin(), indices.end(), generator_);
      indices.resize(static_cast<std::size_t>(shape.rows));
      rows.indices = indices.data();
      // An empty vector's pointer may be null, which would mean something else, but of no rows all the same.
    }
    const auto table = static_cast<std::size_t>(term.rows);
    x = normals(table * static_cast<std::size_t>(shape.columns), 1);
    second_x = normals(table * 3, 0.5);
    bool first_dense = true;
    for (Part& part : term.arguments[0].parts) {
      if (part.kind != PartKind::dense) continue;
      part.x = first_dense && shape.columns > 0 ? x.data() : second_x.data();
      first_dense = false;
    }
    if (coin()) {
      offset = normals(table, 0.5);
      term.arguments[0].offset = offset.data();
    }
  }

  ResponseRow some_response() {
    ResponseRow row{0};
    row.trials = std::poisson_distribution<int>(4)(generator_);
    row.censored = coin();
    switch (shape.density) {
      case DensityKind::binomial_logit:
      case DensityKind::binomial_probit:
      case DensityKind::binomial_cloglog:
        row.y = std::min(row.trials, static_cast<double>(generator_() % 6));
        break;
      case DensityKind::beta_logit:
        row.y = std::uniform_real_distribution<double>(0.02, 0.98)(generator_);
        break;
      case DensityKind::gamma_log:
      case DensityKind::exponential_log:
      case DensityKind::weibull_log:
        row.y = std::exp(std::normal_distribution<double>(0, 0.7)(generator_));
        break;
      case DensityKind::cumulative_logit:
        row.y = static_cast<double>(generator_() % 3);
        break;
      default:
        row.y = std::poisson_distribution<int>(1.5)(generator_);
    }
    return row;
  }

  void make_constants() {
    const auto set = [&](int c, auto value) {
      constants[c].resize(static_cast<std::size_t>(term.rows));
      for (std::size_t i = 0; i < constants[c].size(); ++i) constants[c][i] = static_cast<float>(value(i));
      term.constants[c] = constants[c].data();
    };
    std::normal_distribution<double> normal;
    std::poisson_distribution<int> poisson(1.5);
    const auto location = [&](std::size_t) { return normal(generator_); };
    switch (shape.density) {
      case DensityKind::gaussian:
        if (coin() || coin()) set(0, location);  // else null: read as 0
        break;
      case DensityKind::student_t:
        set(0, location);
        break;
      case DensityKind::bernoulli_logit:
        set(0, [&](std::size_t) { return coin() ? 1 : 0; });
        break;
      case DensityKind::poisson_log:
        if (coin() || coin()) {
          set(0, [&](std::size_t) { return poisson(generator_); });
          set(1, [&](std::size_t i) { return constants[0][i] > 0 ? std::log(constants[0][i]) : 0.0F; });
        }
        break;
      case DensityKind::binomial_logit:
      case DensityKind::binomial_probit:
      case DensityKind::binomial_cloglog:
      case DensityKind::negative_binomial_log:
      case DensityKind::gamma_log:
      case DensityKind::beta_logit:
      case DensityKind::exponential_log:
      case DensityKind::weibull_log:
      case DensityKind::zero_inflated_poisson:
      case DensityKind::hurdle_poisson:
      case DensityKind::cumulative_logit:
        for (int c = 0; c < max_constants; ++c) set(c, [](std::size_t) { return 0; });
        for (std::size_t i = 0; i < constants[0].size(); ++i) {
          const auto values = response_constants(shape.density, some_response());
          for (std::size_t c = 0; c < 3; ++c) constants[c][i] = static_cast<float>(values[c]);
        }
        break;
      case DensityKind::flat_positive_prior:
        break;
      default:
        if (coin()) set(0, location);
        set(1, [&](std::size_t) { return 0.5 + std::abs(normal(generator_)); });
        set(2, [&](std::size_t) { return 1.0 + std::abs(normal(generator_)) * 4; });
    }
  }

  std::mt19937 generator_;
};

/// The term's Partials in double, with the error allowed to each number.
struct Reference {
  std::vector<double> sums, room;
};

/// Direct evaluation of the definition in kernels/term.hpp, in double throughout. The room is first-order: each
/// argument's rounding (relative to its absolute summands) moves f and its derivatives as a change of the argument by
/// that much does; then f's own rounding, and that of the sums over rows.
class ReferenceSum {
 public:
  ReferenceSum(const TermCase& c, BlockPlan plan) : case_(c), slots_(c.slots()) {
    result_.sums.resize(static_cast<std::size_t>(plan.blocks * c.shape.samples * (1 + slots_)));
    result_.room.resize(result_.sums.size());
    std::size_t at = 0;
    for (std::int64_t b = 0; b < plan.blocks; ++b) {
      const std::int64_t begin = b * plan.rows_per_block;
      const std::int64_t end = std::min(begin + plan.rows_per_block, c.rows.count);
      for (int s = 0; s < c.shape.samples; ++s, at += static_cast<std::size_t>(1 + slots_)) {
        for (std::int64_t i = begin; i < end; ++i)
          add_row(c.rows[i], c.latent(s), &result_.sums[at], &result_.room[at]);
        for (int slot = 0; slot <= slots_; ++slot) {  // what underflows on the way
          result_.room[at + static_cast<std::size_t>(slot)] += std::numeric_limits<float>::min();
        }
      }
    }
  }
  Reference take() { return std::move(result_); }

 private:
  struct Argument {
    double value = 0, room = 0;
  };

  Argument argument(const Predictor& predictor, std::int64_t row, const float* latent) const {
    Argument a;
    double size = 0;
    int summands = 2;
    const auto add = [&](double v) {
      a.value += v;
      size += std::abs(v);
      ++summands;
    };
    add(static_cast<double>(predictor.constant));
    if (predictor.offset != nullptr) add(static_cast<double>(predictor.offset[row]));
    for (int p = 0; p < predictor.part_count; ++p) {
      const Part& part = predictor.parts[p];
      for (int k = 0; k < part.columns; ++k) {
        add(static_cast<double>(latent[part.first + k]) * factor(part, row, k));
      }
    }
    a.room = tolerance::float_sum(summands) * size;
    return a;
  }

  static double factor(const Part& part, std::int64_t row, int k) {
    return static_cast<double>(part.kind == PartKind::scalar ? part.scale : part.x[row * part.columns + k]);
  }

  void add_row(std::int64_t row, const float* latent, double* sums, double* room) const {
    const Term& term = case_.term;
    double constants[max_constants];
    for (int c = 0; c < max_constants; ++c) {
      constants[c] = term.constants[c] == nullptr ? 0.0 : static_cast<double>(term.constants[c][row]);
    }
    Arguments<double> at{}, argument_room{};
    for (std::size_t a = 0; a < static_cast<std::size_t>(term.argument_count); ++a) {
      const Argument argument_a = argument(term.arguments[a], row, latent);
      at[a] = argument_a.value;
      argument_room[a] = argument_a.room;
    }
    const AnyValue<double> v = evaluate_any(term.density, constants, at);
    const AnyValue<double> size = density_magnitude(term.density, constants, at);
    AnyValue<double> moved{};  // by how much, at most, as each argument moves either way, added up
    for (std::size_t a = 0; a < at.size(); ++a) {
      AnyValue<double> most{};
      for (const double step : {argument_room[a], -argument_room[a]}) {
        Arguments<double> near = at;
        near[a] += step;
        const AnyValue<double> w = evaluate_any(term.density, constants, near);
        most.log_density = std::max(most.log_density, std::abs(w.log_density - v.log_density));
        for (std::size_t k = 0; k < at.size(); ++k) most.d[k] = std::max(most.d[k], std::abs(w.d[k] - v.d[k]));
      }
      moved.log_density += most.log_density;
      for (std::size_t k = 0; k < at.size(); ++k) moved.d[k] += most.d[k];
    }
    const auto allowed = [](double by_arguments, double of_size, double of_sum) {
      return by_arguments + tolerance::density_float * of_size +
             tolerance::float_sum(tolerance::rows_in_float) * std::abs(of_sum);
    };
    sums[0] += v.log_density;
    room[0] += allowed(moved.log_density, size.log_density, v.log_density);
    int slot = 1;
    for (int a = 0; a < term.argument_count; ++a) {
      for (int p = 0; p < term.arguments[a].part_count; ++p) {
        const Part& part = term.arguments[a].parts[p];
        for (int k = 0; k < part.columns; ++k, ++slot) {
          const double by = factor(part, row, k);
          sums[slot] += v.d[a] * by;
          room[slot] += allowed(moved.d[a], size.d[a], v.d[a]) * std::abs(by);
        }
      }
    }
  }

  const TermCase& case_;
  int slots_;
  Reference result_;
};

inline Reference reference_sums(const TermCase& c, BlockPlan plan) { return ReferenceSum(c, plan).take(); }

/// Partials of NaN, so that nothing passes by being left alone.
class PoisonedPartials {
 public:
  PoisonedPartials(const TermCase& c, BlockPlan plan)
      : values(static_cast<std::size_t>(plan.blocks * c.shape.samples * (1 + c.slots())),
               std::numeric_limits<double>::quiet_NaN()),
        view{values.data(), c.shape.samples, c.slots()} {}
  PoisonedPartials(const PoisonedPartials&) = delete;
  PoisonedPartials& operator=(const PoisonedPartials&) = delete;

  std::vector<double> values;
  Partials view;
};

/// The largest error as a share of the room for it, and where: at most 1 if all is well. NaN counts as infinite.
struct WorstShare {
  double share = 0;
  std::size_t at = 0;
};

inline WorstShare worst_share(const std::vector<double>& got, const Reference& want) {
  WorstShare worst;
  for (std::size_t i = 0; i < got.size(); ++i) {
    double share = std::abs(got[i] - want.sums[i]) / want.room[i];
    if (std::isnan(share)) share = std::numeric_limits<double>::infinity();
    if (share > worst.share) worst = {share, i};
  }
  return worst;
}

}  // namespace jensen
