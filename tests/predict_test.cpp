/// \file Predictions of fits made by hand: expected responses against sums and integrals over the textbooks' densities,
/// new responses against the same moments, posteriors whose predictions have closed forms.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <map>
#include <numbers>
#include <ostream>

#include "coupled_fit.hpp"
#include "jensen/errors.hpp"
#include "jensen/train.hpp"
#include "predict/random_response.hpp"
#include "predict/response_mean.hpp"
#include "tolerances.hpp"

namespace jensen {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr double z95 = 1.6448536269514722;

double logistic(double x) { return 1 / (1 + std::exp(-x)); }

// --- One response

struct Moments {
  double mean, sd;
};

/// Of a density over whole numbers 0 .. most.
Moments sum_counts(const std::function<double(double)>& log_density, int most) {
  double total = 0, first = 0, second = 0;
  for (int y = 0; y <= most; ++y) {
    const double p = std::exp(log_density(y));
    total += p, first += p * y, second += p * y * y;
  }
  EXPECT_NEAR(total, 1, 1e-9);
  return {first, std::sqrt(second - first * first)};
}
/// Of y = g(u) by 400,000 cells of u, given the log density of u.
Moments integrate(const std::function<double(double)>& log_density, double low, double high,
                  const std::function<double(double)>& g) {
  constexpr int cells = 400'000;
  const double width = (high - low) / cells;
  double total = 0, first = 0, second = 0;
  for (int i = 0; i < cells; ++i) {
    const double u = low + (i + 0.5) * width;
    const double y = g(u);
    const double p = std::exp(log_density(u)) * width;
    total += p, first += p * y, second += p * y * y;
  }
  EXPECT_NEAR(total, 1, 1e-6);
  return {first / total, std::sqrt(second / total - first * first / total / total)};
}
Moments integrate_real(const std::function<double(double)>& f, double low, double high) {
  return integrate(f, low, high, [](double u) { return u; });
}
Moments integrate_positive(const std::function<double(double)>& f) {  // y = exp(u)
  return integrate([&](double u) { return f(std::exp(u)) + u; }, -60, 12, [](double u) { return std::exp(u); });
}
double poisson(double y, double mu) { return y * std::log(mu) - mu - std::lgamma(y + 1); }

struct ResponseCase {
  std::string name;
  Family family;
  Link link;
  ResponseParameters p;
  std::function<Moments()> moments;
};
void PrintTo(const ResponseCase& c, std::ostream* out) { *out << c.name; }

std::vector<ResponseCase> response_cases() {
  std::vector<ResponseCase> cases;
  const auto add = [&](std::string name, Family family, Link link, ResponseParameters p,
                       std::function<Moments()> moments) {
    cases.push_back({std::move(name), family, link, p, std::move(moments)});
  };
  const auto normal = [](double y, double m, double s) {
    return -0.5 * (y - m) * (y - m) / (s * s) - std::log(s) - 0.5 * std::log(2 * std::numbers::pi);
  };
  add("gaussian", Family::gaussian, Link::identity, {1.5, {0.7, 0}, 1},
      [=] { return integrate_real([=](double y) { return normal(y, 1.5, 0.7); }, -10, 12); });
  add("student_t", Family::student_t, Link::identity, {-2, {0.5, 6}, 1}, [] {
    return integrate_real(
        [](double y) {
          const double t = (y + 2) / 0.5;
          return std::lgamma(3.5) - std::lgamma(3) - 0.5 * std::log(6 * std::numbers::pi) - std::log(0.5) -
                 3.5 * std::log1p(t * t / 6);
        },
        -2000, 1996);
  });
  const auto bernoulli = [](double p) { return Moments{p, std::sqrt(p * (1 - p))}; };
  add("bernoulli_logit", Family::bernoulli, Link::logit, {0.4, {}, 1}, [=] { return bernoulli(logistic(0.4)); });
  add("bernoulli_probit", Family::bernoulli, Link::probit, {-0.7, {}, 1},
      [=] { return bernoulli(0.5 * (1 - std::erf(0.7 / std::sqrt(2.0)))); });
  add("bernoulli_cloglog", Family::bernoulli, Link::cloglog, {-0.7, {}, 1},
      [=] { return bernoulli(1 - std::exp(-std::exp(-0.7))); });
  for (const double trials : {7.0, 300.0}) {
    add("binomial_" + std::to_string(static_cast<int>(trials)), Family::binomial, Link::logit, {-1, {}, trials}, [=] {
      const double p = logistic(-1);
      return sum_counts(
          [=](double y) {
            return std::lgamma(trials + 1) - std::lgamma(y + 1) - std::lgamma(trials - y + 1) + y * std::log(p) +
                   (trials - y) * std::log1p(-p);
          },
          static_cast<int>(trials));
    });
  }
  for (const double eta : {-2.0, 3.5}) {
    const std::string size = eta < 0 ? "small" : "large";
    const double mu = std::exp(eta);
    add("poisson_" + size, Family::poisson, Link::log, {eta, {}, 1},
        [=] { return sum_counts([=](double y) { return poisson(y, mu); }, 200); });
    add("zero_inflated_" + size, Family::zero_inflated_poisson, Link::log, {eta, {0.3, 0}, 1}, [=] {
      return sum_counts([=](double y) { return std::log((y == 0 ? 0.3 : 0) + 0.7 * std::exp(poisson(y, mu))); }, 200);
    });
    add("hurdle_" + size, Family::hurdle_poisson, Link::log, {eta, {0.3, 0}, 1}, [=] {
      return sum_counts(
          [=](double y) {
            return y == 0 ? std::log(0.3) : std::log(0.7) + poisson(y, mu) - std::log1p(-std::exp(-mu));
          },
          200);
    });
    add("weibull_" + size, Family::weibull, Link::log, {eta, {eta < 0 ? 0.6 : 2.5, 0}, 1}, [=] {
      const double shape = eta < 0 ? 0.6 : 2.5;
      const double scale = mu / std::tgamma(1 + 1 / shape);
      return integrate_positive([=](double y) {
        return std::log(shape / scale) + (shape - 1) * std::log(y / scale) - std::pow(y / scale, shape);
      });
    });
  }
  for (const double shape : {0.4, 5.0}) {
    const std::string name = shape < 1 ? "_wide" : "_narrow";
    add("negative_binomial" + name, Family::negative_binomial, Link::log, {1.2, {shape, 0}, 1}, [=] {
      const double mu = std::exp(1.2);
      return sum_counts(
          [=](double y) {
            return std::lgamma(y + shape) - std::lgamma(shape) - std::lgamma(y + 1) +
                   shape * std::log(shape / (shape + mu)) + y * std::log(mu / (shape + mu));
          },
          2000);
    });
    add("gamma" + name, Family::gamma, Link::log, {0.8, {shape, 0}, 1}, [=] {
      const double rate = shape / std::exp(0.8);
      return integrate_positive(
          [=](double y) { return shape * std::log(rate) - std::lgamma(shape) + (shape - 1) * std::log(y) - rate * y; });
    });
    add("beta" + name, Family::beta, Link::logit, {0.6, {shape, 0}, 1}, [=] {
      const double a = logistic(0.6) * shape, b = shape - a;
      // In the logit u: dy/du = y (1 - y), log y = -log(1 + exp(-u)).
      return integrate(
          [=](double u) {
            return std::lgamma(shape) - std::lgamma(a) - std::lgamma(b) - a * std::log1p(std::exp(-u)) -
                   b * std::log1p(std::exp(u));
          },
          -250, 250, logistic);
    });
  }
  add("lognormal", Family::lognormal, Link::identity, {0.3, {0.6, 0}, 1},
      [=] { return integrate_positive([=](double y) { return normal(std::log(y), 0.3, 0.6) - std::log(y); }); });
  add("exponential", Family::exponential, Link::log, {1.1, {}, 1},
      [] { return integrate_positive([](double y) { return -1.1 - y / std::exp(1.1); }); });
  return cases;
}

class Response : public ::testing::TestWithParam<ResponseCase> {};

TEST_P(Response, ExpectedIsTheDensitysMean) {
  const ResponseCase& c = GetParam();
  const double mean = c.moments().mean;
  EXPECT_NEAR(response_mean(c.family, c.link, c.p), mean, 1e-5 * (1 + std::abs(mean)));
}

TEST_P(Response, DrawsHaveTheDensitysMoments) {
  const ResponseCase& c = GetParam();
  const Moments m = c.moments();
  constexpr std::size_t n = 40'000;
  double first = 0, second = 0, fourth = 0;
  for (std::size_t s = 0; s < n; ++s) {
    ResponseNoise noise(17, 3, static_cast<std::uint32_t>(s));
    const double r = (random_response(c.family, c.link, c.p, noise) - m.mean) / m.sd;
    first += r / n, second += r * r / n, fourth += r * r * r * r / n;
  }
  EXPECT_LT(std::abs(first) * std::sqrt(static_cast<double>(n)), tolerance::z_one);
  // The error of a variance, from the sample's own fourth moment.
  EXPECT_LT(std::abs(second - 1), tolerance::z_one * std::sqrt(std::max(fourth - 1, 0.01) / n));
}

INSTANTIATE_TEST_SUITE_P(Families, Response, ::testing::ValuesIn(response_cases()),
                         [](const auto& test) { return test.param.name; });

TEST(RandomResponse, ExtremesStayInRange) {
  for (std::uint32_t s = 0; s < 2000; ++s) {
    ResponseNoise noise(1, 0, s);
    const double share = random_response(Family::beta, Link::logit, {-3, {1e-4, 0}, 1}, noise);
    EXPECT_TRUE(share >= 0 && share <= 1) << share;
    EXPECT_GE(random_response(Family::hurdle_poisson, Link::log, {-800, {0, 0}, 1}, noise), 1);
    EXPECT_EQ(random_response(Family::poisson, Link::log, {-800, {}, 1}, noise), 0);
  }
  ResponseNoise noise(1, 0, 0);
  EXPECT_TRUE(std::isinf(random_response(Family::poisson, Link::log, {800, {}, 1}, noise)));
  EXPECT_EQ(response_mean(Family::hurdle_poisson, Link::log, {-800, {0.25, 0}, 1}), 0.75);
}

TEST(Categories, ProbabilitiesSumToOneAndKeepTheirDigits) {
  const std::vector<double> thresholds{-1, 0.5, 2};
  std::vector<double> p(4);
  for (const double eta : {-50.0, -1.0, 0.3, 40.0}) {
    cumulative_probabilities(eta, thresholds, p.data());
    EXPECT_NEAR(p[0] + p[1] + p[2] + p[3], 1, 1e-14);
    EXPECT_NEAR(p[0] + p[1], logistic(0.5 - eta), 1e-14);
    for (const double each : p) EXPECT_GT(each, 0);  // no cancellation to 0 far out
  }
  const std::vector<double> etas{1, -2};
  softmax_probabilities(etas, p.data());
  const double total = 1 + std::exp(1.0) + std::exp(-2.0);
  EXPECT_NEAR(p[0], 1 / total, 1e-15);
  EXPECT_NEAR(p[1], std::exp(1.0) / total, 1e-15);
  const std::vector<double> large{900, 899};
  softmax_probabilities(large, p.data());
  EXPECT_NEAR(p[1], logistic(1), 1e-15);
}

TEST(Categories, DrawsHaveTheirProbabilities) {
  const std::vector<double> p{0.1, 0.6, 0, 0.3};
  constexpr int n = 20'000;
  std::vector<int> count(5);
  for (std::uint32_t s = 0; s < n; ++s) {
    ResponseNoise noise(5, 1, s);
    ++count[static_cast<std::size_t>(random_category(p, noise))];
  }
  for (std::size_t k = 0; k < 4; ++k) {
    EXPECT_LE(std::abs(count[k + 1] - n * p[k]), tolerance::z_one * std::sqrt(n * p[k] * (1 - p[k]))) << k;
  }
}

// --- Fits

/// Parameters that are independent a posteriori: name, transform, mean and sd of the coordinate.
struct Coordinate {
  std::string name;
  double mean, sd;
  Transform transform = Transform::identity;
};
Fit make_fit(Family family, const std::string& formula, const std::vector<Coordinate>& coordinates) {
  Fit fit;
  fit.formula = formula;
  fit.options.family = family;
  const std::size_t size = coordinates.size();
  fit.factor.assign(size * size, 0.0);
  for (std::size_t i = 0; i < size; ++i) {
    fit.parameters.push_back({coordinates[i].name, coordinates[i].transform});
    fit.mean.push_back(coordinates[i].mean);
    fit.factor[i * size + i] = coordinates[i].sd;
  }
  return fit;
}

/// (1 | g) on a parameter, levels without information: u = sd v, v ~ N(mean_j, scale_j).
void add_group(Fit& fit, const std::string& parameter, std::size_t sd_place, const std::vector<double>& means,
               const std::vector<float>& scales) {
  GroupPosterior group;
  group.group = "g";
  group.parameter = parameter;
  group.effects = {"Intercept"};
  group.levels = means.size();
  group.first_sd = sd_place;
  group.first = fit.mean.size();
  group.scale = scales;
  fit.mean.insert(fit.mean.end(), means.begin(), means.end());
  fit.groups.push_back(group);
  if (!fit.design.groups.empty()) return;
  GroupLevels levels{"g", {}, {"g"}};
  for (std::size_t j = 0; j < means.size(); ++j) levels.levels.push_back(std::string(1, static_cast<char>('a' + j)));
  fit.design.groups = {levels};
}

struct Rows {
  std::map<std::string, std::vector<double>> numbers;
  std::vector<std::int32_t> codes;
  std::vector<std::string> levels;
  Table table() const {
    Table t("rows.csv");
    for (const auto& [name, values] : numbers) t.add(name, values);
    if (!codes.empty()) t.add("g", codes, levels);
    return t;
  }
};

TEST(Predict, ClosedFormsAgreeWithDraws) {
  struct Case {
    Family family;
    Link link;
  };
  for (const Case c :
       {Case{Family::gaussian, Link::identity}, Case{Family::poisson, Link::log}, Case{Family::bernoulli, Link::logit},
        Case{Family::bernoulli, Link::probit}, Case{Family::bernoulli, Link::cloglog}, Case{Family::gamma, Link::log},
        Case{Family::beta, Link::logit}, Case{Family::binomial, Link::logit}}) {
    const std::string formula = c.family == Family::binomial ? "y | trials(n) ~ x" : "y ~ x";
    Fit fit = make_fit(c.family, formula, {{"b_Intercept", 0.4, 0.5}, {"b_x", -0.3, 0.2}});
    fit.options.link = c.link;
    const Rows rows{{{"x", {0, 2, -1, std::nan("")}}, {"n", {1, 5, 2, 1}}}, {}, {}};
    const Prediction p = predict(fit, rows.table());
    EXPECT_THAT(p.columns, ElementsAre("mean", "q05", "q95"));
    ASSERT_EQ(p.rows(), 4U);
    constexpr std::size_t n = 40'000;
    const std::vector<double> theta = fit.draw(n, 5);
    for (std::size_t row = 0; row < 3; ++row) {
      const double x = rows.numbers.at("x")[row];
      const double trials = c.family == Family::binomial ? rows.numbers.at("n")[row] : 1;
      double sum = 0, squares = 0;
      for (std::size_t s = 0; s < n; ++s) {
        const double mean = trials * inverse_link(c.link, theta[2 * s] + x * theta[2 * s + 1]);
        sum += mean / n, squares += mean * mean / n;
      }
      const double se = std::sqrt((squares - sum * sum) / n);
      EXPECT_LT(std::abs(p.column("mean")[row] - sum) / se, tolerance::z_one) << to_string(c.family) << row;
      const double s = std::hypot(0.5, 0.2 * x);
      EXPECT_NEAR(p.column("q05")[row], trials * inverse_link(c.link, 0.4 - 0.3 * x - z95 * s), 1e-12);
      EXPECT_NEAR(p.column("q95")[row], trials * inverse_link(c.link, 0.4 - 0.3 * x + z95 * s), 1e-12);
    }
    EXPECT_TRUE(std::isnan(p.column("mean")[3]) && std::isnan(p.column("q95")[3]));
    const Prediction eta = predict(fit, rows.table(), {PredictionKind::link, NewLevels::error, 0, 1});
    EXPECT_NEAR(eta.column("mean")[1], 0.4 - 0.6, 1e-12);
    EXPECT_NEAR(eta.column("q95")[1], -0.2 + z95 * std::hypot(0.5, 0.4), 1e-12);
  }
  const Fit fit = make_fit(Family::gaussian, "y ~ 1", {{"b_Intercept", 0, 1}});
  Table one;
  const std::vector<double> z{1};
  one.add("z", z);
  EXPECT_THROW(predict(fit, one).column("median"), InputError);
}

TEST(Predict, TheProbitMeanIsThatOfQuadrature) {
  Fit fit = make_fit(Family::bernoulli, "y ~ 1", {{"b_Intercept", 0.4, 0.8}});
  Table one;
  const std::vector<double> z{1};
  one.add("z", z);
  for (const Link link : {Link::logit, Link::probit, Link::cloglog}) {
    fit.options.link = link;
    double sum = 0, total = 0;
    for (int i = -100'000; i <= 100'000; ++i) {
      const double t = i * 1e-4, weight = std::exp(-t * t / 2);
      sum += weight * inverse_link(link, 0.4 + 0.8 * t), total += weight;
    }
    EXPECT_NEAR(predict(fit, one).column("mean")[0], sum / total, 1e-10) << to_string(link);
  }
}

// eta of a row of level j: N(b + sd m_j, s^2 + sd^2 scale_j^2)
Fit gaussian_group_fit() {
  Fit fit = make_fit(Family::gaussian, "y ~ x + (1 | g)",
                     {{"b_Intercept", 1, 0.1},
                      {"b_x", 2, 0.2},
                      {"sd_g__Intercept", std::log(0.5), 0, Transform::exponential},
                      {"sigma", std::log(0.3), 0, Transform::exponential}});
  add_group(fit, "mu", 2, {0.4, -1, 2}, {0.5F, 1, 0.25F});
  return fit;
}

TEST(Predict, OfGroupsHasTheNormalMarginals) {
  const Fit fit = gaussian_group_fit();
  const Rows rows{{{"x", {1, 0, -1, 1}}}, {2, 0, 1, 0}, {"c", "a", "b"}};  // levels b, c, a, c
  const std::vector<double> m{-1, 2, 0.4, 2}, scale{1, 0.25, 0.5, 0.25};
  constexpr std::size_t n = 20'000;
  for (const PredictionKind kind : {PredictionKind::response, PredictionKind::link}) {
    const Prediction p = predict(fit, rows.table(), {kind, NewLevels::error, n, 3});
    for (std::size_t row = 0; row < 4; ++row) {
      const double x = rows.numbers.at("x")[row];
      const double mean = 1 + 2 * x + 0.5 * m[row];
      const double sd = std::sqrt(0.01 + 0.04 * x * x + 0.25 * scale[row] * scale[row]);
      EXPECT_LT(std::abs(p.column("mean")[row] - mean) / (sd / std::sqrt(n)), tolerance::z_one);
      // A quantile's error: sqrt(p (1 - p) / n) over the density there, 0.1031 / sd.
      const double error = std::sqrt(0.05 * 0.95 / n) / 0.1031 * sd;
      EXPECT_LT(std::abs(p.column("q05")[row] - (mean - z95 * sd)) / error, tolerance::z_one);
      EXPECT_LT(std::abs(p.column("q95")[row] - (mean + z95 * sd)) / error, tolerance::z_one);
    }
  }
}

/// Rows of the coupled fit's columns; labels as its levels are called, others are new.
struct CoupledRows {
  std::vector<double> x;
  std::vector<std::int32_t> g, h, k;  ///< beyond the last level: new
  Table table() const {
    Table t("rows.csv");
    t.add("x", x);
    t.add("g", g, {"ga", "gb", "gc", "gz"});
    t.add("h", h, {"ha", "hb", "hz"});
    t.add("k", k, {"ka", "kb", "kc", "kz"});
    return t;
  }
};

// The formula's groups need not be in the fit's order, which has those approximated with the coefficients first.
TEST(Predict, GroupsAreFoundInAnyOrder) {
  test::CoupledFit model;
  const CoupledRows rows{{1, -0.5, 0.25}, {0, 1, 2}, {0, 1, 0}, {0, 1, 2}};
  const PredictOptions options{PredictionKind::link, NewLevels::error, 1000, 3};
  const std::vector<double> expected = predict(model.fit, rows.table(), options).values;
  std::vector<std::string> groups{"(1 + x | g)", "(1 + x | h)", "(1 | k)"};
  do {
    model.fit.formula = fmt::format("y ~ 1 + x + {}", fmt::join(groups, " + "));
    const std::vector<double> values = predict(model.fit, rows.table(), options).values;
    ASSERT_EQ(values.size(), expected.size());
    // Draws are the same, the order of a row's additions is another: some 1e-16, of numbers below 10.
    for (std::size_t i = 0; i < values.size(); ++i) EXPECT_NEAR(values[i], expected[i], 1e-12) << model.fit.formula;
  } while (std::ranges::next_permutation(groups).found);
}

// Known levels of the large group go with the draws of the small groups' known levels, in whatever rows they stand.
TEST(Predict, OfCoupledGroupsHasTheJointMarginals) {
  using test::CoupledFit;
  const CoupledFit model;
  const CoupledRows rows{{1, -0.5, 0.25, 2, -1, 0.5}, {0, 1, 2, 0, 2, 3}, {0, 1, 0, 1, 2, 1}, {0, 1, 2, 2, 3, 1}};
  constexpr std::size_t n = 20'000;
  const Prediction p = predict(model.fit, rows.table(), {PredictionKind::link, NewLevels::sample, n, 3});
  for (std::size_t i = 0; i < rows.x.size(); ++i) {
    const auto in = [](std::int32_t level) { return static_cast<std::size_t>(level); };
    const double x = rows.x[i];
    const std::vector<double> row = CoupledFit::row_of(x, in(rows.g[i]), in(rows.h[i]), in(rows.k[i]));
    double mean = 0, variance = 0;
    for (std::size_t a = 0; a < CoupledFit::all; ++a) {
      mean += row[a] * model.mean[a];
      for (std::size_t b = 0; b < CoupledFit::all; ++b) variance += row[a] * row[b] * model.covariance(a, b);
    }
    const auto of_new = [x](const std::array<double, 3>& b) {  // |B^T (1, x)|^2
      return (b[0] + b[1] * x) * (b[0] + b[1] * x) + b[2] * x * b[2] * x;
    };
    if (rows.g[i] == 3) variance += of_new(CoupledFit::g_factor);
    if (rows.h[i] == 2) variance += of_new(CoupledFit::h_factor);
    if (rows.k[i] == 3) variance += CoupledFit::k_sd * CoupledFit::k_sd;
    const double sd = std::sqrt(variance);
    EXPECT_LT(std::abs(p.column("mean")[i] - mean) / (sd / std::sqrt(n)), tolerance::z_many) << i;
    const double error = std::sqrt(0.05 * 0.95 / n) / 0.1031 * sd;
    EXPECT_LT(std::abs(p.column("q05")[i] - (mean - z95 * sd)) / error, tolerance::z_many) << i;
    EXPECT_LT(std::abs(p.column("q95")[i] - (mean + z95 * sd)) / error, tolerance::z_many) << i;
  }
}

TEST(Predict, NewResponsesHaveTheWholeSpread) {
  const Fit fit = gaussian_group_fit();
  const Rows rows{{{"x", {1}}}, {1}, {"c", "a", "b"}};
  constexpr std::size_t n = 20'000;
  const Prediction p = predict(fit, rows.table(), {PredictionKind::draws, NewLevels::error, n, 3});
  ASSERT_EQ(p.columns.size(), n);
  EXPECT_EQ(p.columns.front(), "draw_1");
  EXPECT_EQ(p.columns.back(), "draw_20000");
  const double mean = 3 + 0.2, variance = 0.01 + 0.04 + 0.25 * 0.25 + 0.09;
  double sum = 0, squares = 0;
  for (const double y : p.values) sum += (y - mean) / n, squares += (y - mean) * (y - mean) / n;
  EXPECT_LT(std::abs(sum) / std::sqrt(variance / n), tolerance::z_one);
  EXPECT_LT(std::abs(squares / variance - 1) / std::sqrt(2.0 / n), tolerance::z_one);
  EXPECT_EQ(predict(fit, rows.table(), {PredictionKind::draws, NewLevels::error, 0, 3}).columns,
            std::vector<std::string>{"draw_1"});
}

TEST(Predict, NewLevelsAreAnErrorUnlessSampled) {
  const Fit fit = gaussian_group_fit();
  const Rows rows{{{"x", {0, 0, 0, 0, 0}}}, {0, 1, 2, 1, 0}, {"a", "new", "other"}};
  try {
    predict(fit, rows.table());
    ADD_FAILURE() << "a new level was taken";
  } catch (const InputError& error) {
    EXPECT_STREQ(
        error.what(),
        "rows.csv: row 2, group 'g': level 'new' was not in the training data (--new-levels); remove the row, or "
        "take new levels from the group's distribution (--new-levels sample)");
  }
  constexpr std::size_t n = 20'000;
  const Prediction p = predict(fit, rows.table(), {PredictionKind::link, NewLevels::sample, n, 3});
  const std::vector<double> mean = p.column("mean");
  EXPECT_EQ(mean[1], mean[3]);  // one level, one effect
  EXPECT_NE(mean[1], mean[2]);
  EXPECT_EQ(mean[0],
            predict(fit, Rows{{{"x", {0}}}, {0}, {"a"}}.table(), {PredictionKind::link, NewLevels::error, n, 3})
                .column("mean")[0]);
  const double sd = std::sqrt(0.01 + 0.25);
  EXPECT_LT(std::abs(mean[1] - 1) / (sd / std::sqrt(n)), tolerance::z_one);
  EXPECT_LT(std::abs(p.column("q95")[1] - (1 + z95 * sd)) / (std::sqrt(0.05 * 0.95 / n) / 0.1031 * sd),
            tolerance::z_one);
}

// log y ~ N(mu, sigma), log sigma = c + d x: E y = exp(mu + sigma^2 / 2)
TEST(Predict, AnotherParameterMayHaveAFormula) {
  Fit fit = make_fit(Family::lognormal, "y ~ 1",
                     {{"b_Intercept", 0.5, 0.1}, {"b_sigma_Intercept", -1, 0}, {"b_sigma_x", 0.4, 0}});
  fit.options.formulas = {{"sigma", "1 + x"}};
  const Rows rows{{{"x", {0, 1, 3}}}, {}, {}};
  constexpr std::size_t n = 20'000;
  const Prediction p = predict(fit, rows.table(), {PredictionKind::response, NewLevels::error, n, 3});
  for (std::size_t row = 0; row < 3; ++row) {
    const double sigma = std::exp(-1 + 0.4 * rows.numbers.at("x")[row]);
    const double mean = std::exp(0.5 + 0.005 + sigma * sigma / 2);
    EXPECT_LT(std::abs(p.column("mean")[row] - mean) / (mean * std::sqrt(std::expm1(0.01) / n)), tolerance::z_one);
  }
  // With levels of its own for sigma, and an offset.
  Fit grouped = make_fit(Family::lognormal, "y ~ 1",
                         {{"b_Intercept", 0.5, 0},
                          {"b_sigma_Intercept", -1, 0},
                          {"sd_g__sigma_Intercept", std::log(0.7), 0, Transform::exponential}});
  grouped.options.formulas = {{"sigma", "1 + offset(x) + (1 | g)"}};
  add_group(grouped, "sigma", 2, {1, -1}, {0, 0});
  const Prediction q = predict(grouped, Rows{{{"x", {0, 0.5}}}, {0, 1}, {"a", "b"}}.table());
  const double s0 = std::exp(-1 + 0.7), s1 = std::exp(-1 + 0.5 - 0.7);
  EXPECT_NEAR(q.column("mean")[0], std::exp(0.5 + s0 * s0 / 2), 1e-7);
  EXPECT_NEAR(q.column("mean")[1], std::exp(0.5 + s1 * s1 / 2), 1e-7);
}

TEST(Predict, ZeroInflationAndHurdle) {
  const Rows rows{{{"x", {0, 1}}}, {}, {}};
  const auto mean = [&](Family family, const std::string& parameter) {
    const Fit fit =
        make_fit(family, "y ~ x", {{"b_Intercept", 0.2, 0}, {"b_x", 1, 0}, {parameter, -0.5, 0, Transform::logistic}});
    return predict(fit, rows.table()).column("mean");
  };
  const double mu = std::exp(1.2), share = 1 - logistic(-0.5);
  EXPECT_NEAR(mean(Family::zero_inflated_poisson, "zi")[1], share * mu, 1e-12);
  EXPECT_NEAR(mean(Family::hurdle_poisson, "hu")[1], share * mu / (1 - std::exp(-mu)), 1e-12);
}

TEST(Predict, OrderedCategories) {
  Fit fit =
      make_fit(Family::cumulative, "y ~ x",
               {{"b_Intercept[1]", -1, 0.2}, {"b_Intercept[2]", 0.3, 0.1, Transform::increment}, {"b_x", 0.8, 0.1}});
  fit.response_levels = {"low", "mid", "high"};
  const Rows rows{{{"x", {0, 1.5}}}, {}, {}};
  const Prediction p = predict(fit, rows.table());
  EXPECT_THAT(p.columns, ElementsAre("mean_low", "q05_low", "q95_low", "mean_mid", "q05_mid", "q95_mid", "mean_high",
                                     "q05_high", "q95_high"));
  for (std::size_t row = 0; row < 2; ++row) {
    const double x = rows.numbers.at("x")[row];
    EXPECT_NEAR(p.column("mean_low")[row] + p.column("mean_mid")[row] + p.column("mean_high")[row], 1, 1e-12);
    const double eta = 0.8 * x, s = std::hypot(0.2, 0.1 * x);  // of threshold - eta
    EXPECT_NEAR(p.column("mean_low")[row], logistic(-1 - eta), 0.01);
    EXPECT_NEAR(p.column("q95_low")[row], logistic(-1 - eta + z95 * s), 0.02);
  }
  // The linear predictor is one, without the thresholds.
  const Prediction eta = predict(fit, rows.table(), {PredictionKind::link, NewLevels::error, 0, 1});
  EXPECT_THAT(eta.columns, ElementsAre("mean", "q05", "q95"));
  EXPECT_NEAR(eta.column("mean")[1], 1.2, 1e-12);
  const Prediction draws = predict(fit, rows.table(), {PredictionKind::draws, NewLevels::error, 4000, 2});
  double low = 0;
  for (std::size_t s = 0; s < 4000; ++s) {
    const double y = draws.values[s];
    EXPECT_TRUE(y == 1 || y == 2 || y == 3);
    low += y == 1 ? 1.0 / 4000 : 0;
  }
  const double share = p.column("mean_low")[0];
  EXPECT_LT(std::abs(low - share) / std::sqrt(share * (1 - share) / 4000), tolerance::z_one);
}

TEST(Predict, UnorderedCategories) {
  Fit fit =
      make_fit(Family::categorical, "y ~ x",
               {{"b_muB_Intercept", 0.5, 0}, {"b_muB_x", 1, 0}, {"b_muC_Intercept", -0.5, 0}, {"b_muC_x", -1, 0.2}});
  fit.response_levels = {"A", "B", "C"};
  const Rows rows{{{"x", {0, 2}}}, {}, {}};
  const Prediction p = predict(fit, rows.table());
  const double total = 1 + std::exp(0.5) + std::exp(-0.5);
  EXPECT_NEAR(p.column("mean_A")[0], 1 / total, 1e-12);
  EXPECT_NEAR(p.column("mean_B")[0], std::exp(0.5) / total, 1e-12);
  EXPECT_NEAR(p.column("mean_A")[1] + p.column("mean_B")[1] + p.column("mean_C")[1], 1, 1e-12);
  const Prediction eta = predict(fit, rows.table(), {PredictionKind::link, NewLevels::error, 0, 1});
  EXPECT_THAT(eta.columns, ElementsAre("mean_B", "q05_B", "q95_B", "mean_C", "q05_C", "q95_C"));
  EXPECT_NEAR(eta.column("mean_B")[1], 2.5, 1e-12);
  EXPECT_NEAR(eta.column("q95_C")[1] - eta.column("mean_C")[1], z95 * 0.4, 0.1);
}

TEST(Predict, KnownStandardDeviations) {
  const Fit fit = make_fit(Family::gaussian, "y | se(e) ~ 1", {{"b_Intercept", 2, 0}});
  const Rows rows{{{"e", {0.5, 3, std::nan("")}}}, {}, {}};
  constexpr std::size_t n = 10'000;
  const Prediction p = predict(fit, rows.table(), {PredictionKind::draws, NewLevels::error, n, 3});
  for (std::size_t row = 0; row < 2; ++row) {
    double squares = 0;
    for (std::size_t s = 0; s < n; ++s) squares += std::pow(p.values[row * n + s] - 2, 2) / n;
    const double variance = std::pow(rows.numbers.at("e")[row], 2);
    EXPECT_LT(std::abs(squares / variance - 1) / std::sqrt(2.0 / n), tolerance::z_one);
  }
  EXPECT_TRUE(std::isnan(p.values[2 * n]));
  const Rows without{{{"x", {1}}}, {}, {}};
  EXPECT_EQ(predict(fit, without.table()).column("mean")[0], 2);
  try {
    predict(fit, without.table(), {PredictionKind::draws, NewLevels::error, 1, 1});
    ADD_FAILURE() << "se was not missed";
  } catch (const InputError& error) {
    EXPECT_THAT(error.what(), HasSubstr("se(e), but rows.csv has no column 'e'"));
  }
}

TEST(Predict, SameBitsForAnyNumberOfThreadsAndOrderOfRows) {
  const Fit fit = gaussian_group_fit();
  Rows rows{{{"x", {}}}, {}, {"a", "b", "c", "new", "newer"}};
  for (int i = 0; i < 2000; ++i) {
    rows.numbers["x"].push_back(i % 17 * 0.1);
    rows.codes.push_back(i * 7 % 5);
  }
  for (const PredictionKind kind : {PredictionKind::response, PredictionKind::draws}) {
    const PredictOptions options{kind, NewLevels::sample, 50, 8};
    std::vector<Prediction> results;
    for (const int threads : {1, 2, 3}) {
      omp_set_num_threads(threads);
      results.push_back(predict(fit, rows.table(), options));
    }
    EXPECT_EQ(results[0].values, results[1].values);
    EXPECT_EQ(results[0].values, results[2].values);
  }
}

// Levels too many to keep in every draw are made row by row, with the same values.
TEST(Predict, ManyLevels) {
  Fit fit = make_fit(Family::gaussian, "y ~ 1 + (1 | g)",
                     {{"b_Intercept", 1, 0.1}, {"sd_g__Intercept", 0, 0, Transform::exponential}});
  constexpr std::size_t levels = 20'000;
  std::vector<double> means;
  for (std::size_t j = 0; j < levels; ++j) means.push_back(static_cast<double>(j % 10));
  add_group(fit, "mu", 1, means, std::vector<float>(levels, 0.5F));
  Rows rows;
  fit.design.groups[0].levels.clear();
  for (std::size_t j = 0; j < levels; ++j) {
    fit.design.groups[0].levels.push_back("L" + std::to_string(100'000 + j));
    rows.levels.push_back(fit.design.groups[0].levels.back());
  }
  for (const std::int32_t code : {777, 3, 777, 19'999, 42}) rows.codes.push_back(code);
  const PredictOptions many{PredictionKind::link, NewLevels::error, 1000, 8};  // 20,000 x 1,000 are not kept
  const PredictOptions few{PredictionKind::link, NewLevels::error, 400, 8};    // 20,000 x 400 are
  const Prediction p = predict(fit, rows.table(), many);
  const Prediction q = predict(fit, rows.table(), few);
  const std::vector<double> expected{8, 4, 8, 10, 3};
  for (std::size_t row = 0; row < 5; ++row) {
    EXPECT_LT(std::abs(p.column("mean")[row] - expected[row]) / std::sqrt(0.26 / 1000), tolerance::z_one);
    EXPECT_LT(std::abs(q.column("mean")[row] - expected[row]) / std::sqrt(0.26 / 400), tolerance::z_one);
  }
  EXPECT_EQ(p.column("mean")[0], p.column("mean")[2]);
}

TEST(Predict, KindsHaveNames) {
  for (const auto kind : {PredictionKind::response, PredictionKind::link, PredictionKind::draws}) {
    EXPECT_EQ(parse_prediction_kind(to_string(kind)), kind);
  }
  for (const auto what : {NewLevels::error, NewLevels::sample}) EXPECT_EQ(parse_new_levels(to_string(what)), what);
  EXPECT_THROW(parse_prediction_kind("median"), InputError);
  EXPECT_THROW(parse_new_levels("zero"), InputError);
}

}  // namespace
}  // namespace jensen
