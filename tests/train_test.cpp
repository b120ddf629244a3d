/// \file Training from the caller's memory against closed forms and one-dimensional quadrature.

#include "jensen/train.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <numbers>
#include <random>

#include "jensen/errors.hpp"
#include "models.hpp"

namespace jensen {
namespace {

/// Columns that live as long as the table that views them.
struct Data {
  std::vector<std::pair<std::string, std::vector<double>>> columns;
  Table table() const {
    Table t("data");
    for (const auto& [name, values] : columns) t.add(name, values);
    return t;
  }
};

double value_of(const Fit& fit, const std::string& name, double ParameterSummary::*field) {
  for (const ParameterSummary& s : fit.summarize()) {
    if (s.name == name) return s.*field;
  }
  ADD_FAILURE() << "no parameter " << name;
  return 0;
}
double mean_of(const Fit& fit, const std::string& name) { return value_of(fit, name, &ParameterSummary::mean); }
double sd_of(const Fit& fit, const std::string& name) { return value_of(fit, name, &ParameterSummary::sd); }

/// y = 2 + 1.5 a - b + noise of sd 0.5; correlation of a and b as given.
Data linear_data(std::size_t n, double correlation, unsigned seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal;
  Data data{{{"y", {}}, {"a", {}}, {"b", {}}}};
  for (std::size_t i = 0; i < n; ++i) {
    const double a = normal(random);
    const double b = correlation * a + std::sqrt(1 - correlation * correlation) * normal(random);
    data.columns[0].second.push_back(2 + 1.5 * a - b + 0.5 * normal(random));
    data.columns[1].second.push_back(a);
    data.columns[2].second.push_back(b);
  }
  return data;
}

TrainOptions with(GuideKind guide,
                  std::vector<std::string> priors = {"b ~ flat()", "Intercept ~ flat()", "sigma ~ flat()"}) {
  TrainOptions options;
  options.guide = guide;
  for (const std::string& text : priors) options.priors.push_back(parse_prior(text));
  return options;
}

/// Sums of squares and products of a and b about their means, and the residual variance of least squares.
struct LeastSquares {
  double aa = 0, ab = 0, bb = 0, variance = 0, mean_a = 0, mean_b = 0, slope_a = 0, slope_b = 0;
  explicit LeastSquares(const Data& data) {
    const auto& y = data.columns[0].second;
    const auto& a = data.columns[1].second;
    const auto& b = data.columns[2].second;
    const auto n = static_cast<double>(y.size());
    double mean_y = 0, ay = 0, by = 0, yy = 0;
    for (std::size_t i = 0; i < y.size(); ++i) mean_a += a[i] / n, mean_b += b[i] / n, mean_y += y[i] / n;
    for (std::size_t i = 0; i < y.size(); ++i) {
      const double ca = a[i] - mean_a, cb = b[i] - mean_b, cy = y[i] - mean_y;
      aa += ca * ca, ab += ca * cb, bb += cb * cb, ay += ca * cy, by += cb * cy, yy += cy * cy;
    }
    const double det = aa * bb - ab * ab;
    slope_a = (bb * ay - ab * by) / det;
    slope_b = (aa * by - ab * ay) / det;
    variance = (yy - slope_a * ay - slope_b * by) / n;
  }
};

// With n = 4000 the posterior is normal up to O(1/n), so the mean-field optimum (Bishop 2006, section 10.1.2) is exact
// to far below 1 %; the stochastic error of the fitted scales is below 1 % as well.
TEST(Meanfield, OnAnOrthogonalDesignHasThePosteriorsSds) {
  Data data = linear_data(4000, 0, 1);
  for (std::size_t i = 0; i < 4000; ++i) {  // exactly orthogonal columns
    data.columns[1].second[i] = i % 2 == 0 ? 1 : -1;
    data.columns[2].second[i] = i / 2 % 2 == 0 ? 1 : -1;
  }
  const LeastSquares ls(data);
  const Fit fit = train("y ~ a + b", data.table(), with(GuideKind::meanfield));
  EXPECT_TRUE(fit.verdict.converged);
  const double sd = std::sqrt(ls.variance / 4000);
  for (const char* name : {"b_Intercept", "b_a", "b_b"}) EXPECT_NEAR(sd_of(fit, name) / sd, 1, 0.01) << name;
  EXPECT_NEAR(sd_of(fit, "sigma") / std::sqrt(ls.variance / 8000), 1, 0.01);
  EXPECT_NEAR((mean_of(fit, "b_a") - ls.slope_a) / sd, 0, 0.02);
}

TEST(Meanfield, OnACorrelatedDesignHasTheKnownOptimum) {
  const Data data = linear_data(4000, 0.95, 2);
  const LeastSquares ls(data);
  const Fit meanfield = train("y ~ a + b", data.table(), with(GuideKind::meanfield));
  const Fit fullrank = train("y ~ a + b", data.table(), with(GuideKind::fullrank));
  EXPECT_TRUE(meanfield.verdict.converged);
  // 1 / sqrt(diagonal of the precision), against sqrt(diagonal of its inverse)
  EXPECT_NEAR(sd_of(meanfield, "b_a") / std::sqrt(ls.variance / ls.aa), 1, 0.01);
  EXPECT_NEAR(sd_of(meanfield, "b_b") / std::sqrt(ls.variance / ls.bb), 1, 0.01);
  const double marginal = std::sqrt(ls.variance * ls.bb / (ls.aa * ls.bb - ls.ab * ls.ab));
  EXPECT_NEAR(sd_of(fullrank, "b_a") / marginal, 1, 0.01);
  EXPECT_NEAR((mean_of(meanfield, "b_a") - ls.slope_a) / marginal, 0, 0.02);
  EXPECT_NEAR((mean_of(fullrank, "b_a") - ls.slope_a) / marginal, 0, 0.02);
  // KL(q || p) of the mean-field optimum: half the log of (product of the conditional variances over the determinant).
  const double gap = -0.5 * std::log(1 - ls.ab * ls.ab / (ls.aa * ls.bb));
  EXPECT_NEAR(fullrank.elbo - meanfield.elbo, gap, 0.02 + 4 * std::hypot(fullrank.elbo_se, meanfield.elbo_se));
  EXPECT_GT(meanfield.verdict.khat, 0.7);  // and it says so
  EXPECT_NE(meanfield.verdict.message.find("--guide fullrank"), std::string::npos);
}

// Three rows a level: the reference level's mean is the intercept, and mean-field takes it for known.
TEST(Meanfield, OnManySmallGroupsSaysThatItIsNotClose) {
  std::mt19937_64 random(13);
  std::normal_distribution<double> normal;
  std::vector<double> y;
  std::vector<std::int32_t> group;
  std::vector<std::string> levels;
  for (int g = 0; g < 60; ++g) {
    levels.push_back("L" + std::to_string(100 + g));
    for (int i = 0; i < 3; ++i) y.push_back(normal(random)), group.push_back(g);
  }
  Table table("groups");
  table.add("y", y);
  table.add("f", group, levels);
  const Fit fit = train("y ~ f", table, with(GuideKind::meanfield, {}));
  EXPECT_FALSE(fit.verdict.close) << fit.verdict.message;
  EXPECT_LT(sd_of(fit, "b_Intercept"), 0.3);  // the truth is near 0.58, which is why it must say so
}

/// log of the integral of exp(f), and mean and sd of x under it, by the trapezoidal rule.
struct Quadrature {
  double log_integral, mean, sd;
};
Quadrature integrate(const std::function<double(double)>& f, double low, double high) {
  constexpr int nodes = 20001;
  const double width = (high - low) / (nodes - 1);
  double peak = -1e300;
  for (int i = 0; i < nodes; ++i) peak = std::max(peak, f(low + i * width));
  double total = 0, first = 0, second = 0;
  for (int i = 0; i < nodes; ++i) {
    const double x = low + i * width;
    const double p = std::exp(f(x) - peak);
    total += p, first += p * x, second += p * x * x;
  }
  const double mean = first / total;
  return {peak + std::log(total * width), mean, std::sqrt(second / total - mean * mean)};
}
double normal_log_density(double x, double location, double scale) {
  const double r = (x - location) / scale;
  return -0.5 * r * r - std::log(scale) - 0.5 * std::log(2 * std::numbers::pi);
}

/// One parameter: the ELBO must stay below the evidence, and near it, since the posterior is nearly normal.
void expect_matches(const Fit& fit, const Quadrature& exact) {
  EXPECT_TRUE(fit.verdict.converged) << fit.verdict.message;
  EXPECT_LT(fit.elbo, exact.log_integral + 4 * fit.elbo_se);
  EXPECT_NEAR(fit.elbo, exact.log_integral, 0.01 + 4 * fit.elbo_se);
  EXPECT_NEAR((mean_of(fit, "b_Intercept") - exact.mean) / exact.sd, 0, 0.05);
  EXPECT_NEAR(sd_of(fit, "b_Intercept") / exact.sd, 1, 0.03);
}

// A level for every row: the data know sigma^2 + sd^2 alone, of which the guide picks one split. That many levels may
// each be a little off does not excuse it.
TEST(Verdict, OfALevelForEveryRowIsNotClose) {
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal;
  std::vector<double> y;
  std::vector<std::int32_t> id;
  std::vector<std::string> names;
  for (std::int32_t i = 0; i < 400; ++i) {
    y.push_back(normal(random) + normal(random));
    id.push_back(i);
    names.push_back("n" + std::to_string(i));
  }
  Table table("data.csv");
  table.add("y", y);
  table.add("id", id, names);
  const Fit fit = train("y ~ 1 + (1 | id)", table);
  EXPECT_FALSE(fit.verdict.close) << fit.verdict.message;
}

TEST(Evidence, BernoulliWithAnIntercept) {
  Data data{{{"y", {}}}};
  for (int i = 0; i < 120; ++i) data.columns[0].second.push_back(i % 3 == 0 ? 1 : 0);
  TrainOptions options = with(GuideKind::fullrank, {"Intercept ~ student_t(3, 0.5, 1.5)"});
  options.family = Family::bernoulli;
  const auto joint = [](double b) {
    const double t = (b - 0.5) / 1.5;
    const double prior = std::lgamma(2) - std::lgamma(1.5) - 0.5 * std::log(3 * std::numbers::pi) - std::log(1.5) -
                         2 * std::log1p(t * t / 3);
    return 40 * b - 120 * std::log1p(std::exp(b)) + prior;
  };
  expect_matches(train("y ~ 1", data.table(), options), integrate(joint, -4, 3));
}

TEST(Evidence, PoissonWithOffsetAndMinibatches) {
  std::mt19937_64 random(5);
  Data data{{{"y", {}}, {"log_exposure", {}}}};
  for (int i = 0; i < 2000; ++i) {
    const double e = 0.5 + (i % 7) * 0.3;
    data.columns[0].second.push_back(static_cast<double>(std::poisson_distribution<int>(0.2 * e)(random)));
    data.columns[1].second.push_back(std::log(e));
  }
  TrainOptions options = with(GuideKind::meanfield, {"Intercept ~ normal(0, 2)"});
  options.family = Family::poisson;
  options.batch = 300;
  const auto joint = [&](double b) {
    double sum = normal_log_density(b, 0, 2);
    for (std::size_t i = 0; i < 2000; ++i) {
      const double y = data.columns[0].second[i], eta = b + data.columns[1].second[i];
      sum += y * eta - std::exp(eta) - std::lgamma(y + 1);
    }
    return sum;
  };
  expect_matches(train("y ~ 1 + offset(log_exposure)", data.table(), options), integrate(joint, -2.2, -1.1));
}

// A linear model with known sigma is conjugate: the full-rank optimum is the posterior itself and its ELBO the
// evidence.
TEST(Conjugate, KnownSigmaGivesPosteriorAndEvidence) {
  constexpr int n = 60, k = 3;
  constexpr double sigma = 0.7;
  auto model = testing::random_model(DensityKind::gaussian, n, k, 11);
  EngineSpec& spec = model.spec;
  Term data = spec.terms[0];
  data.arguments[1].part_count = 0;
  data.arguments[1].constant = static_cast<float>(std::log(sigma));
  data.constant = -0.5 * n * std::log(2 * std::numbers::pi);
  Term prior;  // z ~ N(0, I)
  prior.density = DensityKind::normal_prior;
  prior.rows = k;
  prior.constant = -0.5 * k * std::log(2 * std::numbers::pi);
  prior.constants[1] = model.keep(std::vector<float>(k, 1.0F));
  prior.arguments[0].part_count = 1;
  prior.arguments[0].parts[0] = {PartKind::dense, 0, k, 1, model.keep({1, 0, 0, 0, 1, 0, 0, 0, 1})};
  spec.terms = {data, prior};
  spec.dimension = k;
  spec.samples = 16;
  spec.lambda.assign(testing::lambda_size(spec), 0.0F);

  // Precision and mean; evidence by the chain of predictive densities of one row at a time (rank-one updates).
  double cov[k][k] = {{1, 0, 0}, {0, 1, 0}, {0, 0, 1}};
  double mean[k] = {};
  double evidence = 0;
  for (int i = 0; i < n; ++i) {
    const float* x = data.arguments[0].parts[0].x + i * k;
    const double r0 = static_cast<double>(data.constants[0][i]) - static_cast<double>(data.arguments[0].offset[i]);
    double cx[k] = {}, predicted = 0, variance = static_cast<double>(data.arguments[1].constant);
    variance = std::exp(2 * variance);
    for (int a = 0; a < k; ++a) {
      for (int b = 0; b < k; ++b) cx[a] += cov[a][b] * static_cast<double>(x[b]);
      predicted += mean[a] * static_cast<double>(x[a]);
    }
    for (int a = 0; a < k; ++a) variance += static_cast<double>(x[a]) * cx[a];
    evidence += normal_log_density(r0, predicted, std::sqrt(variance));
    for (int a = 0; a < k; ++a) {
      mean[a] += cx[a] * (r0 - predicted) / variance;
      for (int b = 0; b < k; ++b) cov[a][b] -= cx[a] * cx[b] / variance;
    }
  }

  const std::unique_ptr<Engine> engine = make_cpu_engine(spec);
  constexpr std::int64_t steps = 4000;
  for (std::int64_t t = 0; t < steps; ++t) {
    engine->step(t, 0.05 / std::sqrt(1 + static_cast<double>(t) / 100), t >= steps / 2 ? 0 : -1);
  }
  const std::vector<double> lambda = engine->average(0);
  double l[k][k] = {};
  double log_det = 0;
  for (int i = 0; i < k; ++i) {
    for (int j = 0; j <= i; ++j) l[i][j] = lambda[static_cast<std::size_t>(k + i * (i + 1) / 2 + j)];
    log_det += l[i][i];
    l[i][i] = std::exp(l[i][i]);
  }
  for (int i = 0; i < k; ++i) {
    EXPECT_NEAR((lambda[static_cast<std::size_t>(i)] - mean[i]) / std::sqrt(cov[i][i]), 0, 0.02);
    for (int j = 0; j < k; ++j) {
      double c = 0;
      for (int m = 0; m < k; ++m) c += l[i][m] * l[j][m];
      EXPECT_NEAR((c - cov[i][j]) / std::sqrt(cov[i][i] * cov[j][j]), 0, 0.03);
    }
  }
  const Evaluation e = engine->evaluate(std::vector<float>(lambda.begin(), lambda.end()), 1000);
  double elbo = 0;
  for (std::size_t s = 0; s < e.log_joint.size(); ++s) {
    elbo += (e.log_joint[s] + 0.5 * e.noise_squared[s]) / static_cast<double>(e.log_joint.size());
  }
  elbo += log_det + 0.5 * k * std::log(2 * std::numbers::pi);
  EXPECT_LT(elbo, evidence + 0.001);  // q = p would give the evidence in every draw: no Monte Carlo error to allow for
  EXPECT_NEAR(elbo, evidence, 0.01);
}

TEST(Train, DoesNotDependOnUnitsOrOrigins) {
  const Data data = linear_data(3000, 0.5, 3);
  Data moved = data;
  for (double& v : moved.columns[1].second) v = 2017 + 1e-4 * v;
  for (double& v : moved.columns[2].second) v = 1e6 * v - 3e7;
  for (double& v : moved.columns[0].second) v = 1e5 + 1e-3 * v;
  const Fit plain = train("y ~ a + b", data.table());
  const Fit shifted = train("y ~ a + b", moved.table());
  for (const auto& [name, factor] : {std::pair{"b_a", 10.0}, std::pair{"b_b", 1e-9}, std::pair{"sigma", 1e-3}}) {
    EXPECT_NEAR(mean_of(shifted, name) / factor, mean_of(plain, name), 0.02 * sd_of(plain, name)) << name;
    EXPECT_NEAR(sd_of(shifted, name) / factor / sd_of(plain, name), 1, 0.01) << name;
  }
  EXPECT_NEAR(shifted.elbo - 3000 * std::log(1e3), plain.elbo, 0.02);  // density of y per unit
}

TEST(Train, ThresholdsDoNotDependOnOrigins) {
  std::mt19937_64 random(5);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  Data data{{{"y", {}}, {"x", {}}}};
  for (int i = 0; i < 300; ++i) {
    const double x = normal(random), u = uniform(random);
    const double latent = 0.5 * x + std::log(u / (1 - u));
    data.columns[0].second.push_back((latent > -0.5 ? 1 : 0) + (latent > 1 ? 1 : 0));
    data.columns[1].second.push_back(x);
  }
  Data moved = data;
  for (double& v : moved.columns[1].second) v += 2000;
  TrainOptions options;
  options.family = Family::cumulative;
  const Fit plain = train("y ~ x", data.table(), options);
  const Fit shifted = train("y ~ x", moved.table(), options);
  EXPECT_NEAR(mean_of(shifted, "b_x"), mean_of(plain, "b_x"), 0.02 * sd_of(plain, "b_x"));
  EXPECT_NEAR(sd_of(shifted, "b_x") / sd_of(plain, "b_x"), 1, 0.01);
  EXPECT_NEAR(mean_of(plain, "b_x"), 0.5, 3.9 * sd_of(plain, "b_x"));  // by chance once in 10,000 seeds
  const double slope = mean_of(shifted, "b_x");
  for (const char* threshold : {"b_Intercept[1]", "b_Intercept[2]"}) {
    EXPECT_NEAR(mean_of(shifted, threshold) - 2000 * slope, mean_of(plain, threshold), 0.02 * sd_of(plain, threshold))
        << threshold;
  }
  EXPECT_NEAR(shifted.elbo, plain.elbo, 0.02);
}

TEST(Train, MinibatchesAndAllRowsAgree) {
  const Data data = linear_data(20000, 0.8, 4);
  TrainOptions options;
  options.batch = 20000;
  const Fit whole = train("y ~ a * b", data.table(), options);
  options.batch = 500;
  const Fit parts = train("y ~ a * b", data.table(), options);
  for (const ParameterSummary& s : whole.summarize()) {
    EXPECT_NEAR(mean_of(parts, s.name), s.mean, 0.05 * s.sd) << s.name;
    EXPECT_NEAR(sd_of(parts, s.name) / s.sd, 1, 0.03) << s.name;
  }
}

TEST(Train, APriorOnTheInterceptMeansTheDataOwnZero) {
  Data data = linear_data(400, 0, 6);
  for (double& v : data.columns[1].second) v += 10;  // so that eta at a = 0 is -13, far from eta at the mean of a
  const Fit raw =
      train("y ~ a + b", data.table(), with(GuideKind::fullrank, {"Intercept ~ normal(5, 0.01)", "b ~ flat()"}));
  EXPECT_NEAR(mean_of(raw, "b_Intercept"), 5, 0.05);
  const Fit centred = train("y ~ a + b", data.table(),
                            with(GuideKind::fullrank, {"Intercept_centered ~ normal(5, 0.001)", "b ~ flat()"}));
  double mean_a = 0, mean_b = 0;
  for (std::size_t i = 0; i < 400; ++i)
    mean_a += data.columns[1].second[i] / 400, mean_b += data.columns[2].second[i] / 400;
  const double at_mean =
      mean_of(centred, "b_Intercept") + mean_a * mean_of(centred, "b_a") + mean_b * mean_of(centred, "b_b");
  EXPECT_NEAR(at_mean, 5, 0.02);
}

TEST(Train, UniformPriorsThatTheStartIsOutsideOf) {
  const Data data = linear_data(400, 0.3, 6);
  const Fit wide = train("y ~ a + b", data.table(), with(GuideKind::fullrank));
  // The posterior's sds are 0.025: no bound is felt.
  const Fit within = train("y ~ a + b", data.table(),
                           with(GuideKind::fullrank, {"b_a ~ uniform(1, 9)", "b_b ~ uniform(-40, -0.5)",
                                                      "Intercept ~ uniform(1, 2.5)", "sigma ~ uniform(0.1, 0.9)"}));
  EXPECT_TRUE(within.verdict.converged) << within.verdict.message;
  for (const char* name : {"b_Intercept", "b_a", "b_b", "sigma"}) {
    EXPECT_NEAR(mean_of(within, name), mean_of(wide, name), 0.03 * sd_of(wide, name)) << name;
    EXPECT_NEAR(sd_of(within, name) / sd_of(wide, name), 1, 0.03) << name;
  }
  const double mean = mean_of(wide, "b_a"), sd = sd_of(wide, "b_a");
  const Prior tail{"b_a", PriorKind::uniform, {mean - 1.7 * sd, 9}};  // 4.5 % of the guide are beyond
  const Fit cut_little = train("y ~ a + b", data.table(), with(GuideKind::fullrank, {to_string(tail)}));
  EXPECT_FALSE(cut_little.verdict.failed);
  EXPECT_FALSE(cut_little.verdict.close) << cut_little.verdict.message;
  const Prior half{"b_a", PriorKind::uniform, {mean, 9}};
  const Fit cut = train("y ~ a + b", data.table(), with(GuideKind::fullrank, {to_string(half)}));
  EXPECT_TRUE(cut.verdict.failed);
  EXPECT_NE(cut.verdict.message.find("(a uniform one's bounds may cut the posterior)"), std::string::npos)
      << cut.verdict.message;
}

TEST(Train, SameBitsForAnyThreadCountAndTwoRuns) {
  const Data data = linear_data(30000, 0.3, 7);
  TrainOptions options;
  options.steps = 300;
  options.threads = 1;
  const Fit one = train("y ~ a + b", data.table(), options);
  EXPECT_EQ(one.options.batch, 8192);  // large enough to be minibatched by default
  for (const int threads : {1, 2, 3}) {
    options.threads = threads;
    const Fit other = train("y ~ a + b", data.table(), options);
    EXPECT_EQ(one.mean, other.mean);
    EXPECT_EQ(one.factor, other.factor);
    EXPECT_EQ(one.elbo, other.elbo);
    EXPECT_EQ(one.verdict.khat, other.verdict.khat);
  }
  options.seed = 2;
  EXPECT_NE(one.mean, train("y ~ a + b", data.table(), options).mean);
}

TEST(Train, AnObserverCanStopIt) {
  struct Stop : Observer {
    int calls = 0;
    bool progress(const Progress&) override { return ++calls < 1; }
  } stop;
  const Data data = linear_data(100, 0, 8);
  const Fit fit = train("y ~ a", data.table(), {}, &stop);
  EXPECT_FALSE(fit.verdict.converged);
  EXPECT_EQ(fit.steps, 50);
  EXPECT_NEAR(mean_of(fit, "b_a"), 1.5, 0.5);
}

// exp(offset) alone overflows; the intercept takes it back.
TEST(Train, AnOffsetOfAnySizeIsOnlyAnOffset) {
  Data data{
      {{"y", {}}, {"x", {}}, {"zero", std::vector<double>(100, 0.0)}, {"large", std::vector<double>(100, 800.0)}}};
  for (int i = 0; i < 100; ++i) {
    data.columns[0].second.push_back(i % 5);
    data.columns[1].second.push_back(i % 7);
  }
  TrainOptions options;  // the default prior goes with the offset
  options.family = Family::poisson;
  const Fit plain = train("y ~ x + offset(zero)", data.table(), options);
  const Fit shifted = train("y ~ x + offset(large)", data.table(), options);
  EXPECT_NEAR(mean_of(shifted, "b_Intercept") + 800, mean_of(plain, "b_Intercept"), 0.02 * sd_of(plain, "b_Intercept"));
  EXPECT_NEAR(mean_of(shifted, "b_x"), mean_of(plain, "b_x"), 0.02 * sd_of(plain, "b_x"));
}

TEST(Train, TooManyNonFiniteDrawsEndItWithTheLastGoodState) {
  Data data{{{"y", {}}, {"x", {}}}};
  for (int i = 0; i < 100; ++i) {
    data.columns[0].second.push_back(i % 5);
    data.columns[1].second.push_back(i % 7);
  }
  TrainOptions options;
  options.family = Family::poisson;
  options.learning_rate = 1e20;  // the first step leaves every rate infinite
  const Fit fit = train("y ~ x", data.table(), options);
  EXPECT_TRUE(fit.verdict.failed);
  EXPECT_FALSE(fit.verdict.converged);
  EXPECT_GT(fit.verdict.nonfinite, 500);
  EXPECT_LT(std::abs(mean_of(fit, "b_Intercept")), 5);
  EXPECT_TRUE(fit.verdict.message.starts_with("failed: ")) << fit.verdict.message;
}

/// 3,000 counts of mean 1, of which the only one where x is 1 is 0.
Data one_count_of_zero() {
  std::mt19937_64 random(4);
  std::poisson_distribution<int> counts(1);
  Data data{{{"y", {}}, {"x", {}}}};
  for (int i = 0; i < 3'000; ++i) {
    data.columns[0].second.push_back(i == 7 ? 0 : counts(random));
    data.columns[1].second.push_back(i == 7);
  }
  return data;
}

// The normal at the mode has half its draws where exp(b) is beyond a float, and training ended there.
TEST(Train, ALevelWithoutACountIsLearned) {
  const Data data = one_count_of_zero();
  const std::pair<Family, std::string> cases[] = {{Family::poisson, "b ~ normal(0, 1000)"},
                                                  {Family::poisson, "b ~ normal(0, 5)"},
                                                  {Family::negative_binomial, "b ~ normal(0, 5)"}};
  for (const auto& [family, prior] : cases) {
    TrainOptions options;
    options.family = family;
    options.priors = {parse_prior(prior)};
    const Fit fit = train("y ~ x", data.table(), options);
    EXPECT_TRUE(fit.verdict.converged) << prior << ": " << fit.verdict.message;
    EXPECT_EQ(fit.verdict.nonfinite, 0) << prior;
    EXPECT_LT(mean_of(fit, "b_x") + sd_of(fit, "b_x"), 0) << prior;
    double sum = 0;
    for (const double y : data.columns[0].second) sum += y;
    // 0.018 is the sd of the intercept, of which a tenth is what the verdict allows.
    EXPECT_NEAR(mean_of(fit, "b_Intercept"), std::log(sum / 2'999), 0.002) << prior;
  }
}

TEST(Train, TheDefaultPriorOfAnInterceptIsOfWhatTheOffsetLeaves) {
  Data data{{{"y", {0, 3, 1, 8}}, {"x", {1, 2, 4, 3}}, {"o", {-2, 1, 3, 10}}}};
  const auto location = [&](Family family, const char* formula) {
    TrainOptions options;
    options.family = family;
    options.steps = 1;
    const Fit fit = train(formula, data.table(), options);
    return std::ranges::find(fit.options.priors, "Intercept_centered", &Prior::target)->arguments[0];
  };
  const double exposure = std::exp(-2.0) + std::exp(1.0) + std::exp(3.0) + std::exp(10.0);
  EXPECT_NEAR(location(Family::poisson, "y ~ x + offset(o)"), std::log(12 / exposure), 1e-3);
  EXPECT_NEAR(location(Family::poisson, "y ~ x"), std::log(3.0), 1e-3);
  EXPECT_NEAR(location(Family::gaussian, "y ~ x + offset(o)"), 3.0 - 3.0, 1e-2);
  EXPECT_NEAR(location(Family::gaussian, "y ~ x"), 3.0, 1e-2);
  TrainOptions options;
  options.steps = 1;
  const auto scale = [&](const char* formula) {
    const Fit fit = train(formula, data.table(), options);
    return std::ranges::find(fit.options.priors, "Intercept_centered", &Prior::target)->arguments[1];
  };
  // sd(y) = sqrt(38 / 3); y - o is 2, 2, -2, -2, of sd sqrt(16 / 3).
  EXPECT_NEAR(scale("y ~ x"), 2.5 * std::sqrt(38.0 / 3), 1e-2);
  EXPECT_NEAR(scale("y ~ x + offset(o)"), 2.5 * std::sqrt(16.0 / 3), 1e-2);
}

TEST(Train, GroupsAreSummarizedInTheOrderOfTheFormula) {
  Table table("data.csv");
  std::vector<float> y;
  std::vector<std::int32_t> many, few;
  std::vector<std::string> names;
  for (int i = 0; i < 120; ++i) {
    y.push_back(static_cast<float>(i * 37 % 11));
    many.push_back(i % 30);
    few.push_back(i / 7 % 4);
    if (i < 30) names.push_back("n" + std::to_string(i));
  }
  table.add("y", y);
  table.add("many", many, names);
  table.add("few", few, names);
  TrainOptions options;
  options.steps = 1;
  const Fit fit = train("y ~ (1 | many) + (1 | few)", table, options);
  EXPECT_EQ(fit.groups[0].group, "few");  // on which many depends
  EXPECT_EQ(fit.groups_in_order(), (std::vector<std::size_t>{1, 0}));
  const std::vector<ParameterSummary> levels = fit.summarize_levels();
  EXPECT_EQ(levels.front().name, "r_many[n0,Intercept]");
  EXPECT_EQ(levels.back().name, "r_few[n3,Intercept]");
}

TEST(Train, DefaultPriorsOfRareColumnsGoByTheirRange) {
  std::mt19937_64 random(4);
  std::normal_distribution<double> normal;
  Data data{{{"y", {}}, {"one", {}}, {"half", {}}, {"outlier", {}}, {"plain", {}}}};
  for (int i = 0; i < 10'000; ++i) {
    const double z = normal(random);
    const double row[] = {normal(random), i == 3 ? 40.0 : 30.0, i % 2 * 1.0, i == 5 ? 1000.0 : z, z};
    for (std::size_t k = 0; k < 5; ++k) data.columns[k].second.push_back(row[k]);
  }
  TrainOptions options;
  options.steps = 1000;
  const Fit fit = train("y ~ one + half + outlier + plain", data.table(), options);
  const auto sd_of_prior = [&](const std::string& name) {
    for (const Prior& prior : fit.options.priors) {
      if (prior.target == name) return prior.arguments[1];
    }
    ADD_FAILURE() << "no prior of " << name;
    return 0.0;
  };
  const double sd_y = sd_of_prior("Intercept_centered") / 2.5;
  // Rounded to four digits each.
  EXPECT_NEAR(sd_of_prior("b_one") / (2.5 * sd_y / 2), 1, 1e-3);         // a fifth of 10; the column's sd is 0.1
  EXPECT_NEAR(sd_of_prior("b_half") / (2.5 * sd_y / 0.5), 1, 1e-3);      // its sd
  EXPECT_NEAR(sd_of_prior("b_outlier") / (2.5 * sd_y / 50.2), 1, 5e-3);  // a 20th of 1,004 or so; its sd is 10
  EXPECT_NEAR(sd_of_prior("b_plain") / (2.5 * sd_y), 1, 0.02);           // its sd, 1
}

TEST(Train, RefusesWhatCannotBeLearned) {
  Data data = linear_data(50, 0, 9);
  data.columns.emplace_back("c", std::vector<double>(50, 3.0));
  data.columns.emplace_back("twice", data.columns[1].second);
  for (double& v : data.columns.back().second) v *= 2;
  const auto refused = [&](const std::string& formula, const TrainOptions& options, const std::string& part) {
    try {
      train(formula, data.table(), options);
      ADD_FAILURE() << formula << " was taken";
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  };
  data.columns.emplace_back("huge", data.columns[1].second);
  for (double& v : data.columns.back().second) v *= 1e300;
  refused("y ~ a + c", {}, "'c'");
  refused("y ~ huge", {}, "other units");
  refused("huge ~ a", {}, "other units");
  for (double& v : data.columns.back().second) v *= 1e-261;  // 1e39: beyond a float's range, within a double's
  refused("y ~ huge", {}, "other units");
  for (double& v : data.columns.back().second) v *= 1e-79;
  refused("huge ~ a", {}, "other units");
  refused("c ~ a", {}, "3 in every row");
  refused("y ~ a + twice", with(GuideKind::fullrank), "'twice'");
  refused("y ~ a", with(GuideKind::fullrank, {"b_nope ~ flat()"}), "b_nope");
  refused("y ~ 0 + a", with(GuideKind::fullrank, {"Intercept ~ flat()"}), "Intercept");
  TrainOptions negative;
  negative.learning_rate = -1;
  refused("y ~ a", negative, "learning rate");
  TrainOptions bernoulli;
  bernoulli.family = Family::bernoulli;
  refused("y ~ a", bernoulli, "row 1");
  refused("y ~ a + twice", {}, "'twice'");
  TrainOptions proper;  // a prior that the user chose may tell the two apart
  proper.priors = {parse_prior("b ~ normal(0, 2)")};
  EXPECT_NO_THROW(train("y ~ a + twice", data.table(), proper));
}

// Fewer rows than coefficients: the priors decide, and the residuals (all zero at the mode) say nothing of sigma.
TEST(Train, FewerRowsThanCoefficients) {
  std::mt19937_64 random(12);
  std::normal_distribution<double> normal;
  Data data{{{"y", {}}}};
  std::string formula = "y ~ 1";
  for (int j = 0; j < 10; ++j) {
    data.columns.emplace_back("x" + std::to_string(j), std::vector<double>());
    formula += " + x" + std::to_string(j);
  }
  for (auto& column : data.columns) {
    for (int i = 0; i < 6; ++i) column.second.push_back(normal(random));
  }
  const Fit fit = train(formula, data.table());
  for (const ParameterSummary& s : fit.summarize()) {
    EXPECT_TRUE(std::isfinite(s.mean) && s.sd > 0) << s.name;
    if (s.name.starts_with("b_x")) {
      EXPECT_LT(std::abs(s.mean) + s.sd, 20) << s.name;  // the priors' sds are near 2.5
    }
    if (s.name == "sigma") {
      EXPECT_GT(s.mean, 0.1);  // of responses of sd 1
    }
  }
}

// A perfect fit has no best sigma above 0: the sentence says what runs away, not just that steps are missing.
TEST(Train, APosteriorWithoutEndIsSaidToBeOne) {
  Data data{{{"y", {}}, {"a", {}}}};
  for (int i = 0; i < 40; ++i) {
    data.columns[0].second.push_back(1 + 0.25 * i);
    data.columns[1].second.push_back(0.125 * i);
  }
  const Fit fit = train("y ~ a", data.table());
  EXPECT_FALSE(fit.verdict.converged);
  EXPECT_NE(fit.verdict.message.find("the average of 'sigma'"), std::string::npos) << fit.verdict.message;
  EXPECT_NE(fit.verdict.message.find("may have no end"), std::string::npos) << fit.verdict.message;
}

TEST(Predict, ExpectedResponseOfALinearModel) {
  const Data data = linear_data(500, 0, 10);
  const Fit fit = train("y ~ a + b", data.table());
  std::vector<double> a{0, 1, std::nan("")}, b{0, -1, 2};
  Table fresh;
  fresh.add("a", a);
  fresh.add("b", b);
  const Prediction p = predict(fit, fresh);
  const std::vector<double> mean = p.column("mean"), q05 = p.column("q05"), q95 = p.column("q95");
  EXPECT_NEAR(mean[0], mean_of(fit, "b_Intercept"), 1e-9);
  EXPECT_NEAR(q95[0] - q05[0], 2 * 1.6448536 * sd_of(fit, "b_Intercept"), 1e-6);
  EXPECT_NEAR(mean[1], mean_of(fit, "b_Intercept") + mean_of(fit, "b_a") - mean_of(fit, "b_b"), 1e-9);
  EXPECT_TRUE(std::isnan(mean[2]) && std::isnan(q05[2]) && std::isnan(q95[2]));
}

TEST(Predict, ExpectedProbabilityEqualsTheMeanOverDraws) {
  Data data{{{"y", {}}, {"x", {}}}};
  for (int i = 0; i < 40; ++i) {
    data.columns[0].second.push_back(i * 7 % 40 > 15 + i / 4 ? 1 : 0);
    data.columns[1].second.push_back(i / 10.0);
  }
  TrainOptions options;
  options.family = Family::bernoulli;
  const Fit fit = train("y ~ x", data.table(), options);
  std::vector<double> x{5.0};
  Table fresh;
  fresh.add("x", x);
  constexpr std::size_t draws = 20000;
  const std::vector<double> theta = fit.draw(draws, 1);
  double mean = 0;
  for (std::size_t s = 0; s < draws; ++s) mean += 1 / (1 + std::exp(-(theta[2 * s] + 5 * theta[2 * s + 1]))) / draws;
  // Standard error of the mean of 20,000 probabilities: below 0.5 / sqrt(20,000) = 0.0035; four of them.
  EXPECT_NEAR(predict(fit, fresh).column("mean")[0], mean, 0.014);
}

}  // namespace
}  // namespace jensen
