/// \file Crossed groups with a gaussian response: given the sds, which priors pin, the posterior is normal and known.

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <random>

#include "jensen/jensen.hpp"
#include "model/linear_algebra.hpp"
#include "tolerances.hpp"

namespace jensen {
namespace {

struct Crossed {
  const char* name;
  std::size_t rows, first, second;  ///< levels of g and h
  bool slopes;                      ///< of x by g
  bool nested = false;              ///< levels of h within those of g
};
void PrintTo(const Crossed& c, std::ostream* out) { *out << c.name; }

constexpr double sd_first = 0.65, sd_slope = 0.4, sd_second = 0.45, sigma = 0.7, prior_sd = 10;

/// y = 0.4 + 0.3 x + u_g (+ v_g x) + w_h + N(0, sigma^2), levels at random.
struct Simulated {
  std::vector<float> y, x;
  std::vector<std::int32_t> g, h;

  explicit Simulated(const Crossed& c) {
    std::mt19937_64 random(11);
    std::normal_distribution<double> normal;
    std::vector<double> u(c.first), v(c.first), w(c.second);
    for (double& effect : u) effect = sd_first * normal(random);
    for (double& effect : v) effect = sd_slope * normal(random);
    for (double& effect : w) effect = sd_second * normal(random);
    for (std::size_t i = 0; i < c.rows; ++i) {
      g.push_back(static_cast<std::int32_t>(i < c.first ? i : random() % c.first));
      h.push_back(static_cast<std::int32_t>(i < c.second ? i : random() % c.second));
      if (c.nested) g.back() = static_cast<std::int32_t>(static_cast<std::size_t>(h[i]) * c.first / c.second);
      const auto j = static_cast<std::size_t>(g[i]), k = static_cast<std::size_t>(h[i]);
      const double covariate = normal(random);
      x.push_back(static_cast<float>(covariate));
      y.push_back(static_cast<float>(0.4 + 0.3 * covariate + u[j] + (c.slopes ? v[j] * covariate : 0) + w[k] +
                                     sigma * normal(random)));
    }
  }

  Table table(const Crossed& c) const {
    const auto names = [](std::size_t levels) {
      std::vector<std::string> all;
      for (std::size_t j = 0; j < levels; ++j) all.push_back(std::to_string(100000 + j));
      return all;
    };
    Table table("simulated");
    table.add("y", y);
    table.add("x", x);
    table.add("g", g, names(c.first));
    table.add("h", h, names(c.second));
    return table;
  }
};

/// The normal posterior of (intercept, slope, effects of g level by level, effects of h).
struct Exact {
  std::vector<double> mean, sd;

  Exact(const Crossed& c, const Simulated& data) {
    const std::size_t q = c.slopes ? 2 : 1, n = 2 + q * c.first + c.second;
    Matrix precision(n, n);
    std::vector<double> slope(n);
    for (std::size_t i = 0; i < n; ++i) {
      const bool of_g = i >= 2 && i < 2 + q * c.first;
      const double width = i < 2 ? prior_sd : !of_g ? sd_second : (i - 2) % q == 0 ? sd_first : sd_slope;
      precision(i, i) = 1 / (width * width);
    }
    for (std::size_t r = 0; r < c.rows; ++r) {
      const std::size_t at_g = 2 + q * static_cast<std::size_t>(data.g[r]);
      const auto covariate = static_cast<double>(data.x[r]);
      std::vector<std::pair<std::size_t, double>> row{
          {0, 1}, {1, covariate}, {at_g, 1}, {2 + q * c.first + static_cast<std::size_t>(data.h[r]), 1}};
      if (c.slopes) row.emplace_back(at_g + 1, covariate);
      for (const auto& [i, a] : row) {
        slope[i] += a * static_cast<double>(data.y[r]) / (sigma * sigma);
        for (const auto& [j, b] : row) precision(i, j) += a * b / (sigma * sigma);
      }
    }
    const Cholesky root = cholesky(precision, 0);
    mean = solve(root.upper, slope);
    const Matrix inverse = inverse_upper(root.upper);
    for (std::size_t i = 0; i < n; ++i) {
      double square = 0;
      for (std::size_t j = i; j < n; ++j) square += inverse(i, j) * inverse(i, j);
      sd.push_back(std::sqrt(square));
    }
  }
};

/// Sds pinned to what they are, and the coefficients' priors.
TrainOptions pinned(const Crossed& c) {
  TrainOptions options;
  const auto pin = [&](const std::string& target, double value) {
    options.priors.push_back({target, PriorKind::lognormal, {std::log(value), 0.02}});
  };
  pin("sigma", sigma);
  pin("sd_h", sd_second);
  pin(c.slopes ? "sd_g__Intercept" : "sd_g", sd_first);
  if (c.slopes) pin("sd_g__x", sd_slope);
  options.priors.push_back({"Intercept", PriorKind::normal, {0, prior_sd}});
  options.priors.push_back({"b", PriorKind::normal, {0, prior_sd}});
  return options;
}

/// Coefficients and levels in the order of Exact.
std::vector<ParameterSummary> in_order(const Fit& fit) {
  std::vector<ParameterSummary> all = fit.summarize();
  all.resize(2);
  const std::vector<ParameterSummary> levels = fit.summarize_levels();
  for (const char* group : {"r_g[", "r_h["}) {
    std::ranges::copy_if(levels, std::back_inserter(all),
                         [&](const ParameterSummary& level) { return level.name.starts_with(group); });
  }
  return all;
}

/// The logarithm of the sds' ratio to the exact ones, its mean over all levels of g and of h.
std::array<double, 2> mean_log_ratio(const std::vector<ParameterSummary>& all, const Exact& exact, const Crossed& c) {
  std::array<double, 2> mean{};
  const std::size_t of_h = all.size() - c.second;
  for (std::size_t i = 2; i < all.size(); ++i) {
    const auto count = static_cast<double>(i < of_h ? of_h - 2 : c.second);
    mean[i < of_h ? 0 : 1] += std::log(all[i].sd / exact.sd[i]) / count;
  }
  return mean;
}

class CrossedGroups : public ::testing::TestWithParam<Crossed> {};

TEST_P(CrossedGroups, HaveTheExactPosteriorWhateverTheSeed) {
  const Crossed& c = GetParam();
  const Simulated data(c);
  const Exact exact(c, data);
  TrainOptions options = pinned(c);
  const std::string formula = c.slopes ? "y ~ x + (1 + x || g) + (1 | h)" : "y ~ x + (1 | g) + (1 | h)";
  for (const std::uint64_t seed : {1, 2, 3}) {
    SCOPED_TRACE(seed);
    options.seed = seed;
    const Fit fit = train(formula, data.table(c), options);
    EXPECT_TRUE(fit.verdict.converged && fit.verdict.close) << fit.verdict.message;
    EXPECT_LE(fit.steps, 4000);
    const std::vector<ParameterSummary> all = in_order(fit);
    ASSERT_EQ(all.size(), exact.mean.size());
    for (std::size_t i = 0; i < all.size(); ++i) {
      EXPECT_NEAR(all[i].mean, exact.mean[i], 0.06 * exact.sd[i]) << all[i].name;  // the rule's drift of 0.05, draws
      EXPECT_NEAR(std::log(all[i].sd / exact.sd[i]), 0, 0.08) << all[i].name;  // 6 errors of 4,000 draws' sd, and drift
    }
    for (const double mean : mean_log_ratio(all, exact, c)) EXPECT_NEAR(mean, 0, 0.03);  // half the drift, and draws
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, CrossedGroups,
                         ::testing::Values(Crossed{"FewLevels", 5000, 40, 25, false},
                                           Crossed{"Slopes", 5000, 40, 25, true},
                                           Crossed{"ManyRowsALevel", 40000, 180, 150, false},
                                           Crossed{"FewRowsALevel", 2000, 300, 60, false},
                                           Crossed{"Nested", 4000, 270, 810, false, true},
                                           Crossed{"NestedSlopes", 4000, 260, 520, true, true},
                                           Crossed{"FewMeetings", 3000, 280, 700, false}),
                         [](const auto& test) { return test.param.name; });

/// Where both groups are too large to be trained together, a note says what it costs, before training.
TEST(CrossedGroups, ANoteSaysHowNarrowLargeGroupsAre) {
  const Crossed c{"", 200000, 290, 270, false};
  const Simulated data(c);
  const Fit fit = train("y ~ x + (1 | g) + (1 | h)", data.table(c), pinned(c));
  const std::array<double, 2> ratio = mean_log_ratio(in_order(fit), Exact(c, data), c);
  for (const std::size_t g : {0, 1}) {
    const std::string begin = fmt::format("the sds of the levels of '{}' (Intercept) will be about ", "gh"[g]);
    const auto note = std::ranges::find_if(fit.notes, [&](const std::string& n) { return n.starts_with(begin); });
    ASSERT_NE(note, fit.notes.end()) << begin;
    EXPECT_NEAR(std::stod(note->substr(begin.size())), std::exp(ratio[g]), 0.03);  // two digits, and drift
  }
}

/// Given the coefficients, the sds and the effects of h, levels of g are independent, whatever the sds are: a joint
/// normal over all of them is no better.
TEST(CrossedGroups, AFullRankGuideOverTheLevelsIsNoBetter) {
  const Crossed c{"", 5000, 40, 25, true};
  const Simulated data(c);
  Fit fits[2];
  for (const bool fullrank : {false, true}) {
    TrainOptions options;
    if (fullrank) options.guide = GuideKind::fullrank;
    fits[fullrank] = train("y ~ x + (1 + x | g) + (1 | h)", data.table(c), options);
    EXPECT_TRUE(fits[fullrank].verdict.converged);
  }
  EXPECT_NEAR(fits[0].elbo, fits[1].elbo, tolerance::z_one * std::hypot(fits[0].elbo_se, fits[1].elbo_se));
  const std::vector<ParameterSummary> summary[2] = {fits[0].summarize(), fits[1].summarize()};
  for (std::size_t i = 0; i < summary[0].size(); ++i) {
    EXPECT_NEAR(summary[0][i].sd / summary[1][i].sd, 1, 0.03) << summary[0][i].name;  // the rule's drift of 0.05
  }
}

}  // namespace
}  // namespace jensen
