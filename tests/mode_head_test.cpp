#include <gtest/gtest.h>
#include <omp.h>

#include <array>
#include <numeric>

#include "mixed_data.hpp"
#include "model/head_system.hpp"
#include "model/mode.hpp"
#include "model/mode_block.hpp"
#include "model/packed_cholesky.hpp"

namespace jensen {
namespace {

using testing::Dense;
using testing::dense_followed;
using testing::dense_solve;
using testing::DenseChain;
using testing::GroupData;
using testing::GroupPlan;
using testing::GroupRows;
using testing::hessian;
using testing::LevelOf;
using testing::mixed_data;
using testing::MixedData;
using testing::uneven;

using Indices = std::vector<std::size_t>;

/// These rows and columns of an n x n matrix.
std::vector<double> part(const std::vector<double>& h, std::size_t n, const Indices& rows, const Indices& columns) {
  std::vector<double> out;
  for (const std::size_t i : rows) {
    for (const std::size_t j : columns) out.push_back(h[i * n + j]);
  }
  return out;
}

/// How `inner` follows `outer` at the mode, with the sign turned (inner x outer), and H over `outer` without `inner`.
struct DenseElimination {
  std::vector<double> follow, schur;
  DenseElimination(const std::vector<double>& h, std::size_t n, const Indices& outer, const Indices& inner)
      : follow(dense_solve(part(h, n, inner, inner), part(h, n, inner, outer), inner.size(), outer.size())),
        schur(part(h, n, outer, outer)) {
    for (std::size_t i = 0; i < outer.size(); ++i) {
      for (std::size_t j = 0; j < outer.size(); ++j) {
        for (std::size_t k = 0; k < inner.size(); ++k) {
          schur[i * outer.size() + j] -= h[outer[i] * n + inner[k]] * follow[k * outer.size() + j];
        }
      }
    }
  }
};

struct Case {
  std::string name;
  std::size_t columns;
  std::vector<GroupPlan> plans;
  std::vector<bool> in_head;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

/// Where the coefficients and the effects of groups in the head are in the joint system, where the others, and for each
/// its place among its own.
struct Split {
  Indices head, tail, place;
};
Split split(const MixedData& data, const std::vector<bool>& in_head) {
  Split s;
  for (std::size_t k = 0; k < data.columns; ++k) s.head.push_back(k);
  s.place = s.head;
  for (std::size_t at = 0; at < in_head.size(); ++at) {
    Indices& own = in_head[at] ? s.head : s.tail;
    for (std::size_t e = 0; e < data.groups[at].size(); ++e) {
      s.place.push_back(own.size());
      own.push_back(s.place.size() - 1);
    }
  }
  return s;
}

ModeProblem problem_of(const MixedData& data, DensityKind density, const std::vector<bool>& in_head) {
  ModeProblem problem = data.problem(density);
  for (std::size_t g = 0; g < in_head.size(); ++g) problem.blocks[0].groups[g].in_head = in_head[g];
  return problem;
}

/// Everything that is said of the groups, against the dense system.
template <class F>
void expect_dense_answer(const MixedData& data, const std::vector<bool>& in_head, const BlockNormal& found, F&& local,
                         int iterations, double tolerance) {
  const Dense dense(data, found.groups);
  const std::size_t c = dense.c, n = dense.n;
  std::vector<double> curvature;
  const std::vector<double> mode = dense.mode(data.rows, local, curvature, iterations);
  const std::vector<double> h = dense.hessian(curvature);
  Indices theta(c), effects(n - c);
  std::iota(theta.begin(), theta.end(), 0);
  std::iota(effects.begin(), effects.end(), c);
  const auto [head, tail, place] = split(data, in_head);
  const DenseElimination joint(h, n, theta, effects), given_head(h, n, head, tail);
  for (std::size_t i = 0; i < c; ++i) {
    EXPECT_NEAR(found.mean[i], mode[i], tolerance);
    for (std::size_t j = 0; j < c; ++j) {
      EXPECT_NEAR(hessian(found.upper, i, j), joint.schur[i * c + j], 10 * tolerance * h[i * n + i]) << i << ' ' << j;
    }
  }
  std::vector<GroupRows> rows_of;
  for (const GroupData& g : data.groups) {
    rows_of.push_back({rows_of.empty() ? c : rows_of.back().end(), static_cast<std::size_t>(g.effects),
                       static_cast<std::size_t>(g.levels)});
  }
  std::vector<GroupRows> others;
  for (std::size_t at = 0; at < in_head.size(); ++at) {
    if (!in_head[at]) others.push_back(rows_of[at]);
  }
  const DenseChain chain(h, n, others);
  std::size_t row = c;
  for (std::size_t at = 0; at < found.groups.size(); ++at) {
    const GroupMode& g = found.groups[at];
    const std::vector<double> followed = dense_followed(g, rows_of, n);
    const auto q = static_cast<std::size_t>(data.groups[at].effects);
    const std::size_t width = in_head[at] ? c : head.size();
    ASSERT_EQ(g.coupling.size(), data.groups[at].size() * width);
    double shares = 0;  // of an intercept's levels, how much of the prior's variance the data take away, squared
    for (std::size_t j = 0; j < static_cast<std::size_t>(data.groups[at].levels); ++j, row += q) {
      std::vector<double> block(q * q), r(q), t(q * width);  // W_j + P
      for (std::size_t k = 0; k < q; ++k) {
        r[k] = g.location[j * q + k];
        EXPECT_NEAR(g.effects[j * q + k], mode[row + k], tolerance);
        for (std::size_t l = 0; l < q; ++l) {
          block[k * q + l] = in_head[at] ? given_head.schur[place[row + k] * head.size() + place[row + l]]
                                         : chain.s[(row + k) * n + row + l];
          const auto packed_place =
              static_cast<std::size_t>(packed(static_cast<int>(std::max(k, l)), static_cast<int>(std::min(k, l))));
          EXPECT_NEAR(g.information[j * static_cast<std::size_t>(packed_size(static_cast<int>(q))) + packed_place],
                      block[k * q + l] - dense.prior[(row + k) * n + row + l], 10 * tolerance * (1 + block[k * q + k]));
        }
        for (std::size_t i = 0; i < width; ++i) t[k * width + i] = g.coupling[(j * q + k) * width + i];
        for (std::size_t l = 0; l < n; ++l) {  // the effects that it follows go with the head too
          const double x = followed[(j * q + k) * n + l];
          if (x == 0) continue;
          EXPECT_NEAR(x, chain.s[(row + k) * n + l], 10 * tolerance * (1 + std::abs(x)));
          for (std::size_t i = 0; i < width; ++i) t[k * width + i] -= x * given_head.follow[place[l] * width + i];
        }
      }
      const std::vector<double> mean = dense_solve(block, r, q, 1), line = dense_solve(block, t, q, width);
      for (std::size_t k = 0; k < q; ++k) {
        EXPECT_NEAR(mean[k], mode[row + k], tolerance);
        for (std::size_t i = 0; i < width; ++i) {
          const double follow =
              in_head[at] ? joint.follow[(row + k - c) * c + i] : given_head.follow[place[row + k] * width + i];
          EXPECT_NEAR(line[k * width + i], follow, 10 * tolerance) << at << ' ' << j << ' ' << i;
        }
      }
      const double variance = in_head[at] ? 1 / block[0] : chain.covariance[row * n + row];
      shares += std::pow(1 - dense.prior[row * n + row] * variance, 2);
    }
    if (q == 1) {
      EXPECT_NEAR(g.log_sd_scale[0], 1 / std::sqrt(2 * shares + 1), 10 * tolerance);
    }
  }
}

std::vector<Case> cases() {
  const LevelOf few = [](std::size_t i) { return uneven(i, 12); };
  const LevelOf crossed = [](std::size_t i) { return static_cast<std::int32_t>(i * 7 % 9); };
  const LevelOf small = [](std::size_t i) { return static_cast<std::int32_t>(i * i % 11 % 4); };
  const LevelOf inside = [](std::size_t i) { return uneven(i, 12) / 4; };  // each level of `few` within one
  return {{"OneAndOne", 3, {{1, 12, false, few}, {1, 4, false, small}}, {false, true}},
          {"HeadFirst", 3, {{1, 4, false, small}, {1, 12, false, few}}, {true, false}},
          {"Nested", 2, {{1, 3, false, inside}, {1, 12, false, few}}, {true, false}},
          {"TwoAndOne", 3, {{1, 12, false, few}, {1, 4, false, small}, {1, 9, false, crossed}}, {false, true, false}},
          {"OneAndTwo", 2, {{2, 4, true, small}, {1, 9, false, crossed}, {1, 12, false, few}}, {true, false, true}},
          {"Slopes", 3, {{2, 12, true, few}, {2, 4, true, small}}, {false, true}},
          {"TwoAndOneWithSlopes",
           3,
           {{3, 4, false, small}, {2, 12, true, few}, {2, 9, false, crossed}},
           {true, false, false}},
          {"TwoInHead", 2, {{2, 4, true, small}, {1, 3, false, inside}, {1, 12, false, few}}, {true, true, false}},
          {"TwoInHeadTwoNot",
           2,
           {{1, 9, false, crossed}, {1, 4, false, small}, {2, 12, true, few}, {1, 3, false, inside}},
           {false, true, false, true}},
          {"NoCoefficients", 0, {{1, 12, false, few}, {1, 4, false, small}}, {false, true}},
          {"NoCoefficientsTwoAndOne",
           0,
           {{1, 12, false, few}, {1, 4, false, small}, {1, 9, false, crossed}},
           {false, true, false}}};
}

class ModeHead : public ::testing::TestWithParam<Case> {};

TEST_P(ModeHead, GaussianAgreesWithTheDenseSystem) {
  const MixedData data = mixed_data(120, GetParam().columns, GetParam().plans);
  const auto found = find_mode(problem_of(data, DensityKind::gaussian, GetParam().in_head));
  const double precision = 1 / 0.64;
  expect_dense_answer(
      data, GetParam().in_head, found[0],
      [&](std::size_t i, double eta) {
        return std::pair{(data.y[i] - eta) * precision, precision};
      },
      1, 1e-5);
}

TEST_P(ModeHead, PoissonAgreesWithTheDenseSystem) {
  MixedData data = mixed_data(120, GetParam().columns, GetParam().plans);
  std::mt19937_64 generator(5);
  for (double& y : data.y) {
    y = static_cast<double>(std::poisson_distribution<int>(std::exp(std::min(0.5 * y, 4.0)))(generator));
    data.log_y.push_back(y > 0 ? std::log(y) : 0);
  }
  const auto found = find_mode(problem_of(data, DensityKind::poisson_log, GetParam().in_head));
  expect_dense_answer(
      data, GetParam().in_head, found[0],
      [&](std::size_t i, double eta) {
        return std::pair{data.y[i] - std::exp(eta), std::exp(eta)};
      },
      30, 1e-4);  // posterior sds are about 0.1
}

/// What does not depend on where the groups are, and that it makes no difference if all are in the head.
TEST_P(ModeHead, TheModeIsTheSameAnywhere) {
  const MixedData data = mixed_data(120, GetParam().columns, GetParam().plans);
  const std::size_t groups = GetParam().plans.size();
  const BlockNormal none = find_mode(problem_of(data, DensityKind::gaussian, std::vector<bool>(groups)))[0];
  const BlockNormal all = find_mode(problem_of(data, DensityKind::gaussian, std::vector<bool>(groups, true)))[0];
  const BlockNormal some = find_mode(problem_of(data, DensityKind::gaussian, GetParam().in_head))[0];
  EXPECT_EQ(none.mean, some.mean);
  EXPECT_EQ(none.upper.values, all.upper.values);
  ASSERT_EQ(none.upper.values.size(), some.upper.values.size());
  for (std::size_t k = 0; k < none.upper.values.size(); ++k) {
    EXPECT_NEAR(none.upper.values[k], some.upper.values[k], 1e-6);
    EXPECT_NEAR(none.inverse.values[k], some.inverse.values[k], 1e-6);
  }
  for (std::size_t g = 0; g < groups; ++g) {
    EXPECT_EQ(none.groups[g].effects, some.groups[g].effects);
    EXPECT_EQ(none.groups[g].factor, some.groups[g].factor);
    EXPECT_EQ(none.groups[g].coupling, all.groups[g].coupling);
    EXPECT_EQ(none.groups[g].information, all.groups[g].information);
  }
}

TEST_P(ModeHead, TheHessianOverTheHeadIsTheDenseOne) {
  const MixedData data = mixed_data(120, GetParam().columns, GetParam().plans);
  const ModeProblem problem = problem_of(data, DensityKind::gaussian, GetParam().in_head);
  const BlockState state(problem, 0);
  std::vector<GroupMode> groups(state.factor.size());
  for (std::size_t g = 0; g < groups.size(); ++g) groups[g].factor = state.factor[g];
  const Dense dense(data, groups);
  const Split at = split(data, GetParam().in_head);
  const DenseElimination expected(dense.hessian(std::vector<double>(data.rows, 1 / 0.64)), dense.n, at.head, at.tail);
  const BlockSystem joint = factorised_system(problem, ModeRows(problem), 0, state);
  const Elimination found = eliminate(head_system(joint.system), 1e-10);
  EXPECT_TRUE(found.complete);
  const std::size_t n = at.head.size();
  ASSERT_EQ(found.schur.columns, n);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i; j < n; ++j)
      EXPECT_NEAR(found.schur(i, j), expected.schur[i * n + j], 1e-8) << i << ' ' << j;
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, ModeHead, ::testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

/// Too many effects to follow: only the largest other group does, and is integrated out.
TEST(ModeHeadLimits, TooManyEffectsToFollow) {
  const std::size_t rows = 5000, inside = 1100, large = 1500, other = 30;
  const LevelOf level[] = {[&](std::size_t i) { return static_cast<std::int32_t>(i * 7919 % inside); },
                           [&](std::size_t i) { return static_cast<std::int32_t>(i * 31 % large); },
                           [&](std::size_t i) { return static_cast<std::int32_t>(i * 17 % other); }};
  const MixedData data =
      mixed_data(rows, 2, {{1, inside, false, level[0]}, {1, large, false, level[1]}, {1, other, false, level[2]}});
  const BlockNormal plain = find_mode(data.problem(DensityKind::gaussian))[0];
  const ModeProblem problem = problem_of(data, DensityKind::gaussian, {true, false, false});
  EXPECT_EQ(head_effects(problem.blocks[0]), 1100);
  const BlockNormal found = find_mode(problem)[0];
  EXPECT_EQ(found.upper.values, plain.upper.values);
  const double w = 1 / 0.64, precision = std::pow(found.groups[1].factor[0], -2);
  std::vector<double> shared(inside * large), size(large), own(inside);
  for (std::size_t i = 0; i < rows; ++i) {
    const auto j = static_cast<std::size_t>(level[0](i)), l = static_cast<std::size_t>(level[1](i));
    shared[j * large + l] += w;
    size[l] += w;
    own[j] += w;
  }
  const std::size_t width = 2 + inside;
  const GroupMode &g = found.groups[0], &before = plain.groups[0];
  const double prior = std::pow(g.factor[0], -2);
  const std::vector<double> follows = dense_followed(before, {{0, 1, inside}, {0, 1, large}, {0, 1, other}}, other);
  for (std::size_t j = 0; j < inside; ++j) {
    double expected = own[j];
    for (std::size_t l = 0; l < large; ++l) {
      expected -= std::pow(shared[j * large + l], 2) / (size[l] + precision);
      ASSERT_FLOAT_EQ(found.groups[1].coupling[l * width + 2 + j], static_cast<float>(shared[j * large + l]));
    }
    EXPECT_NEAR(g.information[j], expected, 1e-5);
    for (std::size_t i = 0; i < 2; ++i) {  // the same line, of the joint system
      double line = before.coupling[j * 2 + i];
      for (std::size_t l = 0; l < other; ++l) {  // which levels of the third group go along too
        const GroupMode& third = plain.groups[2];
        line -= follows[j * third.effects.size() + l] * static_cast<double>(third.coupling[l * 2 + i]) /
                (static_cast<double>(third.information[l]) + std::pow(third.factor[0], -2));
      }
      EXPECT_NEAR(g.coupling[j * 2 + i] / (expected + prior),
                  line / (static_cast<double>(before.information[j]) + prior), 1e-5);
    }
  }
  EXPECT_EQ(found.groups[2].coupling, std::vector<float>(other * width));
}

TEST(ModeHeadLimits, ThreadsDoNotChangeTheBits) {
  const MixedData data =
      mixed_data(6000, 3,
                 {{2, 50, true, [](std::size_t i) { return static_cast<std::int32_t>(i % 50); }},
                  {1, 500, false, [](std::size_t i) { return static_cast<std::int32_t>(i * 7919 % 500); }},
                  {1, 300, false, [](std::size_t i) { return static_cast<std::int32_t>(i * 104729 / 7 % 300); }},
                  {1, 7, false, [](std::size_t i) { return static_cast<std::int32_t>(i / 13 % 7); }}});
  const int before = omp_get_max_threads();
  std::vector<std::vector<double>> results;
  for (int threads = 1; threads <= 3; ++threads) {
    omp_set_num_threads(threads);
    const auto found = find_mode(problem_of(data, DensityKind::gaussian, {true, false, false, true}));
    std::vector<double>& all = results.emplace_back(found[0].upper.values);
    for (const GroupMode& g : found[0].groups) {
      all.insert(all.end(), g.coupling.begin(), g.coupling.end());
      all.insert(all.end(), g.information.begin(), g.information.end());
      all.insert(all.end(), g.location.begin(), g.location.end());
      all.insert(all.end(), g.log_sd_scale.begin(), g.log_sd_scale.end());
      all.insert(all.end(), g.cor_scale.begin(), g.cor_scale.end());
    }
  }
  omp_set_num_threads(before);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

TEST(PackedSemidefinite, NegativeEigenvaluesBecomeZero) {
  // Columns of a rotation: (2, 2, 1), (-2, 1, 2), (1, -2, 2), each / 3.
  const std::array<std::array<double, 3>, 3> vectors = {{{2, 2, 1}, {-2, 1, 2}, {1, -2, 2}}};
  const auto matrix = [&](std::array<double, 3> eigenvalues) {
    std::array<double, 6> a{};
    for (int i = 0; i < 3; ++i) {
      for (int j = 0; j <= i; ++j) {
        for (std::size_t k = 0; k < 3; ++k) {
          a[static_cast<std::size_t>(packed(i, j))] +=
              eigenvalues[k] * vectors[k][static_cast<std::size_t>(i)] * vectors[k][static_cast<std::size_t>(j)] / 9;
        }
      }
    }
    return a;
  };
  std::array<double, 6> a = matrix({5, -3, 1e-3});
  packed_semidefinite(3, a.data());
  for (std::size_t k = 0; k < 6; ++k) EXPECT_NEAR(a[k], matrix({5, 0, 1e-3})[k], 1e-14);
  a = matrix({5, 2, 1e-3});
  packed_semidefinite(3, a.data());
  EXPECT_EQ(a, matrix({5, 2, 1e-3}));
}

}  // namespace
}  // namespace jensen
