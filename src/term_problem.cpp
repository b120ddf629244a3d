/// \file A model of terms as a Problem: terms of the kernels in the parameters' own coordinates u, from which the
/// engine's affine map takes the rest (model/normal_start.hpp).

#include <fmt/format.h>

#include <cmath>

#include "density_code.hpp"
#include "jensen/errors.hpp"
#include "jensen/trainer.hpp"
#include "model/coordinate_transforms.hpp"
#include "model/defaults.hpp"
#include "model/families.hpp"
#include "model/prior_density.hpp"
#include "model/response.hpp"
#include "problem.hpp"
#include "show.hpp"

namespace jensen {
namespace {

/// Of element `i` of a block.
Transform transform_of(Support support, std::size_t i) {
  if (support == Support::positive) return Transform::exponential;
  if (support == Support::unit) return Transform::logistic;
  return support == Support::increasing && i > 0 ? Transform::increment : Transform::identity;
}

class TermModelBuilder {
 public:
  TermModelBuilder(const TermModel& given, Model& model) : given_(given), model_(model) {}

  void build() {
    for (const TermModel::Parameters& block : given_.blocks()) {
      for (std::size_t i = 0; i < block.size; ++i) {
        model_.parameters.push_back(
            {block.size == 1 ? block.name : fmt::format("{}[{}]", block.name, i + 1), transform_of(block.support, i)});
      }
    }
    for (const ModelTerm& term : given_.terms()) add_term(term);
    for (const TermModel::Parameters& block : given_.blocks()) add_prior(block);
  }

 private:
  const float* keep(std::vector<float> values) {
    model_.columns.push_back(std::move(values));
    return model_.columns.back().data();
  }

  void add_term(const ModelTerm& given) {
    Term term;
    term.subsampled = given.data;
    term.rows = static_cast<std::int64_t>(given.rows);
    if (!given.weights.empty()) term.weights = given.weights.data();
    if (given.custom != nullptr) {
      term.density = DensityKind::custom;
      term.custom = given.custom;
      for (std::size_t c = 0; c < given.constants.size(); ++c) term.constants[c] = given.constants[c].data();
    } else {
      set_response(given, term);
    }
    term.argument_count = static_cast<int>(given.arguments.size());
    for (std::size_t a = 0; a < given.arguments.size(); ++a) set_argument(given.arguments[a], term.arguments[a]);
    if (given.thresholds.model != nullptr) set_thresholds(given, term);
    model_.terms.push_back(term);
  }

  void set_response(const ModelTerm& given, Term& term) {
    term.density = density_of(given.family, given.link);
    std::vector<float> columns[max_constants];
    for (std::vector<float>& column : columns) column.reserve(given.rows);
    for (std::size_t i = 0; i < given.rows; ++i) {
      ResponseRow row{response_of(given, i)};
      if (!given.trials.empty()) row.trials = static_cast<double>(given.trials[i]);
      const auto constants = response_constants(given.family, given.link, row);
      const double weight = given.weights.empty() ? 1 : static_cast<double>(given.weights[i]);
      term.constant += weight * left_out(given.family, given.link, row);
      for (std::size_t c = 0; c < constants.size(); ++c) columns[c].push_back(static_cast<float>(constants[c]));
    }
    for (int c = 0; c < max_constants; ++c) term.constants[c] = keep(std::move(columns[c]));
  }

  /// As the density has it: categories from 0; ordered ones 0 the lowest, 2 the highest, 1 the others.
  double response_of(const ModelTerm& given, std::size_t i) const {
    const auto y = static_cast<double>(given.y[i]);
    if (given.family == Family::categorical) return y - 1;
    if (given.family != Family::cumulative) return y;
    if (y == 1) return 0;
    return y == static_cast<double>(given_.blocks()[given.thresholds.index].size + 1) ? 2 : 1;
  }

  /// Arguments 1 and 2 of ordered categories: the thresholds below and above each row's, none of which reads as 0.
  void set_thresholds(const ModelTerm& given, Term& term) {
    const TermModel::Parameters& block = given_.blocks()[given.thresholds.index];
    for (const std::size_t upper : {0, 1}) {
      std::vector<float> x(given.rows * block.size);
      for (std::size_t i = 0; i < given.rows; ++i) {
        const std::size_t threshold = static_cast<std::size_t>(given.y[i]) + upper;  // from 2, as there is none below 1
        if (threshold >= 2 && threshold < block.size + 2) x[i * block.size + threshold - 2] = 1;
      }
      Predictor& argument = term.arguments[1 + upper];
      argument.part_count = 1;
      argument.parts[0] = {PartKind::dense, static_cast<int>(block.first), static_cast<int>(block.size), 1,
                           keep(std::move(x))};
    }
    term.argument_count = 3;
  }

  /// Element i of a block in row i.
  Part elements_of(const TermModel::Parameters& block) {
    Part part;
    part.first = static_cast<int>(block.first);
    if (block.size == 1) return part;
    std::vector<float> identity(block.size * block.size);
    for (std::size_t i = 0; i < block.size; ++i) identity[i * block.size + i] = 1;
    return {PartKind::dense, part.first, static_cast<int>(block.size), 1, keep(std::move(identity))};
  }

  void set_argument(const TermArgument& given, Predictor& argument) {
    for (const TermArgument::Dense& part : given.dense) {
      const TermModel::Parameters& block = given_.blocks()[part.block.index];
      Part& dense = argument.parts[argument.part_count++];
      dense = {PartKind::dense, static_cast<int>(block.first), static_cast<int>(block.size), 1, part.x.data()};
      dense.resident = part.on_gpu;
    }
    for (const TermArgument::Scalar& part : given.scalars) {
      Part& scalar = argument.parts[argument.part_count++];
      scalar.first = static_cast<int>(given_.blocks()[part.block.index].first + part.element);
      scalar.scale = static_cast<float>(part.scale);
    }
    for (const Block& block : given.elements) {
      argument.parts[argument.part_count++] = elements_of(given_.blocks()[block.index]);
    }
    if (!given.offset.empty()) argument.offset = given.offset.data();
    argument.constant = static_cast<float>(given.constant);
  }

  /// Of each element, at its coordinate, Jacobian included (but that of increasing ones, which is the engine's). A flat
  /// prior on a real parameter is no term, on others it is the Jacobian.
  void add_prior(const TermModel::Parameters& block) {
    const bool real = block.support == Support::real || block.support == Support::increasing;
    if (!block.has_prior || (block.prior.kind == PriorKind::flat && real)) return;
    const PriorDensity density = prior_density(block.prior, block.support);
    Term term;
    term.density = density.kind;
    term.rows = static_cast<std::int64_t>(block.size);
    term.constant = static_cast<double>(block.size) * density.log_normalizer;
    for (std::size_t c = 0; c < density.constants.size(); ++c) {
      term.constants[c] = keep(std::vector<float>(block.size, static_cast<float>(density.constants[c])));
    }
    term.arguments[0].part_count = 1;
    term.arguments[0].parts[0] = elements_of(block);
    model_.terms.push_back(term);
  }

  const TermModel& given_;
  Model& model_;
};

void check_term_options(const TrainOptions& o) {
  const auto refuse = [](std::string_view what) {
    throw InputError(fmt::format("a model of terms has no {} (TrainOptions); leave it as it is by default", what));
  };
  if (o.family != Family::gaussian || o.link) refuse("family and link but its terms'");
  if (!o.formulas.empty()) refuse("formulas");
  if (!o.priors.empty()) refuse("priors but its own");
  if (o.storage != StorageKind::float32) refuse("columns to be stored");
}

/// A parameter that nothing depends on has no posterior.
void check_blocks(const TermModel& model) {
  std::vector<bool> used;
  for (const TermModel::Parameters& block : model.blocks()) {
    used.push_back(block.has_prior && block.prior.kind != PriorKind::flat);
  }
  for (const ModelTerm& term : model.terms()) {
    if (term.thresholds.model != nullptr) used[term.thresholds.index] = true;
    for (const TermArgument& argument : term.arguments) {
      for (const TermArgument::Dense& part : argument.dense) used[part.block.index] = true;
      for (const TermArgument::Scalar& part : argument.scalars) used[part.block.index] = true;
      for (const Block& block : argument.elements) used[block.index] = true;
    }
  }
  for (std::size_t i = 0; i < used.size(); ++i) {
    if (used[i]) continue;
    throw InputError(fmt::format("nothing depends on {} (TermModel); use it in a term, or give it a prior",
                                 show(model.blocks()[i].name)));
  }
}

bool uses_gpu_memory(const TermModel& model) {
  for (const ModelTerm& term : model.terms()) {
    for (const TermArgument& argument : term.arguments) {
      for (const TermArgument::Dense& part : argument.dense) {
        if (part.on_gpu) return true;
      }
    }
  }
  return false;
}

}  // namespace

Problem make_problem(const TermModel& given, const TrainOptions& options) {
  check_options(options);
  check_term_options(options);
  if (given.terms().empty()) throw InputError("a model without terms (TermModel); add one");
  check_blocks(given);
  Problem problem;
  Model& model = problem.model;
  TermModelBuilder(given, model).build();
  Fit& fit = problem.fit;
  fit.parameters = model.parameters;
  for (const ModelTerm& term : given.terms()) {
    if (term.data) fit.rows = static_cast<std::int64_t>(term.rows);
  }
  fit.options = options;
  if (fit.options.samples == 0) fit.options.samples = default_samples;
  if (fit.options.learning_rate == 0) fit.options.learning_rate = default_learning_rate;
  fit.options.batch = resolve_batch(options.batch, fit.rows);
  resolve_guide(fit.options, model.parameters.size());

  const std::size_t d = given.dimension();
  problem.start = StartPoint{std::vector<double>(d), std::vector<double>(d, 1), true, options.seed};
  set_coordinates(model, {Matrix::identity(d), Matrix::identity(d), std::vector<double>(d), {}});  // until it is found
  const bool meanfield = fit.options.guide == GuideKind::meanfield;
  problem.layout.head = meanfield ? GuideShape::meanfield : GuideShape::fullrank;
  problem.spec = make_spec(model, problem.layout, fit);
  problem.spec.affine = true;
  problem.spec.shuffled = given.has_rows_in_random_order();
  problem.spec.transforms = coordinate_transforms(model.parameters);
  std::string reason;
  if (options.device == DeviceKind::cpu || cuda_devices(reason).empty()) {
    if (uses_gpu_memory(given)) {
      throw InputError(
          "columns of the model are on a GPU, which does not train it (TermArgument::Dense::on_gpu); use "
          "device cuda, or columns in the host's memory");
    }
    for (Term& term : problem.spec.terms) term.resident = true;  // host memory is the device's
  }
  return problem;
}

Fit train(const TermModel& model, const TrainOptions& options, Observer* observer) {
  return Trainer(model, options).run(observer);
}

}  // namespace jensen
