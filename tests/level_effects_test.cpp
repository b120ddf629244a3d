/// \file Draws and summaries of levels' effects against closed forms.

#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "coupled_fit.hpp"
#include "group_fit.hpp"
#include "jensen/errors.hpp"
#include "posterior/level_effects.hpp"
#include "tolerances.hpp"

namespace jensen {
namespace {

using testing::covariance_z;
using testing::group_fit;
using testing::mean_z;
using testing::OneWay;

TEST(LevelEffects, OfAConjugateModelHaveItsPosterior) {
  const OneWay model;
  constexpr std::size_t n = 40'000;
  const ParameterDraws draws(model.fit, {7, 0, n, false});
  const LevelEffects effects(model.fit, 0, draws);
  std::vector<double> u(n), before(n, 0.0);
  for (std::size_t j = 0; j < OneWay::levels; ++j) {
    effects.fill(j, u.data());
    const double mean = model.mean(j), variance = model.variance(j);
    EXPECT_LT(std::abs(mean_z(u, mean, std::sqrt(variance))), tolerance::z_one) << j;
    EXPECT_LT(std::abs(covariance_z(u, u, mean, mean, variance, variance, variance)), tolerance::z_one) << j;
    EXPECT_LT(std::abs(covariance_z(u, draws.coordinate(0), mean, OneWay::m, variance, 0.09, model.slope(j) * 0.09)),
              tolerance::z_one);
    if (j > 0) {
      EXPECT_LT(std::abs(covariance_z(u, before, mean, model.mean(j - 1), variance, model.variance(j - 1),
                                      model.slope(j) * model.slope(j - 1) * 0.09)),
                tolerance::z_one);
    }
    before = u;
  }
}

/// Inverse of a symmetric 2 x 2 matrix given as (a00, a10, a11).
std::array<double, 3> inverse2(const std::array<double, 3>& a) {
  const double det = a[0] * a[2] - a[1] * a[1];
  return {a[2] / det, -a[1] / det, a[0] / det};
}

/// Three effects of a and, of each of two levels, two of b, which follow some of them. The sds have no uncertainty.
Fit following_fit() {
  Fit fit = group_fit(1, 3);
  const GroupPosterior b_alone = group_fit(2, 2).groups[0];
  fit.parameters = group_fit(2, 2).parameters;  // an intercept, two sds and a correlation
  fit.groups.push_back(b_alone);
  fit.mean = {0.5, std::log(0.7), std::log(0.4), std::atanh(0.3)};
  fit.factor.assign(16, 0.0);
  fit.factor[0] = 0.2;
  GroupPosterior &a = fit.groups[0], &b = fit.groups[1];
  a.group = "a";
  a.first = 4;
  a.scale.assign(3, 0.8F);
  a.information = {1, 4, 9};
  a.location = {0.5, -1, 2};
  b.first = 7;
  for (int i = 0; i < 7; ++i) fit.mean.push_back(0.1 * i - 0.3);
  b.scale = {0.9F, 0.1F, 1.1F, 1, 0, 0.7F};
  b.information = {3, 1, 5, 2, -0.5, 4};
  b.location = {1, 2, -1, 0.5};
  b.followed_begin = {0, 2, 3, 3, 5};
  b.followed = {0, 2, 1, 0, 2};
  b.followed_slope = {1.5, -0.5, 2, 0.25, 3};
  return fit;
}

TEST(LevelEffects, FollowThoseOfOtherGroups) {
  const Fit fit = following_fit();
  constexpr std::size_t n = 200;
  const ParameterDraws draws(fit, {7, 0, n, false});
  const LevelEffects a(fit, 0, draws), kept(fit, 1, draws), remade(fit, 1, draws, 0);
  Fit still = fit;
  still.groups[1].followed_begin.clear(), still.groups[1].followed.clear(), still.groups[1].followed_slope.clear();
  const LevelEffects alone(still, 1, draws);
  std::vector<double> u(3 * n), here(2 * n), again(2 * n), without(2 * n), means(2 * n), unused(2 * n);
  for (std::size_t j = 0; j < 3; ++j) a.fill(j, u.data() + j * n);
  const double sd[] = {0.7, 0.4}, rho = 0.3;
  const auto prior = inverse2({sd[0] * sd[0], sd[0] * sd[1] * rho, sd[1] * sd[1]});
  for (std::size_t j = 0; j < 2; ++j) {
    kept.fill(j, here.data());
    remade.fill(j, again.data());
    alone.fill(j, without.data());
    EXPECT_EQ(here, again);
    const GroupPosterior& b = fit.groups[1];
    const auto w = [&](std::size_t k) { return static_cast<double>(b.information[3 * j + k]); };
    const auto cov = inverse2({prior[0] + w(0), prior[1] + w(1), prior[2] + w(2)});
    for (std::size_t s = 0; s < n; ++s) {  // u is affine in r: u moves by (W + P)^-1 times what r does
      const double r[2][2] = {{1.5 * u[s] - 0.5 * u[2 * n + s], 2 * u[n + s]}, {0, 0.25 * u[s] + 3 * u[2 * n + s]}};
      EXPECT_NEAR(here[s] - without[s], -(cov[0] * r[j][0] + cov[1] * r[j][1]), 1e-9);
      EXPECT_NEAR(here[n + s] - without[n + s], -(cov[1] * r[j][0] + cov[2] * r[j][1]), 1e-9);
    }
    // The moments are those given the others' effects: what is left is noise of its own.
    kept.fill_moments(j, means.data(), unused.data());
    alone.fill_moments(j, again.data(), unused.data());
    for (std::size_t s = 0; s < 2 * n; ++s) EXPECT_NEAR(here[s] - means[s], without[s] - again[s], 1e-9);
  }
}

/// What the data say of a's levels answers b_Intercept, by a factor c of W and r, and the log sd, by which W rises by
/// a factor and r by a term: u = (W + P)^-1 r + (W + P)^-1/2 v.
TEST(LevelEffects, FollowWhatTheirInformationDependsOn) {
  Fit fit = following_fit();
  fit.factor[5] = 0.15;  // of the sd of a
  constexpr std::size_t n = 200;
  const double slope = 0.7, origin = 0.4, sd_origin = std::log(0.8);
  const ParameterDraws draws(fit, {7, 0, n, false});
  const Fit as_it_was = fit;
  const LevelEffects still(as_it_was, 0, draws);
  GroupPosterior& a = fit.groups[0];
  a.information_by = {0};
  a.information_slope = {slope};
  a.information_origin = {origin};
  a.answer = {0.5, -1, -0.75, 0.25, 0, 2};
  a.answer_origin = sd_origin;
  const LevelEffects moving(fit, 0, draws);
  std::vector<double> before(n), u(n), means(n), variances(n);
  for (std::size_t j = 0; j < 3; ++j) {
    still.fill(j, before.data());
    moving.fill(j, u.data());
    moving.fill_moments(j, means.data(), variances.data());
    const auto w = static_cast<double>(a.information[j]), r = static_cast<double>(a.location[j]);
    for (std::size_t s = 0; s < n; ++s) {
      const double log_sd = draws.coordinate(1)[s], prior = std::exp(-2 * log_sd);
      const double c = std::exp(slope * (draws.coordinate(0)[s] - origin)), by = log_sd - sd_origin;
      const double v = (before[s] - r / (w + prior)) * std::sqrt(w + prior);
      const double precision = c * w * std::exp(static_cast<double>(a.answer[2 * j]) * by) + prior;
      const double location = c * (r + static_cast<double>(a.answer[2 * j + 1]) * by);
      EXPECT_NEAR(u[s], location / precision + v / std::sqrt(precision), 1e-9);
      EXPECT_NEAR(variances[s], 0.64 / precision, 1e-7);  // of v 0.8^2, a float
      EXPECT_NEAR(means[s], u[s] - (v - fit.mean[4 + j]) / std::sqrt(precision), 1e-9);
    }
  }
}

/// Coordinates T(v) in the place of v: moments of exponentials of normals.
TEST(LevelEffects, OfSkewCoordinatesHaveTheMomentsOfTheirDraws) {
  Fit fit = following_fit();
  GroupPosterior& b = fit.groups[1];
  b.followed_begin.clear(), b.followed.clear(), b.followed_slope.clear();
  b.skew = {0.3F, -0.2F, -0.4F, 0.1F};
  fit.factor[0] = 0;  // nothing but the levels' own noise
  constexpr std::size_t n = 40'000;
  const ParameterDraws draws(fit, {7, 0, n, false});
  const LevelEffects effects(fit, 1, draws);
  Fit plain = fit;
  plain.groups[1].skew.clear();
  const LevelEffects straight(plain, 1, draws);
  std::vector<double> u(2 * n), means(2 * n), variances(2 * n), other(2 * n), unused(2 * n);
  for (std::size_t j = 0; j < 2; ++j) {
    effects.fill(j, u.data());
    effects.fill_moments(j, means.data(), variances.data());
    straight.fill_moments(j, other.data(), unused.data());
    EXPECT_NE(means[0], other[0]);
    for (std::size_t e = 0; e < 2; ++e) {
      const auto sample = std::span<const double>(u).subspan(e * n, n);
      EXPECT_LT(std::abs(mean_z(sample, means[e * n], std::sqrt(variances[e * n]))), tolerance::z_one);
      double square = 0, fourth = 0;
      for (const double x : sample) {
        const double d = (x - means[e * n]) * (x - means[e * n]);
        square += d / n, fourth += d * d / n;
      }
      const double error = std::sqrt((fourth - square * square) / n);
      EXPECT_LT(std::abs(square - variances[e * n]) / error, tolerance::z_one);
    }
  }
}

TEST(LevelEffects, AreSummarizedByTheLawOfTotalVariance) {
  const OneWay model;
  const std::vector<ParameterSummary> rows = model.fit.summarize_levels();
  ASSERT_EQ(rows.size(), OneWay::levels);
  EXPECT_EQ(rows[2].name, "r_g[L2,Intercept]");
  for (std::size_t j = 0; j < OneWay::levels; ++j) {
    EXPECT_NEAR(rows[j].mean, model.mean(j), 1e-6);  // linear in b, drawn in pairs: float inputs are all that is left
    // The share of Var b is estimated from 1,000 pairs: relative error sqrt(2 / 1,000).
    const double share = model.slope(j) * model.slope(j) * 0.09;
    EXPECT_NEAR(rows[j].sd * rows[j].sd, model.variance(j), tolerance::z_one * std::sqrt(2.0 / 1000) * share + 1e-6);
    EXPECT_NEAR(rows[j].q95 - rows[j].mean, 1.6448536269514722 * rows[j].sd, 1e-12);
    EXPECT_EQ(rows[j].q50, rows[j].mean);
  }
}

// Two correlated effects with v ~ N(m_j, L L^T): u = B K^-T (K^-1 B^T r + v).
TEST(LevelEffects, OfTwoCorrelatedEffects) {
  for (const bool centered : {false, true}) {
    Fit fit = group_fit(2, 1);
    GroupPosterior& group = fit.groups[0];
    const double sd0 = 0.9, sd1 = 0.4, rho = -0.5;
    fit.mean[1] = std::log(sd0), fit.mean[2] = std::log(sd1), fit.mean[3] = std::atanh(rho);
    if (centered) {  // the parameters' own values must not matter then
      group.centered = true;
      group.reference = {sd0, sd1 * rho, sd1 * std::sqrt(1 - rho * rho)};
      fit.mean[1] = 3, fit.mean[2] = -2, fit.mean[3] = 0.1;
    }
    group.information = {3, 1, 5};
    group.location = {2, -1};
    // (W + Sigma^-1)^-1
    const auto prior = inverse2({sd0 * sd0, sd0 * sd1 * rho, sd1 * sd1});
    const auto cov = inverse2({prior[0] + 3, prior[1] + 1, prior[2] + 5});
    const ParameterDraws draws(fit, {5, 0, 30'000, false});
    const LevelEffects effects(fit, 0, draws);
    std::vector<double> u(60'000), moments(60'000), variances(60'000);
    effects.fill(0, u.data());
    effects.fill_moments(0, moments.data(), variances.data());
    const double m0 = cov[0] * 2 - cov[1], m1 = cov[1] * 2 - cov[2];
    EXPECT_NEAR(moments[0], m0, 1e-12);
    EXPECT_NEAR(moments[30'000], m1, 1e-12);
    EXPECT_NEAR(variances[7], cov[0], 1e-12);
    EXPECT_NEAR(variances[30'007], cov[2], 1e-12);
    const auto u0 = std::span<const double>(u).first(30'000), u1 = std::span<const double>(u).last(30'000);
    EXPECT_LT(std::abs(mean_z(u0, m0, std::sqrt(cov[0]))), tolerance::z_one);
    EXPECT_LT(std::abs(mean_z(u1, m1, std::sqrt(cov[2]))), tolerance::z_one);
    EXPECT_LT(std::abs(covariance_z(u0, u1, m0, m1, cov[0], cov[2], cov[1])), tolerance::z_one);

    // A factor of its own: u = A v + .., so mean and variance move with it.
    fit.mean[4] = 0.7;
    group.scale = {0.5F, 0.25F, 2};
    const LevelEffects scaled(fit, 0, draws);
    scaled.fill(0, u.data());
    scaled.fill_moments(0, moments.data(), variances.data());
    EXPECT_NE(moments[0], m0);
    EXPECT_LT(std::abs(mean_z(u0, moments[0], std::sqrt(variances[0]))), tolerance::z_one);
    EXPECT_LT(std::abs(mean_z(u1, moments[30'000], std::sqrt(variances[30'000]))), tolerance::z_one);
    EXPECT_LT(std::abs(covariance_z(u0, u0, moments[0], moments[0], variances[0], variances[0], variances[0])),
              tolerance::z_one);
  }
}

// Levels within the factor go with the parameters' draws. Without information u = sd v.
TEST(LevelEffects, WithinTheFactorAreCorrelatedWithTheParameters) {
  Fit fit = group_fit(1, 2);
  fit.groups[0].scale.clear();
  fit.mean = {1, std::log(0.5), 0.3, -0.6};
  fit.factor = {0.4, 0, 0, 0, 0, 0, 0, 0, -0.5, 0, 0.6, 0, 0.1, 0, 0.2, 0.9};
  const ParameterDraws draws(fit, {5, 0, 30'000, false});
  const LevelEffects effects(fit, 0, draws);
  std::vector<double> first(30'000), second(30'000);
  effects.fill(0, first.data());
  effects.fill(1, second.data());
  const double v0 = 0.25 * 0.61, v1 = 0.25 * 0.86;
  EXPECT_LT(std::abs(mean_z(first, 0.15, std::sqrt(v0))), tolerance::z_one);
  EXPECT_LT(std::abs(covariance_z(first, draws.coordinate(0), 0.15, 1, v0, 0.16, 0.5 * -0.2)), tolerance::z_one);
  EXPECT_LT(std::abs(covariance_z(first, second, 0.15, -0.3, v0, v1, 0.25 * 0.07)), tolerance::z_one);
  const std::vector<ParameterSummary> rows = fit.summarize_levels();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_NEAR(rows[1].mean, -0.3, 1e-9);  // pairs
  EXPECT_NEAR(rows[1].sd / std::sqrt(v1), 1, tolerance::z_one / std::sqrt(2.0 * 2000));
  EXPECT_NEAR((rows[1].q95 - rows[1].q50) / std::sqrt(v1), 1.645, 0.15);
}

/// Effects z of the coupled fit in draws, 15 x S; of g the moments given the rest instead if `variances` is there.
std::vector<double> coupled_effects_of(const Fit& fit, const ParameterDraws& draws, std::vector<double>* variances) {
  using test::CoupledFit;
  const std::size_t n = draws.count();
  std::vector<double> z(CoupledFit::all * n);
  for (std::size_t c = 0; c < 2; ++c) std::ranges::copy(draws.coordinate(c), z.data() + c * n);
  const std::array<std::size_t, 3> places{CoupledFit::g_at, CoupledFit::h_at, CoupledFit::k_at};
  if (variances != nullptr) variances->assign(6 * n, 0.0);
  for (std::size_t g = 0; g < 3; ++g) {
    const LevelEffects effects(fit, g, draws);
    const std::size_t q = effects.effects();
    for (std::size_t j = 0; j < effects.group().levels; ++j) {
      double* out = z.data() + (places[g] + j * q) * n;
      if (g == 0 && variances != nullptr) {
        effects.fill_moments(j, out, variances->data() + j * q * n);
      } else {
        effects.fill(j, out);
      }
    }
  }
  return z;
}

/// Of effect i of g given (b, k, h): covariance with them times the inverse of theirs.
std::vector<double> coupled_slopes(const test::CoupledFit& model, std::size_t i) {
  test::Dense head{test::CoupledFit::head};
  std::vector<double> with(head.n);
  for (std::size_t a = 0; a < head.n; ++a) {
    with[a] = model.covariance(i, a);
    for (std::size_t b = 0; b < head.n; ++b) head(a, b) = model.covariance(a, b);
  }
  return test::solve(head, with);
}

// In every draw the levels' conditional moments are those of the dense normal given the draw's own b, k and h.
TEST(LevelEffects, OfALargeGroupDependOnThoseOfSmallOnes) {
  using test::CoupledFit;
  const CoupledFit model;
  constexpr std::size_t n = 50;
  const ParameterDraws draws(model.fit, {5, 0, n, false});
  std::vector<double> variances;
  const std::vector<double> z = coupled_effects_of(model.fit, draws, &variances);
  for (std::size_t i = CoupledFit::g_at; i < CoupledFit::all; ++i) {
    const std::vector<double> slopes = coupled_slopes(model, i);
    double variance = model.covariance(i, i);
    for (std::size_t a = 0; a < CoupledFit::head; ++a) variance -= slopes[a] * model.covariance(i, a);
    for (std::size_t s = 0; s < n; ++s) {
      double mean = model.mean[i];
      for (std::size_t a = 0; a < CoupledFit::head; ++a) mean += slopes[a] * (z[a * n + s] - model.mean[a]);
      EXPECT_NEAR(z[i * n + s], mean, 1e-5) << i << " " << s;  // single precision of location and coupling
      EXPECT_NEAR(variances[(i - CoupledFit::g_at) * n + s], variance, 1e-5) << i << " " << s;
    }
  }
}

TEST(LevelEffects, OfCoupledGroupsHaveTheJointPosterior) {
  using test::CoupledFit;
  const CoupledFit model;
  constexpr std::size_t n = 40'000;
  const ParameterDraws draws(model.fit, {9, 0, n, false});
  const std::vector<double> z = coupled_effects_of(model.fit, draws, nullptr);
  const auto lane = [&](std::size_t i) { return std::span(z).subspan(i * n, n); };
  for (std::size_t i = 0; i < CoupledFit::all; ++i) {
    const double variance = model.covariance(i, i);
    EXPECT_LT(std::abs(mean_z(lane(i), model.mean[i], std::sqrt(variance))), tolerance::z_many) << i;
    for (std::size_t j = 0; j <= i; ++j) {
      EXPECT_LT(std::abs(covariance_z(lane(i), lane(j), model.mean[i], model.mean[j], variance, model.covariance(j, j),
                                      model.covariance(i, j))),
                tolerance::z_many)
          << i << " " << j;
    }
  }
}

TEST(LevelEffects, OfCoupledGroupsAreSummarized) {
  using test::CoupledFit;
  const CoupledFit model;
  const std::vector<ParameterSummary> rows = model.fit.summarize_levels();
  ASSERT_EQ(rows.size(), CoupledFit::all - 2);  // g, h, k
  EXPECT_EQ(rows[1].name, "r_g[ga,x]");
  EXPECT_EQ(rows[12].name, "r_k[kc,Intercept]");
  for (std::size_t r = 0; r < rows.size(); ++r) {
    const std::size_t i = r < 6 ? CoupledFit::g_at + r : r < 10 ? CoupledFit::h_at + r - 6 : CoupledFit::k_at + r - 10;
    const double variance = model.covariance(i, i);
    EXPECT_NEAR(rows[r].mean, model.mean[i], 1e-5) << rows[r].name;  // linear, drawn in pairs
    double drawn = variance;                                         // the part of it that is estimated from draws
    double pairs = 2000;
    if (r < 6) {
      drawn = 0, pairs = 1000;
      const std::vector<double> slopes = coupled_slopes(model, i);
      for (std::size_t a = 0; a < CoupledFit::head; ++a) drawn += slopes[a] * model.covariance(i, a);
    }
    EXPECT_NEAR(rows[r].sd * rows[r].sd, variance, tolerance::z_many * std::sqrt(2 / pairs) * drawn + 1e-5)
        << rows[r].name;
    EXPECT_GT(drawn, 0.1 * variance);
  }
}

TEST(LevelEffects, OfNewLevelsComeFromTheGroup) {
  Fit fit = group_fit(2, 3);
  fit.mean[1] = std::log(2.0), fit.mean[2] = std::log(0.5), fit.mean[3] = std::atanh(0.6);
  const ParameterDraws draws(fit, {11, 0, 30'000, false});
  const LevelEffects effects(fit, 0, draws);
  std::vector<double> a(60'000), b(60'000);
  effects.fill_new(0, a.data());
  effects.fill_new(1, b.data());
  const auto a0 = std::span<const double>(a).first(30'000), a1 = std::span<const double>(a).last(30'000);
  const auto b0 = std::span<const double>(b).first(30'000);
  EXPECT_LT(std::abs(mean_z(a0, 0, 2)), tolerance::z_one);
  EXPECT_LT(std::abs(covariance_z(a0, a0, 0, 0, 4, 4, 4)), tolerance::z_one);
  EXPECT_LT(std::abs(covariance_z(a1, a1, 0, 0, 0.25, 0.25, 0.25)), tolerance::z_one);
  EXPECT_LT(std::abs(covariance_z(a0, a1, 0, 0, 4, 0.25, 0.6)), tolerance::z_one);
  EXPECT_LT(std::abs(covariance_z(a0, b0, 0, 0, 4, 4, 0)), tolerance::z_one);
}

TEST(LevelEffects, OfAnotherParameterSaySo) {
  Fit fit = group_fit(2, 2);
  fit.groups[0].parameter = "sigma";
  EXPECT_EQ(fit.summarize_levels().at(1).name, "r_g__sigma[L0,x1]");
  fit.design.groups[0].levels.pop_back();
  EXPECT_THROW(fit.summarize_levels(), InputError);
}

}  // namespace
}  // namespace jensen
