/// \file The response densities, with what they leave out, against 50-digit values (tests/data/densities/README.md), in
/// double and in float.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <limits>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "density_magnitude.hpp"
#include "model/families.hpp"
#include "model/response.hpp"
#include "tolerances.hpp"

namespace jensen {
namespace {

struct Reference {
  ResponseRow row{};
  Arguments<double> a{};
  double log_density = 0;
  std::string text;
};

/// The lines of a file, by the names of its columns.
std::vector<Reference> read_references(const std::string& name) {
  std::ifstream file(std::string(JENSEN_TEST_DATA) + "/densities/" + name + ".csv");
  std::string line, cell;
  std::getline(file, line);
  std::vector<std::string> columns;
  for (std::istringstream header(line); std::getline(header, cell, ',');) columns.push_back(cell);
  std::vector<Reference> all;
  while (std::getline(file, line)) {
    std::map<std::string, double> values;
    std::istringstream cells(line);
    for (const std::string& column : columns) {
      std::getline(cells, cell, ',');
      values[column] = std::strtod(cell.c_str(), nullptr);
    }
    Reference r;
    r.row.y = values.contains("position") ? values["position"] : values["y"];
    if (values.contains("n")) r.row.trials = values["n"];
    r.row.censored = values["censored"] != 0;
    r.a = {values["a0"], values["a1"], values["a2"]};
    r.log_density = values["log_density"];
    r.text = line;
    all.push_back(r);
  }
  return all;
}

struct File {
  const char* name;
  Family family;
  Link link;
  std::size_t at_least;  ///< lines
};
void PrintTo(const File& file, std::ostream* out) { *out << file.name; }

const std::vector<File> files{{"gaussian", Family::gaussian, Link::identity, 500},
                              {"student_t", Family::student_t, Link::identity, 1000},
                              {"bernoulli_logit", Family::bernoulli, Link::logit, 200},
                              {"binomial_logit", Family::binomial, Link::logit, 700},
                              {"binomial_probit", Family::binomial, Link::probit, 700},
                              {"binomial_cloglog", Family::binomial, Link::cloglog, 700},
                              {"poisson_log", Family::poisson, Link::log, 500},
                              {"negative_binomial_log", Family::negative_binomial, Link::log, 1000},
                              {"gamma_log", Family::gamma, Link::log, 1000},
                              {"beta_logit", Family::beta, Link::logit, 1000},
                              {"lognormal", Family::lognormal, Link::identity, 500},
                              {"exponential_log", Family::exponential, Link::log, 700},
                              {"weibull_log", Family::weibull, Link::log, 1000},
                              {"zero_inflated_poisson", Family::zero_inflated_poisson, Link::log, 1000},
                              {"hurdle_poisson", Family::hurdle_poisson, Link::log, 1000},
                              {"cumulative_logit", Family::cumulative, Link::logit, 1000},
                              {"categorical", Family::categorical, Link::softmax, 1000}};

int arguments_of(DensityKind kind) { return kind == DensityKind::categorical ? 3 : 1 + shared_arguments(kind); }

class ReferenceDensity : public testing::TestWithParam<File> {
 protected:
  /// The largest error as a share of `relative` times the value, plus `rounding` times what moves when each argument
  /// and each constant is rounded: |a_k| |df/da_k|, and for the constants |log y| |df/da_0| alike.
  template <class R>
  void expect_right(double relative, double rounding) {
    const File& file = GetParam();
    const DensityKind kind = density_of(file.family, file.link);
    const int count = arguments_of(kind);
    const std::vector<Reference> references = read_references(file.name);
    ASSERT_GE(references.size(), file.at_least);
    int failures = 0;
    for (const Reference& r : references) {
      const std::array<double, 3> constants = response_constants(file.family, file.link, r.row);
      const double want = r.log_density - left_out(file.family, file.link, r.row);
      Arguments<double> slopes{};
      evaluate_density(kind, constants.data(), r.a.data(), count, slopes.data());
      double moved = 0;
      for (std::size_t k = 0; k < 3; ++k) moved += std::abs(r.a[k] * slopes[k]);
      for (const double c : constants) moved += std::abs(c * slopes[0]);
      const R c[3] = {static_cast<R>(constants[0]), static_cast<R>(constants[1]), static_cast<R>(constants[2])};
      const R a[3] = {static_cast<R>(r.a[0]), static_cast<R>(r.a[1]), static_cast<R>(r.a[2])};
      R d[3] = {};
      const auto got = static_cast<double>(evaluate_density(kind, c, a, count, d));
      if (std::abs(want) > 1e37) continue;                                            // beyond float
      const double stored = 4 * tolerance::double_epsilon * std::abs(r.log_density);  // rounding of the reference
      const double room = relative * std::abs(want) + rounding * moved + stored + 1e-37;
      if (!(std::abs(got - want) <= room) && ++failures <= 10) {
        ADD_FAILURE() << r.text << ": " << got << " for " << want << ", off by " << std::abs(got - want) / room;
      }
    }
    EXPECT_EQ(failures, 0) << "of " << references.size();
  }
};
INSTANTIATE_TEST_SUITE_P(Of, ReferenceDensity, testing::ValuesIn(files),
                         [](const auto& file) { return std::string(file.param.name); });

TEST_P(ReferenceDensity, InDouble) {
  expect_right<double>(tolerance::reference_double, tolerance::reference_roundings * tolerance::double_epsilon);
}
TEST_P(ReferenceDensity, InFloat) {
  expect_right<float>(tolerance::reference_float, tolerance::reference_roundings * tolerance::float_epsilon);
}

// Differences of the double values, which the test above holds to the references.
TEST_P(ReferenceDensity, DerivativesAreFiniteDifferences) {
  const File& file = GetParam();
  const DensityKind kind = density_of(file.family, file.link);
  const auto count = static_cast<std::size_t>(arguments_of(kind));
  int failures = 0, checked = 0;
  for (const Reference& r : read_references(file.name)) {
    const std::array<double, 3> constants = response_constants(file.family, file.link, r.row);
    Arguments<double> d{}, ignored{};
    const auto f = [&](const Arguments<double>& a) {
      return evaluate_density(kind, constants.data(), a.data(), static_cast<int>(count), ignored.data());
    };
    const double value = evaluate_density(kind, constants.data(), r.a.data(), static_cast<int>(count), d.data());
    if (!std::isfinite(value)) continue;
    for (std::size_t k = 0; k < count; ++k) {
      const auto difference = [&](double h) {
        const auto at = [&](double step) {
          Arguments<double> a = r.a;
          a[k] += step;
          return f(a);
        };
        return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
      };
      // The step that is best differs from point to point: small where f bends sharply, large where rounding matters.
      double best = std::numeric_limits<double>::infinity();
      for (double h = 1e-9; h < 0.02; h *= 3) best = std::min(best, std::abs(difference(h) - d[k]));
      double moved = std::abs(value) + std::abs(constants[0]) + std::abs(constants[1]);
      for (std::size_t j = 0; j < count; ++j) moved += std::abs(r.a[j] * d[j]);
      const double room = 1e-6 * std::abs(d[k]) + 1e-14 * moved + 1e-12;
      ++checked;
      if (!(best <= room) && ++failures <= 10) {
        ADD_FAILURE() << r.text << ": df/da_" << k << " is " << d[k] << ", off by " << best << ", room " << room;
      }
    }
  }
  EXPECT_EQ(failures, 0) << "of " << checked;
  EXPECT_GE(static_cast<std::size_t>(checked), file.at_least);
}

// Room: what rounding every argument and constant once moves, to first order, as for the value.
TEST_P(ReferenceDensity, DerivativesInFloatAreThoseInDouble) {
  const File& file = GetParam();
  const DensityKind kind = density_of(file.family, file.link);
  const int count = arguments_of(kind);
  int failures = 0;
  for (const Reference& r : read_references(file.name)) {
    const std::array<double, 3> constants = response_constants(file.family, file.link, r.row);
    Arguments<double> want{};
    evaluate_density(kind, constants.data(), r.a.data(), count, want.data());
    const float c[3] = {static_cast<float>(constants[0]), static_cast<float>(constants[1]),
                        static_cast<float>(constants[2])};
    const float a[3] = {static_cast<float>(r.a[0]), static_cast<float>(r.a[1]), static_cast<float>(r.a[2])};
    float got[3] = {};
    evaluate_density(kind, c, a, count, got);
    Arguments<double> room{};
    const auto add_moved = [&](const std::array<double, 3>& near_constants, const Arguments<double>& near) {
      Arguments<double> d{};
      evaluate_density(kind, near_constants.data(), near.data(), count, d.data());
      for (std::size_t k = 0; k < 3; ++k) room[k] += tolerance::reference_roundings * std::abs(d[k] - want[k]);
    };
    for (std::size_t j = 0; j < 3; ++j) {
      for (const double step : {tolerance::float_epsilon, -tolerance::float_epsilon}) {
        Arguments<double> near = r.a;
        near[j] *= 1 + step;
        add_moved(constants, near);
        std::array<double, 3> near_constants = constants;
        near_constants[j] *= 1 + step;
        add_moved(near_constants, r.a);
      }
    }
    for (std::size_t k = 0; k < static_cast<std::size_t>(count); ++k) {
      if (std::abs(want[k]) > 1e37) continue;  // beyond float
      room[k] += tolerance::reference_float * std::abs(want[k]) + 1e-37;
      // By eta, the difference of the two thresholds' probabilities.
      if (kind == DensityKind::cumulative_logit && k == 0) room[k] += tolerance::float_epsilon;
      if (!(std::abs(static_cast<double>(got[k]) - want[k]) <= room[k]) && ++failures <= 10) {
        ADD_FAILURE() << r.text << ": df/da_" << k << " is " << got[k] << " for " << want[k] << ", room " << room[k];
      }
    }
  }
  EXPECT_EQ(failures, 0);
}

TEST_P(ReferenceDensity, PassesNaNOn) {
  const DensityKind kind = density_of(GetParam().family, GetParam().link);
  const auto constants = response_constants(kind, {kind == DensityKind::beta_logit ? 0.5 : 1.0});
  const float c[3] = {static_cast<float>(constants[0]), static_cast<float>(constants[1]),
                      static_cast<float>(constants[2])};
  for (int k = 0; k < arguments_of(kind); ++k) {
    float a[3] = {0.1F, -0.2F, 0.3F}, d[3] = {};
    a[k] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(evaluate_density(kind, c, a, arguments_of(kind), d))) << "a_" << k;
  }
}

TEST(CumulativeLogit, IsMinusInfinityBetweenThresholdsOutOfOrder) {
  const auto at = [](float position, float lower, float upper) {
    const float a[3] = {0.4F, lower, upper};
    float d[3] = {};
    const float value = evaluate_density(DensityKind::cumulative_logit, &position, a, 3, d);
    for (const float slope : d) EXPECT_TRUE(std::isfinite(slope));
    return value;
  };
  constexpr float infinity = std::numeric_limits<float>::infinity();
  EXPECT_EQ(at(1, 0.5F, 0.5F), -infinity);
  EXPECT_EQ(at(1, 0.5F, 0.1F), -infinity);
  EXPECT_TRUE(std::isfinite(at(1, 0.5F, 0.50001F)));
  EXPECT_EQ(at(0, 9.0F, 0.1F), at(0, -3.0F, 0.1F));  // the lowest category has no lower threshold
  EXPECT_EQ(at(2, 0.5F, -9.0F), at(2, 0.5F, 7.0F));  // and the highest no upper one
}

TEST(Categorical, SumsToOneForAnyNumberOfCategories) {
  for (int m = 1; m <= 15; ++m) {
    double a[15], d[15], total = 0, slopes[15] = {};
    for (int k = 0; k < m; ++k) a[k] = 3 * std::sin(k + 1.0) - (k == 4 ? 60 : 0);
    for (double y = 0; y <= m; ++y) {
      const double probability = std::exp(evaluate_density(DensityKind::categorical, &y, a, m, d));
      total += probability;
      for (int k = 0; k < m; ++k) slopes[k] += probability * d[k];
    }
    EXPECT_NEAR(total, 1, 1e-14);
    for (int k = 0; k < m; ++k) EXPECT_NEAR(slopes[k], 0, 1e-14) << "of " << m;  // the score's mean
  }
}

}  // namespace
}  // namespace jensen
