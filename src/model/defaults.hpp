#pragma once
/// \file Automatic choices that all ways into training share.

#include <cstdint>
#include <string_view>

#include "jensen/options.hpp"

namespace jensen {

constexpr int default_samples = 14;  // with the anchor and one to spare they fill the 16 lanes of a vector register
constexpr double default_learning_rate = 0.05;
/// Most parameters for which a full-rank guide is the automatic one: of models with a formula as many as are whitened
/// together (most_dense), so that it has little to learn.
constexpr std::size_t most_automatic_fullrank = 512, most_fullrank_of_formula = 1024;

/// Rows a step: what is given, or if that is 0 a choice, of `least` rows if not all; never more than there are.
std::int64_t resolve_batch(std::int64_t given, std::int64_t rows, std::int64_t least = 0);

/// Whether coefficients have a horseshoe prior. Their correlations with the logarithms of their scales make draws of a
/// full-rank guide whose densities no gradient survives; a mean-field guide is the automatic one then.
bool has_horseshoe(const TrainOptions& options);

/// The guide of a model of `parameters` without groups, by default fullrank of up to `most`. Throws InputError: too
/// many for a fullrank one.
void resolve_guide(TrainOptions& options, std::size_t parameters, std::size_t most = most_automatic_fullrank);

/// Throws InputError naming the guide that is to be used `instead` if `parameters` are too many for any but meanfield.
void check_fullrank(GuideKind guide, std::size_t parameters, std::string_view instead);

/// Throws InputError: so many parameters that the matrix which whitens them would be what takes memory and time.
void check_affine(std::size_t parameters);

}  // namespace jensen
