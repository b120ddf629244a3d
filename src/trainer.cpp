#include "jensen/trainer.hpp"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <stdexcept>

#include "device.hpp"
#include "jensen/errors.hpp"
#include "problem.hpp"
#include "show.hpp"
#include "training_state.hpp"
#include "verdict.hpp"

namespace jensen {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t first_horizon = 1000;  // steps after which a run without --steps first asks whether to go on
constexpr std::int64_t last_horizon = 32000;
constexpr std::int64_t report_every = 50;  // steps
constexpr double decay_steps = 100;
/// Half the drift is the error left in the average; 5 % of a posterior sd is invisible beside 2.5 % of it.
constexpr double drift_tolerance = 0.05;
constexpr double nonfinite_tolerance = 0.1;  // of the draws between two reports

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Step t of Adam: lr / sqrt(1 + t / 100), so that the sum diverges while the noise dies out.
double step_size(double learning_rate, std::int64_t t) {
  return learning_rate / std::sqrt(1 + static_cast<double>(t) / decay_steps);
}

/// How far steps [begin, end) can move a parameter, in posterior sds.
double steps_reach(double learning_rate, std::int64_t begin, std::int64_t end) {
  double sum = 0;
  for (std::int64_t t = begin; t < end; ++t) sum += step_size(learning_rate, t);
  return sum;
}

/// The last half of the horizon is averaged, in two windows whose difference is the drift.
int window_of(std::int64_t t, std::int64_t horizon) {
  const std::int64_t half = horizon / 2;
  if (t < half) return -1;
  return t < half + (horizon - half) / 2 ? 0 : 1;
}

std::vector<double> joined(const std::vector<double>& a, const std::vector<double>& b, double weight_a) {
  std::vector<double> out(a.size());
  for (std::size_t i = 0; i < a.size(); ++i) out[i] = weight_a * a[i] + (1 - weight_a) * b[i];
  return out;
}

Elbo elbo_of(const StepStatistics& s, double shift) {
  if (s.steps == 0) return {std::nan(""), std::nan(""), 0};
  const auto n = static_cast<double>(s.steps);
  const double centred = s.elbo_sum / n - s.elbo_shift;
  return {s.elbo_sum / n + shift,
          std::sqrt(std::max(s.elbo_square_sum / n - centred * centred, 0.0) / std::max(n - 1, 1.0)), s.steps};
}

/// What work() throws of the engine's, as what the library throws; what the caller's memory threw, as it was.
template <class Work>
auto translated(Work&& work) {
  try {
    return work();
  } catch (const DeviceFailure& failure) {
    throw DeviceError(failure.what());
  } catch (const StorageFailure& failure) {
    throw InputError(failure.what());
  } catch (const ThrownByCaller& thrown) {
    std::rethrow_exception(thrown.what);
  }
}

}  // namespace

struct Trainer::Impl {
  Problem problem;
  Fingerprint identity;
  RunDescription description;
  std::unique_ptr<Engine> engine;
  Course course;
  std::optional<Clock::time_point> begin;  ///< of the loop in this process, less the seconds before
  bool reported = false;                   ///< by the latest step

  Impl(Problem given, const Execution& execution);

  const TrainOptions& options() const { return problem.fit.options; }
  bool automatic() const { return options().steps == 0; }
  /// What the engine's ELBO lacks to be one in the user's coordinates.
  double elbo_shift() const {
    const bool meanfield = problem.layout.head == GuideShape::meanfield;
    return problem.model.log_determinant + (meanfield ? problem.model.log_basis_determinant : 0);
  }
  double seconds() const { return begin ? seconds_since(*begin) : course.seconds; }
  void start_clock(double seconds_before) {
    begin = Clock::now() - std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(seconds_before));
  }

  void step();
  void report();
  Drift drift() const;
  void decide();
  std::vector<double> averaged() const;
  Progress progress() const;
  Fit fit();
};

Trainer::Impl::Impl(Problem given, const Execution& execution) : problem(std::move(given)) {
  problem.spec.execution = engine_execution(execution);
  Fit& fit = problem.fit;
  Chosen chosen = make_engine_for(options().device, problem.spec, fit.notes);
  engine = std::move(chosen.engine);
  settle_coordinates(problem, *engine);
  identity = fingerprint(problem);
  description = {chosen.device, options(), fit.notes, fit.rows, fit.rows_dropped, fit.parameters};
  course.horizon = automatic() ? first_horizon : options().steps;
  course.last_good = problem.spec.lambda;
  // The engine has copies on its device, but for terms that are there already.
  const bool copied = std::ranges::none_of(problem.spec.terms, &Term::resident);
  problem.spec = {};
  problem.model.terms.clear();
  problem.model.indices.clear();
  if (copied) problem.model.columns.clear();
}

void Trainer::Impl::step() {
  if (!begin) start_clock(0);
  const std::int64_t t = course.steps;
  engine->step(t, step_size(options().learning_rate, t), course.done ? -1 : window_of(t, course.horizon));
  ++course.steps;
  reported = course.steps % report_every == 0 || course.steps == course.horizon;
  if (reported) report();
}

void Trainer::Impl::report() {
  const StepStatistics s = engine->take_statistics();
  const Elbo elbo = elbo_of(s, elbo_shift());
  course.nonfinite += s.nonfinite;
  const std::int64_t steps_since = course.steps - (course.trace.empty() ? 0 : course.trace.back().step);
  course.trace.push_back(
      {course.steps, elbo.mean, elbo.se, step_size(options().learning_rate, course.steps - 1), course.nonfinite});
  if (course.done) return;
  course.seconds = seconds();
  if (static_cast<double>(s.nonfinite) > nonfinite_tolerance * static_cast<double>(steps_since * options().samples)) {
    course.failed = course.done = true;
    return;
  }
  if (s.nonfinite == 0) course.last_good = engine->lambda();
  if (course.steps == course.horizon) decide();
}

Drift Trainer::Impl::drift() const {
  const Model& model = problem.model;
  return drift_between(model, normal_of(model, problem.layout, engine->average(0)),
                       normal_of(model, problem.layout, engine->average(1)));
}

/// Whether the run is over at its horizon.
void Trainer::Impl::decide() {
  course.drift = drift().size;
  course.reach = steps_reach(options().learning_rate, course.horizon / 2, course.horizon);
  course.converged = course.drift < drift_tolerance && course.reach >= least_reach;
  course.done = course.converged || !automatic() || course.horizon >= last_horizon;
  if (course.done) return;
  course.horizon *= 2;
  engine->reset_averages();
}

/// The mean of lambda over both windows.
std::vector<double> Trainer::Impl::averaged() const {
  const std::int64_t half = course.horizon - course.horizon / 2;
  const std::int64_t first = half / 2;
  return joined(engine->average(0), engine->average(1), static_cast<double>(first) / static_cast<double>(half));
}

Progress Trainer::Impl::progress() const {
  if (course.trace.empty()) return {.steps = course.horizon};
  const TraceRow& row = course.trace.back();
  const double each = seconds() / static_cast<double>(course.steps);
  return {row.step,
          course.horizon,
          row.elbo,
          row.elbo_se,
          static_cast<double>(options().batch) / each,
          each * static_cast<double>(course.horizon - course.steps)};
}

Fit Trainer::Impl::fit() {
  Fit fit = problem.fit;
  fit.steps = course.steps;
  fit.seconds = course.done ? course.seconds : seconds();
  fit.rows_per_second = static_cast<double>(options().batch) * static_cast<double>(fit.steps) / fit.seconds;
  fit.trace = course.trace;
  fit.verdict.converged = course.converged;
  fit.verdict.failed = course.failed;
  fit.verdict.drift = course.drift;
  fit.verdict.nonfinite = course.nonfinite;
  const bool whole = course.done && !course.failed;
  evaluate_posterior(*engine, problem.model, problem.layout,
                     whole ? averaged() : std::vector<double>(course.last_good.begin(), course.last_good.end()), fit);
  std::string moved;
  if (whole && !course.converged) {
    const Drift last = drift();
    moved = last.parameter < fit.parameters.size() ? show(fit.parameters[last.parameter].name)
                                                   : "the levels of " + show(fit.groups[last.group].group);
  }
  fit.verdict.message = verdict_sentence(fit, {!course.done, course.reach, moved});
  return fit;
}

Trainer::Trainer(std::string_view formula, const Table& table, const TrainOptions& options,
                 const Execution& execution) {
  check_options(options);
  const ThreadCount threads(options.threads);
  impl_ = translated([&] { return std::make_unique<Impl>(make_problem(formula, table, options), execution); });
}
Trainer::Trainer(Target& target, const TargetModel& model, const TrainOptions& options, const Execution& execution) {
  check_options(options);
  const ThreadCount threads(options.threads);
  impl_ = translated([&] { return std::make_unique<Impl>(make_problem(target, model, options), execution); });
}
Trainer::Trainer(const TermModel& model, const TrainOptions& options, const Execution& execution) {
  check_options(options);
  const ThreadCount threads(options.threads);
  impl_ = translated([&] { return std::make_unique<Impl>(make_problem(model, options), execution); });
}
Trainer::~Trainer() = default;
Trainer::Trainer(Trainer&&) noexcept = default;
Trainer& Trainer::operator=(Trainer&&) noexcept = default;

const RunDescription& Trainer::description() const { return impl_->description; }
std::int64_t Trainer::steps() const { return impl_->course.steps; }
bool Trainer::done() const { return impl_->course.done; }

void Trainer::step() {
  const ThreadCount threads(impl_->options().threads);
  translated([&] { impl_->step(); });
}

Elbo Trainer::elbo() {
  const Elbo since = translated([&] { return elbo_of(impl_->engine->statistics(), impl_->elbo_shift()); });
  if (since.steps > 0 || impl_->course.trace.empty()) return since;
  const TraceRow& row = impl_->course.trace.back();
  return {row.elbo, row.elbo_se, std::min(row.step, report_every)};
}

Progress Trainer::progress() const { return impl_->progress(); }

std::vector<std::byte> Trainer::state() {
  return translated([&] { return encode_state(impl_->course, impl_->engine->state(), impl_->identity); });
}

void Trainer::restore(std::span<const std::byte> state) {
  translated([&] {
    DecodedState from = decode_state(state, impl_->identity, impl_->engine->state());
    impl_->engine->restore(from.engine);
    impl_->course = std::move(from.course);
    impl_->start_clock(impl_->course.seconds);
  });
}

Fit Trainer::fit() {
  const ThreadCount threads(impl_->options().threads);
  return translated([&] { return impl_->fit(); });
}

Fit Trainer::run(Observer* observer) {
  if (observer != nullptr) observer->started(impl_->description);
  std::optional<Clock::time_point> told;
  while (!done()) {
    step();
    if (!impl_->reported || impl_->course.failed || observer == nullptr) continue;
    // A decision at the horizon has already set the next one; a few reports a second are enough.
    const bool now = done() || !told || seconds_since(*told) > 0.1;
    if (!now) continue;
    told = Clock::now();
    if (!observer->progress(impl_->progress()) && !done()) break;
  }
  return fit();
}

Fit train(std::string_view formula, const Table& table, const TrainOptions& options, Observer* observer) {
  return Trainer(formula, table, options).run(observer);
}

Fit train(Target& target, const TargetModel& model, const TrainOptions& options, Observer* observer) {
  return Trainer(target, model, options).run(observer);
}

}  // namespace jensen
