#pragma once
/// \file The groups of a model (effects of levels) as the stages of a step see them: expand, then pull back.
///
/// All groups' effects are laid out level by level, q each: coordinate first + j q + e. Arrays over coordinates and
/// samples are coordinate-major with `stride` samples a coordinate, so that one level's samples lie side by side.

#include <cstdint>

#include "block_sum.hpp"
#include "group_map.hpp"
#include "term.hpp"

namespace jensen {

constexpr int max_groups = 8;
constexpr int max_correlations = max_effects * (max_effects - 1) / 2;

/// Affine map from a latent coordinate to a hyperparameter: shift + scale z.
struct HyperMap {
  float shift = 0, scale = 1;
};

/// One group term: what LevelMap needs for each of its levels, and where its hyperparameters are.
struct GroupBlock {
  int effects = 1;          ///< q <= max_effects
  std::int64_t levels = 0;  ///< J
  std::int64_t first = 0;   ///< coordinate of its first effect
  int in_head = -1;  ///< where the head has the levels' v (level by level), or -1: they have a guide of their own
  const float* information = nullptr;           ///< J x packed_size(q): W; null: none (non-centred)
  const float* location = nullptr;              ///< J x q: r where the coefficients' latents are 0; null: 0
  const float* coupling = nullptr;              ///< J x q x (C + E): r falls by coupling . (z, e); null: it does not
  int first_coefficient = 0, coefficients = 0;  ///< C coefficients' latents z
  int coupled_group = -1;          ///< first of the groups in the head, before this one, whose levels' effects are e ..
  int coupled = 0;                 ///< .. and how many they are: E
  std::int64_t first_coupled = 0;  ///< coordinate of the first of them; set by the engine
  int first_sd = 0;                ///< latents of the q log standard deviations
  int first_correlation = -1;      ///< latents of the q (q - 1) / 2 atanh partial correlations; -1: independent effects
  HyperMap sd[max_effects];        ///< log sd_k
  HyperMap correlation[max_correlations];
  bool centred = false;  ///< u from `reference` in place of B: a map that hyperparameters do not move
  float reference[packed_size(max_effects)] = {};  ///< packed, B where training starts
};

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

constexpr int factor_stride = packed_size(max_effects);

/// B of one group at each sample. Item: sample.
struct MakeFactors {
  GroupBlock group;
  const float* z;  ///< S x H, head coordinates
  int dimension;
  float* factors;  ///< S x factor_stride
  JENSEN_HD void operator()(std::int64_t s) const {
    const Hyper h = hyper_of(group, z + s * dimension);
    covariance_factor(group.effects, h.log_sd, h.correlation, factors + s * factor_stride);
  }
};

/// The guide over the levels of one group: v_j = m_j + L_j eps_j, a small block a level. Parameters: m (J x q), then
/// L packed by rows, the diagonal as its logarithm (J x q (q + 1) / 2), or the diagonal alone (J x q).
struct LevelGuide {
  const float* mean = nullptr;  ///< null: the levels' v are in the head
  const float* scale = nullptr;
  bool dense = true;

  JENSEN_HD int scales(int q) const { return dense ? packed_size(q) : q; }
};

/// Where a level's v comes from.
struct LevelSource {
  LevelGuide guide;
  const float* anchor_mean = nullptr;  ///< m at the anchor, for the sample that is the anchor
  int anchor = -1;                     ///< that sample
  const float* eps = nullptr;          ///< coordinates x stride, of all groups
  std::int64_t stride = 0;
  const float* head = nullptr;  ///< S x H
  int dimension = 0;

  template <int Q>
  JENSEN_HD void read(const GroupBlock& group, std::int64_t level, int s, float* v) const {
    const std::int64_t first = level * Q;
    if (group.in_head >= 0) {
      for (int e = 0; e < Q; ++e) v[e] = head[static_cast<std::int64_t>(s) * dimension + group.in_head + first + e];
      return;
    }
    const float* mean = s == anchor ? anchor_mean : guide.mean;
    for (int e = 0; e < Q; ++e) v[e] = mean[first + e];
    if (s == anchor) return;
    const float* noise = eps + (group.first + first) * stride + s;
    const float* l = guide.scale + level * guide.scales(Q);
    for (int e = 0; e < Q; ++e) {
      if (guide.dense) {
        for (int k = 0; k < e; ++k) v[e] += l[packed(e, k)] * noise[k * stride];
        v[e] += math::exp(l[packed(e, e)]) * noise[e * stride];
      } else {
        v[e] += math::exp(l[e]) * noise[e * stride];
      }
    }
  }
};

/// A level's r of sample s, at the head z and the effects of the groups that it is coupled to.
template <int Q>
JENSEN_HD void location_of(const GroupBlock& group, std::int64_t level, const float* z, const Effects& effects, int s,
                           float* r) {
  for (int e = 0; e < Q; ++e) {
    r[e] = group.location == nullptr ? 0.0F : group.location[level * Q + e];
    if (group.coupling == nullptr) continue;
    const float* row = group.coupling + (level * Q + e) * (group.coefficients + group.coupled);
    for (int c = 0; c < group.coefficients; ++c) r[e] -= row[c] * z[group.first_coefficient + c];
    for (int k = 0; k < group.coupled; ++k) {
      r[e] -= row[group.coefficients + k] * effects.at(group.first_coupled + k, s);
    }
  }
}

/// Effects u of one group. Item: (level, sample), the sample varying fastest.
struct ExpandLevels {
  GroupBlock group;
  LevelSource source;
  const float* factors;
  int samples;
  float* effects;  ///< coordinates x stride

  JENSEN_HD void operator()(std::int64_t item) const {
    const auto s = static_cast<int>(item % samples);
    const std::int64_t level = item / samples;
    with_effects(group.effects, [&](auto count) { expand<decltype(count)::value>(level, s); });
  }

 private:
  template <int Q>
  JENSEN_HD void expand(std::int64_t level, int s) const {
    float r[Q], v[Q], u[Q];
    LevelMap<float, Q> map;
    map.prepare(group.centred ? group.reference : factors + static_cast<std::int64_t>(s) * factor_stride,
                group.information == nullptr ? nullptr : group.information + level * packed_size(Q));
    location_of<Q>(group, level, source.head + static_cast<std::int64_t>(s) * source.dimension,
                   {effects, source.stride}, s, r);
    source.read<Q>(group, level, s, v);
    map.forward(r, v, u);
    for (int e = 0; e < Q; ++e) effects[(group.first + level * Q + e) * source.stride + s] = u[e];
  }
};

/// Sums over a block of levels, for one sample: what the levels add to the log joint and to the head's gradient.
/// value | 0 if all is finite | |eps|^2 | B_bar (packed) | gradient by the C coefficients | by the E coupled effects
constexpr int level_value = 0, level_finite = 1, level_noise = 2, level_factor = 3;
JENSEN_HD int level_sum_count(const GroupBlock& group) {
  const int coupling = group.coupling == nullptr ? 0 : group.coefficients + group.coupled;
  return level_factor + packed_size(group.effects) + coupling;
}

/// Pull-back of the effects' derivatives to v and to the head. Item: (block of levels, sample).
///
/// u_bar = data_scale (batch's sums at s minus those at the anchor) + all rows' sums at the anchor; the value gets the
/// matching tangent (see CombineTerms).
struct PullBackLevels {
  GroupBlock group;
  LevelSource source;
  const float* factors;
  int samples;
  std::int64_t levels_per_block;
  double data_scale;
  double reference;            ///< rho of -rho/2 |v|^2, taken off the log joint
  const float* effects;        ///< u
  const float* sums;           ///< coordinates x stride: derivatives by u, over the batch
  const double* coupled_sums;  ///< coordinates x stride: derivatives by u that groups coupled to this one gave
  const float* anchor_sums;    ///< coordinates: over all rows at the anchor; null: no anchor
  float* latent_bar;           ///< coordinates x stride: out, d l / d v; unused if the levels are in the head
  double* joint;               ///< S x (1 + H): the head's levels get theirs here
  double* partials;            ///< blocks x S x level_sum_count

  JENSEN_HD void operator()(std::int64_t item) const {
    const auto s = static_cast<int>(item % samples);
    const std::int64_t block = item / samples;
    with_effects(group.effects, [&](auto count) { pull_back<decltype(count)::value>(block, s); });
  }

 private:
  template <int Q>
  JENSEN_HD void pull_back(std::int64_t block, int s) const {
    const int count = level_sum_count(group);
    double* out = partials + (block * samples + s) * count;
    for (int i = 0; i < count; ++i) out[i] = 0;
    const std::int64_t begin = block * levels_per_block;
    const std::int64_t end = begin + levels_per_block < group.levels ? begin + levels_per_block : group.levels;
    for (std::int64_t level = begin; level < end; ++level) add_level<Q>(level, s, out);
  }

  template <int Q>
  JENSEN_HD void add_level(std::int64_t level, int s, double* out) const {
    const float* w = group.information == nullptr ? nullptr : group.information + level * packed_size(Q);
    const float* factor = factors + static_cast<std::int64_t>(s) * factor_stride;
    float r[Q], v[Q], u[Q], u_bar[Q], v_bar[Q], r_bar[Q];
    float b_bar[packed_size(Q)] = {};
    location_of<Q>(group, level, source.head + static_cast<std::int64_t>(s) * source.dimension,
                   {effects, source.stride}, s, r);
    source.read<Q>(group, level, s, v);
    LevelMap<float, Q> map;
    map.prepare(group.centred ? group.reference : factor, w);
    map.forward(r, v, u);

    const std::int64_t at = group.first + level * Q;
    for (int e = 0; e < Q; ++e) {
      const std::int64_t i = (at + e) * source.stride;
      double bar = data_scale * static_cast<double>(sums[i + s]) + coupled_sums[i + s];
      if (anchor_sums != nullptr) {
        const double slope =
            static_cast<double>(anchor_sums[at + e]) - data_scale * static_cast<double>(sums[i + samples]);
        bar += slope;
        out[level_value] += slope * (static_cast<double>(u[e]) - static_cast<double>(effects[i + samples]));
      }
      u_bar[e] = static_cast<float>(bar);
    }
    double value = 0;
    if (group.centred) {
      value = add_centred_prior<Q>(map, factor, u, u_bar, b_bar);
      float unused[packed_size(Q)] = {};
      map.reverse(u_bar, r, w, 0.0F, v_bar, r_bar, unused);
    } else {
      value = static_cast<double>(map.log_density());
      map.reverse(u_bar, r, w, 1.0F, v_bar, r_bar, b_bar);
    }
    for (int e = 0; e < Q; ++e) {
      if (group.in_head < 0) {
        value += 0.5 * reference * static_cast<double>(v[e]) * static_cast<double>(v[e]);
        v_bar[e] += static_cast<float>(reference) * v[e];
        latent_bar[(at + e) * source.stride + s] = v_bar[e];
        const auto noise = static_cast<double>(source.eps[(at + e) * source.stride + s]);
        out[level_noise] += noise * noise;
      } else {
        joint[static_cast<std::int64_t>(s) * (1 + source.dimension) + 1 + group.in_head + level * Q + e] +=
            static_cast<double>(v_bar[e]);
      }
      out[level_finite] += static_cast<double>(v_bar[e]) * 0.0;
    }
    out[level_value] += value;
    for (int i = 0; i < packed_size(Q); ++i) out[level_factor + i] += static_cast<double>(b_bar[i]);
    if (group.coupling == nullptr) return;
    for (int e = 0; e < Q; ++e) {
      const int columns = group.coefficients + group.coupled;
      const float* row = group.coupling + (level * Q + e) * columns;
      for (int c = 0; c < columns; ++c) {
        out[level_factor + packed_size(Q) + c] -= static_cast<double>(row[c]) * static_cast<double>(r_bar[e]);
      }
    }
  }

  /// log N(u; 0, B B^T) + log |du/dv| where u's map does not depend on B; adds the derivatives to u_bar and b_bar.
  template <int Q>
  JENSEN_HD double add_centred_prior(const LevelMap<float, Q>& map, const float* b, const float* u, float* u_bar,
                                     float* b_bar) const {
    float t[Q], h[Q];
    double value = 0;
    for (int i = 0; i < Q; ++i) {  // t = B^-1 u
      t[i] = u[i];
      for (int l = 0; l < i; ++l) t[i] -= b[packed(i, l)] * t[l];
      t[i] /= b[packed(i, i)];
      value -= static_cast<double>(0.5F * t[i] * t[i] + math::log(b[packed(i, i)]));
      value += static_cast<double>(math::log(group.reference[packed(i, i)] / map.k[packed(i, i)]));
    }
    for (int i = Q - 1; i >= 0; --i) {  // h = B^-T t
      h[i] = t[i];
      for (int l = i + 1; l < Q; ++l) h[i] -= b[packed(l, i)] * h[l];
      h[i] /= b[packed(i, i)];
      u_bar[i] -= h[i];
    }
    for (int i = 0; i < Q; ++i) {
      for (int l = 0; l <= i; ++l) b_bar[packed(i, l)] += h[i] * t[l];
      b_bar[packed(i, i)] -= 1.0F / b[packed(i, i)];
    }
    return value;
  }
};

/// Adds the blocks' sums, in order, to the log joint and its gradient by the head and by the coupled effects. Item:
/// (sample, part), part 0 the value and the hyperparameters, part 1 + c coefficient or coupled effect c.
struct AddLevelSums {
  GroupBlock group;
  BlockSums blocks;
  int samples;
  const float* z;
  int dimension;
  double* joint;
  double* noise_squared;  ///< S: adds |eps|^2
  double* coupled_sums;   ///< coordinates x stride
  std::int64_t stride;

  JENSEN_HD std::int64_t items() const {
    return samples *
           (1 + static_cast<std::int64_t>(level_sum_count(group) - level_factor - packed_size(group.effects)));
  }
  JENSEN_HD void operator()(std::int64_t item) const {
    const auto s = static_cast<int>(item % samples);
    const auto part = static_cast<int>(item / samples);
    double* row = joint + static_cast<std::int64_t>(s) * (1 + dimension);
    if (part > 0) {
      const int c = part - 1;
      const double sum = total(s, level_factor + packed_size(group.effects) + c);
      if (c < group.coefficients) {
        row[1 + group.first_coefficient + c] += sum;
      } else {
        coupled_sums[(group.first_coupled + c - group.coefficients) * stride + s] += sum;
      }
      return;
    }
    row[0] += total(s, level_value) + total(s, level_finite);
    noise_squared[s] += total(s, level_noise);
    double b_bar[factor_stride];
    for (int i = 0; i < packed_size(group.effects); ++i) b_bar[i] = total(s, level_factor + i);
    const Hyper h = hyper_of(group, z + static_cast<std::int64_t>(s) * dimension);
    double log_sd[max_effects], correlation[max_correlations];
    double log_sd_bar[max_effects] = {}, correlation_bar[max_correlations] = {};
    const int pairs = group.effects * (group.effects - 1) / 2;
    for (int k = 0; k < group.effects; ++k) log_sd[k] = static_cast<double>(h.log_sd[k]);
    for (int k = 0; k < pairs; ++k) correlation[k] = static_cast<double>(h.correlation[k]);
    covariance_factor_reverse(group.effects, log_sd, correlation, b_bar, log_sd_bar, correlation_bar);
    for (int k = 0; k < group.effects; ++k) {
      row[1 + group.first_sd + k] += log_sd_bar[k] * static_cast<double>(group.sd[k].scale);
    }
    for (int k = 0; k < pairs && group.first_correlation >= 0; ++k) {
      row[1 + group.first_correlation + k] += correlation_bar[k] * static_cast<double>(group.correlation[k].scale);
    }
  }

 private:
  JENSEN_HD double total(int s, int i) const {
    return blocks.total(static_cast<std::int64_t>(s) * level_sum_count(group) + i);
  }
};

}  // namespace jensen
