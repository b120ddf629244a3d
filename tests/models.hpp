#pragma once
/// \file Small random models given by terms, and their same-noise ELBO in double: the oracle of the engine's gradients.

#include <cmath>
#include <memory>
#include <numbers>
#include <random>
#include <vector>

#include "batches.hpp"
#include "densities/list.hpp"
#include "guides/fullrank.hpp"
#include "guides/meanfield.hpp"
#include "shuffle.hpp"

namespace jensen::testing {

/// A regression with `columns` coefficients (and log sigma if gaussian), normal priors and a prior on sigma.
struct RandomModel {
  EngineSpec spec;
  std::vector<std::unique_ptr<std::vector<float>>> columns;

  const float* keep(std::vector<float> values) {
    columns.push_back(std::make_unique<std::vector<float>>(std::move(values)));
    return columns.back()->data();
  }
};

inline RandomModel random_model(DensityKind density, std::int64_t rows, int k, unsigned seed) {
  RandomModel model;
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  const auto draws = [&](std::size_t n, float scale) {
    std::vector<float> x(n);
    for (float& v : x) v = scale * normal(random);
    return x;
  };
  const bool gaussian = density == DensityKind::gaussian;
  Term data;
  data.density = density;
  data.subsampled = true;
  data.rows = rows;
  data.constant = -1.25;
  std::vector<float> y, log_y;
  for (std::int64_t i = 0; i < rows; ++i) {
    const float v = normal(random);
    y.push_back(gaussian                                  ? v
                : density == DensityKind::bernoulli_logit ? (v > 0 ? 1.0F : 0.0F)
                                                          : std::floor(std::exp(v)));
    log_y.push_back(y.back() > 0 ? std::log(y.back()) : 0.0F);
  }
  data.constants[0] = model.keep(y);
  if (density == DensityKind::poisson_log) data.constants[1] = model.keep(log_y);
  data.arguments[0].part_count = 1;
  data.arguments[0].parts[0] = {PartKind::dense, 0, k, 1, model.keep(draws(static_cast<std::size_t>(rows) * k, 0.5F))};
  data.arguments[0].offset = model.keep(draws(static_cast<std::size_t>(rows), 0.3F));
  if (gaussian) {
    data.argument_count = 2;
    data.arguments[1].part_count = 1;
    data.arguments[1].parts[0] = {PartKind::scalar, k, 1, 0.7F, nullptr};
    data.arguments[1].constant = 0.2F;
  }
  Term prior;
  prior.density = DensityKind::student_t_prior;
  prior.rows = k;
  prior.constants[0] = model.keep(draws(static_cast<std::size_t>(k), 1));
  prior.constants[1] = model.keep(std::vector<float>(static_cast<std::size_t>(k), 0.8F));
  prior.constants[2] = model.keep(std::vector<float>(static_cast<std::size_t>(k), 4.0F));
  prior.arguments[0].part_count = 1;
  prior.arguments[0].parts[0] = {PartKind::dense, 0, k, 1, model.keep(draws(static_cast<std::size_t>(k) * k, 1))};
  model.spec.terms = {data, prior};
  if (gaussian) {
    Term sigma;
    sigma.density = DensityKind::exponential_prior;
    sigma.rows = 1;
    sigma.constants[1] = model.keep({0.5F});
    sigma.arguments[0].part_count = 1;
    sigma.arguments[0].parts[0] = {PartKind::scalar, k, 1, 0.7F, nullptr};
    model.spec.terms.push_back(sigma);
  }
  model.spec.dimension = k + (gaussian ? 1 : 0);
  model.spec.rows = rows;
  model.spec.batch = rows;
  model.spec.samples = 6;
  model.spec.seed = seed;
  model.spec.threads = 2;
  return model;
}

/// lambda with every element off zero.
inline std::vector<float> random_lambda(std::size_t size, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal(0, 0.2F);
  std::vector<float> lambda(size);
  for (float& v : lambda) v = normal(random);
  return lambda;
}
inline std::size_t lambda_size(const EngineSpec& spec) {
  return static_cast<std::size_t>(spec.guide == GuideShape::meanfield ? Meanfield{spec.dimension, nullptr, 0}.size()
                                                                      : Fullrank{spec.dimension, 0}.size());
}

/// One term at z and the groups' effects over the rows of step t, in double.
inline double term_sum(const Term& term, const std::vector<double>& z, const std::vector<std::vector<double>>& effects,
                       const std::vector<std::int64_t>& rows) {
  double total = 0;
  for (const std::int64_t row : rows) {
    double a[max_arguments] = {};
    for (int i = 0; i < term.argument_count; ++i) {
      const Predictor& p = term.arguments[i];
      a[i] = p.constant + (p.offset == nullptr ? 0.0 : p.offset[row]);
      for (int j = 0; j < p.part_count; ++j) {
        const Part& part = p.parts[j];
        for (int k = 0; k < part.columns; ++k) {
          const double factor = part.kind == PartKind::scalar ? part.scale
                                : part.x == nullptr           ? 1.0
                                                              : part.x[row * part.columns + k];
          a[i] += factor * (part.kind == PartKind::gather
                                ? effects[static_cast<std::size_t>(part.group)]
                                         [static_cast<std::size_t>(part.index[row] * part.columns + k)]
                                : z[static_cast<std::size_t>(part.first + k)]);
        }
      }
    }
    double constants[max_constants] = {};
    for (int c = 0; c < max_constants; ++c) constants[c] = term.constants[c] == nullptr ? 0.0 : term.constants[c][row];
    double d[max_arguments] = {};
    total += (term.weights == nullptr ? 1.0 : static_cast<double>(term.weights[row])) *
             evaluate_density(term.density, constants, a, term.argument_count, d);
  }
  return total;
}

/// z (head) and each group's effects at latents w and v (of all groups), with what the maps add to the log joint.
struct Expanded {
  std::vector<double> z;
  std::vector<std::vector<double>> effects;
  double log_density = 0;
};
template <int Q>
void expand_group(const GroupBlock& group, const std::vector<double>& w, const double* v, Expanded& out) {
  double log_sd[Q], correlation[max_correlations] = {}, factor[packed_size(Q)], reference[packed_size(Q)];
  for (int k = 0; k < Q; ++k) log_sd[k] = group.sd[k].shift + group.sd[k].scale * w[group.first_sd + k];
  for (int k = 0; k < Q * (Q - 1) / 2 && group.first_correlation >= 0; ++k) {
    correlation[k] = group.correlation[k].shift + group.correlation[k].scale * w[group.first_correlation + k];
  }
  for (int i = 0; i < packed_size(Q); ++i) reference[i] = group.reference[i];
  covariance_factor(Q, log_sd, correlation, factor);
  double log_scale = 0;
  for (int k = 0; k < group.information_scale.count; ++k) {
    log_scale += static_cast<double>(group.information_scale.slope[k]) *
                 w[static_cast<std::size_t>(group.information_scale.place[k])];
  }
  const double moved = group.sd[0].scale * w[static_cast<std::size_t>(group.first_sd)];
  std::vector<double> effects;
  for (std::int64_t j = 0; j < group.levels; ++j) {
    const double answer[] = {group.answer == nullptr ? 0.0 : group.answer[2 * j],
                             group.answer == nullptr ? 0.0 : group.answer[2 * j + 1]};
    double r[Q], at[Q], u[Q];
    for (int e = 0; e < Q; ++e) {
      r[e] = (group.location == nullptr ? 0.0 : group.location[j * Q + e]) + answer[1] * moved;
      const int columns = group.coefficients + group.coupled;
      for (int c = 0; c < columns && group.coupling != nullptr; ++c) {
        double by = 0;
        if (c < group.coefficients) {
          by = w[group.first_coefficient + c];
        } else {  // effects of the groups from coupled_group on, one after the other
          auto k = static_cast<std::size_t>(c - group.coefficients);
          auto from = static_cast<std::size_t>(group.coupled_group);
          while (k >= out.effects[from].size()) k -= out.effects[from++].size();
          by = out.effects[from][k];
        }
        r[e] -= group.coupling[(j * Q + e) * columns + c] * by;
      }
      const FollowedEffects& f = group.followed;
      for (std::int64_t i = f.begin == nullptr ? 0 : f.begin[j * Q + e]; f.begin != nullptr; ++i) {
        if (i == f.begin[j * Q + e + 1]) break;
        auto k = static_cast<std::size_t>(f.coordinate[i]);
        std::size_t from = 0;
        while (k >= out.effects[from].size()) k -= out.effects[from++].size();
        r[e] -= static_cast<double>(f.slope[i]) * out.effects[from][k];
      }
      at[e] = group.in_head >= 0 ? w[group.in_head + j * Q + e] : v[j * Q + e];
    }
    LevelMap<double, Q> map;
    map.prepare(group.centred ? reference : factor,
                group.information == nullptr ? nullptr : group.information + j * packed_size(Q),
                group.skew == nullptr ? nullptr : group.skew + j * Q, std::exp(log_scale), std::exp(answer[0] * moved));
    map.forward(r, at, u);
    effects.insert(effects.end(), u, u + Q);
    if (!group.centred) out.log_density += map.log_density();
    double t[Q];
    for (int i = 0; i < Q && group.centred; ++i) {
      t[i] = u[i];
      for (int l = 0; l < i; ++l) t[i] -= factor[packed(i, l)] * t[l];
      t[i] /= factor[packed(i, i)];
      out.log_density +=
          -0.5 * t[i] * t[i] - std::log(factor[packed(i, i)]) + std::log(reference[packed(i, i)] / map.k[packed(i, i)]);
    }
  }
  out.log_density -= 0.5 * std::log(2 * std::numbers::pi) * static_cast<double>(group.levels * Q);
  out.effects.push_back(std::move(effects));
}

inline Expanded expand(const EngineSpec& spec, const std::vector<double>& w, const std::vector<double>& v) {
  Expanded out{w, {}, 0};
  for (const OrderedBlock& block : spec.ordered) {
    for (int k = 0; k < block.count; ++k) {
      double y = block.shift[k];
      for (int l = 0; l < block.count; ++l) {
        y += static_cast<double>(block.matrix[k * block.count + l]) * w[static_cast<std::size_t>(block.first + l)];
      }
      const auto at = static_cast<std::size_t>(block.first + k);
      out.z[at] = (k == 0 ? 0 : out.z[at - 1]) + std::exp(y);
      out.log_density += y;
    }
  }
  for (const HeadMap& map : spec.head_maps) {
    for (int i = 0; i < map.count; ++i) {
      double sum = 0;
      for (int j = i; j < map.count; ++j) {
        sum += static_cast<double>(map.matrix[i * map.count + j]) * w[static_cast<std::size_t>(map.first + j)];
      }
      out.z[static_cast<std::size_t>(map.first + i)] = sum;
    }
  }
  const double* next = v.data();
  for (const GroupBlock& group : spec.groups) {
    with_effects(group.effects, [&](auto count) { expand_group<decltype(count)::value>(group, out.z, next, out); });
    if (group.in_head < 0) next += group.levels * group.effects;
  }
  return out;
}

/// The rows of step t.
inline std::vector<std::int64_t> rows_of_step(const EngineSpec& spec, std::int64_t t) {
  std::vector<std::int64_t> rows;
  if (spec.batch == spec.rows) {
    for (std::int64_t i = 0; i < spec.rows; ++i) rows.push_back(i);
    return rows;
  }
  const std::int64_t batches = batch_count(spec.rows, spec.batch);
  const auto epoch = static_cast<std::uint64_t>(t / batches);
  const auto all = static_cast<std::uint32_t>(spec.rows);
  const bool resident = std::ranges::any_of(spec.terms, &Term::resident);
  const bool in_order = spec.shuffled || !spec.groups.empty();
  std::int64_t b = t % batches;
  if (in_order || !resident) {
    b = Shuffle(static_cast<std::uint32_t>(batches), spec.seed, epoch)(static_cast<std::uint32_t>(b));
  }
  const Shuffle shuffle(all, spec.seed, resident ? epoch : ~std::uint64_t{0});
  for (std::int64_t i = batch_begin(spec.rows, batches, b); i < batch_begin(spec.rows, batches, b + 1); ++i) {
    rows.push_back(in_order ? i : shuffle(static_cast<std::uint32_t>(i)));
  }
  return rows;
}

/// The ELBO estimate of step t with the given noise (S x H, and of the levels coordinates x S), as equations (1) to (3)
/// say, with the anchor at w = 0, v = 0 and its full-data sums taken as zero, and the reference's expectation in closed
/// form.
inline double elbo_in_double(const EngineSpec& spec, const std::vector<double>& lambda, const std::vector<float>& noise,
                             std::int64_t t, const std::vector<float>& level_noise = {}) {
  const auto d = static_cast<std::size_t>(spec.dimension);
  const bool whole = spec.batch == spec.rows;
  const std::vector<std::int64_t> data_rows = rows_of_step(spec, t);
  const double scale = data_rows.empty() ? 0 : static_cast<double>(spec.rows) / static_cast<double>(data_rows.size());

  std::vector<double> factor(d * d);  // w = m + factor eps
  double entropy = 0.5 * static_cast<double>(d) * std::log(2 * std::numbers::pi * std::numbers::e);
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < d; ++j) {
      if (spec.guide == GuideShape::meanfield) {
        const double basis = spec.basis.empty() ? (i == j ? 1.0 : 0.0) : static_cast<double>(spec.basis[i * d + j]);
        factor[i * d + j] = basis * std::exp(lambda[d + j]);
      } else if (j <= i) {
        const double element = lambda[d + i * (i + 1) / 2 + j];
        factor[i * d + j] = i == j ? std::exp(element) : element;
      }
    }
    entropy += spec.guide == GuideShape::meanfield ? lambda[d + i] : lambda[d + i * (i + 1) / 2 + i];
  }
  double trace = 0;
  for (const double f : factor) trace += f * f;
  double location = 0;
  for (std::size_t i = 0; i < d; ++i) location += lambda[i] * lambda[i];
  const double rho = spec.reference;

  // levels: v = m + L eps
  std::size_t begin = spec.guide == GuideShape::meanfield ? 2 * d : d + d * (d + 1) / 2;
  const auto samples = static_cast<std::size_t>(spec.samples);
  std::vector<std::vector<double>> levels(samples);
  std::size_t coordinate = 0;
  std::size_t in_head = 0;  // coordinates before those with a guide of their own
  for (const GroupBlock& group : spec.groups) {
    if (group.in_head >= 0) {
      in_head += static_cast<std::size_t>(group.levels * group.effects);
      continue;
    }
    const auto q = static_cast<std::size_t>(group.effects);
    const auto size = static_cast<std::size_t>(group.levels) * q;
    const std::size_t each = spec.dense_levels ? q * (q + 1) / 2 : q;
    for (std::size_t i = 0; i < size; ++i) {
      const std::size_t e = i % q;
      const double mean = lambda[begin + i];
      location += mean * mean;
      std::vector<double> v(samples, mean);
      for (std::size_t k = spec.dense_levels ? 0 : e; k <= e; ++k) {
        const double element = lambda[begin + size + i / q * each + (spec.dense_levels ? e * (e + 1) / 2 + k : e)];
        const double scaled = k == e ? std::exp(element) : element;
        trace += scaled * scaled;
        if (k == e) entropy += element;
        for (std::size_t s = 0; s < samples; ++s) {
          v[s] += scaled * level_noise[(in_head + coordinate + i - e + k) * samples + s];
        }
      }
      for (std::size_t s = 0; s < samples; ++s) levels[s].push_back(v[s]);
    }
    entropy += 0.5 * static_cast<double>(size) * std::log(2 * std::numbers::pi * std::numbers::e);
    begin += size + static_cast<std::size_t>(group.levels) * each;
    coordinate += size;
  }

  const Expanded anchor = expand(spec, std::vector<double>(d), std::vector<double>(coordinate));
  const auto along = [&](const Expanded& to, double h) {  // anchor + h (to - anchor), in z and the effects
    Expanded at = anchor;
    for (std::size_t i = 0; i < d; ++i) at.z[i] += h * (to.z[i] - anchor.z[i]);
    for (std::size_t g = 0; g < at.effects.size(); ++g) {
      for (std::size_t i = 0; i < at.effects[g].size(); ++i) {
        at.effects[g][i] += h * (to.effects[g][i] - anchor.effects[g][i]);
      }
    }
    return at;
  };

  double mean = 0;
  for (std::size_t s = 0; s < samples; ++s) {
    std::vector<double> w(lambda.begin(), lambda.begin() + static_cast<std::ptrdiff_t>(d));
    double square = 0;
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = 0; j < d; ++j) w[i] += factor[i * d + j] * noise[s * d + j];
      square += w[i] * w[i];
    }
    for (const double x : levels[s]) square += x * x;
    const Expanded at = expand(spec, w, levels[s]);
    double l = rho / 2 * square + at.log_density;
    for (const Term& term : spec.terms) {
      if (term.subsampled) {
        l += scale * term_sum(term, at.z, at.effects, data_rows) + term.constant;
        if (!whole) {  // minus the tangent at the anchor
          constexpr double h = 1e-4;
          const Expanded ahead = along(at, h), behind = along(at, -h);
          const double slope = (term_sum(term, ahead.z, ahead.effects, data_rows) -
                                term_sum(term, behind.z, behind.effects, data_rows)) /
                               (2 * h);
          l -= scale * (term_sum(term, anchor.z, anchor.effects, data_rows) + slope);
        }
      } else {
        std::vector<std::int64_t> all(static_cast<std::size_t>(term.rows));
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
        l += term_sum(term, at.z, at.effects, all) + term.constant;
      }
    }
    mean += l / spec.samples;
  }
  return mean + entropy - rho / 2 * (location + trace);
}

}  // namespace jensen::testing
