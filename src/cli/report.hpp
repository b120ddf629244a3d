#pragma once
/// \file A fit as a table for a human and as JSON for a program; the same for `train` and `summary`.

#include <cstddef>
#include <string>
#include <vector>

#include "jensen/fit.hpp"

namespace jensen::cli {

/// Above this the normal guide is too far from the posterior (Vehtari et al. 2024).

/// name, mean, sd, 5%, 50%, 95%: a header line and at most `most` lines more, each ended by a line end.
std::string summary_table(const std::vector<ParameterSummary>& parameters, std::size_t most);

/// What speaks against believing the fit, each with advice; empty if nothing does.
std::vector<std::string> warnings(const Fit& fit);

/// One JSON object on one line: elbo, elbo_se, verdict, steps, rows, seconds, parameters, out, ...
std::string fit_json(const Fit& fit, const std::vector<ParameterSummary>& parameters, const std::string& out);

}  // namespace jensen::cli
