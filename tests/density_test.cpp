#include "densities/list.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numbers>
#include <ostream>
#include <vector>

#include "density_magnitude.hpp"
#include "tolerances.hpp"

namespace jensen {
namespace {

/// One evaluation: the constants of a row and the arguments.
struct Point {
  std::array<double, 3> constants{};
  double a0 = 0;
  double a1 = 0;
  double a2 = 0;
  Arguments<double> arguments() const { return {a0, a1, a2}; }
};

std::ostream& operator<<(std::ostream& out, const Point& p) {
  return out << "constants " << p.constants[0] << ' ' << p.constants[1] << ' ' << p.constants[2] << ", a_0 " << p.a0
             << ", a_1 " << p.a1 << ", a_2 " << p.a2;
}

template <class R>
AnyValue<R> evaluate(DensityKind kind, const Point& p) {
  const R constants[3] = {static_cast<R>(p.constants[0]), static_cast<R>(p.constants[1]),
                          static_cast<R>(p.constants[2])};
  return evaluate_any<R>(kind, constants, {static_cast<R>(p.a0), static_cast<R>(p.a1), static_cast<R>(p.a2)});
}

/// The point as float arithmetic sees it.
Point rounded(Point p) {
  for (double& c : p.constants) c = static_cast<double>(static_cast<float>(c));
  p.a0 = static_cast<double>(static_cast<float>(p.a0));
  p.a1 = static_cast<double>(static_cast<float>(p.a1));
  p.a2 = static_cast<double>(static_cast<float>(p.a2));
  return p;
}

const double log_two_pi = std::log(2 * std::numbers::pi);

double normal_log(double y, double mean, double sd) {
  const double r = (y - mean) / sd;
  return -0.5 * log_two_pi - std::log(sd) - 0.5 * r * r;
}

double student_t_log(double y, double df, double mean, double sd) {
  const double r = (y - mean) / sd;
  return std::lgamma((df + 1) / 2) - std::lgamma(df / 2) - 0.5 * std::log(df * std::numbers::pi) - std::log(sd) -
         (df + 1) / 2 * std::log(1 + r * r / df);
}

/// The log density as textbooks have it; for a positive parameter exp(a_0), as a density of a_0.
double textbook(DensityKind kind, const Point& p) {
  const auto& [first, second, third] = p.constants;
  switch (kind) {
    case DensityKind::gaussian:
      return normal_log(first, p.a0, std::exp(p.a1));
    case DensityKind::bernoulli_logit: {
      const double probability = 1 / (1 + std::exp(first > 0 ? -p.a0 : p.a0));
      return std::log(probability);
    }
    case DensityKind::poisson_log:
      return first * p.a0 - std::exp(p.a0) - std::lgamma(first + 1);
    case DensityKind::normal_prior:
      return normal_log(p.a0, first, 1 / second);
    case DensityKind::student_t_prior:
      return student_t_log(p.a0, third, first, 1 / second);
    case DensityKind::half_normal_prior:
      return std::log(2) + normal_log(std::exp(p.a0), 0, 1 / second) + p.a0;
    case DensityKind::half_student_t_prior:
      return std::log(2) + student_t_log(std::exp(p.a0), third, 0, 1 / second) + p.a0;
    case DensityKind::exponential_prior:
      return std::log(second) - second * std::exp(p.a0) + p.a0;
    default:  // flat
      break;
  }
  return p.a0;
}

/// What the density leaves out, as its comment says.
double left_out(DensityKind kind, const Point& p) {
  const auto& [first, second, third] = p.constants;
  switch (kind) {
    case DensityKind::gaussian:
      return -0.5 * log_two_pi;
    case DensityKind::poisson_log:
      return (first > 0 ? first * std::log(first) : 0) - first - std::lgamma(first + 1);
    case DensityKind::normal_prior:
      return -0.5 * log_two_pi + std::log(second);
    case DensityKind::student_t_prior:
      return std::lgamma((third + 1) / 2) - std::lgamma(third / 2) - 0.5 * std::log(third * std::numbers::pi) +
             std::log(second);
    case DensityKind::half_normal_prior:
      return std::log(2) - 0.5 * log_two_pi + std::log(second);
    case DensityKind::half_student_t_prior:
      return std::log(2) + std::lgamma((third + 1) / 2) - std::lgamma(third / 2) -
             0.5 * std::log(third * std::numbers::pi) + std::log(second);
    case DensityKind::exponential_prior:
      return std::log(second);
    default:
      return 0;
  }
}

const std::vector<double> arguments{-80,  -30, -12, -7.5, -3,  -1.5, -0.9, -0.3, -0.1, -1e-3, -1e-6, 0, 1e-6,
                                    1e-3, 0.1, 0.2, 0.6,  1.1, 1.7,  2.6,  5,    7.5,  12,    30,    80};

/// A wide grid for every density. Poisson: around the count's own logarithm as well as far from it.
std::vector<Point> grid(DensityKind kind) {
  std::vector<Point> points;
  const auto of_prior = [&](const std::vector<double>& locations, const std::vector<double>& dfs) {
    for (const double location : locations) {
      for (const double scale : {1e-3, 0.5, 1.0, 2.5, 1e3}) {
        for (const double df : dfs) {
          for (const double a : arguments) points.push_back({{location, 1 / scale, df}, a, 0});
        }
      }
    }
  };
  const std::vector<double> no_df{0};
  const std::vector<double> some_df{1, 3, 7.5, 100};
  switch (kind) {
    case DensityKind::gaussian:
      for (const double y : {-1e4, -2.0, 0.0, 0.7, 1e4}) {
        for (const double log_sigma : {-15.0, -3.0, -0.4, 0.0, 0.9, 5.0, 30.0}) {
          for (const double eta : arguments) points.push_back({{y}, eta, log_sigma});
        }
      }
      break;
    case DensityKind::bernoulli_logit:
      for (const double y : {0.0, 1.0}) {
        for (const double eta : arguments) points.push_back({{y}, eta, 0});
      }
      break;
    case DensityKind::poisson_log:
      for (const double y : {0.0, 1.0, 2.0, 17.0, 1000.0, 1e6}) {
        const double log_y = y > 0 ? std::log(y) : 0;
        for (const double eta : arguments) {
          points.push_back({{y, log_y}, eta, 0});
          if (std::abs(eta) < 10) points.push_back({{y, log_y}, log_y + eta, 0});
        }
      }
      break;
    case DensityKind::normal_prior:
      of_prior({-3, 0, 50}, no_df);
      break;
    case DensityKind::student_t_prior:
      of_prior({-3, 0, 50}, some_df);
      break;
    case DensityKind::half_student_t_prior:
      of_prior({0}, some_df);
      break;
    default:
      of_prior({0}, no_df);
      break;
  }
  return points;
}

/// The others are in density_reference_test.cpp.
constexpr std::array textbook_densities{DensityKind::gaussian,
                                        DensityKind::bernoulli_logit,
                                        DensityKind::poisson_log,
                                        DensityKind::normal_prior,
                                        DensityKind::student_t_prior,
                                        DensityKind::half_normal_prior,
                                        DensityKind::half_student_t_prior,
                                        DensityKind::exponential_prior,
                                        DensityKind::flat_positive_prior};

class EveryDensity : public testing::TestWithParam<DensityKind> {};

std::string name_of(const testing::TestParamInfo<DensityKind>& kind) { return density_name(kind.param); }
INSTANTIATE_TEST_SUITE_P(All, EveryDensity, testing::ValuesIn(textbook_densities), name_of);

TEST_P(EveryDensity, WithWhatItLeavesOutIsTheTextbooks) {
  for (const Point& p : grid(GetParam())) {
    const double expected = textbook(GetParam(), p);
    if (!std::isfinite(expected)) continue;  // the textbook's formula overflows or takes log(0) where f does not
    const double own = evaluate<double>(GetParam(), p).log_density;
    const double out = left_out(GetParam(), p);
    const double added = density_magnitude(GetParam(), p.constants.data(), p.arguments()).log_density;
    // The textbook's Bernoulli loses what is smaller than 1 in 1 + exp(-eta); its Poisson what is smaller than log y!.
    const double room = tolerance::density_double * (1 + added + std::abs(out) + std::abs(p.constants[0] * p.a0));
    EXPECT_NEAR(own + out, expected, room) << p;
  }
}

/// Differences need a step that the density sees as small: in units of its scale.
double step_of(DensityKind kind, const Point& p, double Point::*argument) {
  if (argument == &Point::a1) return tolerance::finite_difference_step;
  if (kind == DensityKind::gaussian) return tolerance::finite_difference_step * std::exp(p.a1);
  const bool has_scale = kind == DensityKind::normal_prior || kind == DensityKind::student_t_prior;
  return tolerance::finite_difference_step / (has_scale ? p.constants[1] : 1.0);
}

TEST_P(EveryDensity, DerivativesAreFiniteDifferences) {
  const DensityKind kind = GetParam();
  for (const Point& p : grid(kind)) {
    const AnyValue<double> own = evaluate<double>(kind, p);
    const AnyValue<double> size = density_magnitude(kind, p.constants.data(), p.arguments());
    const auto expect_slope = [&](double derivative, double Point::*argument, double derivative_size) {
      const double h = step_of(kind, p, argument);
      const auto at = [&](double step) {
        Point q = p;
        q.*argument += step;
        return evaluate<double>(kind, q).log_density;
      };
      const double difference = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
      double room =
          tolerance::finite_difference * derivative_size +
          4 * tolerance::double_epsilon / h * (size.log_density + 1 + std::abs(p.*argument) * derivative_size);
      // Its fifth derivative is not small where the first is.
      if (kind == DensityKind::student_t_prior)
        room += tolerance::finite_difference * (p.constants[2] + 1) * p.constants[1];
      EXPECT_NEAR(derivative, difference, room) << "at " << p;
    };
    expect_slope(own.d[0], &Point::a0, size.d[0]);
    expect_slope(own.d[1], &Point::a1, size.d[1]);
  }
}

TEST_P(EveryDensity, InFloatIsTheOneInDouble) {
  for (const Point& wanted : grid(GetParam())) {
    const Point p = rounded(wanted);
    const AnyValue<double> size = density_magnitude(GetParam(), p.constants.data(), p.arguments());
    if (!(std::max({size.log_density, size.d[0], size.d[1]}) < 1e37)) continue;  // beyond float
    const AnyValue<float> got = evaluate<float>(GetParam(), p);
    const AnyValue<double> want = evaluate<double>(GetParam(), p);
    const auto expect = [&](float a, double b, double s, const char* what) {
      EXPECT_NEAR(static_cast<double>(a), b, tolerance::density_float * s + std::numeric_limits<float>::min())
          << what << " at " << p;
    };
    expect(got.log_density, want.log_density, size.log_density, "value");
    expect(got.d[0], want.d[0], size.d[0], "df/da_0");
    expect(got.d[1], want.d[1], size.d[1], "df/da_1");
  }
}

TEST_P(EveryDensity, PassesNaNOn) {
  Point p{{1, 1, 3}, std::numeric_limits<double>::quiet_NaN(), 0};
  EXPECT_TRUE(std::isnan(evaluate<float>(GetParam(), p).log_density));
  EXPECT_TRUE(std::isnan(evaluate<double>(GetParam(), p).log_density));
}

TEST(BernoulliLogit, IsExactFarOut) {
  for (const float eta : {80.0F, 1e4F, 1e30F}) {
    const auto size = static_cast<double>(eta);
    for (const double sign : {1.0, -1.0}) {
      const double hit = sign > 0 ? 1 : 0;  // the outcome that eta is sure of
      const AnyValue<float> right = evaluate<float>(DensityKind::bernoulli_logit, {{hit}, sign * size, 0});
      const double rest = std::exp(-size);
      EXPECT_NEAR(static_cast<double>(right.log_density), -rest, tolerance::density_float * rest);
      EXPECT_NEAR(static_cast<double>(right.d[0]), sign * rest, tolerance::density_float * rest);
      const AnyValue<float> wrong = evaluate<float>(DensityKind::bernoulli_logit, {{1 - hit}, sign * size, 0});
      EXPECT_EQ(wrong.log_density, -eta);
      EXPECT_EQ(static_cast<double>(wrong.d[0]), -sign);
    }
  }
}

// A count of a million: in float y eta - exp(eta) - log y! itself would be off by whole units.
TEST(PoissonLog, KeepsLargeCountsApart) {
  for (const double y : {1e3, 1e5, 1e6, 1e7}) {
    const double log_y = std::log(y);
    for (const double u : {-2.0, -0.3, -0.2499, -0.1, -1e-2, -1e-3, -1e-4, 0.0, 1e-4, 1e-3, 0.1, 0.2501, 1.0}) {
      const Point p{{y, log_y}, static_cast<double>(static_cast<float>(log_y + u)), 0};
      const AnyValue<float> got = evaluate<float>(DensityKind::poisson_log, p);
      const double exact_u = p.a0 - log_y;
      const double exact = y * (exact_u - std::expm1(exact_u));
      // log y is stored as a float: u is off by up to half an ulp of it.
      const double stored = 0.5 * tolerance::float_epsilon * log_y;
      const double size = density_magnitude(DensityKind::poisson_log, p.constants.data(), p.arguments()).log_density;
      EXPECT_NEAR(static_cast<double>(got.log_density), exact,
                  tolerance::density_float * size + y * stored * (std::abs(std::expm1(exact_u)) + stored))
          << "y " << y << ", u " << u;
      EXPECT_LE(got.log_density, 0.0F) << "y " << y << ", u " << u;  // relative to its largest value
    }
  }
}

TEST(PoissonLog, HasNoJumpWhereItsFormulaChanges) {
  for (const double y : {1.0, 30.0, 1e6}) {
    for (const float side : {-0.25F, 0.25F}) {
      const auto log_y = static_cast<float>(std::log(y));
      const auto at = [&](float u) {
        return static_cast<double>(evaluate<float>(DensityKind::poisson_log,
                                                   {{y, static_cast<double>(log_y)}, static_cast<double>(log_y + u), 0})
                                       .log_density);
      };
      const float step = 4 * static_cast<float>(tolerance::float_epsilon) * std::max(1.0F, log_y);
      const double slope = y * std::abs(std::expm1(static_cast<double>(side)));
      const double room = 2 * static_cast<double>(step) * slope + tolerance::density_float * 2.6 * y;
      EXPECT_NEAR(at(side - step), at(side + step), room) << "y " << y << ", u " << side;
    }
  }
}

TEST(PoissonLog, OfZeroIsMinusTheRate) {
  for (const double eta : {-1e4, -80.0, -0.1, 0.0, 0.2, 5.0, 80.0}) {
    const AnyValue<float> got = evaluate<float>(DensityKind::poisson_log, {{0, 0}, eta, 0});
    const double rate = std::exp(static_cast<double>(static_cast<float>(eta)));
    const double room = tolerance::density_float * rate;
    EXPECT_NEAR(static_cast<double>(got.log_density), -rate, room) << eta;
    EXPECT_NEAR(static_cast<double>(got.d[0]), -rate, room) << eta;
  }
}

TEST(PoissonLog, FarBelowItsCountStaysFinite) {
  const double y = 1e6;
  const AnyValue<float> got = evaluate<float>(DensityKind::poisson_log, {{y, std::log(y)}, -1e4, 0});
  EXPECT_NEAR(static_cast<double>(got.log_density), y * (-1e4 - std::log(y)) + y, tolerance::density_float * y * 1e4);
  EXPECT_EQ(got.d[0], 1e6F);
}

TEST(Gaussian, TakesTinyAndHugeScales) {
  const AnyValue<float> tiny = evaluate<float>(DensityKind::gaussian, {{1}, 0, -40});
  EXPECT_NEAR(static_cast<double>(tiny.log_density), -0.5 * std::exp(80), tolerance::density_float * std::exp(80));
  EXPECT_NEAR(static_cast<double>(tiny.d[0]), std::exp(80), tolerance::density_float * std::exp(80));
  EXPECT_NEAR(static_cast<double>(tiny.d[1]), std::exp(80), tolerance::density_float * std::exp(80));
  const AnyValue<float> exact = evaluate<float>(DensityKind::gaussian, {{1}, 1, -80});
  EXPECT_EQ(exact.log_density, 80.0F);
  EXPECT_EQ(exact.d[0], 0.0F);
  EXPECT_EQ(exact.d[1], -1.0F);
  for (const double log_sigma : {80.0, 1e4}) {
    const AnyValue<float> huge = evaluate<float>(DensityKind::gaussian, {{1e6}, -1e6, log_sigma});
    EXPECT_EQ(static_cast<double>(huge.log_density), -log_sigma);
    EXPECT_NEAR(static_cast<double>(huge.d[0]), 0, 1e-30);
    EXPECT_EQ(huge.d[1], -1.0F);
  }
}

// A step that was too long must find its way back: value and slope stay finite far out.
TEST(HalfStudentT, IsFiniteFarOut) {
  for (const double df : {1.0, 3.0, 30.0}) {
    for (const double a : {50.0, 88.0, 100.0, 1e4}) {
      const AnyValue<float> high = evaluate<float>(DensityKind::half_student_t_prior, {{0, 0.4, df}, a, 0});
      const double expected = a - (df + 1) * (a + std::log(0.4) - 0.5 * std::log(df));
      EXPECT_NEAR(static_cast<double>(high.log_density), expected, tolerance::density_float * (df + 2) * a) << a;
      EXPECT_EQ(static_cast<double>(high.d[0]), -df) << a;
      const AnyValue<float> low = evaluate<float>(DensityKind::half_student_t_prior, {{0, 0.4, df}, -a, 0});
      EXPECT_EQ(static_cast<double>(low.log_density), -a);
      EXPECT_EQ(low.d[0], 1.0F);
    }
  }
}

TEST(PositivePriors, NearZeroAreTheirJacobian) {
  for (const DensityKind kind :
       {DensityKind::half_normal_prior, DensityKind::exponential_prior, DensityKind::flat_positive_prior}) {
    const AnyValue<float> low = evaluate<float>(kind, {{0, 1, 0}, -1e4, 0});
    EXPECT_EQ(low.log_density, -1e4F);
    EXPECT_EQ(low.d[0], 1.0F);
  }
}

TEST(SharedArguments, AreAtMostTwo) {
  for (const DensityKind kind : all_densities) EXPECT_LE(shared_arguments(kind), max_shared) << density_name(kind);
  EXPECT_EQ(shared_arguments(DensityKind::bernoulli_logit), 0);
  EXPECT_EQ(shared_arguments(DensityKind::gaussian), 1);
  EXPECT_EQ(shared_arguments(DensityKind::cumulative_logit), 2);
}

}  // namespace
}  // namespace jensen
