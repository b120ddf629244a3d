#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "jensen/errors.hpp"
#include "jensen/pieces.hpp"
#include "model/coordinate_transforms.hpp"
#include "model/defaults.hpp"
#include "problem.hpp"
#include "score.hpp"
#include "show.hpp"

namespace jensen {
namespace {

constexpr int score_samples = 64;  // the score function's noise falls only as their number

/// The caller's target as the engine calls it.
class TargetJoint final : public LogJoint {
 public:
  explicit TargetJoint(Target& target) : target_(target) {}
  bool has_gradient() const override { return target_.has_gradient(); }
  void evaluate(const double* theta, int samples, int dimension, const RowList& rows, double scale, void* stream,
                double* log_density, double* gradient) override {
    target_.evaluate(theta, static_cast<std::size_t>(samples), static_cast<std::size_t>(dimension),
                     {rows.indices, rows.first, rows.count, rows.count == 0 ? 1 : scale, stream}, log_density,
                     gradient);
  }

 private:
  Target& target_;
};

void check_model(const TargetModel& model) {
  if (model.parameters.empty()) throw InputError("a target without parameters (TargetModel::parameters); name one");
  for (std::size_t i = 0; i < model.parameters.size(); ++i) {
    const Parameter& parameter = model.parameters[i];
    if (parameter.name.empty()) {
      throw InputError(fmt::format("parameter {} has no name (TargetModel::parameters); give it one", i + 1));
    }
    if (std::ranges::count(model.parameters, parameter.name, &Parameter::name) > 1) {
      throw InputError(fmt::format("two parameters are called {} (TargetModel::parameters); give one another name",
                                   show(parameter.name)));
    }
  }
  for (const auto& [values, what] : {std::pair(&model.start, "start"), std::pair(&model.scale, "scale")}) {
    if (!values->empty() && values->size() != model.parameters.size()) {
      throw InputError(fmt::format("{} numbers for {} parameters (TargetModel::{}); give one each, or none",
                                   values->size(), model.parameters.size(), what));
    }
  }
  for (const double scale : model.scale) {
    if (!(scale > 0) || !std::isfinite(scale)) {
      throw InputError(fmt::format("a scale of {} (TargetModel::scale); give a positive number", scale));
    }
  }
  if (model.rows < 0 || model.rows > 0xFFFFFFFE) {
    throw InputError(fmt::format("{} rows (TargetModel::rows); give 0 to 4294967294", model.rows));
  }
}

/// The start's unconstrained coordinates.
std::vector<double> start_of(const TargetModel& model) {
  if (model.start.empty()) return {};
  try {
    return unconstrain(model.parameters, model.start);
  } catch (const InputError& error) {
    throw InputError(fmt::format("{} (TargetModel::start)", error.what()));
  }
}

TrainOptions resolve(TrainOptions o, const TargetModel& model, const Target& target) {
  const auto refuse = [](std::string_view what) {
    throw InputError(fmt::format("a target has no {} (TrainOptions); leave it as it is by default", what));
  };
  if (o.family != Family::gaussian || o.link) refuse("family and link");
  if (!o.formulas.empty()) refuse("formulas");
  if (!o.priors.empty()) refuse("priors but its own");
  if (o.storage != StorageKind::float32) refuse("columns to be stored");
  const DeviceKind device = target.device();
  if (device == DeviceKind::automatic) throw InputError("a target must say cpu or cuda (Target::device)");
  if (o.device != DeviceKind::automatic && o.device != device) {
    throw InputError(fmt::format("the target is for {}, the device asked for is {} (--device); make them the same",
                                 to_string(device), to_string(o.device)));
  }
  o.device = device;
  const bool gradient = target.has_gradient();
  if (o.samples == 0) o.samples = gradient ? default_samples : score_samples;
  if (!gradient && (o.samples < least_score_samples || o.samples % 2 != 0)) {
    throw InputError(
        fmt::format("{} samples for a target without gradients (--samples); give an even number, {} at "
                    "least",
                    o.samples, least_score_samples));
  }
  o.batch = resolve_batch(o.batch, model.rows);
  if (o.learning_rate == 0) o.learning_rate = default_learning_rate;
  resolve_guide(o, model.parameters.size());
  check_affine(model.parameters.size());
  return o;
}

}  // namespace

Problem make_problem(Target& target, const TargetModel& given, const TrainOptions& options) {
  check_options(options);
  check_model(given);
  Problem problem;
  Model& model = problem.model;
  model.parameters = given.parameters;
  problem.fit.parameters = given.parameters;
  problem.fit.rows = given.rows;
  problem.fit.options = resolve(options, given, target);
  const std::size_t d = given.parameters.size();
  problem.target = std::make_unique<TargetJoint>(target);
  problem.start = StartPoint{start_of(given), given.scale, target.has_gradient(), options.seed};
  if (problem.start->scale.empty()) problem.start->scale.assign(d, 1);
  // Until the start is found, w is u.
  set_coordinates(model, {Matrix::identity(d), Matrix::identity(d), std::vector<double>(d), {}});
  const bool meanfield = problem.fit.options.guide == GuideKind::meanfield;
  problem.layout.head = meanfield ? GuideShape::meanfield : GuideShape::fullrank;
  problem.spec = make_spec(model, problem.layout, problem.fit);
  problem.spec.affine = true;
  problem.spec.target = problem.target.get();
  if (!target.has_gradient()) problem.spec.reference = 0;
  problem.spec.transforms = coordinate_transforms(given.parameters);
  return problem;
}

}  // namespace jensen
