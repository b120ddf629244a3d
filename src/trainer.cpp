#include "trainer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numbers>

#include "model/pareto.hpp"

namespace jensen {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::int64_t first_horizon = 1000;  // steps after which a run without --steps first asks whether to go on
constexpr std::int64_t last_horizon = 32000;
constexpr std::int64_t report_every = 50;  // steps
constexpr double decay_steps = 100;
/// Half the drift is the error left in the average; 5 % of a posterior sd is invisible beside 2.5 % of it.
constexpr double drift_tolerance = 0.05;
/// An average that could not have moved further than this proves nothing by standing still.
constexpr double least_reach = 1;
constexpr double nonfinite_tolerance = 0.1;  // of the draws between two reports
constexpr double khat_tolerance = 0.7;
/// Where the ratios p/q hardly vary, q is p for every practical purpose, whatever the shape of their tail.
constexpr double ratio_tolerance = 0.3;
/// And where they vary more than this, KL(q || p) is about a quarter or more, however light their tail.
constexpr double ratio_limit = 0.7;

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

/// Draws for the final ELBO: enough for k-hat, fewer where the table is so large that they would take minutes.
int final_draws(std::int64_t rows, const Model& model) {
  double work = static_cast<double>(rows) * (static_cast<double>(model.size()) + 4);
  for (const GroupBlock& group : model.groups) work += 100.0 * static_cast<double>(group.levels * group.effects);
  return 16 * static_cast<int>(std::clamp(1.5e9 / work / 16, 4.0, 256.0));
}

/// The log ratio's spread that counts as close. Over J levels the variances of their shares add up, while the error
/// that they make together in a parameter, in its sds, grows as their mean times sqrt(J): so many levels may have
/// sqrt(J) times the variance, counted from four, since a few are no other than parameters.
double level_allowance(const Model& model) {
  double levels = 0;
  for (const GroupBlock& group : model.groups) levels += static_cast<double>(group.levels * group.effects);
  return std::pow(std::max(levels / 4, 1.0), 0.25);
}

void finish(Engine& engine, const Model& model, const GuideLayout& layout, const std::vector<double>& lambda,
            Fit& fit) {
  GuideNormal posterior = normal_of(model, layout, lambda);
  fit.mean = std::move(posterior.mean);
  fit.factor = std::move(posterior.factor.values);
  std::size_t first = model.size();
  for (std::size_t g = 0; g < fit.groups.size(); ++g) {
    GroupPosterior& group = fit.groups[g];
    group.first = first;
    first += group.levels * group.effects.size();
    group.scale = std::move(posterior.level_scale[g]);
  }

  const std::vector<float> at(lambda.begin(), lambda.end());
  const Evaluation evaluation = engine.evaluate(at, final_draws(fit.rows, model));
  const double peak = log_peak(model, layout, lambda);
  std::vector<double> log_ratio;
  std::int64_t nonfinite = 0;
  double sum = 0, squares = 0;
  for (std::size_t s = 0; s < evaluation.log_joint.size(); ++s) {
    log_ratio.push_back(evaluation.log_joint[s] - (peak - 0.5 * evaluation.noise_squared[s]));
    if (!std::isfinite(log_ratio.back())) {
      ++nonfinite;
      continue;
    }
    sum += log_ratio.back();
  }
  const auto n = static_cast<double>(log_ratio.size()) - static_cast<double>(nonfinite);
  fit.elbo = sum / n;
  for (const double value : log_ratio) {
    if (std::isfinite(value)) squares += (value - fit.elbo) * (value - fit.elbo);
  }
  fit.elbo_se = std::sqrt(squares / (n * (n - 1)));
  fit.verdict.nonfinite += nonfinite;
  fit.verdict.log_ratio_sd = std::sqrt(squares / (n - 1));
  fit.verdict.khat = pareto_khat(log_ratio);
  const double spread = fit.verdict.log_ratio_sd / level_allowance(model);
  fit.verdict.close = spread <= ratio_tolerance || (fit.verdict.khat <= khat_tolerance && spread <= ratio_limit);
}

std::string verdict_sentence(const Verdict& v, const Fit& fit, bool stopped, double reach) {
  if (v.failed) {
    return fmt::format(
        "failed: {} draws were not finite by step {}; the state before them was kept. Check the data's scale and "
        "the priors, or lower the learning rate (--lr)",
        v.nonfinite, fit.steps);
  }
  if (stopped) return fmt::format("not converged: stopped at step {} of its own run", fit.steps);
  if (!v.converged && reach < least_reach) {
    return fmt::format(
        "not converged: the steps of the second half add up to {:.2g} posterior sd, too few to tell; raise the "
        "learning rate (--lr) or give more steps (--steps)",
        reach);
  }
  if (!v.converged) {
    return fmt::format("not converged: the average still moved by {:.2g} posterior sd; give more steps (--steps {})",
                       v.drift, 2 * fit.steps);
  }
  if (!v.close) {
    return fmt::format(
        "converged, but the posterior is not close to the guide (log p/q has sd {:.2g}, k-hat {:.2f}): its means "
        "may serve, its sds may not{}",
        v.log_ratio_sd, v.khat, fit.options.guide == GuideKind::meanfield ? "; try --guide fullrank" : "");
  }
  return fmt::format("converged: the average moved by {:.2g} posterior sd; log p/q has sd {:.2g}, k-hat {:.2f}",
                     v.drift, v.log_ratio_sd, v.khat);
}

}  // namespace

void run_training(Engine& engine, const Model& model, const GuideLayout& layout, Fit& fit, Observer& observer) {
  const TrainOptions& options = fit.options;
  const bool automatic = options.steps == 0;
  const double entropy_shift =
      model.log_determinant + (layout.head == GuideShape::meanfield ? model.log_basis_determinant : 0);
  const auto start = Clock::now();
  auto told = start;
  std::int64_t horizon = automatic ? first_horizon : options.steps;
  std::vector<float> last_good = engine.lambda();
  bool stopped = false;
  bool done = false;
  double reach = 0;

  for (std::int64_t t = 0; !done; ++t) {
    const double rate = step_size(options.learning_rate, t);
    engine.step(t, rate, window_of(t, horizon));
    fit.steps = t + 1;
    const bool at_horizon = fit.steps == horizon;
    if (fit.steps % report_every != 0 && !at_horizon) continue;

    const StepStatistics s = engine.take_statistics();
    fit.verdict.nonfinite += s.nonfinite;
    const auto n = static_cast<double>(s.steps);
    TraceRow row{fit.steps, s.elbo_sum / n + entropy_shift, 0, rate, fit.verdict.nonfinite};
    const double centred = s.elbo_sum / n - s.elbo_shift;
    row.elbo_se = std::sqrt(std::max(s.elbo_square_sum / n - centred * centred, 0.0) / std::max(n - 1, 1.0));
    fit.trace.push_back(row);
    const std::int64_t steps_since =
        fit.trace.size() < 2 ? fit.steps : fit.steps - fit.trace[fit.trace.size() - 2].step;
    if (static_cast<double>(s.nonfinite) > nonfinite_tolerance * static_cast<double>(steps_since * options.samples)) {
      fit.verdict.failed = true;
      break;
    }
    if (s.nonfinite == 0) last_good = engine.lambda();

    const auto now = Clock::now();
    if (std::chrono::duration<double>(now - told).count() > 0.1 || at_horizon || fit.trace.size() == 1) {
      told = now;
      const double seconds = seconds_since(start);
      const double each = seconds / static_cast<double>(fit.steps);
      if (!observer.progress({fit.steps, horizon, row.elbo, row.elbo_se, static_cast<double>(options.batch) / each,
                              each * static_cast<double>(horizon - fit.steps)})) {
        stopped = true;
        break;
      }
    }
    if (at_horizon) {
      fit.verdict.drift = drift_between(model, normal_of(model, layout, engine.average(0)),
                                        normal_of(model, layout, engine.average(1)));
      reach = steps_reach(options.learning_rate, horizon / 2, horizon);
      fit.verdict.converged = fit.verdict.drift < drift_tolerance && reach >= least_reach;
      done = fit.verdict.converged || !automatic || horizon >= last_horizon;
      if (!done) {
        horizon *= 2;
        engine.reset_averages();
      }
    }
  }
  fit.seconds = seconds_since(start);
  fit.rows_per_second = static_cast<double>(options.batch) * static_cast<double>(fit.steps) / fit.seconds;

  std::vector<double> lambda(last_good.begin(), last_good.end());
  if (!stopped && !fit.verdict.failed) {
    const std::int64_t half = horizon - horizon / 2;
    const std::int64_t first = half / 2;
    lambda = joined(engine.average(0), engine.average(1), static_cast<double>(first) / static_cast<double>(half));
  }
  finish(engine, model, layout, lambda, fit);
  fit.verdict.message = verdict_sentence(fit.verdict, fit, stopped, reach);
}

}  // namespace jensen
