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

/// The densities are written as a user would, not for accuracy at the extremes. What cancels in them (lgamma, y log mu)
/// is of order one in a row of these data; the reference counts what does not. Seen: a third of both together.
constexpr double cancelled_in_a_row = 1;

using Block = decltype(&baseline::data_term_block);

/// The data terms of each instruction set that the density is compiled for and this processor has.
std::vector<Block> blocks_of([[maybe_unused]] const DensityCode& density) {
  std::vector<Block> blocks{&baseline::data_term_block};
#if defined(__x86_64__)
  if (processor_runs_avx2() && density.avx2.compiled()) blocks.push_back(&avx2::data_term_block);
  if (processor_runs_avx512() && density.avx512.compiled()) blocks.push_back(&avx512::data_term_block);
#endif
  return blocks;
}

/// `block` null: what the processor's widest instructions are.
std::vector<double> sums_of(const TermCase& c, const Term& term, Block block) {
  PoisonedPartials out(c, {std::max<std::int64_t>(c.rows.count, 1), 1});
  std::vector<float> memory(data_term_cpu_scratch(term, c.shape.samples) / sizeof(float) + 16);
  auto* scratch = reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(memory.data()) + 63) / 64 * 64);
  if (block == nullptr) {
    data_term_cpu_block(term, c.rows, 0, c.rows.count, c.z.data(), c.dimension, 0, out.view, scratch);
  } else {
    block(term, c.rows, 0, c.rows.count, c.z.data(), c.dimension, out.view.at(0, 0), c.shape.samples, 1 + c.slots(),
          scratch);
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
            room += tolerance::density_float * cancelled_in_a_row * static_cast<double>(rows);
          Term term = c.term;
          term.density = DensityKind::custom;
          term.custom = &twin.own;
          std::vector<Block> blocks = blocks_of(twin.own);
          blocks.push_back(nullptr);
          for (const Block block : blocks) {
            const WorstShare worst = worst_share(sums_of(c, term, block), want);
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
            // Of the sums of absolute values, roughly: five a row, and where a variance differs from row to row the
            // squares over it, which are of one sign and so of the value's size, and likewise in the derivatives.
            const double size = static_cast<double>(rows) * 5 + std::abs(want.elbo);
            const double room = tolerance::density_float * size;
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
  const TermOracleOf<OnlyDensity<own::TwoNormals, 16>> oracle{&term, {nullptr, rows},          plan, z.data(),
                                                              6,     {want.data(), samples, 5}};
  for (std::int64_t item = 0; item < samples; ++item) oracle(item);
  std::vector<float> memory(general_term_cpu_scratch(term, samples) / sizeof(float) + 16);
  auto* scratch = reinterpret_cast<void*>((reinterpret_cast<std::uintptr_t>(memory.data()) + 63) / 64 * 64);
  general_term_cpu_block(term, {nullptr, rows}, 0, rows, z.data(), 6, {}, {}, 0, {got.data(), samples, 5}, scratch);
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_NEAR(got[i], want[i], tolerance::density_float * (std::abs(want[i]) + 20.0 * rows)) << "number " << i;
  }
}

TEST(OwnDensity, OfManyFunctionsIsTheOracleInEveryInstructionSet) {
  const DensityCode& own = density<own::ManyFunctions>();
  std::uint32_t seed = 40;
  for (const int samples : {1, 8, 17}) {
    for (const std::int64_t rows : {1, 7, 300}) {
      // The gaussian's shape: two arguments, the second shared, one column of constants.
      const TermCase c({DensityKind::gaussian, rows, 9, samples, seed++});
      Term term = c.term;
      term.density = DensityKind::custom;
      term.custom = &own;
      const int width = 1 + c.slots();
      std::vector<double> want(static_cast<std::size_t>(samples * width));
      const TermOracleOf<OnlyDensity<own::ManyFunctions, 16>> oracle{
          &term,      c.rows,      {std::max<std::int64_t>(rows, 1), 1},
          c.z.data(), c.dimension, {want.data(), samples, c.slots()}};
      for (std::int64_t item = 0; item < samples; ++item) oracle(item);
      for (const Block block : blocks_of(own)) {
        const std::vector<double> got = sums_of(c, term, block);
        for (std::size_t i = 0; i < want.size(); ++i) {
          // a row adds up about ten numbers of order one
          EXPECT_NEAR(got[i], want[i], tolerance::density_float * 10 * static_cast<double>(rows)) << "number " << i;
        }
      }
    }
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
