#include "posterior/level_effects.hpp"

#include <algorithm>
#include <cmath>

#include "group_map.hpp"
#include "model/packed_cholesky.hpp"
#include "noise.hpp"
#include "posterior/fit_shape.hpp"

namespace jensen {
namespace {

constexpr std::uint64_t new_level_streams = std::uint64_t{1} << 16U;

/// Noise of coordinate `place` of a stream in every draw: four draws share a counter.
void fill_noise(const DrawPlan& plan, std::uint64_t stream, std::size_t place, double* out) {
  const std::size_t width = plan.antithetic ? 2 : 1;
  Normals n{};
  std::size_t at = ~std::size_t{0};
  for (std::size_t s = 0; s < plan.count; ++s) {
    const std::size_t sample = (plan.first + s) / width;
    if (sample / 4 != at) {
      at = sample / 4;
      // The high part of the place goes above the stream's number.
      const std::uint64_t step = stream | (static_cast<std::uint64_t>(place >> 32U) << 32U);
      n = standard_normals(plan.seed, Purpose::draw, step, static_cast<std::uint32_t>(at),
                           static_cast<std::uint32_t>(place));
    }
    const auto eps = static_cast<double>(n.n[sample % 4]);
    out[s] = plan.antithetic && (plan.first + s) % 2 == 1 ? -eps : eps;
  }
}

}  // namespace

struct LevelEffects::Followed {
  std::size_t first;  ///< place of its first effect among those of all groups
  LevelEffects effects;
  std::vector<double> kept;  ///< all levels' effects, q x S each; empty: made on request

  std::size_t end() const { return first + effects.group().levels * effects.effects(); }
};

LevelEffects::LevelEffects(const Fit& fit, std::size_t group, const ParameterDraws& draws, std::size_t room)
    : fit_(fit),
      group_(fit.groups[group]),
      draws_(draws),
      stream_(1 + group),
      slopes_(group_.coefficients + coupled_effects(fit, group_)) {
  const std::size_t q = effects();
  const std::size_t correlations = group_.first_correlation == 0 ? 0 : q * (q - 1) / 2;
  const auto size = static_cast<std::size_t>(packed_size(static_cast<int>(q)));
  std::vector<double> log_sd(q), partial(correlations);
  factors_.resize(draws.count() * size);
  for (std::size_t s = 0; s < draws.count(); ++s) {
    for (std::size_t k = 0; k < q; ++k) log_sd[k] = draws.coordinate(group_.first_sd + k)[s];
    for (std::size_t k = 0; k < correlations; ++k) partial[k] = draws.coordinate(group_.first_correlation + k)[s];
    covariance_factor(static_cast<int>(q), log_sd.data(), correlations > 0 ? partial.data() : nullptr,
                      factors_.data() + s * size);
  }
  scales_.assign(draws.count(), 0.0);
  for (std::size_t k = 0; k < group_.information_by.size(); ++k) {
    const std::span<const double> a = draws.coordinate(group_.information_by[k]);
    for (std::size_t s = 0; s < draws.count(); ++s) {
      scales_[s] += group_.information_slope[k] * (a[s] - group_.information_origin[k]);
    }
  }
  for (double& scale : scales_) scale = std::exp(scale);
  for (const double a : draws.coordinate(group_.first_sd)) moved_.push_back(a - group_.answer_origin);
  if (!group_.coupling.empty()) fill_coupled();
  if (!group_.followed.empty()) find_followed(room);
}

void LevelEffects::fill_coupled() {
  const std::size_t count = draws_.count();
  coupled_.resize((slopes_ - group_.coefficients) * count);
  double* out = coupled_.data();
  for (const std::size_t place : group_.coupled) {
    const LevelEffects other(fit_, place, draws_);
    const std::size_t size = other.effects() * count;
#pragma omp parallel for schedule(static)
    for (std::int64_t j = 0; j < static_cast<std::int64_t>(other.group().levels); ++j) {
      const auto level = static_cast<std::size_t>(j);
      other.fill(level, out + level * size);
    }
    out += other.group().levels * size;
  }
}

void LevelEffects::find_followed(std::size_t room) {
  std::vector<std::size_t> first;  // of each group before this one, and of this one
  for (const GroupPosterior& group : fit_.groups) {
    first.push_back(first_effect(fit_, group));
    if (&group == &group_) break;
  }
  std::vector<bool> needed(first.size());
  for (const std::int32_t place : group_.followed) {
    needed[static_cast<std::size_t>(std::ranges::upper_bound(first, static_cast<std::size_t>(place)) - first.begin() -
                                    1)] = true;
  }
  for (std::size_t g = 0; g + 1 < first.size(); ++g) {
    if (!needed[g]) continue;
    auto followed = std::make_shared<Followed>(Followed{first[g], LevelEffects(fit_, g, draws_, room), {}});
    const std::size_t each = followed->effects.effects() * draws_.count();
    const std::size_t levels = followed->effects.group().levels;
    if (levels * each <= room) {
      room -= levels * each;
      followed->kept.resize(levels * each);
#pragma omp parallel for schedule(static)
      for (std::int64_t j = 0; j < static_cast<std::int64_t>(levels); ++j) {
        const auto level = static_cast<std::size_t>(j);
        followed->effects.fill(level, followed->kept.data() + level * each);
      }
    }
    followed_.push_back(std::move(followed));
  }
}

/// r -= what the effects that the level follows give. A followed level is made once for all effects of this one.
template <int Q>
void LevelEffects::follow(std::size_t level, double* r) const {
  const std::size_t count = draws_.count();
  std::int64_t at[Q], end[Q];
  for (std::size_t e = 0; e < Q; ++e) {
    at[e] = group_.followed_begin[level * Q + e];
    end[e] = group_.followed_begin[level * Q + e + 1];
  }
  std::vector<double> made;
  for (const std::shared_ptr<const Followed>& one : followed_) {
    const std::size_t each = one->effects.effects();
    made.resize(one->kept.empty() ? each * count : 0);
    while (true) {
      std::size_t next = one->end();  // the first effect that a row is at
      for (std::size_t e = 0; e < Q; ++e) {
        if (at[e] < end[e])
          next = std::min(next, static_cast<std::size_t>(group_.followed[static_cast<std::size_t>(at[e])]));
      }
      if (next == one->end()) break;
      const std::size_t other = (next - one->first) / each;
      if (one->kept.empty()) one->effects.fill(other, made.data());
      const double* u = one->kept.empty() ? made.data() : one->kept.data() + other * each * count;
      const std::size_t begin = one->first + other * each;
      for (std::size_t e = 0; e < Q; ++e) {
        for (; at[e] < end[e]; ++at[e]) {
          const auto entry = static_cast<std::size_t>(at[e]);
          const std::size_t place = static_cast<std::size_t>(group_.followed[entry]) - begin;
          if (place >= each) break;
          const auto slope = static_cast<double>(group_.followed_slope[entry]);
          for (std::size_t s = 0; s < count; ++s) r[e * count + s] -= slope * u[place * count + s];
        }
      }
    }
  }
}

/// r = location - coupling (b - origin, e), less what followed levels give
template <int Q>
void LevelEffects::fill_locations(std::size_t level, double* r) const {
  const std::size_t count = draws_.count();
  for (std::size_t e = 0; e < Q; ++e) {
    const double start = group_.location.empty() ? 0.0 : static_cast<double>(group_.location[level * Q + e]);
    std::fill(r + e * count, r + (e + 1) * count, start);
    for (std::size_t s = 0; s < count && !group_.answer.empty(); ++s) {  // the level has one effect
      r[s] += static_cast<double>(group_.answer[2 * level + 1]) * moved_[s];
    }
    if (group_.coupling.empty()) continue;
    const float* slopes = group_.coupling.data() + (level * Q + e) * slopes_;
    for (std::size_t c = 0; c < slopes_; ++c) {
      const auto slope = static_cast<double>(slopes[c]);
      if (slope == 0) continue;
      const bool coefficient = c < group_.coefficients;
      const double origin = coefficient ? group_.origin[c] : 0.0;
      const double* b = coefficient ? draws_.coordinate(group_.first_coefficient + c).data()
                                    : coupled_.data() + (c - group_.coefficients) * count;
      for (std::size_t s = 0; s < count; ++s) r[e * count + s] -= slope * (b[s] - origin);
    }
  }
  if (!followed_.empty()) follow<Q>(level, r);
}

template <int Q>
void LevelEffects::fill_latents(std::size_t level, double* v) const {
  const std::size_t count = draws_.count();
  const std::size_t first = group_.first + level * Q;
  if (group_.scale.empty()) {
    for (std::size_t e = 0; e < Q; ++e) std::ranges::copy(draws_.along(fit_, first + e), v + e * count);
    return;
  }
  const float* scale = group_.scale.data() + level * static_cast<std::size_t>(packed_size(Q));
  std::vector<double> eps(count);
  for (int e = 0; e < Q; ++e)
    std::fill_n(v + static_cast<std::size_t>(e) * count, count, fit_.mean[first + static_cast<std::size_t>(e)]);
  for (int k = 0; k < Q; ++k) {
    fill_noise(draws_.plan(), stream_, level * Q + static_cast<std::size_t>(k), eps.data());
    for (int e = k; e < Q; ++e) {
      const auto l = static_cast<double>(scale[packed(e, k)]);
      double* to = v + static_cast<std::size_t>(e) * count;
      for (std::size_t s = 0; s < count; ++s) to[s] += l * eps[s];
    }
  }
}

/// The level's map in draw s.
template <int Q>
auto LevelEffects::map(std::size_t level, std::size_t s) const {
  constexpr auto size = static_cast<std::size_t>(packed_size(Q));
  LevelMap<double, Q> map{};
  map.prepare(group_.centered ? group_.reference.data() : factors_.data() + s * size,
              group_.information.empty() ? nullptr : group_.information.data() + level * size,
              group_.skew.empty() ? nullptr : group_.skew.data() + level * Q, scales_[s],
              group_.answer.empty() ? 1.0 : std::exp(static_cast<double>(group_.answer[2 * level]) * moved_[s]));
  return map;
}

void LevelEffects::fill(std::size_t level, double* out) const {
  with_effects(static_cast<int>(effects()), [&](auto q) {
    constexpr int Q = decltype(q)::value;
    const std::size_t count = draws_.count();
    std::vector<double> r(Q * count);
    fill_locations<Q>(level, r.data());
    fill_latents<Q>(level, out);
    for (std::size_t s = 0; s < count; ++s) {
      LevelMap<double, Q> map = this->map<Q>(level, s);
      double at_r[Q], at_v[Q], u[Q];
      for (std::size_t e = 0; e < Q; ++e) at_r[e] = r[e * count + s], at_v[e] = out[e * count + s];
      map.forward(at_r, at_v, u);
      for (std::size_t e = 0; e < Q; ++e) out[e * count + s] = u[e];
    }
  });
}

void LevelEffects::fill_new(std::size_t which, double* out) const {
  const std::size_t count = draws_.count();
  const std::size_t q = effects();
  const auto size = static_cast<std::size_t>(packed_size(static_cast<int>(q)));
  for (std::size_t e = 0; e < q; ++e) {
    fill_noise(draws_.plan(), new_level_streams + stream_, which * q + e, out + e * count);
  }
  for (std::size_t s = 0; s < count; ++s) {
    const double* b = factors_.data() + s * size;
    for (std::size_t e = q; e-- > 0;) {  // upwards, so that no eps is overwritten before it is used
      double u = 0;
      for (std::size_t k = 0; k <= e; ++k)
        u += b[packed(static_cast<int>(e), static_cast<int>(k))] * out[k * count + s];
      out[e * count + s] = u;
    }
  }
}

/// Mean and a factor of the covariance of T(v), v = m + L eps: of exponentials of normals.
template <int Q>
void LevelEffects::turned_moments(std::size_t level, double* mean, double* factor) const {
  constexpr auto size = static_cast<std::size_t>(packed_size(Q));
  const float* scale = group_.scale.data() + level * size;
  for (std::size_t i = 0; i < size; ++i) factor[i] = static_cast<double>(scale[i]);
  for (std::size_t e = 0; e < Q; ++e) mean[e] = fit_.mean[group_.first + level * Q + e];
  if (group_.skew.empty()) return;
  double covariance[size], gamma[Q];
  for (int k = 0; k < Q; ++k) {
    for (int l = 0; l <= k; ++l) {
      double& sum = covariance[packed(k, l)] = 0;
      for (int i = 0; i <= l; ++i) sum += factor[packed(k, i)] * factor[packed(l, i)];
    }
  }
  for (int k = 0; k < Q; ++k) {
    gamma[k] = static_cast<double>(group_.skew[level * Q + static_cast<std::size_t>(k)]);
    const double exponent = gamma[k] * mean[k] + 0.5 * gamma[k] * gamma[k] * (covariance[packed(k, k)] - 1);
    mean[k] = std::expm1(exponent) / gamma[k];
  }
  for (int k = 0; k < Q; ++k) {
    for (int l = 0; l <= k; ++l) {
      const double product = gamma[k] * gamma[l];
      factor[packed(k, l)] = (1 + gamma[k] * mean[k]) * (1 + gamma[l] * mean[l]) *
                             std::expm1(product * covariance[packed(k, l)]) / product;
    }
  }
  packed_cholesky(Q, factor);
}

void LevelEffects::fill_moments(std::size_t level, double* means, double* variances) const {
  with_effects(static_cast<int>(effects()), [&](auto q) {
    constexpr int Q = decltype(q)::value;
    constexpr auto size = static_cast<std::size_t>(packed_size(Q));
    const std::size_t count = draws_.count();
    fill_locations<Q>(level, means);
    double mean[Q], factor[size];
    turned_moments<Q>(level, mean, factor);
    const double zero[Q] = {};
    for (std::size_t s = 0; s < count; ++s) {
      LevelMap<double, Q> map = this->map<Q>(level, s);
      double r[Q], v[Q], u[Q], variance[Q] = {};
      // u is affine in T(v): its columns are the images of the factor's, with r = 0
      for (int k = 0; k < Q; ++k) {
        for (int e = 0; e < Q; ++e) v[e] = e < k ? 0.0 : factor[packed(e, k)];
        map.affine(zero, v, u);
        for (int e = 0; e < Q; ++e) variance[e] += u[e] * u[e];
      }
      for (std::size_t e = 0; e < Q; ++e) r[e] = means[e * count + s];
      map.affine(r, mean, u);
      for (std::size_t e = 0; e < Q; ++e) means[e * count + s] = u[e], variances[e * count + s] = variance[e];
    }
  });
}

}  // namespace jensen
