#pragma once
/// \file What a fit says of itself: warnings for a human, JSON for a program; the same for every verb.

#include <string>
#include <vector>

#include "jensen/fit.hpp"

namespace jensen::cli {

/// What speaks against believing the fit, each with advice; empty if nothing does.
std::vector<std::string> warnings(const Fit& fit);
/// Says them on stderr.
void warn(const Fit& fit);

/// One JSON object on one line: elbo, elbo_se, verdict, steps, rows, parameters, out, ...; seconds and rows_per_second
/// only of a fit that was trained just now; with `levels` the effects of every level.
std::string fit_json(const Fit& fit, const std::vector<ParameterSummary>& parameters, const std::string& out,
                     bool levels);

/// "; saved in pred.csv", or nothing for the standard output.
std::string saved_in(const std::string& out);

}  // namespace jensen::cli
