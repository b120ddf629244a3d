#pragma once
/// \file A model as terms and groups: what the engine runs, and the map from its latents back to the user's parameters.

#include <cstdint>
#include <vector>

#include "engine.hpp"
#include "jensen/fit.hpp"
#include "model/linear_algebra.hpp"
#include "model/model_data.hpp"

namespace jensen {

/// The v of levels in the head from their latents: v = matrix w, E x E, upper triangular. See kernels/head_map.hpp.
struct HeadWhitening {
  std::size_t first_group = 0;  ///< of Model::groups; those after it follow, until all E are there
  Matrix matrix;
  std::vector<float> values;  ///< the same, as the engine takes it
};

/// The head's latents w (H of them) are near N(0, I) a posteriori; the user's coordinates are u = to_user w + shift.
struct Model {
  std::vector<Parameter> parameters;       ///< H
  std::vector<Prior> priors;               ///< as listed to the user
  std::vector<GroupPosterior> posteriors;  ///< of each group, small ones first, but for the guide over its levels
  Matrix to_user;                          ///< H x H
  std::vector<double> shift;               ///< H
  double log_determinant = 0;              ///< log |det to_user|
  Matrix basis;                            ///< H x H: mean-field's independent coordinates, see guides/meanfield.hpp
  double log_basis_determinant = 0;

  std::vector<Term> terms;                         ///< pointing into `columns` and `indices`
  std::vector<GroupBlock> groups;                  ///< likewise; in the order of `posteriors`
  std::size_t head_groups = 0;                     ///< so many of the first are small and stand in the head
  std::vector<std::vector<double>> shares_of_sd;   ///< of each group's effects: see model/chain_share.hpp
  std::vector<HeadWhitening> head_whitening;       ///< of full-rank guides; levels that none is of have v = w
  std::vector<OrderedBlock> ordered;               ///< likewise
  std::vector<std::vector<float>> columns;         ///< what they read
  std::vector<std::vector<std::int32_t>> indices;  ///< levels of rows, effects that levels follow, ..
  std::vector<std::vector<std::int64_t>> begins;   ///< where the latter begin

  std::size_t size() const { return parameters.size(); }
};

/// Throws InputError: priors that do not fit, coefficients that data and priors leave undetermined.
Model build_model(const ModelData& data, const TrainOptions& options);

}  // namespace jensen
