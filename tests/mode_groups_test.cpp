#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <nlohmann/json.hpp>
#include <sstream>

#include "group_map.hpp"
#include "mixed_data.hpp"
#include "mode_problem.hpp"
#include "model/mode.hpp"

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
using testing::normal_prior;
using testing::uneven;

/// Mode, Schur complement, and how the effects follow the coefficients, all against the dense system.
template <class F>
void expect_dense_answer(const MixedData& data, const BlockNormal& found, F&& local, int iterations, double tolerance) {
  const Dense dense(data, found.groups);
  const std::size_t c = dense.c, n = dense.n, m = n - c;
  std::vector<double> curvature;
  const std::vector<double> mode = dense.mode(data.rows, local, curvature, iterations);
  for (std::size_t j = 0; j < c; ++j) EXPECT_NEAR(found.mean[j], mode[j], tolerance);
  const std::vector<double> h = dense.hessian(curvature);
  std::vector<double> uu(m * m), ut(m * c);
  for (std::size_t i = 0; i < m; ++i) {
    for (std::size_t j = 0; j < m; ++j) uu[i * m + j] = h[(c + i) * n + c + j];
    for (std::size_t j = 0; j < c; ++j) ut[i * c + j] = h[(c + i) * n + j];
  }
  const std::vector<double> follow = dense_solve(uu, ut, m, c);  // -A
  for (std::size_t i = 0; i < c; ++i) {
    for (std::size_t j = 0; j < c; ++j) {
      double schur = h[i * n + j];
      for (std::size_t k = 0; k < m; ++k) schur -= ut[k * c + i] * follow[k * c + j];
      EXPECT_NEAR(hessian(found.upper, i, j), schur, 10 * tolerance * h[i * n + i]) << i << ' ' << j;
    }
  }
  std::vector<GroupRows> rows_of;
  for (const GroupData& g : data.groups) {
    rows_of.push_back({rows_of.empty() ? 0 : rows_of.back().end(), static_cast<std::size_t>(g.effects),
                       static_cast<std::size_t>(g.levels)});
  }
  const DenseChain chain(uu, m, rows_of);
  std::size_t first = 0;
  for (std::size_t at = 0; at < found.groups.size(); ++at) {
    const GroupMode& g = found.groups[at];
    const std::vector<double> followed = dense_followed(g, rows_of, m);
    const auto q = static_cast<std::size_t>(data.groups[at].effects);
    for (std::size_t j = 0; j < static_cast<std::size_t>(data.groups[at].levels); ++j) {
      std::vector<double> block(q * q), r(q), t(q * c);  // W_j + P
      for (std::size_t k = 0; k < q; ++k) {
        r[k] = g.location[j * q + k];
        EXPECT_NEAR(g.effects[j * q + k], mode[c + first + j * q + k], tolerance);
        for (std::size_t l = 0; l < q; ++l) {
          const std::size_t row = first + j * q;
          block[k * q + l] = chain.s[(row + k) * m + row + l];
          const double w = block[k * q + l] - dense.prior[(c + row + k) * n + c + row + l];
          const auto place =
              static_cast<std::size_t>(packed(static_cast<int>(std::max(k, l)), static_cast<int>(std::min(k, l))));
          EXPECT_NEAR(g.information[j * static_cast<std::size_t>(packed_size(static_cast<int>(q))) + place], w,
                      10 * tolerance * (1 + block[k * q + k]));
        }
        for (std::size_t i = 0; i < c; ++i) t[k * c + i] = g.coupling[(j * q + k) * c + i];
        for (std::size_t l = 0; l < m; ++l) {  // the effects that it follows go with the coefficients too
          const double x = followed[(j * q + k) * m + l];
          if (x == 0) continue;
          EXPECT_NEAR(x, chain.s[(first + j * q + k) * m + l], 10 * tolerance * (1 + std::abs(x)));
          for (std::size_t i = 0; i < c; ++i) t[k * c + i] -= x * follow[l * c + i];
        }
      }
      const std::vector<double> mean = dense_solve(block, r, q, 1), line = dense_solve(block, t, q, c);
      for (std::size_t k = 0; k < q; ++k) {
        EXPECT_NEAR(mean[k], mode[c + first + j * q + k], tolerance);
        for (std::size_t i = 0; i < c; ++i) {
          EXPECT_NEAR(line[k * c + i], follow[(first + j * q + k) * c + i], 10 * tolerance);
        }
      }
    }
    first += data.groups[at].size();
  }
}

struct Case {
  std::string name;
  std::vector<GroupPlan> plans;
};
void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }

std::vector<Case> cases() {
  const LevelOf few = [](std::size_t i) { return uneven(i, 12); };
  const LevelOf crossed = [](std::size_t i) { return static_cast<std::int32_t>(i * 7 % 9); };
  const LevelOf school = [](std::size_t i) { return static_cast<std::int32_t>(i % 6); };
  const LevelOf pupil = [](std::size_t i) { return static_cast<std::int32_t>(i % 6 * 4 + i / 6 % 4); };
  return {{"Intercepts", {{1, 12, false, few}}},
          {"InterceptsAndSlopes", {{2, 12, true, few}}},
          {"ThreeIndependentEffects", {{3, 12, false, few}}},
          {"Crossed", {{1, 12, false, few}, {1, 9, false, crossed}}},
          {"CrossedSlopes", {{2, 9, true, crossed}, {2, 12, false, few}}},
          {"Nested", {{1, 6, false, school}, {1, 24, false, pupil}}},
          {"ThreeGroups", {{1, 6, false, school}, {2, 9, true, crossed}, {1, 12, false, few}}}};
}

class ModeGroups : public ::testing::TestWithParam<Case> {};

TEST_P(ModeGroups, GaussianAgreesWithTheDenseSystem) {
  const MixedData data = mixed_data(120, 3, GetParam().plans);
  const auto found = find_mode(data.problem(DensityKind::gaussian));
  const double precision = 1 / 0.64;
  expect_dense_answer(
      data, found[0],
      [&](std::size_t i, double eta) {
        return std::pair{(data.y[i] - eta) * precision, precision};
      },
      1, 1e-5);
}

TEST_P(ModeGroups, PoissonAgreesWithTheDenseSystem) {
  MixedData data = mixed_data(120, 3, GetParam().plans);
  std::mt19937_64 generator(5);
  for (double& y : data.y) {
    y = static_cast<double>(std::poisson_distribution<int>(std::exp(std::min(0.5 * y, 4.0)))(generator));
    data.log_y.push_back(y > 0 ? std::log(y) : 0);
  }
  const auto found = find_mode(data.problem(DensityKind::poisson_log));
  expect_dense_answer(
      data, found[0],
      [&](std::size_t i, double eta) {
        return std::pair{data.y[i] - std::exp(eta), std::exp(eta)};
      },
      30, 1e-4);  // posterior sds are about 0.1
}

INSTANTIATE_TEST_SUITE_P(Cases, ModeGroups, ::testing::ValuesIn(cases()),
                         [](const auto& tested) { return tested.param.name; });

/// log of the marginal density of y at its maximum in theta, and for each group the pull on its covariance S:
/// log |S| / 2 - tr(S) / (2 sd_scale^2).
double log_marginal(const MixedData& data, double log_sigma, const std::vector<std::vector<double>>& covariances) {
  const std::size_t n = data.rows, c = data.columns;
  std::vector<double> v(n * n);
  double pull = 0;
  for (std::size_t i = 0; i < n; ++i) v[i * n + i] = std::exp(2 * log_sigma);
  for (std::size_t at = 0; at < covariances.size(); ++at) {
    const GroupData& g = data.groups[at];
    const std::vector<double>& s = covariances[at];
    const double determinant = g.effects == 1 ? s[0] : s[0] * s[3] - s[1] * s[2];
    pull += 0.5 * std::log(determinant) - 0.125 * (g.effects == 1 ? s[0] : s[0] + s[3]);
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t j = 0; j < n; ++j) {
        if (g.level[i] != g.level[j]) continue;
        for (int k = 0; k < g.effects; ++k) {
          for (int l = 0; l < g.effects; ++l)
            v[i * n + j] += g.z(i, k) * s[static_cast<std::size_t>(k * g.effects + l)] * g.z(j, l);
        }
      }
    }
  }
  Matrix matrix(n, n);
  matrix.values = v;
  const Matrix root = cholesky(matrix, 0).upper;
  std::vector<double> h(c * c), b(c), weighed_y = solve(root, data.y);
  double value = pull;
  for (std::size_t i = 0; i < n; ++i) value -= std::log(root(i, i)) + 0.5 * data.y[i] * weighed_y[i];
  for (std::size_t j = 0; j < c; ++j) {
    std::vector<double> column(n);
    for (std::size_t i = 0; i < n; ++i) column[i] = data.x[i * c + j], b[j] += column[i] * weighed_y[i];
    column = solve(root, column);
    for (std::size_t k = 0; k < c; ++k) {
      for (std::size_t i = 0; i < n; ++i) h[j * c + k] += column[i] * data.x[i * c + k];
    }
    h[j * c + j] += 0.04;
  }
  const std::vector<double> theta = dense_solve(h, b, c, 1);
  for (std::size_t j = 0; j < c; ++j) value += 0.5 * b[j] * theta[j];
  return value;
}

/// Coordinate-wise golden sections.
std::vector<double> maximise(const std::function<double(const std::vector<double>&)>& f, std::vector<double> at) {
  const double ratio = (std::sqrt(5.0) - 1) / 2;
  for (int round = 0; round < 12; ++round) {
    for (double& coordinate : at) {
      const double width = round == 0 ? 3 : 0.5;
      double low = coordinate - width, high = coordinate + width;
      const auto value = [&](double x) {
        coordinate = x;
        return f(at);
      };
      for (int cut = 0; cut < (round == 0 ? 18 : 14); ++cut) {
        const double a = high - ratio * (high - low), b = low + ratio * (high - low);
        (value(a) < value(b) ? low : high) = value(a) < value(b) ? a : b;
      }
      coordinate = 0.5 * (low + high);
    }
  }
  return at;
}

double log_sd(const GroupMode& g, int k) {
  double square = 0;
  for (int l = 0; l <= k; ++l)
    square += g.factor[static_cast<std::size_t>(packed(k, l))] * g.factor[static_cast<std::size_t>(packed(k, l))];
  return 0.5 * std::log(square);
}

TEST(ModeCovariance, PairsOfRowsDoNotCollapseSigma) {
  const MixedData data =
      mixed_data(80, 2, {{1, 40, false, [](std::size_t i) { return static_cast<std::int32_t>(i / 2); }}});
  const auto found = find_mode(data.problem(DensityKind::gaussian, false));
  const auto best = maximise(
      [&](const std::vector<double>& at) { return log_marginal(data, at[0], {{std::exp(2 * at[1])}}); }, {0, 0});
  EXPECT_NEAR(found[1].mean[0], best[0], 0.02);  // posterior sds: about 0.1
  EXPECT_NEAR(log_sd(found[0].groups[0], 0), best[1], 0.02);
}

TEST(ModeCovariance, CorrelatedEffectsMaximiseTheMarginalLikelihood) {
  const MixedData data = mixed_data(90, 3, {{2, 14, true, [](std::size_t i) { return uneven(i, 15); }}});
  const auto found = find_mode(data.problem(DensityKind::gaussian, false));
  const auto best = maximise(
      [&](const std::vector<double>& at) {
        const double a = std::exp(at[1]), b = std::exp(at[2]), r = std::tanh(at[3]);
        return log_marginal(data, at[0], {{a * a, a * b * r, a * b * r, b * b}});
      },
      {0, 0, 0, 0});
  const GroupMode& g = found[0].groups[0];
  EXPECT_NEAR(found[1].mean[0], best[0], 0.02);
  EXPECT_NEAR(log_sd(g, 0), best[1], 0.02);
  EXPECT_NEAR(log_sd(g, 1), best[2], 0.03);
  EXPECT_NEAR(std::atanh(g.factor[1] / std::exp(log_sd(g, 1))), best[3], 0.05);
  // The guesses of posterior sds, against curvatures of the marginal likelihood by differences.
  for (std::size_t k = 0; k < 3; ++k) {
    const auto along = [&](double d) {
      std::vector<double> at = best;
      at[1 + k] += d;
      const double a = std::exp(at[1]), b = std::exp(at[2]), r = std::tanh(at[3]);
      return log_marginal(data, at[0], {{a * a, a * b * r, a * b * r, b * b}});
    };
    const double sd = 1 / std::sqrt((2 * along(0) - along(0.05) - along(-0.05)) / 0.0025);
    const double guess = k < 2 ? g.log_sd_scale[k] : g.cor_scale[0];
    EXPECT_GT(guess, sd / 2) << k;
    EXPECT_LT(guess, sd * 2) << k;
  }
}

TEST(ModeCovariance, EffectsOfNothingShrinkToTheWeakPull) {
  MixedData data =
      mixed_data(160, 2, {{1, 20, false, [](std::size_t i) { return static_cast<std::int32_t>(i % 20); }}});
  std::mt19937_64 generator(2);
  std::normal_distribution<double> normal;
  for (double& y : data.y) y = normal(generator);
  const auto found = find_mode(data.problem(DensityKind::gaussian, false));
  const auto best = maximise(
      [&](const std::vector<double>& at) { return log_marginal(data, at[0], {{std::exp(2 * at[1])}}); }, {0, -1});
  EXPECT_LT(std::exp(best[1]), std::sqrt(1.0 / 8));  // the sd of a level's mean
  EXPECT_NEAR(log_sd(found[0].groups[0], 0), best[1], 0.03);
}

TEST(ModeCovariance, SigmaWithGroupsOfItsOwn) {
  std::mt19937_64 generator(23);
  std::normal_distribution<double> normal;
  const std::size_t rows = 6000;
  MixedData data =
      mixed_data(rows, 2, {{1, 60, false, [](std::size_t i) { return static_cast<std::int32_t>(i % 60); }}});
  std::vector<double> log_sd_of(60);
  for (double& s : log_sd_of) s = 0.6 * normal(generator);
  for (std::size_t i = 0; i < rows; ++i) {
    data.y[i] = 1 + data.x[i * 2 + 1] + std::exp(log_sd_of[i % 60]) * normal(generator);
  }
  ModeProblem problem = data.problem(DensityKind::gaussian, false);
  std::swap(problem.blocks[0].groups, problem.blocks[1].groups);
  const auto found = find_mode(problem);
  double square = 0;
  for (const double s : log_sd_of) square += s * s / 60;
  EXPECT_NEAR(log_sd(found[1].groups[0], 0), 0.5 * std::log(square), 0.1);  // its sd given the effects: 1 / sqrt(120)
  for (std::size_t j = 0; j < 60; ++j) {
    EXPECT_NEAR(found[1].mean[0] + found[1].groups[0].effects[j], log_sd_of[j], 5 / std::sqrt(200.0));
  }
}

TEST(ModeCovariance, AStartFarAwayLeadsToTheSameMode) {
  MixedData data =
      mixed_data(600, 2, {{1, 40, false, [](std::size_t i) { return static_cast<std::int32_t>(i % 40); }}});
  std::mt19937_64 generator(5);
  for (double& y : data.y) {
    y = static_cast<double>(std::poisson_distribution<int>(std::exp(8 + 0.5 * y))(generator));
    data.log_y.push_back(std::log(y));
  }
  ModeProblem problem = data.problem(DensityKind::poisson_log);
  const auto far = find_mode(problem);
  problem.blocks[0].start[0] = 8.5;
  const auto near = find_mode(problem);
  for (std::size_t j = 0; j < 2; ++j) EXPECT_NEAR(far[0].mean[j], near[0].mean[j], 1e-4);
  EXPECT_NEAR(log_sd(far[0].groups[0], 0), log_sd(near[0].groups[0], 0), 0.01);

  MixedData large =
      mixed_data(600, 2, {{1, 40, false, [](std::size_t i) { return static_cast<std::int32_t>(i % 40); }}});
  const auto small = find_mode(large.problem(DensityKind::gaussian, false));
  for (double& y : large.y) y *= 1000;
  problem = large.problem(DensityKind::gaussian, false);
  problem.blocks[0].groups[0].sd_scale = {2000.0};
  problem.blocks[0].priors = {normal_prior(2, 0, 5000), normal_prior(2, 1, 5000)};
  const auto scaled = find_mode(problem);  // from sigma = 1
  EXPECT_NEAR(scaled[0].mean[1], 1000 * small[0].mean[1], 0.1);
  EXPECT_NEAR(scaled[1].mean[0], small[1].mean[0] + std::log(1000), 1e-3);
  EXPECT_NEAR(log_sd(scaled[0].groups[0], 0), log_sd(small[0].groups[0], 0) + std::log(1000), 0.01);
}

TEST(ModeCovariance, ABlockOfEffectsAlone) {
  MixedData data =
      mixed_data(300, 1, {{1, 30, false, [](std::size_t i) { return static_cast<std::int32_t>(i % 30); }}});
  for (double& y : data.y) y -= 1;  // the intercept
  ModeProblem problem = data.problem(DensityKind::gaussian);
  problem.blocks[0].columns.clear();
  problem.blocks[0].priors.clear();
  problem.blocks[0].start.clear();
  const GroupMode g = find_mode(problem)[0].groups[0];
  for (std::size_t j = 0; j < 30; ++j) {
    double sum = 0;
    for (std::size_t i = j; i < 300; i += 30) sum += data.y[i];
    EXPECT_NEAR(g.effects[j], sum / 0.64 / (10 / 0.64 + 1 / (g.factor[0] * g.factor[0])), 1e-6);
  }
}

/// Households' radon by county: the mode against posterior means by long runs of Hamiltonian Monte Carlo.
TEST(ModeCovariance, RadonAgreesWithItsReferencePosterior) {
  const auto folder = std::filesystem::path(JENSEN_EXTRA_DATA) / "references/radon_intercept";
  if (!std::filesystem::exists(folder / "data.csv")) GTEST_SKIP() << "no " << folder << ": set JENSEN_EXTRA_DATA";
  std::ifstream file(folder / "data.csv");
  std::string line, cell;
  std::getline(file, line);  // log_radon,floor,log_uppm,county
  MixedData data{0, 3, {}, {}, {}, {}, {{1, 0, false, {}, {}}}};
  std::map<std::string, std::int32_t> counties;
  while (std::getline(file, line)) {
    std::stringstream cells(line);
    std::getline(cells, cell, ',');
    data.y.push_back(std::stod(cell));
    data.x.push_back(1);
    for (int k = 0; k < 2; ++k) std::getline(cells, cell, ','), data.x.push_back(std::stod(cell));
    std::getline(cells, cell);
    data.groups[0].level.push_back(
        counties.try_emplace(cell, static_cast<std::int32_t>(counties.size())).first->second);
    data.groups[0].covariates.push_back(1);
    ++data.rows;
  }
  data.groups[0].levels = static_cast<std::int64_t>(counties.size());
  const auto reference = nlohmann::json::parse(std::ifstream(folder / "reference_summary.json"))["params"];
  const auto off = [&](const std::string& name, double value) {  // in posterior sds
    return (value - reference[name]["mean"].get<double>()) / reference[name]["sd"].get<double>();
  };
  const auto found = find_mode(data.problem(DensityKind::gaussian, false));
  // Given the sds at their estimates the rest is normal; the reference averages over the sds.
  EXPECT_NEAR(off("b_Intercept", found[0].mean[0]), 0, 0.3);
  EXPECT_NEAR(off("b_floor", found[0].mean[1]), 0, 0.3);
  EXPECT_NEAR(off("b_log_uppm", found[0].mean[2]), 0, 0.3);
  EXPECT_NEAR(off("sigma", std::exp(found[1].mean[0])), 0, 0.5);
  EXPECT_NEAR(off("sd_county__Intercept", std::exp(log_sd(found[0].groups[0], 0))), 0, 1);
  double squares = 0;
  for (const auto& [county, j] : counties) {
    squares +=
        std::pow(off("r_county[" + county + ",Intercept]", found[0].groups[0].effects[static_cast<std::size_t>(j)]), 2);
  }
  EXPECT_LT(std::sqrt(squares / static_cast<double>(counties.size())), 0.3);
  for (std::size_t j = 0; j < 3; ++j) {
    double variance = 0;
    for (std::size_t k = 0; k < 3; ++k) variance += found[0].inverse(j, k) * found[0].inverse(j, k);
    const std::string name = j == 0 ? "b_Intercept" : j == 1 ? "b_floor" : "b_log_uppm";
    EXPECT_NEAR(std::sqrt(variance) / reference[name]["sd"].get<double>(), 1, 0.15) << name;
  }
}

TEST(ModeCovariance, ThreadsDoNotChangeTheBits) {
  const MixedData data =
      mixed_data(6000, 3,
                 {{2, 50, true, [](std::size_t i) { return static_cast<std::int32_t>(i % 50); }},
                  {1, 500, false, [](std::size_t i) { return static_cast<std::int32_t>(i * 7919 % 500); }}});
  const int before = omp_get_max_threads();
  std::vector<std::vector<double>> results;
  for (int threads = 1; threads <= 3; ++threads) {
    omp_set_num_threads(threads);
    const auto found = find_mode(data.problem(DensityKind::gaussian, false));
    std::vector<double>& all = results.emplace_back(found[0].mean);
    all.insert(all.end(), found[0].upper.values.begin(), found[0].upper.values.end());
    for (const GroupMode& g : found[0].groups) {
      all.insert(all.end(), g.factor.begin(), g.factor.end());
      all.insert(all.end(), g.effects.begin(), g.effects.end());
      all.insert(all.end(), g.coupling.begin(), g.coupling.end());
      all.insert(all.end(), g.log_sd_scale.begin(), g.log_sd_scale.end());
    }
  }
  omp_set_num_threads(before);
  EXPECT_EQ(results[0], results[1]);
  EXPECT_EQ(results[0], results[2]);
}

}  // namespace
}  // namespace jensen
