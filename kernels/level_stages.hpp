#pragma once
/// \file The stages of a step over the levels of a group: effects from the guide's draws, and the pull-back of their
/// derivatives. Those of many levels are written for one sample or several side by side (sample_lanes.hpp).

#include <cstdint>

#include "block_sum.hpp"
#include "group_block.hpp"
#include "sample_lanes.hpp"
#include "term.hpp"

namespace jensen {

/// A group's factors at a sample: B packed, what multiplies W and r, and how far the first log sd is from its shift.
constexpr int information_factor = packed_size(max_effects), moved_factor = information_factor + 1;
constexpr int factor_stride = moved_factor + 1;

/// The factors of one group at each sample. Item: sample.
struct MakeFactors {
  GroupBlock group;
  const float* z;  ///< S x H, head coordinates
  int dimension;
  std::int64_t stride;
  float* factors;  ///< factor_stride x stride
  JENSEN_HD void operator()(std::int64_t s) const {
    const float* at = z + s * dimension;
    const Hyper h = hyper_of(group, at);
    float b[packed_size(max_effects)];
    covariance_factor(group.effects, h.log_sd, h.correlation, b);
    for (int i = 0; i < packed_size(group.effects); ++i) factors[i * stride + s] = b[i];
    const InformationScale& scale = group.information_scale;
    float log_scale = 0;
    for (int k = 0; k < scale.count; ++k) log_scale += scale.slope[k] * at[scale.place[k]];
    factors[information_factor * stride + s] = math::exp(log_scale);
    factors[moved_factor * stride + s] = group.sd[0].scale * at[group.first_sd];
  }
};

/// The head's coordinates with their samples side by side. Item: (coordinate, sample).
struct TurnHead {
  const float* z;  ///< S x H
  int dimension, samples;
  std::int64_t stride;
  float* turned;  ///< H x stride
  JENSEN_HD void operator()(std::int64_t item) const {
    const std::int64_t k = item / samples;
    const std::int64_t s = item % samples;
    turned[k * stride + s] = z[s * dimension + k];
  }
};

/// Where a level's v comes from, and what its map depends on. Arrays have `stride` samples of each element.
struct LevelSource {
  LevelGuide guide;
  const float* anchor_mean = nullptr;  ///< m at the anchor, for the sample that is the anchor
  int anchor = -1;                     ///< that sample
  std::int64_t stride = 0;
  const float* eps = nullptr;      ///< coordinates of all groups
  const float* head = nullptr;     ///< H: see TurnHead; null if no group needs it
  const float* factors = nullptr;  ///< of this group: factor_stride
  const float* effects = nullptr;  ///< coordinates: u, also of the groups that this one is coupled to
  float* location = nullptr;       ///< coordinates, if r moves: r from expand on, then its derivatives

  template <int Q, class R>
  JENSEN_HD void read(const GroupBlock& group, std::int64_t level, int s, R* v) const {
    using Lanes = SampleLanes<R>;
    const std::int64_t first = level * Q;
    if (group.in_head >= 0) {
      for (int e = 0; e < Q; ++e) v[e] = Lanes::load(head + (group.in_head + first + e) * stride + s);
      return;
    }
    const float* noise = eps + (group.first + first) * stride + s;
    const float* l = guide.scale + level * guide.scales(Q);
    for (int e = 0; e < Q; ++e) {
      v[e] = R(guide.mean[first + e]);
      if (guide.dense) {
        for (int k = 0; k < e; ++k) v[e] += R(l[packed(e, k)]) * Lanes::load(noise + k * stride);
      }
      v[e] += R(math::exp(l[guide.dense ? packed(e, e) : e])) * Lanes::load(noise + e * stride);
      if (anchor >= 0) Lanes::replace(v[e], s, anchor, anchor_mean[first + e]);
    }
  }

  /// The level's r at the head and at the effects of other groups that it depends on; kept if it does.
  template <int Q, class R>
  JENSEN_HD void locate(const GroupBlock& group, std::int64_t level, int s, R* r) const {
    using Lanes = SampleLanes<R>;
    for (int e = 0; e < Q; ++e) {
      r[e] = start<Q, R>(group, level, s, e);
      if (!moves(group)) continue;
      if (group.coupling != nullptr) {
        const float* row = group.coupling + (level * Q + e) * (group.coefficients + group.coupled);
        for (int c = 0; c < group.coefficients; ++c) {
          r[e] -= R(row[c]) * Lanes::load(head + (group.first_coefficient + c) * stride + s);
        }
        for (int k = 0; k < group.coupled; ++k) {
          r[e] -= R(row[group.coefficients + k]) * Lanes::load(effects + (group.first_coupled + k) * stride + s);
        }
      }
      const FollowedEffects& f = group.followed;
      if (f.begin != nullptr) {
        for (std::int64_t i = f.begin[level * Q + e]; i < f.begin[level * Q + e + 1]; ++i) {
          r[e] -= R(f.slope[i]) * Lanes::load(effects + f.coordinate[i] * stride + s);
        }
      }
      Lanes::store(location + (group.first + level * Q + e) * stride + s, r[e]);
    }
  }
  /// The same from what was kept.
  template <int Q, class R>
  JENSEN_HD void recall(const GroupBlock& group, std::int64_t level, int s, R* r) const {
    for (int e = 0; e < Q; ++e) {
      if (moves(group)) {
        r[e] = SampleLanes<R>::load(location + (group.first + level * Q + e) * stride + s);
      } else {
        r[e] = start<Q, R>(group, level, s, e);
      }
    }
  }

  /// The map that hyperparameters move (B), or do not.
  template <int Q, class R>
  JENSEN_HD LevelMap<R, Q> map(const GroupBlock& group, std::int64_t level, int s) const {
    R b[packed_size(Q)];
    for (int i = 0; i < packed_size(Q); ++i) {
      b[i] = group.centred ? R(group.reference[i]) : SampleLanes<R>::load(factors + i * stride + s);
    }
    const float* w = group.information == nullptr ? nullptr : group.information + level * packed_size(Q);
    LevelMap<R, Q> map;
    map.prepare(b, w, group.skew == nullptr ? nullptr : group.skew + level * Q,
                SampleLanes<R>::load(factors + information_factor * stride + s),
                group.answer == nullptr ? R(1) : math::exp(R(group.answer[2 * level]) * moved<R>(s)));
    return map;
  }

 private:
  template <class R>
  JENSEN_HD R moved(int s) const {
    return SampleLanes<R>::load(factors + moved_factor * stride + s);
  }
  /// r before anything is taken off it.
  template <int Q, class R>
  JENSEN_HD R start(const GroupBlock& group, std::int64_t level, int s, int e) const {
    const R r(group.location == nullptr ? 0.0F : group.location[level * Q + e]);
    return group.answer == nullptr ? r : r + R(group.answer[2 * level + 1]) * moved<R>(s);
  }
};

/// Effects u of one group. Item: (level, sample), the sample varying fastest.
struct ExpandLevels {
  GroupBlock group;
  LevelSource source;
  int samples;
  float* effects;  ///< coordinates x stride

  JENSEN_HD void operator()(std::int64_t item) const { at<float>(item / samples, static_cast<int>(item % samples)); }
  /// The level's effects of sample s, or of as many samples from s on as R has.
  template <class R>
  JENSEN_HD void at(std::int64_t level, int s) const {
    with_effects(group.effects, [&](auto count) { expand<decltype(count)::value, R>(level, s); });
  }

 private:
  template <int Q, class R>
  JENSEN_HD void expand(std::int64_t level, int s) const {
    R r[Q], v[Q], u[Q];
    LevelMap<R, Q> map = source.map<Q, R>(group, level, s);
    source.locate<Q>(group, level, s, r);
    source.read<Q>(group, level, s, v);
    map.forward(r, v, u);
    for (int e = 0; e < Q; ++e)
      SampleLanes<R>::store(effects + (group.first + level * Q + e) * source.stride + s, u[e]);
  }
};

/// Sums over a block of levels, for one sample: what the levels add to the log joint and to the head's gradient.
/// value | 0 if all is finite | |eps|^2 | derivative by log c (LevelMap) | by the log sd, of what answers it | B_bar
/// (packed) | gradient by the C coefficients | by the E coupled effects
constexpr int level_value = 0, level_finite = 1, level_noise = 2, level_scale = 3, level_answer = 4, level_factor = 5;
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
  int samples;
  std::int64_t levels_per_block;
  double data_scale;
  double reference;            ///< rho of -rho/2 |v|^2, taken off the log joint
  int dimension;               ///< H
  const float* sums;           ///< coordinates x stride: derivatives by u, over the batch
  const double* coupled_sums;  ///< coordinates x stride: derivatives by u that groups that depend on this one gave
  const float* anchor_sums;    ///< coordinates: over all rows at the anchor; null: no anchor
  float* latent_bar;           ///< coordinates x stride: out, d l / d v; unused if the levels are in the head
  double* joint;               ///< S x (1 + H): the head's levels get theirs here
  double* partials;            ///< blocks x level_sum_count x stride

  JENSEN_HD void operator()(std::int64_t item) const { at<float>(item / samples, static_cast<int>(item % samples)); }
  /// The block's sums of sample s, or of as many samples from s on as R has.
  template <class R>
  JENSEN_HD void at(std::int64_t block, int s) const {
    with_effects(group.effects, [&](auto count) { pull_back<decltype(count)::value, R>(block, s); });
  }

 private:
  /// What a level adds to.
  template <int Q, class R>
  struct Sums {
    using Wide = typename SampleLanes<R>::Wide;
    Wide value = 0.0, finite = 0.0, noise = 0.0, scale = 0.0, answer = 0.0;
    Wide factor[packed_size(Q)];
  };

  template <int Q, class R>
  JENSEN_HD void pull_back(std::int64_t block, int s) const {
    using Lanes = SampleLanes<R>;
    const std::int64_t stride = source.stride;
    double* out = partials + block * level_sum_count(group) * stride + s;
    Sums<Q, R> added;
    for (auto& sum : added.factor) sum = 0.0;
    const std::int64_t begin = block * levels_per_block;
    const std::int64_t end = begin + levels_per_block < group.levels ? begin + levels_per_block : group.levels;
    for (std::int64_t level = begin; level < end; ++level) add_level<Q, R>(level, s, added);
    Lanes::store(out + level_value * stride, added.value);
    Lanes::store(out + level_finite * stride, added.finite);
    Lanes::store(out + level_noise * stride, added.noise);
    Lanes::store(out + level_scale * stride, added.scale);
    Lanes::store(out + level_answer * stride, added.answer);
    for (int i = 0; i < packed_size(Q); ++i) Lanes::store(out + (level_factor + i) * stride, added.factor[i]);
  }

  template <int Q, class R>
  JENSEN_HD void add_level(std::int64_t level, int s, Sums<Q, R>& out) const {
    using Lanes = SampleLanes<R>;
    using Wide = typename Lanes::Wide;
    const std::int64_t stride = source.stride;
    const float* w = group.information == nullptr ? nullptr : group.information + level * packed_size(Q);
    R r[Q], v[Q], u[Q], u_bar[Q], v_bar[Q], r_bar[Q];
    R b_bar[packed_size(Q)];
    for (auto& bar : b_bar) bar = R(0);
    source.recall<Q>(group, level, s, r);
    source.read<Q>(group, level, s, v);
    LevelMap<R, Q> map = source.map<Q, R>(group, level, s);
    map.forward(r, v, u);

    const std::int64_t first = group.first + level * Q;
    for (int e = 0; e < Q; ++e) {
      const std::int64_t i = (first + e) * stride;
      Wide bar = Wide(data_scale) * Lanes::wide(Lanes::load(sums + i + s)) + Lanes::load(coupled_sums + i + s);
      if (anchor_sums != nullptr) {
        const double slope =
            static_cast<double>(anchor_sums[first + e]) - data_scale * static_cast<double>(sums[i + samples]);
        bar += Wide(slope);
        out.value += Wide(slope) * (Lanes::wide(u[e]) - Wide(static_cast<double>(source.effects[i + samples])));
      }
      u_bar[e] = Lanes::narrow(bar);
    }
    Wide value = 0.0;
    if (group.centred) {
      value = add_centred_prior<Q, R>(map, s, u, u_bar, b_bar);
      R unused[packed_size(Q)];
      for (auto& bar : unused) bar = R(0);
      map.reverse(u_bar, r, w, R(0), v_bar, r_bar, unused);
    } else {
      value = Lanes::wide(map.log_density());
      const ScaleSlopes<R> by = map.reverse(u_bar, r, w, R(1), v_bar, r_bar, b_bar);
      out.scale += Lanes::wide(by.both);
      if (group.answer != nullptr) {
        out.answer +=
            Lanes::wide(R(group.answer[2 * level]) * by.information + R(group.answer[2 * level + 1]) * r_bar[0]);
      }
    }
    for (int e = 0; e < Q; ++e) {
      const std::int64_t i = (first + e) * stride + s;
      if (group.in_head < 0) {
        const Wide wide_v = Lanes::wide(v[e]);
        value += Wide(0.5 * reference) * wide_v * wide_v;
        v_bar[e] += R(static_cast<float>(reference)) * v[e];
        Lanes::store(latent_bar + i, v_bar[e]);
        const Wide noise = Lanes::wide(Lanes::load(source.eps + i));
        out.noise += noise * noise;
      } else {
        double* to = joint + 1 + group.in_head + level * Q + e;
        Lanes::for_each(Lanes::wide(v_bar[e]), s, samples, [&](int sample, double bar) {
          to[static_cast<std::int64_t>(sample) * (1 + dimension)] += bar;
        });
      }
      out.finite += Lanes::wide(v_bar[e]) * Wide(0.0);
    }
    out.value += value;
    for (int i = 0; i < packed_size(Q); ++i) out.factor[i] += Lanes::wide(b_bar[i]);
    for (int e = 0; e < Q && moves(group); ++e) {
      Lanes::store(source.location + (first + e) * stride + s, r_bar[e]);
    }
  }

  /// log N(u; 0, B B^T) + log |du/dv| where u's map does not depend on B; adds the derivatives to u_bar and b_bar.
  template <int Q, class R>
  JENSEN_HD typename SampleLanes<R>::Wide add_centred_prior(const LevelMap<R, Q>& map, int s, const R* u, R* u_bar,
                                                            R* b_bar) const {
    using Lanes = SampleLanes<R>;
    R b[packed_size(Q)];
    for (int i = 0; i < packed_size(Q); ++i) b[i] = Lanes::load(source.factors + i * source.stride + s);
    R t[Q], h[Q];
    typename Lanes::Wide value = 0.0;
    for (int i = 0; i < Q; ++i) {  // t = B^-1 u
      t[i] = u[i];
      for (int l = 0; l < i; ++l) t[i] -= b[packed(i, l)] * t[l];
      t[i] /= b[packed(i, i)];
      value -= Lanes::wide(R(0.5F) * t[i] * t[i] + math::log(b[packed(i, i)]));
      value += Lanes::wide(math::log(R(group.reference[packed(i, i)]) / map.k[packed(i, i)]));
    }
    for (int i = Q - 1; i >= 0; --i) {  // h = B^-T t
      h[i] = t[i];
      for (int l = i + 1; l < Q; ++l) h[i] -= b[packed(l, i)] * h[l];
      h[i] /= b[packed(i, i)];
      u_bar[i] -= h[i];
    }
    for (int i = 0; i < Q; ++i) {
      for (int l = 0; l <= i; ++l) b_bar[packed(i, l)] += h[i] * t[l];
      b_bar[packed(i, i)] -= R(1) / b[packed(i, i)];
    }
    return value;
  }
};

/// The derivatives by r of a block of levels, to those by the coefficients and effects that r falls by: those of
/// `together` of them. Item: (block, together of them, sample). After PullBackLevels.
struct PullBackCoupling {
  GroupBlock group;
  const float* location_bar;  ///< coordinates x stride
  int samples;
  std::int64_t levels_per_block, stride;
  double* partials;  ///< see PullBackLevels

  static constexpr int together = 8;
  JENSEN_HD int columns() const { return group.coefficients + group.coupled; }
  JENSEN_HD std::int64_t sets() const { return (columns() + together - 1) / together; }
  std::int64_t units() const { return (group.levels + levels_per_block - 1) / levels_per_block * sets(); }

  JENSEN_HD void operator()(std::int64_t item) const { at<float>(item / samples, static_cast<int>(item % samples)); }
  template <class R>
  JENSEN_HD void at(std::int64_t unit, int s) const {
    using Lanes = SampleLanes<R>;
    const std::int64_t block = unit / sets();
    const int first = static_cast<int>(unit % sets()) * together;
    const int last = columns() - 1 - first;
    const std::int64_t begin = block * levels_per_block * group.effects;
    const std::int64_t after = begin + levels_per_block * group.effects;
    const std::int64_t all = group.levels * group.effects;
    R total[together];
    for (auto& sum : total) sum = R(0);
    for (std::int64_t i = begin; i < after && i < all; ++i) {
      const R bar = Lanes::load(location_bar + (group.first + i) * stride + s);
      const float* row = group.coupling + i * columns() + first;
      for (int c = 0; c < together; ++c) total[c] += R(row[c < last ? c : last]) * bar;
    }
    double* out = partials + (block * level_sum_count(group) + level_factor + packed_size(group.effects)) * stride + s;
    for (int c = 0; c < together; ++c) {
      if (c <= last) Lanes::store(out + (first + c) * stride, -Lanes::wide(total[c]));
    }
  }
};

/// The derivatives by r of a group's levels, to those by the effects that it follows. Item: (coordinate before the
/// group's, sample). After PullBackLevels.
struct PullBackFollowed {
  FollowedEffects followers;  ///< transposed: of each coordinate those of the group that follow it
  const float* location_bar;  ///< coordinates x stride
  int samples;
  std::int64_t stride;
  double* coupled_sums;  ///< coordinates x stride

  JENSEN_HD void operator()(std::int64_t item) const { at<float>(item / samples, static_cast<int>(item % samples)); }
  template <class R>
  JENSEN_HD void at(std::int64_t place, int s) const {
    using Lanes = SampleLanes<R>;
    const std::int64_t begin = followers.begin[place], end = followers.begin[place + 1];
    if (begin == end) return;
    typename Lanes::Wide sum = Lanes::load(coupled_sums + place * stride + s);
    for (std::int64_t i = begin; i < end; ++i) {
      sum -= Lanes::wide(R(followers.slope[i]) * Lanes::load(location_bar + followers.coordinate[i] * stride + s));
    }
    Lanes::store(coupled_sums + place * stride + s, sum);
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
    const InformationScale& scale = group.information_scale;
    for (int k = 0; k < scale.count; ++k) {
      row[1 + scale.place[k]] += total(s, level_scale) * static_cast<double>(scale.slope[k]);
    }
    row[1 + group.first_sd] += total(s, level_answer) * static_cast<double>(group.sd[0].scale);
    double b_bar[packed_size(max_effects)];
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
  JENSEN_HD double total(int s, int i) const { return blocks.total(i * stride + s); }
};

}  // namespace jensen
