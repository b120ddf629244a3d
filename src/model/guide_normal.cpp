#include "model/guide_normal.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace jensen {
namespace {

std::size_t effects_of(const GroupBlock& group) {
  return static_cast<std::size_t>(group.levels) * static_cast<std::size_t>(group.effects);
}

std::size_t head_size(const Model& model, const GuideLayout& layout) {
  std::size_t size = model.size();
  for (std::size_t g = 0; g < layout.head_groups; ++g) size += effects_of(model.groups[g]);
  return size;
}

std::size_t head_lambda(std::size_t d, GuideShape shape) {
  return shape == GuideShape::meanfield ? 2 * d : d + d * (d + 1) / 2;
}

std::size_t scales_of(const GroupBlock& group, const GuideLayout& layout) {
  const auto q = static_cast<std::size_t>(group.effects);
  return layout.dense_levels ? q * (q + 1) / 2 : q;
}

/// The head's factor in latent coordinates.
Matrix latent_factor(const Model& model, const GuideLayout& layout, const std::vector<double>& lambda) {
  const std::size_t d = head_size(model, layout);
  Matrix latent(d, d);
  for (std::size_t i = 0; i < d; ++i) {
    for (std::size_t j = 0; j < d; ++j) {
      if (layout.head == GuideShape::meanfield) {
        const double basis = i < model.size() && j < model.size() ? model.basis(i, j) : (i == j ? 1.0 : 0.0);
        latent(i, j) = basis * std::exp(lambda[d + j]);
      } else if (j <= i) {
        const double element = lambda[d + i * (i + 1) / 2 + j];
        latent(i, j) = i == j ? std::exp(element) : element;
      }
    }
  }
  return latent;
}

/// Where the levels in the head that are whitened have their first coordinate.
std::size_t first_coordinate(const Model& model, const HeadWhitening& whitening) {
  std::size_t at = model.size();
  for (std::size_t g = 0; g < whitening.first_group; ++g) at += effects_of(model.groups[g]);
  return at;
}

/// v = M w, of rows i .. of `x`, in place.
void unwhiten(const Matrix& map, double* x, std::size_t columns) {
  for (std::size_t i = 0; i < map.rows; ++i) {  // upper triangular: rows below are still as they were
    double* row = x + i * columns;
    for (std::size_t c = 0; c < columns; ++c) row[c] *= map(i, i);
    for (std::size_t j = i + 1; j < map.rows; ++j) {
      for (std::size_t c = 0; c < columns; ++c) row[c] += map(i, j) * x[j * columns + c];
    }
  }
}

double row_norm(const Matrix& factor, std::size_t i) {
  double square = 0;
  for (std::size_t j = 0; j < factor.columns; ++j) square += factor(i, j) * factor(i, j);
  return std::sqrt(square);
}

/// sd of effect e of a level whose packed factor is at `l`.
double level_sd(const float* l, std::size_t e) {
  double square = 0;
  for (std::size_t k = 0; k <= e; ++k) {
    const auto value = static_cast<double>(l[e * (e + 1) / 2 + k]);
    square += value * value;
  }
  return std::sqrt(square);
}

}  // namespace

std::size_t lambda_size(const Model& model, const GuideLayout& layout) {
  std::size_t size = head_lambda(head_size(model, layout), layout.head);
  for (std::size_t g = layout.head_groups; g < model.groups.size(); ++g) {
    const GroupBlock& group = model.groups[g];
    size +=
        static_cast<std::size_t>(group.levels) * (static_cast<std::size_t>(group.effects) + scales_of(group, layout));
  }
  return size;
}

GuideNormal normal_of(const Model& model, const GuideLayout& layout, const std::vector<double>& lambda) {
  const std::size_t h = model.size();
  const std::size_t d = head_size(model, layout);
  const Matrix latent = latent_factor(model, layout, lambda);
  GuideNormal out;
  out.mean.assign(lambda.begin(), lambda.begin() + static_cast<std::ptrdiff_t>(d));
  out.factor = latent;
  for (std::size_t i = 0; i < h; ++i) {
    double mean = model.shift[i];
    std::vector<double> row(d);
    for (std::size_t k = 0; k < h; ++k) {
      const double t = model.to_user(i, k);
      if (t == 0) continue;
      mean += t * lambda[k];
      for (std::size_t j = 0; j < d; ++j) row[j] += t * latent(k, j);
    }
    out.mean[i] = mean;
    std::copy(row.begin(), row.end(), out.factor.values.begin() + static_cast<std::ptrdiff_t>(i * d));
  }
  for (const HeadWhitening& whitening : model.head_whitening) {
    if (layout.head == GuideShape::meanfield) break;
    const std::size_t first = first_coordinate(model, whitening);
    unwhiten(whitening.matrix, out.mean.data() + first, 1);
    unwhiten(whitening.matrix, out.factor.values.data() + first * d, d);
  }
  out.level_scale.resize(model.groups.size());
  std::size_t at = head_lambda(d, layout.head);
  for (std::size_t g = layout.head_groups; g < model.groups.size(); ++g) {
    const GroupBlock& group = model.groups[g];
    const auto q = static_cast<std::size_t>(group.effects);
    const auto levels = static_cast<std::size_t>(group.levels);
    out.mean.insert(out.mean.end(), lambda.begin() + static_cast<std::ptrdiff_t>(at),
                    lambda.begin() + static_cast<std::ptrdiff_t>(at + levels * q));
    at += levels * q;
    std::vector<float>& scale = out.level_scale[g];
    scale.resize(levels * q * (q + 1) / 2);
    for (std::size_t j = 0; j < levels; ++j) {
      float* l = scale.data() + j * q * (q + 1) / 2;
      for (std::size_t e = 0; e < q; ++e) {
        for (std::size_t k = layout.dense_levels ? 0 : e; k <= e; ++k, ++at) {
          l[e * (e + 1) / 2 + k] = static_cast<float>(k == e ? std::exp(lambda[at]) : lambda[at]);
        }
      }
    }
  }
  return out;
}

double log_peak(const Model& model, const GuideLayout& layout, const std::vector<double>& lambda) {
  const std::size_t d = head_size(model, layout);
  double log_scale = model.log_determinant;
  if (layout.head == GuideShape::meanfield) {
    log_scale += model.log_basis_determinant;
    for (std::size_t i = 0; i < d; ++i) log_scale += lambda[d + i];
  } else {
    for (std::size_t i = 0; i < d; ++i) log_scale += lambda[d + i * (i + 1) / 2 + i];
    for (const HeadWhitening& whitening : model.head_whitening) {
      for (std::size_t i = 0; i < whitening.matrix.rows; ++i) log_scale += std::log(whitening.matrix(i, i));
    }
  }
  std::size_t coordinates = d;
  std::size_t at = head_lambda(d, layout.head);
  for (std::size_t g = layout.head_groups; g < model.groups.size(); ++g) {
    const auto q = static_cast<std::size_t>(model.groups[g].effects);
    const std::size_t size = effects_of(model.groups[g]);
    coordinates += size;
    at += size;
    for (std::size_t i = 0; i < size; ++i) {
      at += layout.dense_levels ? i % q : 0;
      log_scale += lambda[at++];
    }
  }
  return -log_scale - 0.5 * static_cast<double>(coordinates) * std::log(2 * std::numbers::pi);
}

Drift drift_between(const Model& model, const GuideNormal& a, const GuideNormal& b) {
  const std::size_t h = model.size();
  const auto changes = [&](std::size_t i, double sd_a, double sd_b) {
    return std::pair{(a.mean[i] - b.mean[i]) / sd_b, std::log(sd_a / sd_b)};
  };
  Drift drift;
  const auto add = [&](double size, std::size_t parameter, std::size_t group) {
    if (size > drift.size) drift = {size, parameter, group};
  };
  for (std::size_t i = 0; i < h; ++i) {
    const auto [mean, sd] = changes(i, row_norm(a.factor, i), row_norm(b.factor, i));
    add(std::max(std::abs(mean), std::abs(sd)), i, 0);
  }
  std::size_t at = h;
  for (std::size_t g = 0; g < model.groups.size(); ++g) {
    const auto q = static_cast<std::size_t>(model.groups[g].effects);
    const auto levels = static_cast<std::size_t>(model.groups[g].levels);
    double mean_squares = 0, sd_squares = 0;
    for (std::size_t i = 0; i < levels * q; ++i) {
      const std::size_t place = i / q * (q * (q + 1) / 2);
      const double sd_a =
          a.level_scale[g].empty() ? row_norm(a.factor, at + i) : level_sd(a.level_scale[g].data() + place, i % q);
      const double sd_b =
          b.level_scale[g].empty() ? row_norm(b.factor, at + i) : level_sd(b.level_scale[g].data() + place, i % q);
      const auto [mean, sd] = changes(at + i, sd_a, sd_b);
      mean_squares += mean * mean;
      sd_squares += sd * sd;
    }
    at += levels * q;
    const auto count = static_cast<double>(levels * q);
    add(std::sqrt(std::max(mean_squares, sd_squares) / count), h, g);
  }
  return drift;
}

}  // namespace jensen
