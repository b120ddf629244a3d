#pragma once
/// \file A mixed model of known variances, whose posterior is a dense normal, and the same posterior as a Fit whose
/// large group depends on two small ones.

#include <array>
#include <cmath>
#include <cstddef>
#include <string>
#include <vector>

#include "jensen/fit.hpp"

namespace jensen::test {

/// Symmetric matrix, row-major.
struct Dense {
  std::size_t n = 0;
  std::vector<double> values = std::vector<double>(n * n, 0.0);
  double& operator()(std::size_t i, std::size_t j) { return values[i * n + j]; }
  double operator()(std::size_t i, std::size_t j) const { return values[i * n + j]; }
};

/// Lower triangular L, a = L L^T.
inline Dense cholesky(const Dense& a) {
  Dense l{a.n};
  for (std::size_t j = 0; j < a.n; ++j) {
    for (std::size_t i = j; i < a.n; ++i) {
      double sum = a(i, j);
      for (std::size_t k = 0; k < j; ++k) sum -= l(i, k) * l(j, k);
      l(i, j) = i == j ? std::sqrt(sum) : sum / l(j, j);
    }
  }
  return l;
}

/// x of a x = b
inline std::vector<double> solve(const Dense& a, std::vector<double> b) {
  const Dense l = cholesky(a);
  for (std::size_t i = 0; i < a.n; ++i) {
    for (std::size_t k = 0; k < i; ++k) b[i] -= l(i, k) * b[k];
    b[i] /= l(i, i);
  }
  for (std::size_t i = a.n; i-- > 0;) {
    for (std::size_t k = i + 1; k < a.n; ++k) b[i] -= l(k, i) * b[k];
    b[i] /= l(i, i);
  }
  return b;
}

inline Dense inverse(const Dense& a) {
  Dense out{a.n};
  for (std::size_t j = 0; j < a.n; ++j) {
    std::vector<double> column(a.n, 0.0);
    column[j] = 1;
    column = solve(a, column);
    for (std::size_t i = 0; i < a.n; ++i) out(i, j) = column[i];
  }
  return out;
}

/// y ~ 1 + x + (1 + x | g) + (1 + x | h) + (1 | k) with sigma = 1/2, b ~ N(0, 4) and known sds and correlations of the
/// groups; 3 levels of g, 2 of h, 3 of k, 40 rows. Effects z = (b, k, h, g), 15 of them: levels in order, of each its
/// effects. `fit` has the exact posterior: g's levels given b, k and h, which are within the factor.
struct CoupledFit {
  static constexpr std::size_t all = 15, head = 9, hyper = 9;
  static constexpr std::size_t k_at = 2, h_at = 5, g_at = 9;  // in z
  static constexpr double k_sd = 0.6, noise_variance = 0.25;
  /// Covariance factors of g and h, lower triangular: b00, b10, b11.
  static constexpr std::array<double, 3> g_factor{0.9, -0.2, 0.4}, h_factor{0.7, 0.15, 0.3};

  std::vector<double> mean;  ///< of z
  Dense covariance;          ///< of z
  Fit fit;

  CoupledFit() : covariance{all} {
    constexpr std::array<double, 2> origin{0.5, -0.25};
    Dense precision = prior_precision();
    std::vector<double> right(all, 0.0);
    GroupPosterior g = make_group("g", {"Intercept", "x"}, 3, 2, 4);
    g.coefficients = 2;
    g.origin = {origin[0], origin[1]};
    g.coupled = {2, 1};  // k before h
    std::vector<double> information(3 * 3), location(3 * 2), coupling(3 * 2 * head);
    for (std::size_t i = 0; i < 40; ++i) {
      const double x = static_cast<double>(i * 5 % 8) / 4 - 1;
      const std::size_t in_g = i * i % 7 % 3, in_h = i % 5 % 2, in_k = i * 3 % 11 % 3;
      const double y = std::sin(static_cast<double>(3 * i)) + x + static_cast<double>(in_g) - static_cast<double>(in_h);
      const std::vector<double> row = row_of(x, in_g, in_h, in_k);
      for (std::size_t a = 0; a < all; ++a) {
        right[a] += row[a] * y / noise_variance;
        for (std::size_t b = 0; b < all; ++b) precision(a, b) += row[a] * row[b] / noise_variance;
      }
      const std::array<double, 2> z{1, x};
      for (std::size_t e = 0; e < 2; ++e) {
        location[in_g * 2 + e] += z[e] * (y - origin[0] - origin[1] * x) / noise_variance;
        for (std::size_t f = 0; f <= e; ++f) information[in_g * 3 + e + f] += z[e] * z[f] / noise_variance;
        for (std::size_t c = 0; c < head; ++c) coupling[(in_g * 2 + e) * head + c] += z[e] * row[c] / noise_variance;
      }
    }
    covariance = inverse(precision);
    mean = solve(precision, right);
    g.information.assign(information.begin(), information.end());
    g.location.assign(location.begin(), location.end());
    g.coupling.assign(coupling.begin(), coupling.end());
    g.scale = {1, 0, 1, 1, 0, 1, 1, 0, 1};
    make_fit(std::move(g));
  }

  /// The coefficients of z in a row's linear predictor; a level beyond the last: none.
  static std::vector<double> row_of(double x, std::size_t in_g, std::size_t in_h, std::size_t in_k) {
    std::vector<double> row(all, 0.0);
    row[0] = 1, row[1] = x;
    if (in_k < 3) row[k_at + in_k] = 1;
    if (in_h < 2) row[h_at + 2 * in_h] = 1, row[h_at + 2 * in_h + 1] = x;
    if (in_g < 3) row[g_at + 2 * in_g] = 1, row[g_at + 2 * in_g + 1] = x;
    return row;
  }

 private:
  static GroupPosterior make_group(const std::string& name, std::vector<std::string> effects, std::size_t levels,
                                   std::size_t sd, std::size_t correlation) {
    GroupPosterior out;
    out.group = name;
    out.parameter = "mu";
    out.effects = std::move(effects);
    out.levels = levels;
    out.first_sd = sd;
    out.first_correlation = correlation;
    return out;
  }

  static Dense prior_precision() {
    Dense out{all};
    out(0, 0) = out(1, 1) = 0.25;
    for (std::size_t j = 0; j < 3; ++j) out(k_at + j, k_at + j) = 1 / (k_sd * k_sd);
    const auto fill = [&out](std::size_t at, const std::array<double, 3>& b) {
      Dense prior{2};
      prior(0, 0) = b[0] * b[0], prior(1, 1) = b[1] * b[1] + b[2] * b[2];
      prior(0, 1) = prior(1, 0) = b[0] * b[1];
      const Dense of = inverse(prior);
      for (std::size_t e = 0; e < 2; ++e) {
        for (std::size_t f = 0; f < 2; ++f) out(at + e, at + f) = of(e, f);
      }
    };
    for (std::size_t j = 0; j < 2; ++j) fill(h_at + 2 * j, h_factor);
    for (std::size_t j = 0; j < 3; ++j) fill(g_at + 2 * j, g_factor);
    return out;
  }

  /// log sds and the correlation's coordinate.
  void set_hyper(std::size_t sd, const std::array<double, 3>& b) {
    const double second = std::hypot(b[1], b[2]);
    fit.mean[sd] = std::log(b[0]);
    fit.mean[sd + 1] = std::log(second);
    fit.mean[sd + 2] = std::atanh(b[1] / second);
  }

  /// Within the factor are b and the coordinates v of h and k, which have no information: effects are B v.
  void make_fit(GroupPosterior g) {
    using enum Transform;
    fit.formula = "y ~ 1 + x + (1 + x | g) + (1 + x | h) + (1 | k)";
    fit.options.guide = GuideKind::structured;
    fit.options.link = Link::identity;
    fit.design.groups = {
        {"g", {"ga", "gb", "gc"}, {"g"}}, {"h", {"ha", "hb"}, {"h"}}, {"k", {"ka", "kb", "kc"}, {"k"}}};
    fit.parameters = {{"b_Intercept", identity},
                      {"b_x", identity},
                      {"sd_g__Intercept", exponential, ParameterClass::group},
                      {"sd_g__x", exponential, ParameterClass::group},
                      {"cor_g__Intercept__x", correlation, ParameterClass::group},
                      {"sd_h__Intercept", exponential, ParameterClass::group},
                      {"sd_h__x", exponential, ParameterClass::group},
                      {"cor_h__Intercept__x", correlation, ParameterClass::group},
                      {"sd_k__Intercept", exponential, ParameterClass::group}};
    GroupPosterior h = make_group("h", {"Intercept", "x"}, 2, 5, 7);
    GroupPosterior k = make_group("k", {"Intercept"}, 3, 8, 0);
    h.first = hyper;
    k.first = h.first + 4;
    g.first = k.first + 3;
    fit.groups = {std::move(g), h, k};
    constexpr std::size_t columns = hyper + 7;
    fit.mean.assign(columns + 6, 0.0);
    fit.factor.assign(columns * columns, 0.0);
    set_hyper(2, g_factor);
    set_hyper(5, h_factor);
    fit.mean[8] = std::log(k_sd);

    // Coordinates (b, v_h, v_k) = to_coordinates z.
    std::vector<std::size_t> places{0, 1};
    for (std::size_t i = hyper; i < columns; ++i) places.push_back(i);
    std::vector<std::vector<double>> to_coordinates(head, std::vector<double>(head, 0.0));
    to_coordinates[0][0] = to_coordinates[1][1] = 1;
    for (std::size_t j = 0; j < 2; ++j) {  // B^-1 = ((1 / b00, 0), (-b10 / (b00 b11), 1 / b11))
      const auto& b = h_factor;
      to_coordinates[2 + 2 * j][h_at + 2 * j] = 1 / b[0];
      to_coordinates[3 + 2 * j][h_at + 2 * j] = -b[1] / (b[0] * b[2]);
      to_coordinates[3 + 2 * j][h_at + 2 * j + 1] = 1 / b[2];
    }
    for (std::size_t j = 0; j < 3; ++j) to_coordinates[6 + j][k_at + j] = 1 / k_sd;
    Dense of_coordinates{head};
    for (std::size_t i = 0; i < head; ++i) {
      for (std::size_t a = 0; a < head; ++a) {
        fit.mean[places[i]] += to_coordinates[i][a] * mean[a];
        for (std::size_t j = 0; j < head; ++j) {
          for (std::size_t b = 0; b < head; ++b) {
            of_coordinates(i, j) += to_coordinates[i][a] * covariance(a, b) * to_coordinates[j][b];
          }
        }
      }
    }
    const Dense root = cholesky(of_coordinates);
    for (std::size_t i = 0; i < head; ++i) {
      for (std::size_t j = 0; j <= i; ++j) fit.factor[places[i] * columns + places[j]] = root(i, j);
    }
  }
};

}  // namespace jensen::test
