#include <fmt/format.h>

#include <cstdio>
#include <limits>

#include "cli/commands.hpp"
#include "cli/report.hpp"
#include "cli/text.hpp"
#include "jensen/io.hpp"

namespace jensen::cli {

int run(const SummaryCommand& command) {
  const Fit fit = load_fit(command.fit);
  const std::vector<ParameterSummary> parameters = fit.summarize();
  if (command.json) {
    std::fputs(fit_json(fit, parameters, command.fit).c_str(), stdout);
    return exit_done;
  }
  fmt::print("formula: {}\nfamily:  {}\n", printable(fit.formula), to_string(fit.options.family));
  fmt::print("data:    {} rows", grouped(fit.rows));
  if (fit.rows_dropped > 0) fmt::print(" ({} dropped for missing values)", grouped(fit.rows_dropped));
  fmt::print("\nELBO:    {}, {} guide, {} steps\n", with_error(fit.elbo, fit.elbo_se), to_string(fit.options.guide),
             grouped(fit.steps));
  fmt::print("verdict: {}\n\n", printable(fit.verdict.message));
  std::fputs(summary_table(parameters, std::numeric_limits<std::size_t>::max()).c_str(), stdout);
  for (const std::string& warning : warnings(fit)) fmt::print("\nWARNING: {}.\n", warning);
  if (fit.verdict.failed) fmt::print("\nWARNING: this fit failed; what is shown is its last good state.\n");
  return exit_done;
}

}  // namespace jensen::cli
