#include "posterior/level_effects.hpp"

#include <algorithm>

#include "group_map.hpp"
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

LevelEffects::LevelEffects(const Fit& fit, std::size_t group, const ParameterDraws& draws)
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
  if (!group_.coupling.empty()) fill_coupled();
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

/// r = location - coupling (b - origin, e)
template <int Q>
void LevelEffects::fill_locations(std::size_t level, double* r) const {
  const std::size_t count = draws_.count();
  for (std::size_t e = 0; e < Q; ++e) {
    const double start = group_.location.empty() ? 0.0 : static_cast<double>(group_.location[level * Q + e]);
    std::fill(r + e * count, r + (e + 1) * count, start);
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

void LevelEffects::fill(std::size_t level, double* out) const {
  with_effects(static_cast<int>(effects()), [&](auto q) {
    constexpr int Q = decltype(q)::value;
    const std::size_t count = draws_.count();
    std::vector<double> r(Q * count);
    fill_locations<Q>(level, r.data());
    fill_latents<Q>(level, out);
    const float* information = group_.information.empty()
                                   ? nullptr
                                   : group_.information.data() + level * static_cast<std::size_t>(packed_size(Q));
    LevelMap<double, Q> map{};
    if (group_.centered) map.prepare(group_.reference.data(), information);
    for (std::size_t s = 0; s < count; ++s) {
      if (!group_.centered) map.prepare(factors_.data() + s * static_cast<std::size_t>(packed_size(Q)), information);
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

void LevelEffects::fill_moments(std::size_t level, double* means, double* variances) const {
  with_effects(static_cast<int>(effects()), [&](auto q) {
    constexpr int Q = decltype(q)::value;
    constexpr auto size = static_cast<std::size_t>(packed_size(Q));
    const std::size_t count = draws_.count();
    fill_locations<Q>(level, means);
    const float* information = group_.information.empty() ? nullptr : group_.information.data() + level * size;
    const float* scale = group_.scale.data() + level * size;
    LevelMap<double, Q> map{};
    if (group_.centered) map.prepare(group_.reference.data(), information);
    const double zero[Q] = {};
    for (std::size_t s = 0; s < count; ++s) {
      if (!group_.centered) map.prepare(factors_.data() + s * size, information);
      double r[Q], v[Q], u[Q], variance[Q] = {};
      // u is affine in v: its columns are the images of the factor's, with r = 0
      for (int k = 0; k < Q; ++k) {
        for (int e = 0; e < Q; ++e) v[e] = e < k ? 0.0 : static_cast<double>(scale[packed(e, k)]);
        map.forward(zero, v, u);
        for (int e = 0; e < Q; ++e) variance[e] += u[e] * u[e];
      }
      for (std::size_t e = 0; e < Q; ++e) r[e] = means[e * count + s], v[e] = fit_.mean[group_.first + level * Q + e];
      map.forward(r, v, u);
      for (std::size_t e = 0; e < Q; ++e) means[e * count + s] = u[e], variances[e * count + s] = variance[e];
    }
  });
}

}  // namespace jensen
