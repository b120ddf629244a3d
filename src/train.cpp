#include "jensen/train.hpp"

#include <fmt/format.h>
#include <omp.h>

#include <cmath>

#include "design/design.hpp"
#include "engine.hpp"
#include "jensen/errors.hpp"
#include "jensen/info.hpp"
#include "model/model.hpp"
#include "model/model_data.hpp"
#include "model/separation.hpp"
#include "trainer.hpp"

namespace jensen {
namespace {

constexpr int default_samples = 14;  // with the anchor and one to spare they fill the 16 lanes of a vector register
constexpr double default_learning_rate = 0.05;
constexpr std::size_t most_automatic_fullrank = 512;
constexpr std::size_t most_fullrank = 2048;

void check_options(const TrainOptions& o) {
  if (o.samples < 0 || o.samples > 1024)
    throw InputError(fmt::format("{} samples (--samples); give 1 to 1024", o.samples));
  if (o.batch < 0) throw InputError(fmt::format("a batch of {} rows (--batch); give a positive number", o.batch));
  if (o.steps < 0) throw InputError(fmt::format("{} steps (--steps); give a positive number", o.steps));
  if (o.threads < 0) throw InputError(fmt::format("{} threads (--threads); give a positive number", o.threads));
  if (!(o.learning_rate >= 0) || !std::isfinite(o.learning_rate)) {
    throw InputError(fmt::format("a learning rate of {} (--lr); give a positive number", o.learning_rate));
  }
}

/// Options with every default and automatic choice made.
TrainOptions resolve(TrainOptions o, const ModelData& data, const Model& model) {
  if (o.samples == 0) o.samples = default_samples;
  o.batch = data.batch;
  o.link = data.link;
  if (o.learning_rate == 0) o.learning_rate = default_learning_rate;
  const bool small = model.size() <= most_automatic_fullrank;
  if (o.guide == GuideKind::automatic) {
    o.guide = !small ? GuideKind::meanfield : data.has_groups() ? GuideKind::structured : GuideKind::fullrank;
  }
  if (o.guide == GuideKind::structured && !data.has_groups()) o.guide = GuideKind::fullrank;
  const std::size_t dimension =
      model.size() + (o.guide == GuideKind::fullrank ? static_cast<std::size_t>(data.level_effects()) : 0);
  if (o.guide != GuideKind::meanfield && dimension > most_fullrank) {
    throw InputError(fmt::format("{} parameters are more than a {} guide takes, {} (--guide); use {}", dimension,
                                 to_string(o.guide), most_fullrank,
                                 o.guide == GuideKind::fullrank && data.has_groups() ? "structured" : "meanfield"));
  }
  return o;
}

/// The engine on the device asked for, with how it is called.
struct Chosen {
  std::unique_ptr<Engine> engine;
  std::string device;
};
Chosen make_engine_for(DeviceKind device, const EngineSpec& spec, std::vector<std::string>& notes) {
  std::string reason;
  const std::vector<CudaDevice> gpus = device == DeviceKind::cpu ? std::vector<CudaDevice>{} : cuda_devices(reason);
  if (!gpus.empty()) return {make_cuda_engine(spec), gpus.front().name};
  if (device == DeviceKind::cuda)
    throw DeviceError(fmt::format("no CUDA device: {} (--device cuda); use --device cpu", reason));
  if (device == DeviceKind::automatic && cuda_build() != "none")
    notes.push_back(fmt::format("no GPU is used: {}", reason));
  const int threads = spec.threads > 0 ? spec.threads : omp_get_max_threads();
  return {make_cpu_engine(spec), fmt::format("cpu, {} thread{}", threads, threads == 1 ? "" : "s")};
}

/// OpenMP's thread count of this thread, set for a scope.
class ThreadCount {
 public:
  explicit ThreadCount(int threads) : before_(omp_get_max_threads()) {
    if (threads > 0) omp_set_num_threads(threads);
  }
  ~ThreadCount() { omp_set_num_threads(before_); }
  ThreadCount(const ThreadCount&) = delete;
  ThreadCount& operator=(const ThreadCount&) = delete;

 private:
  int before_;
};

Storage storage_of(StorageKind kind) {
  if (kind == StorageKind::float16) return Storage::float16;
  return kind == StorageKind::bfloat16 ? Storage::bfloat16 : Storage::float32;
}

/// The model, its guide and how it is stepped, as the engine takes them.
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

std::vector<Formula> parse_formulas(std::string_view formula, const std::vector<ParameterFormula>& others) {
  std::vector<Formula> formulas{parse_formula(formula)};
  for (const ParameterFormula& other : others) {
    formulas.push_back(parse_right_side(other.formula, other.parameter));
  }
  return formulas;
}

}  // namespace

Fit train(std::string_view formula_text, const Table& table, const TrainOptions& given, Observer* observer) {
  check_options(given);
  Observer silent;
  if (observer == nullptr) observer = &silent;
  const ThreadCount threads(given.threads);

  constexpr std::size_t most_rows = 0xFFFFFFFE;  // rows are numbered in 32 bits
  if (table.rows() > most_rows) {
    throw InputError(
        fmt::format("{}: {} rows are more than {}; train on a part of them", table.source(), table.rows(), most_rows));
  }
  Design design = Design::learn(parse_formulas(formula_text, given.formulas), table);
  const ModelData data = read_model_data(design, given.formulas, table, given);
  const Model model = build_model(data, given);

  Fit fit;
  fit.formula = formula_text;
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
  for (std::string& note : separation_notes(data, model)) fit.notes.push_back(std::move(note));
  GuideLayout layout{GuideShape::fullrank, model.head_groups, true};
  if (fit.options.guide == GuideKind::meanfield) layout = {GuideShape::meanfield, model.head_groups, false};
  if (fit.options.guide == GuideKind::fullrank) layout.head_groups = model.groups.size();
  const EngineSpec spec = make_spec(model, layout, fit);

  try {
    const Chosen chosen = make_engine_for(given.device, spec, fit.notes);
    observer->started({chosen.device, fit.options, fit.notes, fit.rows, fit.rows_dropped, fit.parameters});
    run_training(*chosen.engine, model, layout, fit, *observer);
  } catch (const DeviceFailure& failure) {
    throw DeviceError(failure.what());
  } catch (const StorageFailure& failure) {
    throw InputError(failure.what());
  }
  return fit;
}

}  // namespace jensen
