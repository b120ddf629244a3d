#include "cli/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>

#include "cli/fit_table.hpp"
#include "cli/text.hpp"

namespace jensen::cli {
namespace {

std::size_t level_effects(const Fit& fit) {
  std::size_t count = 0;
  for (const GroupPosterior& group : fit.groups) count += group.levels * group.effects.size();
  return count;
}

constexpr std::size_t few_effects = 256;  // of levels, whose joint normal trains in reasonable time

std::string_view advice_on_distance(const Fit& fit) {
  if (std::ranges::find(fit.options.priors, PriorKind::horseshoe, &Prior::kind) != fit.options.priors.end()) {
    return "a laplace or student_t prior has a posterior nearer to one";
  }
  switch (fit.options.guide) {
    case GuideKind::meanfield:
      return "try --guide fullrank";
    case GuideKind::structured:
      if (fit.options.parametrization != Parametrization::automatic) return "leave --parametrization at auto";
      return level_effects(fit) <= few_effects ? "try --guide fullrank, or tighter priors on sd"
                                               : "try tighter priors on sd";
    case GuideKind::automatic:
    case GuideKind::fullrank:
      break;
  }
  return "look for outliers, columns that repeat one another, or priors that are too wide";
}

std::string_view class_name(ParameterClass kind) {
  switch (kind) {
    case ParameterClass::population:
      return "population";
    case ParameterClass::group:
      return "group";
    case ParameterClass::family:
      break;
  }
  return "family";
}

/// `class_of` and `group_of` each by the row's place.
template <class ClassOf>
std::string summaries_json(const std::vector<ParameterSummary>& rows, ClassOf class_of,
                           const std::vector<std::string>& group_of) {
  std::string json = "[";
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const ParameterSummary& p = rows[i];
    fmt::format_to(std::back_inserter(json),
                   "{}{{\"name\": {}, \"class\": {}, \"group\": {}, \"mean\": {}, \"sd\": {}, \"q05\": {}, \"q50\": "
                   "{}, \"q95\": {}}}",
                   i == 0 ? "" : ", ", json_string(p.name), json_string(class_of(i)),
                   group_of[i].empty() ? "null" : json_string(group_of[i]), json_number(p.mean), json_number(p.sd),
                   json_number(p.q05), json_number(p.q50), json_number(p.q95));
  }
  return json + "]";
}

std::string verdict_json(const Verdict& v) {
  return fmt::format(
      "{{\"converged\": {}, \"failed\": {}, \"drift\": {}, \"log_ratio_sd\": {}, \"khat\": {}, \"close\": {}, "
      "\"sd_ratio\": {}, \"narrowest\": {}, \"nonfinite\": {}, \"message\": {}}}",
      v.converged, v.failed, json_number(v.drift), json_number(v.log_ratio_sd), json_number(v.khat), v.close,
      json_number(v.sd_ratio), v.narrowest.empty() ? "null" : json_string(v.narrowest), v.nonfinite,
      json_string(v.message));
}

std::string model_json(const Fit& fit) {
  const TrainOptions& options = fit.options;
  std::string formulas;
  for (const ParameterFormula& other : options.formulas) {
    formulas +=
        fmt::format("{}{}: {}", formulas.empty() ? "" : ", ", json_string(other.parameter), json_string(other.formula));
  }
  return fmt::format(
      "\"formula\": {}, \"formulas\": {{{}}}, \"family\": {}, \"link\": {}, \"guide\": {}, \"parametrization\": {}",
      json_string(fit.formula), formulas, json_string(to_string(options.family)),
      options.link ? json_string(to_string(*options.link)) : "null", json_string(to_string(options.guide)),
      json_string(to_string(options.parametrization)));
}

}  // namespace

std::vector<std::string> warnings(const Fit& fit) {
  std::vector<std::string> out;
  const Verdict& verdict = fit.verdict;
  if (verdict.failed) {
    out.emplace_back(
        "this fit failed, and what is here is its last good state; train again with a smaller --lr or tighter priors");
    return out;
  }
  if (!verdict.converged) {
    out.push_back(fmt::format("the fit has not settled, so means and intervals may still move ({})", verdict.message));
  }
  if (std::isnan(verdict.khat)) {
    out.emplace_back("the fit could not be checked: there is no Pareto k-hat; treat its intervals as provisional");
  } else if (!verdict.close) {
    out.push_back(
        fmt::format("the posterior is not close to the fitted normal (Pareto k-hat {:.2f}, log p/q with sd {:.2g}), so "
                    "intervals may be wrong; {}",
                    verdict.khat, verdict.log_ratio_sd, advice_on_distance(fit)));
  }
  if (verdict.sd_ratio > 1) {
    out.push_back(
        fmt::format("intervals are too narrow: by importance weights the sd of {} is about {:.2f} times as large{}",
                    printable(verdict.narrowest), verdict.sd_ratio,
                    verdict.close ? fmt::format("; {}", advice_on_distance(fit)) : ""));  // else it has been given
  }
  if (verdict.nonfinite > 0) {
    const bool bounded =
        std::ranges::find(fit.options.priors, PriorKind::uniform, &Prior::kind) != fit.options.priors.end();
    out.push_back(fmt::format("{} not finite and left out; {}", counted(verdict.nonfinite, "draw"),
                              bounded ? "the guide may reach beyond a uniform prior's bounds, where no draw of the "
                                        "posterior is: widen them, or choose a prior without"
                                      : "try a smaller --lr or tighter priors"));
  }
  return out;
}

void warn(const Fit& fit) {
  for (const std::string& warning : warnings(fit)) say("WARNING: {}.\n", warning);
}

std::string fit_json(const Fit& fit, const std::vector<ParameterSummary>& parameters, const std::string& out,
                     bool levels) {
  std::string json = fmt::format("{{{}, \"rows\": {}, \"rows_dropped\": {}, \"steps\": {}, ", model_json(fit), fit.rows,
                                 fit.rows_dropped, fit.steps);
  if (fit.seconds > 0) {
    json += fmt::format("\"seconds\": {}, \"rows_per_second\": {}, ", json_number(fit.seconds),
                        json_number(fit.rows_per_second));
  }
  json += fmt::format("\"elbo\": {}, \"elbo_se\": {}, \"verdict\": {}, ", json_number(fit.elbo),
                      json_number(fit.elbo_se), verdict_json(fit.verdict));
  json += "\"parameters\": " + summaries_json(
                                   parameters, [&fit](std::size_t i) { return class_name(fit.parameters[i].kind); },
                                   groups_of_parameters(fit));
  if (levels) {
    json += ", \"levels\": " + summaries_json(
                                   fit.summarize_levels(), [](std::size_t) { return "level"; }, groups_of_levels(fit));
  }
  return json + fmt::format(", \"out\": {}}}\n", json_string(out));
}

std::string saved_in(const std::string& out) { return out == "-" ? "" : fmt::format("; saved in {}", out); }

}  // namespace jensen::cli
