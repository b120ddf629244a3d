#pragma once
/// \file Separation: successes and failures that the columns tell apart, so that the likelihood has no maximum and only
/// the priors keep coefficients finite (Albert & Anderson 1984, "On the existence of maximum likelihood estimates in
/// logistic regression models").

#include <string>
#include <vector>

#include "model/model.hpp"
#include "model/model_data.hpp"

namespace jensen {

/// Sentences for the user, none if all is well or the family is none of bernoulli, binomial, those of counts and of
/// times.
///
/// Complete separation is seen if the linear predictor at the mode has every success above every failure, which proves
/// it. Quasi-separation is looked for in single columns (and reference levels of factors): all rows where the column is
/// not 0, or all where a 0/1 column is 0, are successes or all are failures; of counts, all are 0; of times, all are
/// censored. One pass over the rows.
std::vector<std::string> separation_notes(const ModelData& data, const Model& model);

}  // namespace jensen
