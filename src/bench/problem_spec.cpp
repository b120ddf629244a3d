#include "bench/problem_spec.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "jensen/errors.hpp"
#include "model/families.hpp"

namespace jensen {
namespace {

// As problem.cpp and model_data.cpp have them.
constexpr std::int64_t whole_batch = 16384;
constexpr std::int64_t default_batch = 8192;
constexpr std::int64_t most_automatic_fullrank = 512;  // as of models without a formula
constexpr std::int64_t most_fullrank = 2048;

constexpr std::int64_t categories = 10;
constexpr std::int64_t free_thresholds = 2;

DensityKind density_of(Family family) { return jensen::density_of(family, info_of(family).links.front()); }

/// A standard normal prior of one latent.
Term scalar_prior(DensityKind density, int latent, const float* ones) {
  Term prior;
  prior.density = density;
  prior.rows = 1;
  prior.constants[1] = ones;
  prior.arguments[0].part_count = 1;
  prior.arguments[0].parts[0] = {PartKind::scalar, latent, 1, 1, nullptr};
  return prior;
}

/// Half the spread that a posterior of many rows leaves the linear predictor would be far less; this one keeps every
/// sample different and the densities in their usual range.
float log_scale_of(const BenchProblem& problem, std::int64_t latent, std::int64_t coefficients) {
  return latent < coefficients ? std::log(0.3F / std::sqrt(static_cast<float>(problem.columns))) : -2.0F;
}

void add_priors(const BenchProblem& problem, const BenchData& data, ProblemSpec& out) {
  const auto k = static_cast<std::size_t>(problem.columns);
  out.identity.assign(k * k, 0);
  for (std::size_t i = 0; i < k; ++i) out.identity[i * k + i] = 1;
  out.ones.assign(k, 1);
  const int coefficients =
      static_cast<int>(problem.family == Family::categorical ? categories - 1 : 1) * problem.columns;
  for (int first = 0; first < coefficients; first += problem.columns) {
    Term prior;
    prior.density = DensityKind::normal_prior;
    prior.rows = problem.columns;
    prior.constants[1] = out.ones.data();
    prior.arguments[0].part_count = 1;
    prior.arguments[0].parts[0] = {PartKind::dense, first, problem.columns, 1, out.identity.data()};
    out.spec.terms.push_back(prior);
  }
  const int last = data.dimension - (problem.levels > 0 ? 1 : 0);
  for (int latent = coefficients; latent < last; ++latent) {
    out.spec.terms.push_back(scalar_prior(DensityKind::normal_prior, latent, out.ones.data()));
  }
  if (problem.levels > 0) out.spec.terms.push_back(scalar_prior(DensityKind::exponential_prior, last, out.ones.data()));
}

/// One group with an intercept each, in the coordinates that jensen train chooses; coupled to the coefficients by
/// zeros, which cost what other numbers cost.
void add_group(const BenchProblem& problem, const BenchData& data, ProblemSpec& out) {
  const auto levels = static_cast<std::size_t>(problem.levels);
  GroupBlock group;
  group.levels = problem.levels;
  group.first_sd = data.dimension - 1;
  group.first_coefficient = 0;
  group.coefficients = problem.columns;
  constexpr double information_of_a_row = 0.2;  // of a Bernoulli response with a probability about 1/2
  out.information.assign(levels, static_cast<float>(information_of_a_row * static_cast<double>(problem.rows) /
                                                    static_cast<double>(problem.levels)));
  out.location.assign(levels, 0);
  out.coupling.assign(levels * static_cast<std::size_t>(problem.columns), 0);
  group.information = out.information.data();
  group.location = out.location.data();
  group.coupling = out.coupling.data();
  out.spec.groups = {group};
}

void add_guide(const BenchProblem& problem, const BenchData& data, GuideKind guide, ProblemSpec& out) {
  const auto h = static_cast<std::size_t>(data.dimension);
  const std::int64_t coefficients = data.dimension - (problem.levels > 0 ? 1 : 0);
  out.spec.lambda = data.location;
  if (guide == GuideKind::meanfield) {
    out.spec.guide = GuideShape::meanfield;
    out.spec.dense_levels = false;
    for (std::size_t i = 0; i < h; ++i) {
      out.spec.lambda.push_back(log_scale_of(problem, static_cast<std::int64_t>(i), coefficients));
    }
  } else {
    out.spec.guide = GuideShape::fullrank;
    for (std::size_t i = 0; i < h; ++i) {
      out.spec.lambda.insert(out.spec.lambda.end(), i, 0.0F);
      out.spec.lambda.push_back(log_scale_of(problem, static_cast<std::int64_t>(i), coefficients));
    }
  }
  out.spec.lambda.insert(out.spec.lambda.end(), 2 * static_cast<std::size_t>(problem.levels), 0.0F);
}

}  // namespace

std::int64_t head_dimension(const BenchProblem& problem) {
  const FamilyInfo& family = info_of(problem.family);
  std::int64_t dimension = problem.columns * (problem.family == Family::categorical ? categories - 1 : 1);
  dimension += static_cast<std::int64_t>(family.others.size());
  if (problem.family == Family::cumulative) dimension += free_thresholds;
  return dimension + (problem.levels > 0 ? 1 : 0);
}

std::int64_t default_batch_of(const BenchProblem& problem) {
  const std::int64_t batch = problem.rows <= whole_batch ? problem.rows : std::max(default_batch, 2 * problem.levels);
  return std::min(batch, problem.rows);
}

BenchShape shape_of(const BenchProblem& problem, std::uint64_t seed) {
  return {density_of(problem.family), problem.rows, problem.columns, problem.levels, default_batch_of(problem), seed};
}

GuideKind guide_of(const BenchProblem& problem, GuideKind asked) {
  const std::int64_t head = head_dimension(problem);
  if (asked == GuideKind::automatic) {
    if (head > most_automatic_fullrank) return GuideKind::meanfield;
    return problem.levels > 0 ? GuideKind::structured : GuideKind::fullrank;
  }
  if (asked != GuideKind::meanfield && head > most_fullrank) {
    throw InputError(fmt::format("{} parameters are more than a {} guide takes, {} (--guide); use meanfield", head,
                                 to_string(asked), most_fullrank));
  }
  if (asked == GuideKind::structured && problem.levels == 0) return GuideKind::fullrank;
  if (asked == GuideKind::fullrank && problem.levels > 0) return GuideKind::structured;  // levels are too many for it
  return asked;
}

void fill_spec(const BenchProblem& problem, const BenchData& data, GuideKind guide, ProblemSpec& out) {
  out.spec.terms = {data.term};
  out.spec.dimension = data.dimension;
  out.spec.rows = problem.rows;
  out.spec.shuffled = true;  // no row is like its neighbour
  out.spec.reference = 1;    // as in training, though these latents are not whitened
  add_priors(problem, data, out);
  if (problem.levels > 0) add_group(problem, data, out);
  if (data.thresholds > 0) {
    OrderedBlock block;
    block.first = data.first_threshold;
    block.count = data.thresholds;
    const auto count = static_cast<std::size_t>(data.thresholds);
    out.thresholds.assign(count * count, 0);
    for (std::size_t i = 0; i < count; ++i) out.thresholds[i * count + i] = 1;
    block.matrix = out.thresholds.data();
    out.spec.ordered = {block};
  }
  add_guide(problem, data, guide, out);
}

}  // namespace jensen
