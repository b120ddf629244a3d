#include "problem.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

#include "bytes.hpp"
#include "density_code.hpp"
#include "design/design.hpp"
#include "jensen/errors.hpp"
#include "jensen/info.hpp"
#include "model/defaults.hpp"
#include "model/model_data.hpp"
#include "model/separation.hpp"
#include "problem_notes.hpp"
#include "show.hpp"

namespace jensen {
namespace {

/// Options with every default and automatic choice made.
TrainOptions resolve(TrainOptions o, const ModelData& data, const Model& model) {
  if (o.samples == 0) o.samples = default_samples;
  o.batch = data.batch;
  o.link = data.link;
  if (o.learning_rate == 0) o.learning_rate = default_learning_rate;
  if (o.guide == GuideKind::automatic && has_horseshoe(o)) o.guide = GuideKind::meanfield;
  if (!data.has_groups()) {
    resolve_guide(o, model.size(), most_fullrank_of_formula);
    return o;
  }
  if (o.guide == GuideKind::automatic) {
    o.guide = model.size() <= most_fullrank_of_formula ? GuideKind::structured : GuideKind::meanfield;
  }
  const std::size_t in_head =
      model.size() + (o.guide == GuideKind::fullrank ? static_cast<std::size_t>(data.level_effects()) : 0);
  check_fullrank(o.guide, in_head, o.guide == GuideKind::fullrank ? "structured" : "meanfield");
  return o;
}

/// Of a D x D matrix.
bool is_identity(const std::vector<float>& matrix, int dimension) {
  for (std::size_t i = 0; i < matrix.size(); ++i) {
    if (matrix[i] != (i % (static_cast<std::size_t>(dimension) + 1) == 0 ? 1.0F : 0.0F)) return false;
  }
  return true;
}

Storage storage_of(StorageKind kind) {
  if (kind == StorageKind::float16) return Storage::float16;
  return kind == StorageKind::bfloat16 ? Storage::bfloat16 : Storage::float32;
}

std::vector<Formula> parse_formulas(std::string_view formula, const std::vector<ParameterFormula>& others) {
  std::vector<Formula> formulas{parse_formula(formula)};
  for (const ParameterFormula& other : others) {
    formulas.push_back(parse_right_side(other.formula, other.parameter));
  }
  return formulas;
}

}  // namespace

void check_options(const TrainOptions& o) {
  // As a program may cast a number of its own to one of the enumerations.
  const auto known = [](std::string_view what, auto value, auto last) {
    if (value >= decltype(value){} && value <= last) return;
    throw InputError(
        fmt::format("there is no {} {} (TrainOptions); give one of the enumeration", what, static_cast<int>(value)));
  };
  known("family", o.family, Family::categorical);
  if (o.link) known("link", *o.link, Link::softmax);
  for (const Prior& prior : o.priors) known("distribution", prior.kind, PriorKind::horseshoe);
  known("guide", o.guide, GuideKind::structured);
  known("parametrization", o.parametrization, Parametrization::noncentered);
  known("device", o.device, DeviceKind::cuda);
  known("storage", o.storage, StorageKind::bfloat16);
  known("precision", o.precision, PrecisionKind::tf32);
  known("way with missing values", o.missing, MissingPolicy::error);
  if (o.samples < 0 || o.samples > 1024)
    throw InputError(fmt::format("{} samples (--samples); give 1 to 1024", o.samples));
  if (o.batch < 0) throw InputError(fmt::format("a batch of {} rows (--batch); give a positive number", o.batch));
  if (o.steps < 0) throw InputError(fmt::format("{} steps (--steps); give a positive number", o.steps));
  if (o.threads < 0) throw InputError(fmt::format("{} threads (--threads); give a positive number", o.threads));
  if (!(o.learning_rate >= 0) || !std::isfinite(o.learning_rate)) {
    throw InputError(fmt::format("a learning rate of {} (--lr); give a positive number", o.learning_rate));
  }
}

EngineSpec make_spec(const Model& model, const GuideLayout& layout, const Fit& fit) {
  EngineSpec spec;
  spec.terms = model.terms;
  spec.groups = model.groups;
  spec.ordered = model.ordered;
  spec.dimension = static_cast<int>(model.size());
  for (std::size_t g = 0; g < layout.head_groups; ++g) {
    GroupBlock& group = spec.groups[g];
    group.in_head = spec.dimension;
    spec.dimension += static_cast<int>(group.levels) * group.effects;
  }
  for (const HeadWhitening& whitening : model.head_whitening) {
    if (layout.head == GuideShape::meanfield) break;  // independent over the levels' own v
    spec.head_maps.push_back(
        {spec.groups[whitening.first_group].in_head, static_cast<int>(whitening.matrix.rows), whitening.values.data()});
  }
  spec.rows = fit.rows;
  spec.batch = fit.options.batch;
  spec.samples = fit.options.samples;
  spec.seed = fit.options.seed;
  spec.guide = layout.head;
  spec.dense_levels = layout.dense_levels;
  spec.threads = fit.options.threads;
  spec.storage = storage_of(fit.options.storage);
  spec.precision = fit.options.precision == PrecisionKind::tf32 ? Precision::tf32 : Precision::fp32;
  spec.reference = 1;
  spec.lambda.assign(lambda_size(model, layout), 0);  // w = 0, unit scales: the normal approximation at the mode
  if (layout.head == GuideShape::meanfield) {
    const auto d = static_cast<std::size_t>(spec.dimension);
    spec.basis.assign(d * d, 0);
    for (std::size_t i = 0; i < d; ++i) {
      if (i >= model.size()) spec.basis[i * d + i] = 1;
      for (std::size_t j = 0; j < model.size() && i < model.size(); ++j) {
        spec.basis[i * d + j] = static_cast<float>(model.basis(i, j));
      }
    }
  }
  return spec;
}

void settle_coordinates(Problem& problem, Engine& engine) {
  if (!problem.start) return;
  const JointAt joint = [&](std::span<const double> u) { return engine.joint_at(u); };
  std::string wrong;
  if (problem.target != nullptr && problem.start->has_gradient) {
    wrong = problem_with_gradient(joint, *problem.start, problem.model.size());
  }
  const NormalStart start = find_normal_start(joint, *problem.start, problem.model.size());
  // What terms compute in single precision may be further off than a user's mistake.
  if (problem.target != nullptr && wrong.empty() && !start.doubtful.empty()) {
    wrong = fmt::format(
        "the gradient is not that of the log density: near the mode the values do not curve as it says in {}{}; check "
        "the target",
        show(problem.fit.parameters[start.doubtful.front()].name),
        start.doubtful.size() == 1 ? "" : fmt::format(" and {} more parameters", start.doubtful.size() - 1));
  }
  if (!wrong.empty()) problem.fit.notes.push_back(std::move(wrong));
  set_coordinates(problem.model, start);
  const bool meanfield = problem.layout.head == GuideShape::meanfield;
  const std::vector<double>& basis = problem.model.basis.values;
  engine.set_affine(problem.model.to_user.values, problem.model.shift,
                    meanfield ? std::vector<float>(basis.begin(), basis.end()) : std::vector<float>());
}

Problem make_problem(std::string_view formula, const Table& table, const TrainOptions& given) {
  check_options(given);
  constexpr std::size_t most_rows = 0xFFFFFFFE;  // rows are numbered in 32 bits
  if (table.rows() > most_rows) {
    throw InputError(
        fmt::format("{}: {} rows are more than {}; train on a part of them", table.source(), table.rows(), most_rows));
  }
  Design design = Design::learn(parse_formulas(formula, given.formulas), table);
  const ModelData data = read_model_data(design, given.formulas, table, given);

  Problem problem;
  problem.model = build_model(data, given);
  const Model& model = problem.model;
  Fit& fit = problem.fit;
  fit.formula = formula;
  fit.design = design.state();
  fit.response_levels = design.response_levels();
  fit.parameters = model.parameters;
  fit.groups = model.posteriors;
  fit.rows = static_cast<std::int64_t>(data.size());
  fit.rows_dropped = static_cast<std::int64_t>(design.table_rows()) - fit.rows;
  fit.options = resolve(given, data, model);
  fit.options.priors = model.priors;
  if (fit.rows_dropped > 0) {
    fit.notes.push_back(fmt::format("{} of {} rows dropped for missing values", fit.rows_dropped, design.table_rows()));
  }
  const auto add_notes = [&fit](std::vector<std::string> notes) {
    std::ranges::move(notes, std::back_inserter(fit.notes));
  };
  add_notes(problem_notes(given, data, fit.design));
  add_notes(perfect_fit_notes(data, model));
  add_notes(prior_notes(given, model));
  add_notes(separation_notes(data, model));
  problem.layout = {GuideShape::fullrank, model.head_groups, true};
  if (fit.options.guide == GuideKind::meanfield) problem.layout = {GuideShape::meanfield, model.head_groups, false};
  if (fit.options.guide == GuideKind::fullrank) problem.layout.head_groups = model.groups.size();
  // In non-centred coordinates levels do not follow others at all.
  if (given.parametrization != Parametrization::noncentered) add_notes(crossing_notes(model, problem.layout));
  problem.spec = make_spec(model, problem.layout, fit);
  // Of so many coefficients that only their Hessian's diagonal is known the basis is the identity, which costs nothing.
  if (is_identity(problem.spec.basis, problem.spec.dimension)) problem.spec.basis.clear();
  return problem;
}

Fingerprint fingerprint(const Problem& problem) {
  const EngineSpec& spec = problem.spec;
  Hash hash;
  const auto add_array = [&](const auto* data, std::int64_t count) {
    hash.add(data == nullptr ? -1 : count);
    if (data != nullptr) hash.add_bytes(std::as_bytes(std::span(data, static_cast<std::size_t>(count))));
  };
  const auto add_text = [&](std::string_view text) { add_array(text.data(), static_cast<std::int64_t>(text.size())); };
  const auto add_numbers = [&](const auto& vector) {
    add_array(vector.data(), static_cast<std::int64_t>(vector.size()));
  };
  const auto so_far = [&] { return std::exchange(hash, Hash()).value(); };

  Fingerprint result;
  const BuildInfo build = build_info();
  for (const std::string& part : {build.version, build.commit, build.compiler}) add_text(part);
  result.build = so_far();

  add_text(problem.fit.formula);
  for (const CoordinateTransform transform : spec.transforms) hash.add(transform);
  for (const Parameter& parameter : problem.fit.parameters) {
    add_text(parameter.name);
    hash.add(parameter.transform);
  }
  for (const Term& term : spec.terms) {
    hash.add(term.density);
    if (term.custom != nullptr) add_text(term.custom->name);
  }
  result.model = so_far();
  result.rows = spec.rows;

  hash.add(spec.seed);
  hash.add(spec.shuffled);
  hash.add(spec.samples);
  hash.add(problem.fit.options.batch);
  hash.add(spec.guide);
  hash.add(spec.dense_levels);
  hash.add(spec.storage);
  hash.add(spec.precision);
  hash.add(problem.fit.options.steps);
  hash.add(problem.fit.options.learning_rate);
  result.options = so_far();

  add_numbers(problem.model.to_user.values);
  add_numbers(problem.model.shift);
  for (const std::int64_t size : {std::int64_t{spec.dimension}, spec.batch}) hash.add(size);
  hash.add(spec.reference);
  add_numbers(spec.lambda);
  for (const Term& term : spec.terms) {
    hash.add(term.rows);
    hash.add(term.constant);
    for (const float* column : term.constants) add_array(column, term.rows);
    add_array(term.weights, term.rows);
    for (int a = 0; a < term.argument_count; ++a) {
      const Predictor& predictor = term.arguments[a];
      add_array(predictor.offset, term.rows);
      hash.add(predictor.constant);
      for (int p = 0; p < predictor.part_count; ++p) {
        const Part& part = predictor.parts[p];
        hash.add(part.kind);
        hash.add(part.first);
        hash.add(part.scale);
        add_array(part.resident ? nullptr : part.x, term.rows * part.columns);
        add_array(part.index, term.rows);
      }
    }
  }
  for (const GroupBlock& group : spec.groups) {
    const std::int64_t effects = group.levels * group.effects;
    hash.add(group.levels);
    hash.add(group.effects);
    add_array(group.information, group.levels * packed_size(group.effects));
    add_array(group.location, effects);
    add_array(group.skew, effects);
    add_array(group.answer, 2 * group.levels);
    add_array(group.coupling, effects * (group.coefficients + group.coupled));
    add_array(group.information_scale.place, group.information_scale.count);
    add_array(group.information_scale.slope, group.information_scale.count);
    if (group.followed.begin == nullptr) continue;
    add_array(group.followed.begin, effects + 1);
    add_array(group.followed.coordinate, group.followed.begin[effects]);
    add_array(group.followed.slope, group.followed.begin[effects]);
  }
  for (const HeadMap& map : spec.head_maps) add_array(map.matrix, std::int64_t{map.count} * map.count);
  result.data = so_far();
  return result;
}

}  // namespace jensen
