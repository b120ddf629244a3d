#include <fmt/format.h>

#include <cstdio>

#include "cli/commands.hpp"
#include "cli/fit_table.hpp"
#include "cli/report.hpp"
#include "cli/terminal.hpp"
#include "cli/text.hpp"
#include "jensen/io.hpp"

namespace jensen::cli {
namespace {

void print_head(const Fit& fit) {
  const TrainOptions& options = fit.options;
  fmt::print("formula: {}\n", printable(fit.formula));
  for (const ParameterFormula& other : options.formulas) {
    fmt::print("         {} ~ {}\n", other.parameter, printable(other.formula));
  }
  fmt::print("family:  {}", to_string(options.family));
  if (options.link) fmt::print(", {} link", to_string(*options.link));
  fmt::print("\ndata:    {}", counted(fit.rows, "row"));
  if (fit.rows_dropped > 0) fmt::print(" ({} dropped for missing values)", grouped(fit.rows_dropped));
  fmt::print("\nELBO:    {}, {} guide, {}\n", with_error(fit.elbo, fit.elbo_se), to_string(options.guide),
             counted(fit.steps, "step"));
  fmt::print("verdict: {}\n\n", printable(fit.verdict.message));
}

}  // namespace

int run(const SummaryCommand& command) {
  const Fit fit = load_fit(command.fit);
  const std::vector<ParameterSummary> parameters = fit.summarize();
  if (command.json) {
    std::fputs(fit_json(fit, parameters, command.fit, true).c_str(), stdout);
    return exit_done;
  }
  print_head(fit);
  const FitTableOptions options{.columns = terminal_columns(stdout), .most = 0, .levels = command.all};
  std::fputs(fit_tables(fit, parameters, options).text.c_str(), stdout);
  for (const std::string& warning : warnings(fit)) fmt::print("\nWARNING: {}.\n", warning);
  return exit_done;
}

}  // namespace jensen::cli
