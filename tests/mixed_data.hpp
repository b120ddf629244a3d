#pragma once
/// \file Small mixed models' data, and their joint systems in (theta, u) as dense matrices.

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <tuple>
#include <utility>
#include <vector>

#include "mode_problem.hpp"
#include "model/mode.hpp"

namespace jensen::testing {

struct GroupData {
  int effects;
  std::int64_t levels;
  bool correlated;
  std::vector<std::int32_t> level;
  std::vector<float> covariates;  ///< rows x effects
  double z(std::size_t i, int k) const {
    return covariates[i * static_cast<std::size_t>(effects) + static_cast<std::size_t>(k)];
  }
  std::size_t size() const { return static_cast<std::size_t>(effects * levels); }
};

/// A mixed model's data: x theta + z u with the density's own noise.
struct MixedData {
  std::size_t rows, columns;
  std::vector<double> x, y, log_y, log_sigma;
  std::vector<GroupData> groups;

  /// With sigma_known, log sigma is an offset; otherwise a block of one coefficient.
  ModeProblem problem(DensityKind density, bool sigma_known = true) const {
    ModeProblem p;
    p.rows = static_cast<std::int64_t>(rows);
    p.density = density;
    p.constants = {y.data(), density == DensityKind::poisson_log ? log_y.data() : nullptr, nullptr};
    p.blocks = {block("mu", 0, x, columns)};
    for (std::size_t j = 0; j < columns; ++j) p.blocks[0].priors.push_back(normal_prior(columns, j, 5));
    for (const GroupData& g : groups) {
      const bool intercept = std::all_of(g.covariates.begin(), g.covariates.end(), [](float v) { return v == 1; });
      p.blocks[0].groups.push_back({g.effects, g.levels, g.level.data(), intercept ? nullptr : g.covariates.data(),
                                    g.correlated, std::vector<double>(static_cast<std::size_t>(g.effects), 2.0)});
    }
    if (density != DensityKind::gaussian) return p;
    p.arguments = 2;
    if (sigma_known) p.offsets = {nullptr, log_sigma.data()};
    if (!sigma_known) p.blocks.push_back(scalar("sigma", 1, rows));
    return p;
  }
};

/// Rows whose level is given by a rule, with an intercept, q - 1 slopes on the first columns of x, and normal noise.
using LevelOf = std::function<std::int32_t(std::size_t)>;
struct GroupPlan {
  int effects;
  std::int64_t levels;
  bool correlated;
  LevelOf level;
};
inline MixedData mixed_data(std::size_t rows, std::size_t columns, const std::vector<GroupPlan>& plans,
                            double sigma = 0.8) {
  std::mt19937_64 generator(11);
  std::normal_distribution<double> normal;
  MixedData data{rows, columns, random_design(rows, columns, generator), {}, {}, {}, {}};
  data.y.assign(rows, 0.0);
  data.log_sigma.assign(rows, std::log(sigma));
  for (std::size_t i = 0; i < rows; ++i) {
    for (std::size_t j = 0; j < columns; ++j)
      data.y[i] += data.x[i * columns + j] * (1.0 - 0.4 * static_cast<double>(j));
    data.y[i] += sigma * normal(generator);
  }
  for (const GroupPlan& plan : plans) {
    GroupData g{plan.effects, plan.levels, plan.correlated, {}, {}};
    const auto q = static_cast<std::size_t>(plan.effects);
    std::vector<double> u(g.size());
    for (std::size_t k = 0; k < u.size(); ++k) {
      u[k] = (k % q == 0 ? 0.9 : 0.5) * normal(generator) + (k % q != 0 && plan.correlated ? 0.5 * u[k - 1] : 0.0);
    }
    for (std::size_t i = 0; i < rows; ++i) {
      g.level.push_back(plan.level(i));
      for (std::size_t k = 0; k < q; ++k) {
        g.covariates.push_back(k == 0 ? 1.0F : static_cast<float>(data.x[i * columns + k]));
        data.y[i] += static_cast<double>(g.covariates.back()) * u[static_cast<std::size_t>(g.level[i]) * q + k];
      }
    }
    data.groups.push_back(std::move(g));
  }
  return data;
}

/// The joint system in (theta, u) as one dense matrix, given the slopes and curvatures of the rows.
struct Dense {
  std::size_t c, n;            ///< coefficients; coefficients and effects
  std::vector<double> design;  ///< rows x n
  std::vector<double> prior;   ///< n x n: precision

  Dense(const MixedData& data, const std::vector<GroupMode>& groups) : c(data.columns), n(c) {
    for (const GroupData& g : data.groups) n += g.size();
    design.assign(data.rows * n, 0.0);
    prior.assign(n * n, 0.0);
    for (std::size_t j = 0; j < c; ++j) prior[j * n + j] = 0.04;
    for (std::size_t i = 0; i < data.rows; ++i) std::copy_n(data.x.data() + i * c, c, design.data() + i * n);
    std::size_t first = c;
    for (std::size_t at = 0; at < groups.size(); ++at) {
      const GroupData& g = data.groups[at];
      const auto q = static_cast<std::size_t>(g.effects);
      for (std::size_t i = 0; i < data.rows; ++i) {
        for (std::size_t k = 0; k < q; ++k) {
          design[i * n + first + static_cast<std::size_t>(g.level[i]) * q + k] = g.z(i, static_cast<int>(k));
        }
      }
      std::vector<double> covariance(q * q), unit(q * q);
      for (std::size_t k = 0; k < q; ++k) {
        unit[k * q + k] = 1;
        for (std::size_t l = 0; l < q; ++l) {
          for (std::size_t m = 0; m <= std::min(k, l); ++m) {
            covariance[k * q + l] += groups[at].factor[k * (k + 1) / 2 + m] * groups[at].factor[l * (l + 1) / 2 + m];
          }
        }
      }
      const std::vector<double> precision = dense_solve(covariance, unit, q, q);
      for (std::size_t j = 0; j < static_cast<std::size_t>(g.levels); ++j) {
        for (std::size_t k = 0; k < q; ++k) {
          for (std::size_t l = 0; l < q; ++l) prior[(first + j * q + k) * n + first + j * q + l] = precision[k * q + l];
        }
      }
      first += g.size();
    }
  }

  std::vector<double> hessian(const std::vector<double>& curvature) const {
    std::vector<double> h = prior;
    for (std::size_t i = 0; i < curvature.size(); ++i) {
      const double* d = design.data() + i * n;
      for (std::size_t j = 0; j < n; ++j) {
        if (d[j] == 0) continue;
        for (std::size_t k = 0; k < n; ++k) h[j * n + k] += curvature[i] * d[j] * d[k];
      }
    }
    return h;
  }

  /// local(i, eta): {slope, curvature}.
  template <class F>
  std::vector<double> mode(std::size_t rows, F&& local, std::vector<double>& curvature, int iterations) const {
    std::vector<double> at(n);
    curvature.assign(rows, 0.0);
    for (int iteration = 0; iteration < iterations; ++iteration) {
      std::vector<double> g(n);
      for (std::size_t i = 0; i < rows; ++i) {
        double eta = 0, slope = 0;
        for (std::size_t j = 0; j < n; ++j) eta += design[i * n + j] * at[j];
        std::tie(slope, curvature[i]) = local(i, eta);
        for (std::size_t j = 0; j < n; ++j) g[j] += slope * design[i * n + j];
      }
      for (std::size_t j = 0; j < n; ++j) {
        for (std::size_t k = 0; k < n; ++k) g[j] -= prior[j * n + k] * at[k];
      }
      const std::vector<double> step = dense_solve(hessian(curvature), g, n, 1);
      for (std::size_t j = 0; j < n; ++j) at[j] += step[j];
    }
    return at;
  }
};

/// Levels of 1, 2, 3, .. rows, then the rest; the last level has none.
inline std::int32_t uneven(std::size_t i, std::int32_t levels) {
  std::int32_t j = 0;
  for (std::size_t end = 1; i >= end && j < levels - 2; ++j) end += static_cast<std::size_t>(j) + 2;
  return j;
}

/// A group's effects among the rows of a dense system.
struct GroupRows {
  std::size_t first, effects, levels;
  std::size_t end() const { return first + effects * levels; }
};

/// The chain of groups (model/group_chain.hpp) by elimination of a dense system: a level's own block, and its blocks
/// with levels of the groups before its own that it meets, as they are when everything after its group is integrated
/// out.
struct DenseChain {
  std::vector<double> s;           ///< n x n
  std::vector<double> covariance;  ///< n x n: of the effects, in the chain

  DenseChain(const std::vector<double>& h, std::size_t n, const std::vector<GroupRows>& groups)
      : s(h), covariance(n * n) {
    std::vector<GroupRows> left = groups, order;
    while (!left.empty()) {
      const auto largest = std::ranges::max_element(left, {}, &GroupRows::levels);  // the first of those
      const GroupRows g = *largest;
      left.erase(largest);
      order.insert(order.begin(), g);
      for (std::size_t j = g.first; j < g.end(); j += g.effects) {
        const std::size_t q = g.effects;
        std::vector<double> block(q * q), across(q * n);
        for (std::size_t k = 0; k < q; ++k) {
          for (std::size_t l = 0; l < q; ++l) block[k * q + l] = s[(j + k) * n + j + l];
          for (std::size_t i = 0; i < n; ++i) across[k * n + i] = s[(j + k) * n + i];
        }
        const std::vector<double> solved = dense_solve(block, across, q, n);
        for (const GroupRows& a : left) {
          for (const GroupRows& b : left) {
            for (std::size_t x = a.first; x < a.end(); ++x) {
              for (std::size_t y = b.first; y < b.end(); ++y) {
                const bool kept =
                    a.first == b.first ? (x - a.first) / a.effects == (y - b.first) / b.effects : h[x * n + y] != 0;
                for (std::size_t k = 0; k < q && kept; ++k) s[x * n + y] -= across[k * n + x] * solved[k * n + y];
              }
            }
          }
        }
      }
    }
    for (auto g = order.begin(); g != order.end(); ++g) add_covariance(*g, {order.begin(), g}, h, n);
  }

 private:
  /// u_j = -D^-1 X u + D^-1/2 noise, u of the groups before.
  void add_covariance(const GroupRows& g, const std::vector<GroupRows>& before, const std::vector<double>& h,
                      std::size_t n) {
    for (std::size_t j = g.first; j < g.end(); j += g.effects) {
      const std::size_t q = g.effects;
      std::vector<double> block(q * q), right(q * (n + q));  // of -X C and I
      for (std::size_t k = 0; k < q; ++k) {
        for (std::size_t l = 0; l < q; ++l) block[k * q + l] = s[(j + k) * n + j + l];
        right[k * (n + q) + n + k] = 1;
        for (const GroupRows& b : before) {
          for (std::size_t x = b.first; x < b.end(); ++x) {
            if (h[(j + k) * n + x] == 0) continue;
            for (std::size_t y = 0; y < n; ++y) {
              right[k * (n + q) + y] -= s[(j + k) * n + x] * covariance[x * n + y];
            }
          }
        }
      }
      const std::vector<double> solved = dense_solve(block, right, q, n + q);
      for (std::size_t k = 0; k < q; ++k) {
        for (std::size_t y = 0; y < n; ++y) {
          if (y < j || y >= j + q) covariance[(j + k) * n + y] = covariance[y * n + j + k] = solved[k * (n + q) + y];
        }
      }
      std::vector<double> minus(q * q);  // X times the covariance with u_j
      for (std::size_t k = 0; k < q; ++k) {
        for (const GroupRows& b : before) {
          for (std::size_t x = b.first; x < b.end(); ++x) {
            for (std::size_t l = 0; l < q; ++l) minus[k * q + l] -= s[(j + k) * n + x] * covariance[x * n + j + l];
          }
        }
      }
      const std::vector<double> own = dense_solve(block, minus, q, q);
      for (std::size_t k = 0; k < q; ++k) {
        for (std::size_t l = 0; l < q; ++l) {
          covariance[(j + k) * n + j + l] = own[k * q + l] + solved[k * (n + q) + n + l];
        }
      }
    }
  }
};

/// GroupMode::followed as a dense matrix, J q x n.
inline std::vector<double> dense_followed(const GroupMode& g, const std::vector<GroupRows>& rows_of, std::size_t n) {
  std::vector<double> out(g.effects.size() * n);
  for (const FollowedGroup& f : g.followed) {
    const GroupRows& other = rows_of[f.group];
    const std::size_t q = g.effects.size() / (f.block.start.size() - 1), r = other.effects;
    for (std::size_t row = 0; row < g.effects.size(); ++row) {
      for (auto pair = f.block.start[row / q]; pair < f.block.start[row / q + 1]; ++pair) {
        const auto at = static_cast<std::size_t>(pair);
        for (std::size_t k = 0; k < r; ++k) {
          out[row * n + other.first + static_cast<std::size_t>(f.block.level[at]) * r + k] =
              f.block.value[(at * q + row % q) * r + k];
        }
      }
    }
  }
  return out;
}

}  // namespace jensen::testing
