/// The kernel densities of priors, from a prior's text to value and slope, against tests/data/priors (made by
/// make_expected.py there from the textbooks' formulas in 60 digits).

#include "model/prior_density.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <fstream>
#include <limits>
#include <numeric>
#include <set>
#include <string>
#include <vector>

#include "tolerances.hpp"

namespace jensen {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

template <class R>
struct Evaluation {
  R value = 0;
  std::array<R, 1 + most_shared> d{};
};

template <class R>
Evaluation<R> evaluate(const PriorDensity& density, std::array<double, 1 + most_shared> a) {
  std::array<R, 3> constants{};
  std::array<R, 1 + most_shared> at{};
  for (std::size_t i = 0; i < 3; ++i) constants[i] = static_cast<R>(density.constants[i]);
  for (std::size_t i = 0; i < at.size(); ++i) at[i] = static_cast<R>(a[i]);
  Evaluation<R> result;
  result.value =
      evaluate_density(density.kind, constants.data(), at.data(), 1 + shared_arguments(density.kind), result.d.data());
  return result;
}

/// The first `fields` comma-separated fields of each line but the header; the rest of the line is one more.
std::vector<std::vector<std::string>> read_csv(const std::string& name, std::size_t fields) {
  std::ifstream file(JENSEN_TEST_DATA "/priors/" + name);
  std::vector<std::vector<std::string>> rows;
  std::string line;
  std::getline(file, line);
  while (std::getline(file, line)) {
    std::vector<std::string>& row = rows.emplace_back();
    std::size_t begin = 0;
    for (std::size_t i = 0; i < fields; ++i) {
      const std::size_t end = line.find(',', begin);
      row.push_back(line.substr(begin, end - begin));
      begin = end == std::string::npos ? line.size() : end + 1;
    }
    row.push_back(line.substr(begin));
  }
  return rows;
}

Support support_of(const std::string& name) {
  if (name == "real") return Support::real;
  if (name == "positive") return Support::positive;
  return name == "unit" ? Support::unit : Support::correlation;
}

/// Two numbers that are equal to `room`, or both beyond single precision's range on the same side.
void expect_near(double got, double want, double room, bool single, const std::string& what) {
  if (std::isinf(want) || (single && std::abs(want) > 1e37)) {
    EXPECT_GT(got * (want < 0 ? -1 : 1), 1e36) << what;
  } else {
    EXPECT_NEAR(got, want, room * (1 + std::abs(want))) << what;
  }
}

TEST(PriorDensity, IsTheTextbooksNormalised) {
  std::set<DensityKind> seen;
  const auto rows = read_csv("densities.csv", 4);
  ASSERT_EQ(rows.size(), 1155U);
  for (const auto& row : rows) {
    const Support support = support_of(row[0]);
    const PriorDensity density = prior_density(on_support(parse_prior("x ~ " + row[4]), support), support);
    seen.insert(density.kind);
    const double a = std::stod(row[1]);
    const double value = std::stod(row[2]);
    const double slope = std::stod(row[3]);
    const std::string what = row[4] + " at " + row[1];
    const auto exact = evaluate<double>(density, {a});
    expect_near(exact.value + density.log_normalizer, value, tolerance::prior_double, false, what);
    expect_near(exact.d[0], slope, tolerance::prior_double, false, "slope of " + what);
    const auto single = evaluate<float>(density, {a});
    const double normalised = static_cast<double>(single.value) + density.log_normalizer;
    expect_near(normalised, value, tolerance::prior_float, true, what + " in float");
    expect_near(static_cast<double>(single.d[0]), slope, tolerance::prior_float, true, "float slope of " + what);
  }
  for (int kind = static_cast<int>(DensityKind::normal_prior); kind < static_cast<int>(DensityKind::horseshoe);
       ++kind) {
    if (static_cast<DensityKind>(kind) == DensityKind::inverse_gamma_of_square_prior) continue;  // of horseshoe alone
    EXPECT_TRUE(seen.contains(static_cast<DensityKind>(kind))) << "density " << kind << " is not in densities.csv";
  }
}

/// The integral of exp(f + normaliser) over the coordinate, by the trapezoid rule, which for smooth f that die out at
/// both ends converges faster than any power of the step.
template <class R>
double integral(const PriorDensity& density) {
  constexpr double step = 1.0 / 64;
  double total = 0;
  for (int i = -64 * 64; i <= 64 * 64; ++i) {
    total += step * std::exp(static_cast<double>(evaluate<R>(density, {i * step}).value) + density.log_normalizer);
  }
  return total;
}

TEST(PriorDensity, IntegratesToOne) {
  const auto expect_one = [](const PriorDensity& density, const std::string& what) {
    EXPECT_NEAR(integral<double>(density), 1, 1e-11) << what;
    EXPECT_NEAR(integral<float>(density), 1, tolerance::prior_float) << what;
  };
  const auto of = [&](const std::string& text, Support support) {
    expect_one(prior_density(on_support(parse_prior(text), support), support), text);
  };
  for (const char* text : {"b ~ normal(1, 2)", "b ~ logistic(-1, 0.5)"}) of(text, Support::real);
  for (const char* text :
       {"s ~ half_normal(2)", "s ~ half_student_t(3, 0.5)", "s ~ half_cauchy(2)", "s ~ exponential(3)",
        "s ~ gamma(2, 0.1)", "s ~ gamma(400, 3)", "s ~ inverse_gamma(3, 2)", "s ~ lognormal(1, 0.5)"}) {
    of(text, Support::positive);
  }
  for (const char* text : {"p ~ beta(1, 1)", "p ~ beta(2, 30)", "p ~ flat()"}) of(text, Support::unit);
  for (const char* text : {"r ~ lkj(1)", "r ~ lkj(4.5)"}) of(text, Support::correlation);
  const HorseshoeScales scales = horseshoe_scales(parse_prior("b ~ horseshoe(3, 0.2, 5, 1.5)"));
  expect_one(scales.local, "local");
  expect_one(scales.global, "global");
  expect_one(scales.slab, "slab");
}

TEST(PriorDensity, IsMinusInfinityOutsideTheBounds) {
  const auto value = [](const std::string& text, Support support, double a) {
    return static_cast<double>(evaluate<float>(prior_density(parse_prior(text), support), {a}).value);
  };
  EXPECT_EQ(value("b ~ uniform(-1, 3)", Support::real, -1.001), -infinity);
  EXPECT_EQ(value("b ~ uniform(-1, 3)", Support::real, -1), 0);
  EXPECT_EQ(value("b ~ uniform(-1, 3)", Support::real, 3), 0);
  EXPECT_EQ(value("b ~ uniform(-1, 3)", Support::real, 3.001), -infinity);
  EXPECT_EQ(value("s ~ uniform(0, 1)", Support::positive, -1e4), -1e4);
  EXPECT_EQ(value("s ~ uniform(0, 1)", Support::positive, 1e-3), -infinity);
  EXPECT_EQ(value("p ~ uniform(0.5, 1)", Support::unit, -1e-3), -infinity);
  EXPECT_EQ(value("p ~ uniform(0.5, 1)", Support::unit, 1e3), -1e3);
}

TEST(PriorDensity, PassesNaNOn) {
  for (int kind = static_cast<int>(DensityKind::laplace_prior); kind <= static_cast<int>(DensityKind::horseshoe);
       ++kind) {
    const PriorDensity density{static_cast<DensityKind>(kind), {1, 1, 3}, 0};
    EXPECT_TRUE(std::isnan(evaluate<float>(density, {std::nan("")}).value)) << kind;
    EXPECT_TRUE(std::isnan(evaluate<double>(density, {std::nan("")}).value)) << kind;
    EXPECT_EQ(shared_arguments(density.kind), density.kind == DensityKind::horseshoe ? 3 : 0);
  }
}

// A step that was too long must find its way back.
TEST(PriorDensity, SlopesPointBackFromFarOut) {
  for (const char* text :
       {"s ~ half_normal(2)", "s ~ half_student_t(3, 0.5)", "s ~ half_cauchy(2)", "s ~ exponential(3)",
        "s ~ gamma(2, 0.1)", "s ~ inverse_gamma(3, 2)", "s ~ lognormal(1, 0.5)"}) {
    const PriorDensity density = prior_density(parse_prior(text), Support::positive);
    EXPECT_LT(evaluate<float>(density, {80}).d[0], 0) << text;
    EXPECT_GT(evaluate<float>(density, {-80}).d[0], 0) << text;
  }
}

TEST(Horseshoe, IsTheNormalOfTheRegularisedScale) {
  const PriorDensity density = prior_density(parse_prior("b ~ horseshoe()"), Support::real);
  ASSERT_EQ(density.kind, DensityKind::horseshoe);
  const auto rows = read_csv("horseshoe.csv", 8);
  ASSERT_EQ(rows.size(), 70U);
  for (const auto& row : rows) {
    std::array<double, 9> at{};
    for (std::size_t i = 0; i < 9; ++i) at[i] = std::stod(row[i]);
    const std::string what = row[0] + ", " + row[1] + ", " + row[2] + ", " + row[3];
    const auto exact = evaluate<double>(density, {at[0], at[1], at[2], at[3]});
    const auto single = evaluate<float>(density, {at[0], at[1], at[2], at[3]});
    // exp(t) is off by a rounding of t, here log precision + 2 log |beta|, which single precision feels at t = 300.
    const double largest = 2 * std::max({std::abs(at[1] + at[2]), std::abs(at[3]), 8.0});
    const double room_double = tolerance::prior_double + tolerance::double_epsilon * largest;
    const double room_float = tolerance::prior_float + tolerance::float_epsilon * largest;
    expect_near(exact.value + density.log_normalizer, at[4], room_double, false, what);
    expect_near(static_cast<double>(single.value) + density.log_normalizer, at[4], room_float, true, what + " float");
    for (std::size_t k = 0; k < 4; ++k) {
      expect_near(exact.d[k], at[5 + k], room_double, false, what + " d");
      expect_near(static_cast<double>(single.d[k]), at[5 + k], room_float, true, what + " float d");
    }
  }
}

// c^2 ~ inverse_gamma(nu / 2, nu s^2 / 2) seen from log c: the existing density of log c^2, twice as steep, plus log 2.
TEST(Horseshoe, SlabIsTheInverseGammaOfItsSquare) {
  const HorseshoeScales scales = horseshoe_scales(parse_prior("b ~ horseshoe(3, 0.2, 5, 1.5)"));
  const PriorDensity square =
      prior_density({"c2", PriorKind::inverse_gamma, {2.5, 2.5 * 1.5 * 1.5}}, Support::positive);
  for (const double log_c : {-40.0, -3.0, -0.5, 0.0, 0.4, 2.0, 40.0}) {
    const auto own = evaluate<double>(scales.slab, {log_c});
    const auto of_square = evaluate<double>(square, {2 * log_c});
    const double want = of_square.value + square.log_normalizer + std::log(2);
    EXPECT_NEAR(own.value + scales.slab.log_normalizer, want, 1e-13 * (1 + std::abs(want))) << log_c;
    EXPECT_NEAR(own.d[0], 2 * of_square.d[0], 1e-13 * (1 + std::abs(of_square.d[0]))) << log_c;
  }
}

TEST(Lkj, NormaliserIsTheIntegralOfTheDeterminantsPower) {
  for (const auto& row : read_csv("lkj.csv", 2)) {
    const double want = -std::stod(row[2]);
    EXPECT_NEAR(lkj_log_normalizer(std::stod(row[0]), std::stoul(row[1])), want, 1e-12 * (1 + std::abs(want)))
        << "eta " << row[0] << ", size " << row[1];
  }
}

using Square = std::vector<std::vector<double>>;

/// The correlation matrix whose canonical partial correlations are tanh(a): a holds the columns of the lower triangle,
/// one after the other. The Cholesky factor's rows are filled as in Lewandowski, Kurowicka & Joe (2009).
Square correlation_of(const std::vector<double>& a, std::size_t q) {
  Square factor(q, std::vector<double>(q));
  for (std::size_t i = 0; i < q; ++i) {
    double left = 1;  // of the row's squared length
    for (std::size_t k = 0; k < i; ++k) {
      const double partial = std::tanh(a[k * q - k * (k + 1) / 2 + i - k - 1]);
      factor[i][k] = partial * std::sqrt(left);
      left *= 1 - partial * partial;
    }
    factor[i][i] = std::sqrt(left);
  }
  Square r(q, std::vector<double>(q));
  for (std::size_t i = 0; i < q; ++i) {
    for (std::size_t j = 0; j < q; ++j) {
      r[i][j] = std::inner_product(factor[i].begin(), factor[i].end(), factor[j].begin(), 0.0);
    }
  }
  return r;
}

double log_determinant(Square m) {
  double total = 0;
  for (std::size_t k = 0; k < m.size(); ++k) {
    std::size_t pivot = k;
    for (std::size_t i = k; i < m.size(); ++i) pivot = std::abs(m[i][k]) > std::abs(m[pivot][k]) ? i : pivot;
    std::swap(m[k], m[pivot]);
    total += std::log(std::abs(m[k][k]));
    for (std::size_t i = k + 1; i < m.size(); ++i) {
      for (std::size_t j = m.size(); j-- > k;) m[i][j] -= m[i][k] / m[k][k] * m[k][j];
    }
  }
  return total;
}

/// Log of the volume element |d(correlations) / da|, by five-point differences.
double log_jacobian(const std::vector<double>& a, std::size_t q) {
  constexpr double h = tolerance::finite_difference_step;
  Square jacobian;
  for (std::size_t p = 0; p < a.size(); ++p) {
    const auto at = [&](double step) {
      std::vector<double> moved = a;
      moved[p] += step;
      return correlation_of(moved, q);
    };
    const Square f1 = at(h), b1 = at(-h), f2 = at(2 * h), b2 = at(-2 * h);
    std::vector<double>& row = jacobian.emplace_back();
    for (std::size_t i = 0; i < q; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        row.push_back((8 * (f1[i][j] - b1[i][j]) - (f2[i][j] - b2[i][j])) / (12 * h));
      }
    }
  }
  return log_determinant(jacobian);
}

TEST(Lkj, ProductOfPartialsIsTheDensityOfTheMatrix) {
  for (const std::size_t q : {2U, 3U, 4U, 5U}) {
    for (const double eta : {0.5, 1.0, 2.0, 7.5}) {
      for (int trial = 0; trial < 5; ++trial) {
        std::vector<double> a;
        for (std::size_t i = 0; i < q * (q - 1) / 2; ++i) {
          a.push_back(0.9 * std::sin(1.7 * static_cast<double>(i) + 2.9 * trial + eta));
        }
        double own = lkj_log_normalizer(eta, q);
        for (std::size_t column = 0, i = 0; column + 1 < q; ++column) {
          const PriorDensity partial{DensityKind::lkj_partial, {lkj_exponent(eta, q, column), 0, 0}, 0};
          for (std::size_t row = column + 1; row < q; ++row, ++i) own += evaluate<double>(partial, {a[i]}).value;
        }
        const double want =
            (eta - 1) * log_determinant(correlation_of(a, q)) + log_jacobian(a, q) + lkj_log_normalizer(eta, q);
        EXPECT_NEAR(own, want, 1e-9 * (1 + std::abs(want))) << "size " << q << ", eta " << eta;
      }
    }
  }
}

}  // namespace
}  // namespace jensen
