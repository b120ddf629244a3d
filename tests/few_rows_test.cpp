/// \file Levels with few rows each. Normal responses: the sds' posterior is known from sums of squares, and its width
/// comes from the levels' following them. Counts and yes or no: it is known by quadrature, and where it is comes from
/// how skew the levels' own posteriors are.

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <numbers>
#include <random>
#include <string>

#include "jensen/jensen.hpp"

namespace jensen {
namespace {

/// Weighted means and sds of N numbers.
template <std::size_t N>
struct Moments {
  double total = 0;
  std::array<double, N> first{}, second{};

  void add(const std::array<double, N>& x, double weight) {
    total += weight;
    for (std::size_t n = 0; n < N; ++n) first[n] += weight * x[n], second[n] += weight * x[n] * x[n];
  }
  double mean(std::size_t n) const { return first[n] / total; }
  double sd(std::size_t n) const { return std::sqrt(second[n] / total - mean(n) * mean(n)); }
};

/// A schools of B classes of C rows, or with B = 1 schools alone.
struct Balanced {
  const char* name;
  std::size_t schools, classes, rows;
};
void PrintTo(const Balanced& b, std::ostream* out) { *out << b.name; }

constexpr double rate = 0.5;  // of the exponential priors on all sds

/// y = 1.5 + u_school + v_class + N(0, 1), the sds 0.9 and 0.7.
struct Simulated {
  std::vector<float> y;
  std::vector<std::int32_t> school, of_class;
  Table table{"simulated"};                                     ///< reads them where they are
  double within = 0, between_classes = 0, between_schools = 0;  ///< sums of squares over the rows

  explicit Simulated(const Balanced& b) {
    std::mt19937_64 random(5);
    std::normal_distribution<double> normal;
    std::vector<std::string> school_names, class_names;
    std::vector<double> school_means;
    for (std::size_t s = 0; s < b.schools; ++s) {
      school_names.push_back(std::to_string(10000 + s));
      const double u = 1.5 + 0.9 * normal(random);
      std::vector<double> class_means;
      for (std::size_t k = 0; k < b.classes; ++k) {
        class_names.push_back(std::to_string(10000 + s * b.classes + k));
        const double v = b.classes > 1 ? u + 0.7 * normal(random) : u;
        const std::size_t first = y.size();
        for (std::size_t r = 0; r < b.rows; ++r) {
          y.push_back(static_cast<float>(v + normal(random)));
          school.push_back(static_cast<std::int32_t>(s));
          of_class.push_back(static_cast<std::int32_t>(s * b.classes + k));
        }
        class_means.push_back(mean({y.begin() + static_cast<std::ptrdiff_t>(first), y.end()}));
        within += squares({y.begin() + static_cast<std::ptrdiff_t>(first), y.end()});
      }
      school_means.push_back(mean(class_means));
      between_classes += static_cast<double>(b.rows) * squares(class_means);
    }
    between_schools = static_cast<double>(b.rows * b.classes) * squares(school_means);
    table.add("y", y);
    table.add("school", school, school_names);
    if (b.classes > 1) table.add("class", of_class, class_names);
  }

 private:
  static double mean(const std::vector<double>& x) {
    double sum = 0;
    for (const double v : x) sum += v;
    return sum / static_cast<double>(x.size());
  }
  static double squares(const std::vector<double>& x) {
    const double centre = mean(x);
    double sum = 0;
    for (const double v : x) sum += (v - centre) * (v - centre);
    return sum;
  }
};

/// Of the logarithms of sigma, of the schools' sd and of the classes', by summing over a grid. The intercept is flat,
/// and integrated out; so are all effects (Searle, Casella & McCulloch 1992, "Variance components", section 4.5).
Moments<3> exact(const Balanced& b, const Simulated& data) {
  const bool nested = b.classes > 1;
  const auto a = static_cast<double>(b.schools), k = static_cast<double>(b.classes), r = static_cast<double>(b.rows);
  const auto log_density = [&](double log_sigma, double log_school, double log_class) {
    const double sigma = std::exp(log_sigma), school = std::exp(log_school), of_class = std::exp(log_class);
    const double row = sigma * sigma, in_class = row + (nested ? r * of_class * of_class : 0);
    const double in_school = in_class + r * k * school * school;
    double value =
        -0.5 * (a * k * (r - 1) * std::log(row) + a * (k - 1) * std::log(in_class) + (a - 1) * std::log(in_school) +
                data.within / row + data.between_classes / in_class + data.between_schools / in_school);
    value += log_sigma + log_school - rate * (sigma + school);
    return nested ? value + log_class - rate * of_class : value;
  };
  constexpr int half = 40;
  constexpr double step = 0.01;
  const std::array<double, 3> centre = {0, std::log(0.9), std::log(0.7)};
  const double highest = log_density(centre[0], centre[1], centre[2]);
  Moments<3> result;
  for (int i = -half; i <= half; ++i) {
    for (int j = -half; j <= half; ++j) {
      for (int l = nested ? -half : 0; l <= (nested ? half : 0); ++l) {
        const std::array<double, 3> x = {centre[0] + step * i, centre[1] + step * j, centre[2] + step * l};
        result.add(x, std::exp(log_density(x[0], x[1], x[2]) - highest));
      }
    }
  }
  return result;
}

class FewRows : public ::testing::TestWithParam<Balanced> {};

TEST_P(FewRows, SdsHaveTheExactPosteriorWhateverTheSeed) {
  const Balanced& b = GetParam();
  const Simulated data(b);
  const Moments<3> posterior = exact(b, data);
  TrainOptions options;
  options.priors = {{"sigma", PriorKind::exponential, {rate}},
                    {"sd", PriorKind::exponential, {rate}},
                    {"Intercept", PriorKind::flat, {}}};
  const bool nested = b.classes > 1;
  const std::string formula = nested ? "y ~ 1 + (1 | school) + (1 | class)" : "y ~ 1 + (1 | school)";
  for (const std::uint64_t seed : {1, 2, 3}) {
    SCOPED_TRACE(seed);
    options.seed = seed;
    const Fit fit = train(formula, data.table, options);
    EXPECT_TRUE(fit.verdict.converged && fit.verdict.close) << fit.verdict.message;
    EXPECT_EQ(fit.verdict.sd_ratio, 1) << fit.verdict.narrowest;
    const std::size_t count = 20000, h = fit.parameters.size();
    const std::vector<double> draws = fit.draw(count, 7);
    for (const auto& [name, at] : {std::pair{"sigma", 0U}, {"sd_school__Intercept", 1U}, {"sd_class__Intercept", 2U}}) {
      if (!nested && at == 2) continue;
      const auto found = std::ranges::find(fit.parameters, std::string(name), &Parameter::name);
      ASSERT_NE(found, fit.parameters.end()) << name;
      Moments<1> drawn;
      for (std::size_t s = 0; s < count; ++s) {
        drawn.add({std::log(draws[s * h + static_cast<std::size_t>(found - fit.parameters.begin())])}, 1);
      }
      EXPECT_NEAR(drawn.mean(0), posterior.mean(at), 0.1 * posterior.sd(at))
          << name;                                                             // the rule's drift of 0.05, twice
      EXPECT_NEAR(std::log(drawn.sd(0) / posterior.sd(at)), 0, 0.06) << name;  // and 2 errors of 20,000 draws' sd
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, FewRows,
                         ::testing::Values(Balanced{"ThreeRowsALevel", 600, 1, 3}, Balanced{"Nested", 300, 3, 4},
                                           Balanced{"SmallOuterGroup", 100, 4, 3}),
                         [](const auto& test) { return test.param.name; });

/// Levels of few rows, whose effects have this sd.
struct Discrete {
  const char* name;
  Family family;
  std::size_t levels, rows;
  double intercept, sd;
  double least_ratio;         ///< that the guide's sd may be of the posterior's: what it is, less the rule's drift
  double log_sd_reach = 0.8;  ///< how far the posterior's log sd goes from the true one's
};
void PrintTo(const Discrete& d, std::ostream* out) { *out << d.name; }

constexpr double intercept_width = 2.5;

/// Counts or 0 and 1.
struct Responses {
  std::vector<float> y;
  std::vector<std::int32_t> level;
  Table table{"simulated"};    ///< reads them where they are
  std::map<int, double> sums;  ///< how many levels have this sum, all that matters of their responses
  double log_factorials = 0;

  explicit Responses(const Discrete& d) {
    std::mt19937_64 random(3);
    std::normal_distribution<double> normal;
    std::vector<std::string> names;
    for (std::size_t j = 0; j < d.levels; ++j) {
      names.push_back(std::to_string(10000 + j));
      const double eta = d.intercept + d.sd * normal(random);
      int sum = 0;
      for (std::size_t r = 0; r < d.rows; ++r) {
        const int value = d.family == Family::poisson
                              ? std::poisson_distribution<int>(std::exp(eta))(random)
                              : static_cast<int>(std::bernoulli_distribution(1 / (1 + std::exp(-eta)))(random));
        y.push_back(static_cast<float>(value));
        level.push_back(static_cast<std::int32_t>(j));
        log_factorials += std::lgamma(value + 1.0);
        sum += value;
      }
      ++sums[sum];
    }
    table.add("y", y);
    table.add("g", level, names);
  }
};

/// The intercept, the logarithm of the sd, and the sd; and log p(y).
struct Integrated {
  Moments<3> moments;
  double log_evidence = 0;
};

/// Effects are summed over 61 points up to six sds, which for so smooth a density is exact; the rest over a grid.
Integrated integrate(const Discrete& d, const Responses& data) {
  const bool counts = d.family == Family::poisson;
  const auto n = static_cast<double>(d.rows);
  const auto log_density = [&](double intercept, double log_sd) {
    double value =
        -0.5 * intercept * intercept / (intercept_width * intercept_width) - rate * std::exp(log_sd) + log_sd;
    for (const auto& [sum, levels] : data.sums) {
      double total = 0;
      for (int node = -30; node <= 30; ++node) {
        const double t = 0.2 * node, eta = intercept + std::exp(log_sd) * t;
        total += std::exp(sum * eta - n * (counts ? std::exp(eta) : std::log1p(std::exp(eta))) - 0.5 * t * t);
      }
      value += levels * std::log(0.2 * total / std::sqrt(2 * std::numbers::pi));
    }
    return value;
  };
  constexpr int half = 40;
  const std::array<double, 2> centre = {d.intercept, std::log(d.sd)}, step = {0.01, d.log_sd_reach / half};
  const double highest = log_density(centre[0], centre[1]);
  Integrated result;
  for (int i = -half; i <= half; ++i) {
    for (int j = -half; j <= half; ++j) {
      const std::array<double, 2> x = {centre[0] + step[0] * i, centre[1] + step[1] * j};
      result.moments.add({x[0], x[1], std::exp(x[1])}, std::exp(log_density(x[0], x[1]) - highest));
    }
  }
  result.log_evidence = highest + std::log(result.moments.total * step[0] * step[1] * rate / intercept_width) -
                        0.5 * std::log(2 * std::numbers::pi) - data.log_factorials;
  return result;
}

class FewDiscreteRows : public ::testing::TestWithParam<Discrete> {};

TEST_P(FewDiscreteRows, HaveTheExactPosteriorWhateverTheSeed) {
  const Discrete& d = GetParam();
  const Responses data(d);
  const Integrated posterior = integrate(d, data);
  TrainOptions options;
  options.family = d.family;
  options.priors = {{"sd", PriorKind::exponential, {rate}}, {"Intercept", PriorKind::normal, {0, intercept_width}}};
  for (const std::uint64_t seed : {1, 2, 3}) {
    SCOPED_TRACE(seed);
    options.seed = seed;
    const Fit fit = train("y ~ 1 + (1 | g)", data.table, options);
    EXPECT_TRUE(fit.verdict.converged && fit.verdict.close) << fit.verdict.message;
    if (d.least_ratio > 1 / 1.1) {  // else a warning is right
      EXPECT_EQ(fit.verdict.sd_ratio, 1) << fit.verdict.narrowest;
    }
    EXPECT_LT(fit.elbo - 4 * fit.elbo_se, posterior.log_evidence);
    EXPECT_GT(fit.elbo, posterior.log_evidence - 0.3);  // of hundreds of levels
    ASSERT_EQ(fit.parameters.size(), 2U);
    for (std::size_t k = 0; k < 2; ++k) {  // both coordinates are normal
      const double sd = std::hypot(fit.factor[2 * k], fit.factor[2 * k + 1]), exact = posterior.moments.sd(k);
      EXPECT_NEAR(fit.mean[k], posterior.moments.mean(k), 0.1 * exact) << k;  // the rule's drift of 0.05, twice
      EXPECT_LT(sd, 1.05 * exact) << k;                                       // the rule's drift
      EXPECT_GT(sd, d.least_ratio * exact) << k;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Tables, FewDiscreteRows,
                         ::testing::Values(Discrete{"FourYesOrNo", Family::bernoulli, 900, 4, 0.3, 0.9, 0.93},
                                           Discrete{"TwoYesOrNo", Family::bernoulli, 900, 2, -1, 1.5, 0.87},
                                           Discrete{"ThreeCounts", Family::poisson, 400, 3, 0.3, 0.7, 0.93}),
                         [](const auto& test) { return test.param.name; });

/// Where the data hardly tell a sd from 0 its posterior has a long tail towards 0, which a normal in its logarithm has
/// not. As docs/inference.md says.
TEST(FewDiscreteRows, ASdThatMayBeZeroComesOutTooCertain) {
  const Discrete d{"", Family::bernoulli, 500, 2, 0, 0.5, 0, 6};
  const Responses data(d);
  const Moments<3> posterior = integrate(d, data).moments;
  TrainOptions options;
  options.family = d.family;
  options.priors = {{"sd", PriorKind::exponential, {rate}}, {"Intercept", PriorKind::normal, {0, intercept_width}}};
  const ParameterSummary sd = train("y ~ 1 + (1 | g)", data.table, options).summarize().at(1);
  ASSERT_EQ(sd.name, "sd_g__Intercept");
  EXPECT_NEAR(sd.mean, posterior.mean(2), 0.2 * posterior.sd(2));
  EXPECT_GT(sd.sd, 0.7 * posterior.sd(2));
  EXPECT_LT(sd.sd, 0.95 * posterior.sd(2));  // if it is not, the document is to be changed
}

}  // namespace
}  // namespace jensen
