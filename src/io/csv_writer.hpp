#pragma once
/// \file The CSV texts Jensen writes. Numbers are the shortest that read back to the same double.

#include <string>
#include <string_view>

#include "jensen/fit.hpp"
#include "jensen/train.hpp"

namespace jensen::io {

/// `cell`, quoted as in RFC 4180 if it has to be.
std::string csv_cell(std::string_view cell);
/// Header `name,mean,sd,q05,q50,q95`, a line a parameter.
std::string summary_csv(const Fit& fit);
/// Header `step,elbo,elbo_se,learning_rate,nonfinite`, a line a TraceRow.
std::string trace_csv(const Fit& fit);
/// Header `mean,q05,q95`, a line a row; NaN is an empty cell.
std::string prediction_csv(const Prediction& prediction);

}  // namespace jensen::io
