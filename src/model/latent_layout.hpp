#pragma once
/// \file Where each parameter of a model stands among the head's latents.

#include <cstddef>
#include <string>
#include <vector>

#include "model/model_data.hpp"
#include "model/priors.hpp"

namespace jensen {

/// The head's H coordinates: coefficients of the predictors (of the cumulative family the increments of its thresholds
/// after those of mu), standard deviations and correlations of groups, then parameters that are one number, then scales
/// of a horseshoe.
struct LatentLayout {
  struct Group {
    std::size_t sd = 0;
    std::size_t correlation = 0;  ///< first of q (q - 1) / 2, if correlated
  };
  struct Horseshoe {
    std::size_t local = 0;   ///< first of K
    std::size_t global = 0;  ///< then the slab
  };
  struct Block {
    std::size_t first = 0;  ///< of C
    std::vector<Group> groups;
    bool has_horseshoe = false;
    Horseshoe horseshoe;
  };
  std::vector<Block> blocks;   ///< one a predictor
  std::size_t increments = 0;  ///< first of thresholds - 1
  std::vector<Parameter> parameters;

  std::size_t size() const { return parameters.size(); }
};
LatentLayout make_layout(const ModelData& data, const ResolvedPriors& priors);

}  // namespace jensen
