#pragma once
/// \file Small random models given by terms, and their same-noise ELBO in double: the oracle of the engine's gradients.

#include <cmath>
#include <memory>
#include <numbers>
#include <random>
#include <vector>

#include "densities/list.hpp"
#include "engine.hpp"
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

/// One term at latent w over the rows of step t, in double.
inline double term_sum(const Term& term, const std::vector<double>& w, const std::vector<std::int64_t>& rows) {
  double total = 0;
  for (const std::int64_t row : rows) {
    double a[max_arguments] = {};
    for (int i = 0; i < term.argument_count; ++i) {
      const Predictor& p = term.arguments[i];
      a[i] = p.constant + (p.offset == nullptr ? 0.0 : p.offset[row]);
      for (int j = 0; j < p.part_count; ++j) {
        const Part& part = p.parts[j];
        for (int k = 0; k < part.columns; ++k) {
          const double factor = part.kind == PartKind::scalar ? part.scale : part.x[row * part.columns + k];
          a[i] += factor * w[static_cast<std::size_t>(part.first + k)];
        }
      }
    }
    double constants[max_constants] = {};
    for (int c = 0; c < max_constants; ++c) constants[c] = term.constants[c] == nullptr ? 0.0 : term.constants[c][row];
    double d[max_arguments] = {};
    total += evaluate_density(term.density, constants, a, term.argument_count, d);
  }
  return total;
}

/// The ELBO estimate of step t with the given noise (S x D), as equations (1) to (3) say, with the anchor at w = 0 and
/// its full-data sums taken as zero, and the reference's expectation in closed form.
inline double elbo_in_double(const EngineSpec& spec, const std::vector<double>& lambda, const std::vector<float>& noise,
                             std::int64_t t) {
  const auto d = static_cast<std::size_t>(spec.dimension);
  const BatchRange range = batch_range(spec.rows, spec.batch, t);
  const bool whole = spec.batch == spec.rows;
  const Shuffle shuffle(static_cast<std::uint32_t>(spec.rows), spec.seed, static_cast<std::uint64_t>(range.epoch));
  std::vector<std::int64_t> data_rows;
  for (std::int64_t i = range.begin; i < range.end; ++i) {
    data_rows.push_back(whole ? i : static_cast<std::int64_t>(shuffle(static_cast<std::uint32_t>(i))));
  }
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

  double mean = 0;
  for (int s = 0; s < spec.samples; ++s) {
    std::vector<double> w(lambda.begin(), lambda.begin() + static_cast<std::ptrdiff_t>(d));
    double square = 0;
    for (std::size_t i = 0; i < d; ++i) {
      for (std::size_t j = 0; j < d; ++j) w[i] += factor[i * d + j] * noise[static_cast<std::size_t>(s) * d + j];
      square += w[i] * w[i];
    }
    double l = rho / 2 * square;
    for (const Term& term : spec.terms) {
      if (term.subsampled) {
        l += scale * term_sum(term, w, data_rows) + term.constant;
        if (!whole) {  // minus the tangent at the anchor
          constexpr double h = 1e-4;
          std::vector<double> ahead, behind;
          for (const double v : w) ahead.push_back(h * v), behind.push_back(-h * v);
          const double slope = (term_sum(term, ahead, data_rows) - term_sum(term, behind, data_rows)) / (2 * h);
          l -= scale * (term_sum(term, std::vector<double>(d), data_rows) + slope);
        }
      } else {
        std::vector<std::int64_t> all(static_cast<std::size_t>(term.rows));
        for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::int64_t>(i);
        l += term_sum(term, w, all) + term.constant;
      }
    }
    mean += l / spec.samples;
  }
  return mean + entropy - rho / 2 * (location + trace);
}

}  // namespace jensen::testing
