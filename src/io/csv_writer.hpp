#pragma once
/// \file The CSV texts Jensen writes. Numbers are the shortest that read back to the same double.

#include <string>
#include <string_view>

#include "jensen/fit.hpp"
#include "jensen/train.hpp"

namespace jensen::io {

/// `cell`, quoted as in RFC 4180 if it has to be.
std::string csv_cell(std::string_view cell);
/// Header `name,mean,sd,q05,q50,q95`, a line a parameter, then one an effect of each level.
std::string summary_csv(const Fit& fit);
/// Header `step,elbo,elbo_se,learning_rate,nonfinite`, a line a TraceRow.
std::string trace_csv(const Fit& fit);
/// Prediction::columns, then a line a row; NaN is an empty cell.
/// Throws InputError if the values do not fill the columns.
std::string prediction_csv(const Prediction& prediction);

}  // namespace jensen::io
