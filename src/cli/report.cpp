#include "cli/report.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cli/text.hpp"

namespace jensen::cli {
namespace {

/// The decimals that give `sd` three significant digits: digits beyond them mean nothing for the mean either.
std::vector<std::string> table_row(const ParameterSummary& p) {
  const double size = std::max({std::abs(p.mean), std::abs(p.q05), std::abs(p.q95), p.sd});
  const bool plain = std::isfinite(size) && size < 1e7 && p.sd >= 1e-4;
  const int decimals = plain ? std::clamp(2 - static_cast<int>(std::floor(std::log10(p.sd))), 0, 6) : 0;
  std::vector<std::string> cells = {printable(p.name)};
  for (const double value : {p.mean, p.sd, p.q05, p.q50, p.q95}) {
    cells.push_back(plain ? fmt::format("{:.{}f}", value, decimals) : fmt::format("{:.4g}", value));
  }
  return cells;
}

}  // namespace

std::string summary_table(const std::vector<ParameterSummary>& parameters, std::size_t most) {
  std::vector<std::vector<std::string>> rows = {{"name", "mean", "sd", "5%", "50%", "95%"}};
  for (std::size_t i = 0; i < std::min(most, parameters.size()); ++i) rows.push_back(table_row(parameters[i]));
  std::string out;
  for (const std::string& line : aligned(rows)) out += line + '\n';
  return out;
}

std::vector<std::string> warnings(const Fit& fit) {
  std::vector<std::string> out;
  const Verdict& verdict = fit.verdict;
  if (verdict.failed) return out;  // an error, not a warning
  if (!verdict.converged) {
    out.emplace_back(
        "the fit has not settled, so means and intervals may still move; train longer (a larger --steps, or "
        "leave --steps out), or with a smaller --lr");
  }
  if (std::isnan(verdict.khat)) {
    out.emplace_back("the fit could not be checked: there is no Pareto k-hat; treat its intervals as provisional");
  } else if (!verdict.close) {
    out.push_back(
        fmt::format("the posterior is not close to the fitted normal (Pareto k-hat {:.2f}, log p/q with sd {:.2g}), so "
                    "intervals may be wrong; {}",
                    verdict.khat, verdict.log_ratio_sd,
                    fit.options.guide == GuideKind::meanfield
                        ? "try --guide fullrank"
                        : "look for outliers, columns that repeat one another, or priors that are too wide"));
  }
  if (verdict.nonfinite > 0) {
    out.push_back(fmt::format("{} draws were not finite and were left out; try a smaller --lr or tighter priors",
                              grouped(verdict.nonfinite)));
  }
  return out;
}

std::string fit_json(const Fit& fit, const std::vector<ParameterSummary>& parameters, const std::string& out) {
  const Verdict& v = fit.verdict;
  std::string json = fmt::format(
      "{{\"formula\": {}, \"family\": {}, \"guide\": {}, \"rows\": {}, \"rows_dropped\": {}, \"steps\": {}, "
      "\"seconds\": {}, \"rows_per_second\": {}, \"elbo\": {}, \"elbo_se\": {}, ",
      json_string(fit.formula), json_string(to_string(fit.options.family)), json_string(to_string(fit.options.guide)),
      fit.rows, fit.rows_dropped, fit.steps, json_number(fit.seconds), json_number(fit.rows_per_second),
      json_number(fit.elbo), json_number(fit.elbo_se));
  json += fmt::format(
      "\"verdict\": {{\"converged\": {}, \"failed\": {}, \"drift\": {}, \"log_ratio_sd\": {}, \"khat\": {}, \"close\": "
      "{}, \"nonfinite\": {}, "
      "\"message\": {}}}, \"parameters\": [",
      v.converged, v.failed, json_number(v.drift), json_number(v.log_ratio_sd), json_number(v.khat), v.close,
      v.nonfinite, json_string(v.message));
  const char* comma = "";
  for (const ParameterSummary& p : parameters) {
    json += fmt::format("{}{{\"name\": {}, \"mean\": {}, \"sd\": {}, \"q05\": {}, \"q50\": {}, \"q95\": {}}}", comma,
                        json_string(p.name), json_number(p.mean), json_number(p.sd), json_number(p.q05),
                        json_number(p.q50), json_number(p.q95));
    comma = ", ";
  }
  return json + fmt::format("], \"out\": {}}}\n", json_string(out));
}

}  // namespace jensen::cli
