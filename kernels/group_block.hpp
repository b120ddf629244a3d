#pragma once
/// \file The groups of a model (effects of levels): where their effects, hyperparameters and guides are.
///
/// All groups' effects are laid out level by level, q each: coordinate first + j q + e. Arrays over coordinates and
/// samples are coordinate-major with `stride` samples a coordinate, so that one level's samples lie side by side.

#include <cstdint>

#include "group_map.hpp"

namespace jensen {

constexpr int max_groups = 8;
constexpr int max_correlations = max_effects * (max_effects - 1) / 2;

/// Affine map from a latent coordinate to a hyperparameter: shift + scale z.
struct HyperMap {
  float shift = 0, scale = 1;
};

/// Effects of large groups before this one that its levels depend on, each on few: rows of a sparse matrix. By
/// coordinate, which is the place among the effects of all groups, in order.
struct FollowedEffects {
  const std::int64_t* begin = nullptr;  ///< J q + 1: effect i of the group has entries begin[i] .. begin[i + 1] - 1
  const std::int32_t* coordinate = nullptr;  ///< of each entry, ascending in a row
  const float* slope = nullptr;              ///< r_i falls by slope . u
};

/// What multiplies W and r of all of a group's levels (LevelMap's c): exp(slope . z) over some of the head's latents.
struct InformationScale {
  int count = 0;
  const std::int32_t* place = nullptr;  ///< count
  const float* slope = nullptr;         ///< count
};

/// One group term: what LevelMap needs for each of its levels, and where its hyperparameters are.
struct GroupBlock {
  int effects = 1;          ///< q <= max_effects
  std::int64_t levels = 0;  ///< J
  std::int64_t first = 0;   ///< coordinate of its first effect
  int in_head = -1;  ///< where the head has the levels' v (level by level), or -1: they have a guide of their own
  const float* information = nullptr;  ///< J x packed_size(q): W; null: none (non-centred)
  const float* skew = nullptr;         ///< J x q: gamma, none 0; null, and if `centred`: none
  /// J x 2, if q = 1: log W_j rises by the first and r_j by the second times what the log sd is above sd[0].shift;
  /// null, and if `centred`: they do not.
  const float* answer = nullptr;
  const float* location = nullptr;              ///< J x q: r where the coefficients' latents are 0; null: 0
  const float* coupling = nullptr;              ///< J x q x (C + E): r falls by coupling . (z, e); null: it does not
  int first_coefficient = 0, coefficients = 0;  ///< C coefficients' latents z
  int coupled_group = -1;          ///< first of the groups in the head, before this one, whose levels' effects are e ..
  int coupled = 0;                 ///< .. and how many they are: E
  std::int64_t first_coupled = 0;  ///< coordinate of the first of them; set by the engine
  FollowedEffects followed;        ///< null: none
  InformationScale information_scale;  ///< none if `centred`
  int first_sd = 0;                    ///< latents of the q log standard deviations
  int first_correlation = -1;  ///< latents of the q (q - 1) / 2 atanh partial correlations; -1: independent effects
  HyperMap sd[max_effects];    ///< log sd_k
  HyperMap correlation[max_correlations];
  bool centred = false;  ///< u from `reference` in place of B: a map that hyperparameters do not move
  float reference[packed_size(max_effects)] = {};  ///< packed, B where training starts
};

/// Whether r of the group's levels depends on anything.
JENSEN_HD bool moves(const GroupBlock& group) { return group.coupling != nullptr || group.followed.begin != nullptr; }

/// A group's hyperparameters at one sample.
struct Hyper {
  float log_sd[max_effects];
  float correlation[max_correlations];
};
JENSEN_HD Hyper hyper_of(const GroupBlock& group, const float* z) {
  Hyper h{};
  for (int k = 0; k < group.effects; ++k) {
    h.log_sd[k] = group.sd[k].shift + group.sd[k].scale * z[group.first_sd + k];
  }
  for (int k = 0; k < group.effects * (group.effects - 1) / 2; ++k) {
    h.correlation[k] = group.first_correlation < 0
                           ? 0.0F
                           : group.correlation[k].shift + group.correlation[k].scale * z[group.first_correlation + k];
  }
  return h;
}

/// The guide over the levels of one group: v_j = m_j + L_j eps_j, a small block a level. Parameters: m (J x q), then
/// L packed by rows, the diagonal as its logarithm (J x q (q + 1) / 2), or the diagonal alone (J x q).
struct LevelGuide {
  const float* mean = nullptr;  ///< null: the levels' v are in the head
  const float* scale = nullptr;
  bool dense = true;

  JENSEN_HD int scales(int q) const { return dense ? packed_size(q) : q; }
};

}  // namespace jensen
