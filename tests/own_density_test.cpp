#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "data_term_cases.hpp"
#include "data_term_cpu.hpp"
#include "data_term_cpu_isa.hpp"
#include "density_code.hpp"
#include "engine.hpp"
#include "own_densities.hpp"
#include "own_density.hpp"
#include "term_oracle.hpp"

namespace jensen {
namespace {

/// Central differences of every partial derivative of f at `at`, in double.
template <class F, int N>
void expect_slopes(F f, const double (&at)[N], const Dual<double, N>& got) {
  for (int k = 0; k < N; ++k) {
    const double h = 1e-5 * (1 + std::abs(at[k]));
    double above[N], below[N];
    for (int i = 0; i < N; ++i) {
      above[i] = at[i] + (i == k ? h : 0);
      below[i] = at[i] - (i == k ? h : 0);
    }
    const double slope = (f(above) - f(below)) / (2 * h);
    // truncation h^2 f''' and rounding 1e-16 f / h
    EXPECT_NEAR(got.d[k], slope, 1e-7 * (1 + std::abs(slope) + std::abs(got.value))) << "derivative " << k;
  }
}

template <int N>
void make_arguments(const double (&at)[N], Dual<double, N> (&a)[N]) {
  for (int k = 0; k < N; ++k) {
    a[k] = Dual<double, N>(at[k]);
    a[k].d[k] = 1;
  }
}

/// f, a generic lambda of an array of two, at dual numbers against differences at plain ones.
template <class F>
void check(const char* name, F f, double x, double y) {
  SCOPED_TRACE(name);
  const double at[2] = {x, y};
  Dual<double, 2> a[2];
  make_arguments(at, a);
  const Dual<double, 2> got = f(a);
  EXPECT_NEAR(got.value, f(at), 1e-13 * (1 + std::abs(got.value)));
  expect_slopes(f, at, got);
}

TEST(Dual, HasTheDerivativesOfArithmetic) {
  for (const double x : {-1.7, 0.3, 2.9}) {
    for (const double y : {-0.8, 1.1}) {
      check(
          "a + b", [](const auto* a) { return a[0] + a[1] + 2; }, x, y);
      check(
          "a - b", [](const auto* a) { return 3.0 - a[0] - a[1] - 1.5F; }, x, y);
      check(
          "a * b", [](const auto* a) { return 0.5 * a[0] * a[1] * 3; }, x, y);
      check(
          "a / b", [](const auto* a) { return a[0] / a[1] / 2 + 1.0 / a[1]; }, x, y);
      check(
          "-a", [](const auto* a) { return -a[0] * a[0]; }, x, y);
      check(
          "a += b",
          [](const auto* a) {
            auto sum = a[0];
            sum += a[1];
            sum *= a[1];
            sum -= 2.0;
            sum /= 3.0;
            return sum;
          },
          x, y);
    }
  }
}

TEST(Dual, HasTheDerivativesOfFunctions) {
  for (const double x : {0.2, 0.9, 3.7}) {
    for (const double y : {0.4, 1.6}) {
      check(
          "exp", [](const auto* a) { return math::exp(a[0] * a[1]); }, x, y);
      check(
          "log", [](const auto* a) { return math::log(a[0] + a[1]); }, x, y);
      check(
          "log1p", [](const auto* a) { return math::log1p(a[0] * a[1]); }, x, y);
      check(
          "expm1", [](const auto* a) { return math::expm1(a[0] - a[1]); }, x, y);
      check(
          "sqrt", [](const auto* a) { return math::sqrt(a[0] * a[1]); }, x, y);
      check(
          "tanh", [](const auto* a) { return math::tanh(a[0] - a[1]); }, x, y);
      check(
          "lgamma", [](const auto* a) { return math::lgamma(a[0] * a[1]); }, x, y);
      check(
          "softplus", [](const auto* a) { return math::softplus(a[0] - 3 * a[1]); }, x, y);
      check(
          "logistic", [](const auto* a) { return math::logistic(a[0] - 3 * a[1]); }, x, y);
      check(
          "log_normal_cdf", [](const auto* a) { return math::log_normal_cdf(a[0] - 2 * a[1]); }, x, y);
      check(
          "log1mexp", [](const auto* a) { return math::log1mexp(a[0] + a[1]); }, x, y);
      check(
          "expm1_minus", [](const auto* a) { return math::expm1_minus(a[0] - a[1]); }, x, y);
      check(
          "log1p_minus", [](const auto* a) { return math::log1p_minus(a[0] * a[1]); }, x, y);
      check(
          "pow", [](const auto* a) { return math::pow(a[0], a[1]) + math::pow(a[1], 2.5); }, x, y);
      check(
          "log_sum_exp", [](const auto* a) { return math::log_sum_exp(a[0], 4 * a[1]); }, x, y);
      check(
          "abs, max, min",
          [](const auto* a) {
            return math::abs(a[0] - a[1]) + math::max(a[0], a[1]) * 2 + math::min(a[0], 1.0 * a[1]) * a[0];
          },
          x, y);
      check(
          "select", [](const auto* a) { return math::select(a[0] > a[1], a[0] * a[0], a[1]); }, x, y);
    }
  }
}

/// A term of one of Jensen's densities, and the same with a user's.
struct Twin {
  DensityKind kind;
  const DensityCode& own;
};
std::vector<Twin> twins() {
  return {{DensityKind::poisson_log, density<own::PoissonByDuals>()},
          {DensityKind::poisson_log, density<own::AnalyticPoisson>()},
          {DensityKind::gaussian, density<own::GaussianByDuals>()},
          {DensityKind::student_t, density<own::StudentTByDuals>()},
          {DensityKind::student_t, density<own::UnpreparedStudentT>()},
          {DensityKind::negative_binomial_log, density<own::NegativeBinomialByDuals>()}};
}

/// The densities' functions are written as a user would, not for accuracy at the extremes: the terms of lgamma and of
/// y log mu that cancel are up to some tens of times the result.
constexpr double cancelled = 64;

std::vector<double> sums_of(const TermCase& c, const Term& term, const CpuTermCode* code) {
  PoisonedPartials out(c, {std::max<std::int64_t>(c.rows.count, 1), 1});
  std::vector<float> memory(data_term_cpu_scratch(term, c.shape.samples) / sizeof(float) + 16);
  auto* scratch = reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(memory.data()) + 63) / 64 * 64);
  if (code == nullptr) {
    data_term_cpu_block(term, c.rows, 0, c.rows.count, c.z.data(), c.dimension, 0, out.view, scratch);
  } else {
    code->data_term(term, c.rows, 0, c.rows.count, c.z.data(), c.dimension, out.view.at(0, 0), c.shape.samples,
                    1 + c.slots(), scratch);
  }
  return out.values;
}

TEST(OwnDensity, IsTheBuiltInOneInTheDataTermOfEveryInstructionSet) {
  std::uint32_t seed = 1;
  for (const Twin& twin : twins()) {
    for (const int samples : {1, 3, 8, 17}) {
      for (const std::int64_t rows : {0, 1, 7, 129, 300}) {
        for (const int columns : {0, 1, 9, 33}) {
          const TermCase c({twin.kind, rows, columns, samples, seed++});
          Reference want = reference_sums(c, {std::max<std::int64_t>(c.rows.count, 1), 1});
          for (double& room : want.room)
            room = cancelled * (room + tolerance::density_float * static_cast<double>(rows));
          Term term = c.term;
          term.density = DensityKind::custom;
          term.custom = &twin.own;
          std::vector<const CpuTermCode*> codes{nullptr, &twin.own.baseline};
          if (processor_runs_avx2()) codes.push_back(&twin.own.avx2);
          if (processor_runs_avx512()) codes.push_back(&twin.own.avx512);
          for (const CpuTermCode* code : codes) {
            const WorstShare worst = worst_share(sums_of(c, term, code), want);
            ASSERT_LE(worst.share, 1) << twin.own.name << " as " << c.shape << ", number " << worst.at << " for "
                                      << want.sums[worst.at];
          }
        }
      }
    }
  }
}

/// Rows with two predictors, weights and minibatches, through the engine.
struct EngineData {
  static constexpr int columns = 5;
  std::int64_t rows;
  std::vector<float> x, y, log_y, weights, location, precision;

  explicit EngineData(std::int64_t n) : rows(n), location{0.1F, -0.2F}, precision{0.5F, 2.0F} {
    std::mt19937 generator(11);
    std::normal_distribution<float> normal;
    std::poisson_distribution<int> poisson(2);
    for (std::int64_t i = 0; i < n; ++i) {
      for (int k = 0; k < columns; ++k) x.push_back(0.4F * normal(generator));
      y.push_back(static_cast<float>(poisson(generator)));
      log_y.push_back(y.back() > 0 ? std::log(y.back()) : 0.0F);
      weights.push_back(0.5F + std::abs(normal(generator)));
    }
  }

  EngineSpec spec(DensityKind kind, const DensityCode* own, const DensityCode* own_prior, bool general,
                  std::int64_t batch, int samples) const {
    EngineSpec spec;
    spec.dimension = 2 * columns + 1;
    spec.rows = rows;
    spec.batch = batch;
    spec.samples = samples;
    spec.guide = GuideShape::meanfield;
    spec.lambda.assign(static_cast<std::size_t>(2 * spec.dimension), 0);
    for (std::size_t i = 0; i < spec.lambda.size(); ++i) spec.lambda[i] = 0.02F * static_cast<float>(i % 7) - 0.05F;
    Term data;
    data.density = own == nullptr ? kind : DensityKind::custom;
    data.custom = own;
    data.subsampled = true;
    data.rows = rows;
    data.constants[0] = y.data();
    data.constants[1] = log_y.data();
    data.argument_count = 1 + shared_arguments(kind);
    for (int a = 0; a < data.argument_count; ++a) {
      Predictor& p = data.arguments[a];
      p.part_count = 1;
      if (a == 0 || (general && a == 1)) {
        p.parts[0] = {PartKind::dense, a * columns, columns, 1, x.data()};
      } else {
        p.parts[0].first = 2 * columns;
      }
    }
    if (general) data.weights = weights.data();
    Term prior;
    prior.density = own_prior == nullptr ? DensityKind::normal_prior : DensityKind::custom;
    prior.custom = own_prior;
    prior.rows = 2;
    prior.constants[0] = location.data();
    prior.constants[1] = precision.data();
    prior.arguments[0].part_count = 1;
    prior.arguments[0].parts[0].first = 1;
    spec.terms = {data, prior};
    return spec;
  }
};

TEST(OwnDensity, IsTheBuiltInOneThroughTheEngine) {
  for (const Twin& twin : twins()) {
    for (const bool general : {false, true}) {
      for (const std::int64_t rows : {1, 37, 2500}) {
        for (const int samples : {1, 3, 8, 17}) {
          const EngineData data(rows);
          for (const std::int64_t batch : {rows, (rows + 2) / 3}) {
            SCOPED_TRACE(testing::Message() << twin.own.name << (general ? ", general, " : ", ") << rows << " rows, "
                                            << batch << " a batch, " << samples << " samples");
            const EngineSpec built_in = data.spec(twin.kind, nullptr, nullptr, general, batch, samples);
            const EngineSpec own =
                data.spec(twin.kind, &twin.own, &density<own::NormalPriorByDuals>(), general, batch, samples);
            const auto want = make_cpu_engine(built_in)->estimate(built_in.lambda, 1);
            const auto got = make_cpu_engine(own)->estimate(own.lambda, 1);
            const double size = static_cast<double>(rows) * 5;  // of the sums of absolute values, roughly
            const double room = cancelled * tolerance::density_float * size;
            EXPECT_NEAR(got.elbo, want.elbo, room);
            for (std::size_t i = 0; i < want.gradient.size(); ++i) {
              // A derivative may be far larger than what the sums were counted as; it is a float, of sums of floats.
              const double own_room = room + tolerance::density_float * std::abs(static_cast<double>(want.gradient[i]));
              EXPECT_NEAR(got.gradient[i], want.gradient[i], own_room) << "derivative " << i;
            }
          }
        }
      }
    }
  }
}

TEST(OwnDensity, OfFiveArgumentsIsTheOracle) {
  const int samples = 9;
  const std::int64_t rows = 300;
  std::mt19937 generator(3);
  std::normal_distribution<float> normal;
  std::vector<float> y, x, z;
  for (std::int64_t i = 0; i < rows; ++i) {
    y.push_back(3 * normal(generator));
    x.push_back(normal(generator));
  }
  for (int i = 0; i < samples * 6; ++i) z.push_back(normal(generator));
  Term term;
  term.density = DensityKind::custom;
  term.custom = &density<own::TwoNormals>();
  term.subsampled = true;
  term.rows = rows;
  term.constants[0] = y.data();
  term.argument_count = 5;
  for (int a = 0; a < 5; ++a) {
    term.arguments[a].part_count = 1;
    term.arguments[a].parts[0].first = a;
  }
  term.arguments[1].parts[0] = {PartKind::dense, 5, 1, 1, x.data()};  // a regression on one column
  const BlockPlan plan{rows, 1};
  std::vector<double> want(samples * 6), got(samples * 6);
  const TermOracleOf<OnlyDensity<own::TwoNormals, 16>> oracle{term, {nullptr, rows},          plan, z.data(),
                                                              6,    {want.data(), samples, 5}};
  for (std::int64_t item = 0; item < samples; ++item) oracle(item);
  std::vector<float> memory(general_term_cpu_scratch(term, samples) / sizeof(float) + 16);
  auto* scratch = reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(memory.data()) + 63) / 64 * 64);
  general_term_cpu_block(term, {nullptr, rows}, 0, rows, z.data(), 6, {}, {}, 0, {got.data(), samples, 5}, scratch);
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_NEAR(got[i], want[i], tolerance::density_float * (std::abs(want[i]) + 20.0 * rows)) << "number " << i;
  }
}

TEST(OwnDensity, WithoutCodeForThisProcessorIsRefused) {
  const EngineData data(5);
  DensityCode nothing = density<own::PoissonByDuals>();
  nothing.baseline = nothing.avx2 = nothing.avx512 = {};
  const EngineSpec spec = data.spec(DensityKind::poisson_log, &nothing, nullptr, false, 5, 1);
  EXPECT_THROW(make_cpu_engine(spec), std::invalid_argument);
  DensityCode old = density<own::PoissonByDuals>();
  old.version = 0;
  EXPECT_THROW(make_cpu_engine(data.spec(DensityKind::poisson_log, &old, nullptr, false, 5, 1)), std::invalid_argument);
}

}  // namespace
}  // namespace jensen
