#include <gtest/gtest.h>

#include <cstring>
#include <initializer_list>
#include <iterator>
#include <ostream>
#include <random>
#include <vector>

#include "backend_cpu.hpp"
#include "data_term_cases.hpp"
#include "data_term_cpu.hpp"
#include "data_term_cpu_isa.hpp"
#include "term_oracle.hpp"

namespace jensen {

namespace {

struct alignas(64) Line {
  float values[16];
};

/// data_term_cpu_scratch() bytes and not one more, full of NaN.
class Scratch {
 public:
  Scratch(const Term& term, int samples) : lines_(data_term_cpu_scratch(term, samples) / sizeof(Line)) {
    EXPECT_EQ(data_term_cpu_scratch(term, samples) % sizeof(Line), 0U);
    for (Line& line : lines_) std::fill(std::begin(line.values), std::end(line.values), std::nanf(""));
  }
  void* data() { return lines_.data(); }

 private:
  std::vector<Line> lines_;
};

/// One of the functions that sum a block.
struct Variant {
  const char* name;
  bool available;
  decltype(&baseline::data_term_block) block;  ///< null: data_term_cpu_block

  std::vector<double> sums(const TermCase& c, BlockPlan plan) const {
    PoisonedPartials out(c, plan);
    Scratch scratch(c.term, c.shape.samples);
    for (std::int64_t b = 0; b < plan.blocks; ++b) {
      const std::int64_t begin = b * plan.rows_per_block;
      const std::int64_t end = std::min(begin + plan.rows_per_block, c.rows.count);
      if (block == nullptr) {
        data_term_cpu_block(c.term, c.rows, begin, end, c.z.data(), c.dimension, b, out.view, scratch.data());
      } else {
        block(c.term, c.rows, begin, end, c.z.data(), c.dimension, out.view.at(b, 0), c.shape.samples, 1 + c.slots(),
              scratch.data());
      }
    }
    return out.values;
  }
};

std::ostream& operator<<(std::ostream& out, const Variant& v) { return out << v.name; }

std::vector<Variant> variants() {
  std::vector<Variant> all{{"chosen", true, nullptr}, {"baseline", true, &baseline::data_term_block}};
#if defined(__x86_64__)
  all.push_back({"avx2", processor_runs_avx2(), &avx2::data_term_block});
  all.push_back({"avx512", processor_runs_avx512(), &avx512::data_term_block});
#endif
  return all;
}

std::vector<double> oracle_sums(const TermCase& c, BlockPlan plan) {
  PoisonedPartials out(c, plan);
  const TermOracle oracle{&c.term, c.rows, plan, c.z.data(), c.dimension, out.view};
  for (std::int64_t item = 0; item < plan.blocks * c.shape.samples; ++item) oracle(item);
  return out.values;
}

/// Two float evaluations may each use up the room.
void expect_agreement(const std::vector<double>& one, const std::vector<double>& other, const Reference& reference,
                      const TermCase& c) {
  for (std::size_t i = 0; i < one.size(); ++i) {
    ASSERT_NEAR(one[i], other[i], 2 * reference.room[i]) << "number " << i << " of " << c.shape;
  }
}

void expect_right(const std::vector<double>& got, const Reference& reference, const TermCase& c) {
  ASSERT_EQ(got.size(), reference.sums.size());
  const WorstShare worst = worst_share(got, reference);
  ASSERT_LE(worst.share, 1) << got[worst.at] << " for " << reference.sums[worst.at] << " as number " << worst.at
                            << " of " << c.shape;
}

const std::vector<std::int64_t> some_rows{0, 1, 2, 7, 127, 128, 129, 1000, 5000};
const std::vector<int> some_columns{0, 1, 2, 3, 7, 8, 9, 28, 33, 100, 300};
const std::vector<int> some_samples{1, 2, 3, 14, 15, 16, 17, 31, 33};

/// All pairs (rows, columns) and all triples (small rows or columns, samples, density), the rest drawn at random.
/// Samples and densities go round at lengths without a common factor with those of the loops.
std::vector<CaseShape> cases() {
  std::vector<CaseShape> all;
  std::uint32_t seed = 1000;
  std::size_t turn = 0;
  for (const std::int64_t rows : some_rows) {
    for (const int columns : some_columns) {
      // The largest tables need the fewest samples: 5000 x 300 is for the tiles, not for the groups of samples.
      const bool large = rows * columns > 200'000;
      all.push_back({all_densities[turn % all_densities.size()], rows, columns,
                     large ? 3 : some_samples[(turn / 2) % some_samples.size()], seed++});
      ++turn;
    }
  }
  // Columns about the lengths of vectors and of what is kept in registers; samples in groups of 8, 16 and 32.
  for (const int columns : {12, 15, 16, 17, 31, 32, 48, 55, 63, 64, 65, 257, 513, 600}) {
    for (const int samples : {1, 8, 9, 24, 25, 70}) {
      if (columns * samples > 10'000 && samples != 70) continue;
      all.push_back({all_densities[turn++ % all_densities.size()], 150, columns, samples, seed++});
    }
  }
  for (const DensityKind density : all_densities) {
    for (const int samples : some_samples) {
      for (const std::int64_t rows : {1, 7, 129, 300}) {
        all.push_back({density, rows, some_columns[turn++ % 9], samples, seed++});
      }
    }
  }
  return all;
}

BlockPlan whole(const TermCase& c) { return {std::max<std::int64_t>(c.rows.count, 1), 1}; }

class DataTerm : public testing::TestWithParam<Variant> {
 protected:
  void SetUp() override {
    if (!GetParam().available) GTEST_SKIP() << "this processor has no " << GetParam().name;
  }
};
INSTANTIATE_TEST_SUITE_P(On, DataTerm, testing::ValuesIn(variants()),
                         [](const auto& variant) { return variant.param.name; });

TEST_P(DataTerm, IsTheSumInDouble) {
  for (const CaseShape& shape : cases()) {
    const TermCase c(shape);
    ASSERT_TRUE(has_data_shape(c.term));
    expect_right(GetParam().sums(c, whole(c)), reference_sums(c, whole(c)), c);
    if (HasFatalFailure()) return;
  }
}

TEST_P(DataTerm, AgreesWithTheOracle) {
  for (const DensityKind density : all_densities) {
    for (const int samples : {1, 5, 18}) {
      const TermCase c({density, 403, 13, samples, 77});
      expect_agreement(GetParam().sums(c, whole(c)), oracle_sums(c, whole(c)), reference_sums(c, whole(c)), c);
      if (HasFatalFailure()) return;
    }
  }
}

// At a predictor of 0 every factor 1 + exp(-|eta|) of a Bernoulli density is 2: their products are as large as they
// get.
TEST_P(DataTerm, MultipliesTheLargestFactors) {
  for (const int samples : {1, 8, 16, 32, 70}) {
    TermCase c({DensityKind::bernoulli_logit, 1000, 5, samples, 41});
    std::fill(c.z.begin(), c.z.end(), 0.0F);
    c.term.arguments[0].offset = nullptr;
    c.term.arguments[0].constant = 0;
    expect_right(GetParam().sums(c, whole(c)), reference_sums(c, whole(c)), c);
  }
}

TEST_P(DataTerm, WithoutRowsIsZero) {
  const TermCase c({DensityKind::gaussian, 0, 5, 17, 3});
  for (const double value : GetParam().sums(c, whole(c))) EXPECT_EQ(value, 0.0);
}

TEST_P(DataTerm, SumsBlocksApart) {
  for (const std::int64_t rows_per_block : {1, 60, 128, 131, 500}) {
    const TermCase c({DensityKind::poisson_log, 777, 6, 19, static_cast<std::uint32_t>(rows_per_block)});
    const BlockPlan plan = plan_blocks(c.rows.count, rows_per_block, 1000);
    expect_right(GetParam().sums(c, plan), reference_sums(c, plan), c);
    if (HasFatalFailure()) return;
  }
}

// A draw that has run away is dropped and counted; its neighbours in the vector lanes must not notice.
TEST_P(DataTerm, KeepsANonFiniteSampleToItself) {
  for (const int samples : {1, 2, 16, 18, 33}) {
    TermCase c({DensityKind::gaussian, 200, 9, samples, 5});
    const std::vector<double> before = GetParam().sums(c, whole(c));
    const int bad = samples / 2;
    for (int d = 0; d < c.dimension; ++d) {
      c.z[static_cast<std::size_t>(bad) * static_cast<std::size_t>(c.dimension) + static_cast<std::size_t>(d)] =
          d % 2 == 0 ? std::numeric_limits<float>::infinity() : std::nanf("");
    }
    const std::vector<double> after = GetParam().sums(c, whole(c));
    const std::size_t width = static_cast<std::size_t>(1 + c.slots());
    for (std::size_t i = 0; i < after.size(); ++i) {
      if (static_cast<int>(i / width) == bad) {
        ASSERT_TRUE(i % width != 0 || !std::isfinite(after[i])) << samples << " samples";
      } else {
        ASSERT_EQ(after[i], before[i]) << "number " << i << " of " << samples << " samples";
      }
    }
  }
}

// Same seed, same bits: nothing may depend on what the scratch memory held, or on the thread that sums a block.
TEST_P(DataTerm, GivesTheSameBitsAgain) {
  const TermCase c({DensityKind::bernoulli_logit, 1000, 21, 17, 8});
  const BlockPlan plan = plan_blocks(c.rows.count, 100, 256);
  EXPECT_EQ(GetParam().sums(c, plan), GetParam().sums(c, plan));
}

TEST(DataTermIsa, IsTheWidestOfThisProcessor) {
  const char* widest = "baseline";
  for (const Variant& v : variants()) {
    if (v.available && v.block != nullptr) widest = v.name;
  }
  EXPECT_STREQ(data_term_cpu_isa(), widest);
}

TEST(TermOracle, IsTheSumInDouble) {
  for (const CaseShape& shape : cases()) {
    const TermCase c(shape);
    expect_right(oracle_sums(c, whole(c)), reference_sums(c, whole(c)), c);
    if (HasFatalFailure()) return;
  }
}

std::vector<double> backend_sums(const TermCase& c, BlockPlan plan, int threads) {
  CpuBackend backend(threads);
  PoisonedPartials out(c, plan);
  if (has_data_shape(c.term)) {
    backend.evaluate_term(c.term, &c.term, c.rows, plan, c.z.data(), c.dimension, out.view);
  } else {
    const std::int64_t stride = out.view.samples + 3;
    std::vector<float> values(static_cast<std::size_t>(c.rows.count * stride * (1 + c.term.argument_count)));
    backend.evaluate_general_term(c.term, &c.term, c.rows, plan, c.z.data(), c.dimension, {},
                                  {values.data(), c.rows.count, stride}, out.view);
  }
  return out.values;
}

BlockPlan backend_plan(const TermCase& c) {
  return plan_blocks(c.rows.count, CpuBackend::least_rows, CpuBackend::most_blocks);
}

TEST(CpuBackend, EvaluatesTermsInItsOwnBlocks) {
  for (const CaseShape& shape : cases()) {
    if (shape.rows != 0 && shape.rows < 1000) continue;
    const TermCase c(shape);
    expect_right(backend_sums(c, backend_plan(c), 2), reference_sums(c, backend_plan(c)), c);
    if (HasFatalFailure()) return;
  }
}

TEST(CpuBackend, EvaluatesOtherShapes) {
  for (const std::int64_t rows : {0, 3, 2000}) {
    CaseShape shape{DensityKind::gaussian, rows, 4, 5, 21};
    shape.two_dense_parts = true;
    const TermCase c(shape);
    ASSERT_FALSE(has_data_shape(c.term));
    expect_right(backend_sums(c, backend_plan(c), 2), reference_sums(c, backend_plan(c)), c);
    if (HasFatalFailure()) return;
  }
}

// Large enough that the work is shared out, by either path.
TEST(CpuBackend, GivesTheSameBitsForAnyNumberOfThreads) {
  for (const bool general : {false, true}) {
    for (const DensityKind density : {DensityKind::gaussian, DensityKind::bernoulli_logit, DensityKind::poisson_log}) {
      CaseShape shape{density, 5000, 30, general ? 3 : 17, 31};
      shape.two_dense_parts = general;
      const TermCase c(shape);
      for (const BlockPlan plan : {backend_plan(c), plan_blocks(c.rows.count, 97, 256)}) {
        const std::vector<double> alone = backend_sums(c, plan, 1);
        for (const int threads : {2, 3, 7}) {
          const std::vector<double> shared = backend_sums(c, plan, threads);
          EXPECT_EQ(std::memcmp(alone.data(), shared.data(), alone.size() * sizeof(double)), 0)
              << threads << " threads, " << c.shape;
        }
      }
    }
  }
}

TEST(HasDataShape, TakesOneDensePartInTheFirstArgument) {
  Term term;
  EXPECT_TRUE(has_data_shape(term));
  const float x = 0;
  const Part dense{PartKind::dense, 0, 1, 1, &x};
  term.arguments[0].parts[0] = dense;
  term.arguments[0].part_count = 1;
  EXPECT_TRUE(has_data_shape(term));
  term.arguments[0].parts[1] = Part{};
  term.arguments[0].part_count = 2;
  EXPECT_TRUE(has_data_shape(term));
  term.arguments[0].parts[1] = dense;
  EXPECT_FALSE(has_data_shape(term));
  term.arguments[0].part_count = 1;
  term.argument_count = 2;
  EXPECT_TRUE(has_data_shape(term));
  term.arguments[1].offset = &x;
  EXPECT_FALSE(has_data_shape(term));
  term.arguments[1].offset = nullptr;
  term.argument_count = 3;
  term.arguments[2].part_count = 1;  // a scalar
  EXPECT_TRUE(has_data_shape(term));
  term.argument_count = 4;
  EXPECT_FALSE(has_data_shape(term));
  term.argument_count = 3;
  term.arguments[2].parts[0] = dense;
  EXPECT_FALSE(has_data_shape(term));
  term = Term{};
  term.density = DensityKind::horseshoe;
  EXPECT_FALSE(has_data_shape(term));
}

TEST(PlanBlocks, CoversAllRowsInFewBlocks) {
  EXPECT_EQ(plan_blocks(0, 128, 10).blocks, 0);
  for (const std::int64_t rows : {1LL, 127LL, 128LL, 129LL, 1279LL, 1280LL, 1281LL, 99'999LL, 3'000'000'000LL}) {
    const BlockPlan plan = plan_blocks(rows, 128, 10);
    EXPECT_GE(plan.rows_per_block, 128);
    EXPECT_LE(plan.blocks, 10);
    EXPECT_GE(plan.blocks * plan.rows_per_block, rows);
    EXPECT_LT((plan.blocks - 1) * plan.rows_per_block, rows);
  }
}

}  // namespace
}  // namespace jensen
