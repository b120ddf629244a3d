#pragma once
/// \file The parameters of a fit as tables by class, as brms prints them.

#include <cstddef>
#include <string>
#include <vector>

#include "jensen/fit.hpp"

namespace jensen::cli {

struct FitTableOptions {
  std::size_t columns = 0;  ///< of the terminal: a longer name gets a line of its own; 0: names are not broken off
  std::size_t most = 0;     ///< rows of a table; 0: all
  bool levels = false;      ///< the effects of every level too
};

struct FitTables {
  std::string text;          ///< lines, each ended by a line end
  std::size_t left_out = 0;  ///< parameters for which there was no row
};

/// "Population-Level Effects:" (b_x is written x), "Group-Level Effects:" (sd(x) and cor(Intercept,x), a table a
/// group), "Family Specific Parameters:"; each with the header name, mean, sd, 5%, 50%, 95%. `parameters` is
/// fit.summarize().
FitTables fit_tables(const Fit& fit, const std::vector<ParameterSummary>& parameters, const FitTableOptions& options);

/// Of each parameter the group that it is a standard deviation or correlation of; empty: of none.
std::vector<std::string> groups_of_parameters(const Fit& fit);
/// Of each row of fit.summarize_levels() its group.
std::vector<std::string> groups_of_levels(const Fit& fit);

}  // namespace jensen::cli
