#include "verdict.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "guide_width.hpp"
#include "jensen/pieces.hpp"
#include "model/defaults.hpp"

namespace jensen {
namespace {

constexpr double khat_tolerance = 0.7;
/// Where the ratios p/q hardly vary, q is p for every practical purpose, whatever the shape of their tail.
constexpr double ratio_tolerance = 0.3;
/// And where they vary more than this, KL(q || p) is about a quarter or more, however light their tail.
constexpr double ratio_limit = 0.7;
/// A posterior sd that is so many times the guide's is no longer close.
constexpr double sd_tolerance = 1.25;
/// And where they vary more than this, a mean may be off by several of its sds. A mean-field guide's ratios vary that
/// much for correlations alone, which leave its means as they are.
constexpr double means_limit = 3;
/// Nor where a posterior sd is so many times the guide's: so long a tail moves the mean.
constexpr double means_sd_limit = 1.5;
/// How much of q may lie where the posterior has no density, beyond the bounds of a uniform prior.
constexpr double outside_tolerance = 0.01;
/// A parameter that moves further than this, in sds, after so many steps has a posterior without end, or nearly.
/// Without
/// --steps a run ends after 32,000.
constexpr double endless_drift = 0.3;
constexpr std::int64_t endless_steps = 30000;

/// Draws for the final ELBO: enough for k-hat, fewer where the table is so large that they would take minutes.
int final_draws(std::int64_t rows, const Model& model) {
  double work = static_cast<double>(rows) * (static_cast<double>(model.size()) + 4);
  for (const GroupBlock& group : model.groups) work += 100.0 * static_cast<double>(group.levels * group.effects);
  return 16 * static_cast<int>(std::clamp(1.5e9 / work / 16, 4.0, 256.0));
}

/// The log ratio's spread that counts as close. Over J levels the variances of their shares add up, while the error
/// that they make together in a parameter, in its sds, grows as their mean times sqrt(J): so many levels may have
/// sqrt(J) times the variance, counted from four, since a few are no other than parameters.
double level_allowance(const Fit& fit) {
  const bool has_sigma = std::ranges::any_of(
      fit.parameters, [](const Parameter& p) { return p.name == "sigma" || p.name.starts_with("sigma_"); });
  double levels = 0;
  for (const GroupPosterior& group : fit.groups) {
    // With a level for every row sigma and the group's sd are told together: their error is all there is to see.
    if (has_sigma && static_cast<std::int64_t>(group.levels) >= fit.rows) continue;
    levels += static_cast<double>(group.levels * group.effects.size());
  }
  return std::pow(std::max(levels / 4, 1.0), 0.25);
}

}  // namespace

void evaluate_posterior(Engine& engine, const Model& model, const GuideLayout& layout,
                        const std::vector<double>& lambda, Fit& fit) {
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
  const double spread = fit.verdict.log_ratio_sd / level_allowance(fit);
  const bool covered = static_cast<double>(nonfinite) <= outside_tolerance * static_cast<double>(log_ratio.size());
  if (fit.verdict.khat <= khat_tolerance) {  // else the weights are those of a few draws
    const GuideWidth width = guide_width(fit.parameters, fit.factor, evaluation.noise, log_ratio);
    fit.verdict.sd_ratio = width.sd_ratio;
    if (width.sd_ratio > 1) fit.verdict.narrowest = fit.parameters[width.parameter].name;
  }
  fit.verdict.close = covered && fit.verdict.sd_ratio <= sd_tolerance &&
                      (spread <= ratio_tolerance || (fit.verdict.khat <= khat_tolerance && spread <= ratio_limit));
}

std::string verdict_sentence(const Fit& fit, const RunEnd& end) {
  const Verdict& v = fit.verdict;
  if (v.failed) {
    std::string_view priors;
    if (std::ranges::find(fit.options.priors, PriorKind::uniform, &Prior::kind) != fit.options.priors.end()) {
      priors = " (a uniform one's bounds may cut the posterior)";
    } else if (has_horseshoe(fit.options) && fit.options.guide != GuideKind::meanfield) {
      priors = " (a horseshoe asks for --guide meanfield)";
    }
    return fmt::format(
        "failed: {} draws were not finite by step {}; the state before them was kept. Check the data's scale and "
        "the priors{}, or lower the learning rate (--lr)",
        v.nonfinite, fit.steps, priors);
  }
  if (end.stopped) return fmt::format("not converged: stopped at step {} of its own run", fit.steps);
  if (!v.converged && end.reach < least_reach) {
    return fmt::format(
        "not converged: the steps of the second half add up to {:.2g} posterior sd, too few to tell; raise the "
        "learning rate (--lr) or give more steps (--steps)",
        end.reach);
  }
  if (!v.converged) {
    // What runs away for so long has more likely nowhere to stop.
    const bool endless = v.drift > endless_drift && fit.steps >= endless_steps;
    return fmt::format(
        "not converged: the average of {} still moved by {:.2g} posterior sd; {}give more steps (--steps {})",
        end.moved, v.drift,
        endless ? "its posterior may have no end (a perfect fit, separated data, a flat prior): see what "
                  "the data say of it, give it a tighter prior, or "
                : "",
        2 * fit.steps);
  }
  if (!v.close) {
    const bool meanfield = fit.options.guide == GuideKind::meanfield;
    // In non-centred coordinates the levels' guide leaves out what ties them to the coefficients and sds, by which
    // those are off, not only narrow.
    const bool untied = fit.options.parametrization == Parametrization::noncentered && !meanfield &&
                        v.log_ratio_sd / level_allowance(fit) > ratio_limit;
    return fmt::format(
        "converged, but the posterior is not close to the guide (log p/q has sd {:.2g}, k-hat {:.2f}): {}{}",
        v.log_ratio_sd, v.khat,
        !untied && v.sd_ratio <= means_sd_limit && (meanfield || v.log_ratio_sd / level_allowance(fit) <= means_limit)
            ? "its means may serve, its sds may not"
            : "neither its means nor its sds can be relied on",
        meanfield && !has_horseshoe(fit.options) ? "; try --guide fullrank" : "");
  }
  return fmt::format("converged: the average moved by {:.2g} posterior sd; log p/q has sd {:.2g}, k-hat {:.2f}{}",
                     v.drift, v.log_ratio_sd, v.khat,
                     v.nonfinite == 0 ? "" : fmt::format("; {} draws were not finite and left out", v.nonfinite));
}

}  // namespace jensen
