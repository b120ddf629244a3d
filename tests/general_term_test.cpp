#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <ostream>
#include <random>
#include <vector>

#include "data_term_cpu.hpp"
#include "data_term_cpu_isa.hpp"
#include "density_magnitude.hpp"
#include "tolerances.hpp"

namespace jensen {
namespace {

/// What a term of general shape is made from.
struct GeneralShape {
  DensityKind density;
  int arguments;
  std::int64_t rows;
  int columns;  ///< of each argument
  int samples;
  bool listed;  ///< the rows are a shuffled part of a larger table
  bool weights;
  bool gathers;       ///< the first argument, and the last, have two effects of a group
  bool same_columns;  ///< all arguments read one X
  bool scalars_only;  ///< arguments after the first are the same for all rows
};

std::ostream& operator<<(std::ostream& out, const GeneralShape& s) {
  return out << density_name(s.density) << ", arguments " << s.arguments << ", rows " << s.rows << ", columns "
             << s.columns << ", samples " << s.samples << (s.listed ? ", listed" : "") << (s.weights ? ", weights" : "")
             << (s.gathers ? ", gathers" : "") << (s.same_columns ? ", same columns" : "")
             << (s.scalars_only ? ", scalars only" : "");
}

constexpr int levels = 7;
constexpr int effects_a_level = 2;
constexpr std::int64_t first_row = 3;  ///< of rows in order

/// A term, the memory that it points into, and its sums in double.
class GeneralCase {
 public:
  GeneralShape shape;
  Term term;
  RowList rows;
  int dimension = 1;
  std::vector<float> z, effects;
  std::int64_t stride = 0;  ///< of effects and derivatives: samples

  explicit GeneralCase(const GeneralShape& wanted) : shape(wanted), generator_(17) {
    const std::int64_t table = shape.rows + shape.rows / 2 + first_row + 1;
    term.density = shape.density;
    term.subsampled = true;
    term.rows = table;
    term.argument_count = shape.arguments;
    rows.count = shape.rows;
    if (shape.listed) {
      indices_.resize(static_cast<std::size_t>(table));
      std::iota(indices_.begin(), indices_.end(), 0U);
      std::shuffle(indices_.begin(), indices_.end(), generator_);
      rows.indices = indices_.data();
    } else {
      rows.first = first_row;
    }
    stride = (shape.samples + 15) / 16 * 16;
    for (int a = 0; a < shape.arguments; ++a) add_argument(term.arguments[a], a, table);
    set_constants(table);
    if (shape.weights) term.weights = column(table, [&] { return 0.5F + std::abs(normal_(generator_)); });
    z = values(static_cast<std::size_t>(shape.samples * dimension), 0.5 / std::sqrt(1.0 + shape.columns));
    effects = values(static_cast<std::size_t>(2 * levels * effects_a_level * stride), 0.3);
  }
  GeneralCase(const GeneralCase&) = delete;
  GeneralCase& operator=(const GeneralCase&) = delete;

  int slots() const { return slot_count(term); }

  /// Sums over the rows for one sample, those of absolute values, and df/da_k of each row (arguments x rows).
  void reference(int sample, std::vector<double>& sums, std::vector<double>& sizes,
                 std::vector<double>& derivatives) const {
    sums.assign(static_cast<std::size_t>(1 + slots()), 0.0);
    sizes = sums;
    derivatives.assign(static_cast<std::size_t>(shape.arguments * shape.rows), 0.0);
    const float* latent = z.data() + static_cast<std::ptrdiff_t>(sample) * dimension;
    for (std::int64_t i = 0; i < shape.rows; ++i) {
      const std::int64_t row = rows[i];
      double constants[max_constants], at[max_arguments] = {}, d[max_arguments] = {};
      for (int c = 0; c < max_constants; ++c) {
        constants[c] = term.constants[c] == nullptr ? 0.0 : static_cast<double>(term.constants[c][row]);
      }
      for (int a = 0; a < shape.arguments; ++a) at[a] = argument(term.arguments[a], row, latent, sample);
      const double weight = term.weights == nullptr ? 1.0 : static_cast<double>(term.weights[row]);
      std::size_t slot = 0;
      const auto add = [&](double number) {
        sums[slot] += number;
        sizes[slot++] += std::abs(number);
      };
      add(weight * evaluate_density(term.density, constants, at, shape.arguments, d));
      for (int a = 0; a < shape.arguments; ++a) {
        derivatives[static_cast<std::size_t>(a * shape.rows + i)] = weight * d[a];
        for (int p = 0; p < term.arguments[a].part_count; ++p) {
          const Part& part = term.arguments[a].parts[p];
          for (int k = 0; k < slots_of(part); ++k) {
            const float by = part.kind == PartKind::scalar ? part.scale : part.x[row * part.columns + k];
            add(weight * d[a] * static_cast<double>(by));
          }
        }
      }
    }
  }

 private:
  std::vector<float> values(std::size_t n, double scale) {
    std::vector<float> v(n);
    for (float& x : v) x = static_cast<float>(scale) * normal_(generator_);
    return v;
  }
  template <class F>
  const float* column(std::int64_t n, F f) {
    columns_.emplace_back();
    for (std::int64_t i = 0; i < n; ++i) columns_.back().push_back(static_cast<float>(f()));
    return columns_.back().data();
  }

  void add_argument(Predictor& predictor, int a, std::int64_t table) {
    const auto normal = [&] { return normal_(generator_); };
    const auto add = [&](const Part& part) {
      predictor.parts[predictor.part_count++] = part;
      if (part.kind != PartKind::gather) dimension += part.columns + 1;
    };
    add({PartKind::scalar, dimension, 1, a % 2 == 0 ? 1.0F : -0.5F});
    if (shape.density == DensityKind::cumulative_logit && a > 0) predictor.constant = a == 1 ? -3.0F : 3.0F;
    if (shape.scalars_only && a > 0) return;
    if (shape.columns > 0) {
      const bool shared = shape.same_columns && a > 0;
      add({PartKind::dense, dimension, shape.columns, 1,
           shared ? term.arguments[0].parts[1].x : column(table * shape.columns, normal)});
    }
    if (a == 1) predictor.offset = column(table, [&] { return 0.3F * normal(); });
    if (shape.gathers && (a == 0 || a == shape.arguments - 1)) {
      levels_.emplace_back();
      for (std::int64_t i = 0; i < table; ++i)
        levels_.back().push_back(static_cast<std::int32_t>(generator_() % levels));
      Part part{PartKind::gather, 0, effects_a_level, 1, column(table * effects_a_level, normal)};
      part.index = levels_.back().data();
      part.first_effect = a == 0 ? 0 : levels * effects_a_level;
      add(part);
    }
  }

  void set_constants(std::int64_t table) {
    std::poisson_distribution<int> poisson(2);
    const auto y = [&]() -> float {
      if (shape.density == DensityKind::categorical) {
        return static_cast<float>(generator_() % static_cast<unsigned>(shape.arguments + 1));
      }
      if (shape.density == DensityKind::cumulative_logit) return static_cast<float>(generator_() % 3);
      if (shape.density == DensityKind::negative_binomial_log) return static_cast<float>(poisson(generator_));
      return normal_(generator_);
    };
    term.constants[0] = column(table, y);
    if (shape.density != DensityKind::negative_binomial_log) return;
    std::int64_t i = 0;
    term.constants[1] = column(table, [&] {
      const float count = term.constants[0][i++];
      return count > 0 ? std::log(count) : 0.0F;
    });
  }

  double argument(const Predictor& predictor, std::int64_t row, const float* latent, int sample) const {
    double sum = static_cast<double>(predictor.constant);
    if (predictor.offset != nullptr) sum += static_cast<double>(predictor.offset[row]);
    for (int p = 0; p < predictor.part_count; ++p) {
      const Part& part = predictor.parts[p];
      for (int k = 0; k < part.columns; ++k) {
        const double by =
            static_cast<double>(part.kind == PartKind::scalar ? part.scale : part.x[row * part.columns + k]);
        const std::int64_t effect =
            part.kind == PartKind::gather ? part.first_effect + part.index[row] * part.columns + k : 0;
        sum += by * static_cast<double>(part.kind == PartKind::gather
                                            ? effects[static_cast<std::size_t>(effect * stride + sample)]
                                            : latent[part.first + k]);
      }
    }
    return sum;
  }

  std::mt19937 generator_;
  std::normal_distribution<float> normal_;
  std::vector<std::uint32_t> indices_;
  std::vector<std::vector<float>> columns_;
  std::vector<std::vector<std::int32_t>> levels_;
};

struct Variant {
  const char* name;
  bool available;
  decltype(&baseline::general_term_block) block;
};
std::ostream& operator<<(std::ostream& out, const Variant& v) { return out << v.name; }
std::vector<Variant> variants() {
  std::vector<Variant> all{{"baseline", true, &baseline::general_term_block}};
#if defined(__x86_64__)
  all.push_back({"avx2", processor_runs_avx2(), &avx2::general_term_block});
  all.push_back({"avx512", processor_runs_avx512(), &avx512::general_term_block});
#endif
  return all;
}

struct Result {
  std::vector<double> sums;        ///< samples x (1 + slots)
  std::vector<float> derivatives;  ///< as RowValues
};

struct alignas(64) Line {
  float values[16];
};

/// In blocks of `rows_per_block`, of which only the sums together are kept; scratch and results begin as NaN.
Result evaluate(const Variant& variant, const GeneralCase& c, std::int64_t rows_per_block) {
  const auto width = static_cast<std::size_t>(1 + c.slots());
  const auto samples = static_cast<std::size_t>(c.shape.samples);
  Result result{
      std::vector<double>(samples * width),
      std::vector<float>(static_cast<std::size_t>((1 + c.shape.arguments) * c.shape.rows * c.stride), std::nanf(""))};
  std::vector<Line> scratch(general_term_cpu_scratch(c.term, c.shape.samples) / sizeof(Line));
  for (Line& line : scratch) std::fill(std::begin(line.values), std::end(line.values), std::nanf(""));
  std::vector<double> block(samples * width, std::numeric_limits<double>::quiet_NaN());
  std::int64_t begin = 0;
  do {  // once where there are no rows
    const std::int64_t end = std::min(begin + rows_per_block, c.shape.rows);
    variant.block(c.term, c.rows, begin, end, c.z.data(), c.dimension, {c.effects.data(), c.stride},
                  {result.derivatives.data(), c.shape.rows, c.stride}, block.data(), c.shape.samples,
                  static_cast<int>(width), scratch.data());
    for (std::size_t i = 0; i < block.size(); ++i) result.sums[i] += block[i];
    begin = end;
  } while (begin < c.shape.rows);
  return result;
}

std::vector<GeneralShape> shapes() {
  std::vector<GeneralShape> all;
  const std::vector<int> samples{1, 2, 3, 8, 9, 16, 17, 25, 32, 33, 70};
  const std::vector<int> columns{0, 1, 3, 8, 13, 33};
  const std::vector<std::int64_t> rows{1, 7, 128, 300, 0};
  unsigned turn = 0;
  const auto add = [&](DensityKind density, int arguments) {
    for (const int s : samples) {
      const bool gathers = turn % 3 == 0;
      all.push_back({density, arguments, rows[turn % rows.size()], columns[turn % columns.size()], s,
                     !gathers && turn % 2 == 0, turn % 5 < 2, gathers, turn % 4 < 3,
                     density != DensityKind::categorical && !gathers && turn % 7 < 3});
      ++turn;
    }
  };
  for (const int logits : {1, 4, 9, 15}) add(DensityKind::categorical, logits);
  add(DensityKind::gaussian, 2);
  add(DensityKind::bernoulli_logit, 1);
  add(DensityKind::negative_binomial_log, 2);
  add(DensityKind::cumulative_logit, 3);
  // Columns beyond what one tile of 128 rows takes.
  all.push_back({DensityKind::categorical, 3, 200, 300, 33, false, false, false, true, false});
  for (const int s : {1, 5}) all.push_back({DensityKind::gaussian, 2, 200, 1100, s, true, true, false, true, false});
  return all;
}

class GeneralTerm : public testing::TestWithParam<Variant> {
 protected:
  void SetUp() override {
    if (!GetParam().available) GTEST_SKIP() << "this processor has no " << GetParam().name;
  }
};
INSTANTIATE_TEST_SUITE_P(On, GeneralTerm, testing::ValuesIn(variants()),
                         [](const auto& variant) { return variant.param.name; });

TEST_P(GeneralTerm, IsTheSumInDouble) {
  for (const GeneralShape& shape : shapes()) {
    const GeneralCase c(shape);
    const Result result = evaluate(GetParam(), c, 200);
    const auto width = static_cast<std::size_t>(1 + c.slots());
    // A row's numbers are of order ten: f, its derivatives and these times a standard normal column. Each is rounded a
    // handful of times, as are the predictors, sums of up to 1100 products that are of order one together. A log sigma
    // that is off by some rounding moves numbers by a few times as much of their own size.
    const auto room = [](double rows, double size) { return tolerance::density_float * (10 * rows + 4 * size); };
    const auto rows = static_cast<double>(shape.rows + 1);
    for (int s = 0; s < shape.samples; ++s) {
      std::vector<double> sums, sizes, derivatives;
      c.reference(s, sums, sizes, derivatives);
      for (std::size_t i = 0; i < width; ++i) {
        ASSERT_NEAR(result.sums[static_cast<std::size_t>(s) * width + i], sums[i], room(rows, sizes[i]))
            << "number " << i << " of sample " << s << " of " << shape;
      }
      for (const int a : {0, shape.arguments - 1}) {
        for (std::int64_t i = 0; i < shape.rows && shape.gathers; ++i) {
          const float* d = RowValues{const_cast<float*>(result.derivatives.data()), shape.rows, c.stride}.derivative(a);
          const double expected = derivatives[static_cast<std::size_t>(a * shape.rows + i)];
          ASSERT_NEAR(static_cast<double>(d[i * c.stride + s]), expected, room(1, std::abs(expected)))
              << "argument " << a << ", row " << i << ", sample " << s << " of " << shape;
        }
      }
    }
  }
}

TEST_P(GeneralTerm, LeavesOtherSamplesPlacesAlone) {
  const GeneralCase c({DensityKind::bernoulli_logit, 1, 50, 2, 3, false, false, true, true, false});
  const Result result = evaluate(GetParam(), c, 50);
  const float* d = RowValues{const_cast<float*>(result.derivatives.data()), 50, c.stride}.derivative(0);
  for (std::int64_t i = 0; i < 50; ++i) {
    for (std::int64_t s = 0; s < c.stride; ++s) EXPECT_EQ(std::isnan(d[i * c.stride + s]), s >= 3);
  }
}

TEST_P(GeneralTerm, GivesTheSameBitsAgain) {
  const GeneralCase c({DensityKind::categorical, 9, 300, 13, 25, false, true, false, true, false});
  EXPECT_EQ(evaluate(GetParam(), c, 130).sums, evaluate(GetParam(), c, 130).sums);
}

// A draw that has run away must not be noticed by its neighbours in the vector lanes.
TEST_P(GeneralTerm, KeepsANonFiniteSampleToItself) {
  for (const int samples : {2, 9, 33}) {
    GeneralCase c({DensityKind::categorical, 4, 100, 5, samples, false, false, false, true, false});
    const std::vector<double> before = evaluate(GetParam(), c, 100).sums;
    const int bad = samples / 2;
    std::fill_n(c.z.begin() + static_cast<std::ptrdiff_t>(bad) * c.dimension, c.dimension, std::nanf(""));
    const std::vector<double> after = evaluate(GetParam(), c, 100).sums;
    const auto width = static_cast<std::size_t>(1 + c.slots());
    for (std::size_t i = 0; i < after.size(); ++i) {
      if (static_cast<int>(i / width) == bad) {
        ASSERT_TRUE(i % width != 0 || !std::isfinite(after[i]));
      } else {
        ASSERT_EQ(after[i], before[i]) << "number " << i << " of " << samples << " samples";
      }
    }
  }
}

}  // namespace
}  // namespace jensen
