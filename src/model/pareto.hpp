#pragma once
/// \file Pareto k-hat: how heavy the tail of the importance ratios p/q is, hence whether q can be believed.

#include <vector>

namespace jensen {

/// Shape of the generalised Pareto distribution fitted to the largest ratios exp(log_ratio): the
/// min(S / 5, 3 sqrt(S)) largest of S (Vehtari, Simpson, Gelman, Yao & Gabry 2024, "Pareto smoothed importance
/// sampling", with its weakly informative prior on k), by the estimator of Zhang & Stephens (2009). Below 0.7 the
/// ratios can be trusted. Non-finite ratios make it infinite; fewer than 25 draws give NaN.
double pareto_khat(std::vector<double> log_ratio);

}  // namespace jensen
