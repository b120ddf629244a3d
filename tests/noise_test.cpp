#include "noise.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>
#include <utility>
#include <vector>

#include "tolerances.hpp"

namespace jensen {
namespace {

void expect_words(const Words& words, const std::array<std::uint32_t, 4>& expected) {
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(words.w[i], expected[i]) << "word " << i;
}

// The known-answer vectors that Random123 publishes for philox4x32-10 (its kat_vectors file).
struct KnownAnswer {
  Words counter;
  std::uint64_t key;
  std::array<std::uint32_t, 4> expected;
};
const std::array<KnownAnswer, 3> known_answers{{
    {{{0, 0, 0, 0}}, 0, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{{~0U, ~0U, ~0U, ~0U}}, ~std::uint64_t{0}, {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}},
     0x299f31d0a4093822,
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}},
}};

TEST(Philox, GivesTheKnownAnswers) {
  for (const KnownAnswer& answer : known_answers) {
    expect_words(philox(answer.counter, answer.key), answer.expected);
  }
}

std::vector<double> normals(std::uint64_t seed, Purpose purpose, std::uint64_t step, std::uint32_t sample,
                            std::size_t n) {
  std::vector<double> result;
  result.reserve(n + 3);
  for (std::uint32_t quad = 0; result.size() < n; ++quad) {
    const Normals four = standard_normals(seed, purpose, step, sample, quad);
    for (const float value : four.n) result.push_back(static_cast<double>(value));
  }
  result.resize(n);
  return result;
}

constexpr std::size_t many = std::size_t{1} << 18U;

TEST(StandardNormals, HaveTheMomentsOfAStandardNormal) {
  const std::vector<double> values = normals(1, Purpose::train, 0, 0, many);
  // E x^k of a standard normal; the variance of x^k is E x^2k - (E x^k)^2.
  const std::array<double, 13> moment{1, 0, 1, 0, 3, 0, 15, 0, 105, 0, 945, 0, 10395};
  for (std::size_t k = 1; k <= 6; ++k) {
    double sum = 0;
    for (const double x : values) sum += std::pow(x, static_cast<double>(k));
    const double error = std::sqrt((moment[2 * k] - moment[k] * moment[k]) / static_cast<double>(many));
    EXPECT_NEAR(sum / static_cast<double>(many), moment[k], tolerance::z_one * error) << "moment " << k;
  }
}

TEST(StandardNormals, FollowTheNormalDistributionFunction) {
  std::vector<double> values = normals(2, Purpose::evaluate, 3, 4, many);
  std::sort(values.begin(), values.end());
  double distance = 0;
  for (std::size_t i = 0; i < many; ++i) {
    const double probability = 0.5 * std::erfc(-values[i] / std::sqrt(2.0));
    const double below = static_cast<double>(i) / static_cast<double>(many);
    distance = std::max({distance, probability - below, below + 1 / static_cast<double>(many) - probability});
  }
  EXPECT_LT(distance * std::sqrt(static_cast<double>(many)), tolerance::kolmogorov);
}

// Correlation of x and y, and of their squares, in units of its standard deviation 1 / sqrt(n).
double largest_correlation(const std::vector<double>& x, const std::vector<double>& y) {
  double plain = 0;
  double squares = 0;
  for (std::size_t i = 0; i < x.size(); ++i) {
    plain += x[i] * y[i];
    squares += (x[i] * x[i] - 1) * (y[i] * y[i] - 1) / 2;
  }
  return std::max(std::abs(plain), std::abs(squares)) / std::sqrt(static_cast<double>(x.size()));
}

TEST(StandardNormals, OfDifferentStreamsAreUncorrelated) {
  constexpr std::size_t n = 1U << 16U;
  const std::vector<double> base = normals(7, Purpose::train, 100, 3, n);
  for (const Purpose purpose :
       {Purpose::evaluate, Purpose::draw, Purpose::subsample, Purpose::shuffle, Purpose::bench}) {
    EXPECT_LT(largest_correlation(base, normals(7, purpose, 100, 3, n)), tolerance::z_many)
        << static_cast<int>(purpose);
  }
  for (const std::uint64_t step : {0ULL, 99ULL, 101ULL, 100ULL + (1ULL << 32U), 100ULL + (1ULL << 55U)}) {
    EXPECT_LT(largest_correlation(base, normals(7, Purpose::train, step, 3, n)), tolerance::z_many) << "step " << step;
  }
  for (const std::uint32_t sample : {0U, 2U, 4U, 3U + (1U << 31U)}) {
    EXPECT_LT(largest_correlation(base, normals(7, Purpose::train, 100, sample, n)), tolerance::z_many)
        << "sample " << sample;
  }
  for (const std::uint64_t seed : {6ULL, 8ULL, 7ULL + (1ULL << 32U)}) {
    EXPECT_LT(largest_correlation(base, normals(seed, Purpose::train, 100, 3, n)), tolerance::z_many)
        << "seed " << seed;
  }
}

TEST(StandardNormals, OfDifferentCoordinatesAreUncorrelated) {
  const std::vector<double> base = normals(11, Purpose::train, 5, 0, many);
  for (std::size_t lag = 1; lag <= 9; ++lag) {
    const std::vector<double> x(base.begin(), base.end() - static_cast<std::ptrdiff_t>(lag));
    const std::vector<double> y(base.begin() + static_cast<std::ptrdiff_t>(lag), base.end());
    EXPECT_LT(largest_correlation(x, y), tolerance::z_many) << "lag " << lag;
  }
  // The pairs of one Box-Muller transform, and the two transforms of one counter, apart from all others.
  for (std::size_t i = 0; i < 4; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      std::vector<double> x, y;
      for (std::size_t q = 0; q + 3 < base.size(); q += 4) {
        x.push_back(base[q + i]);
        y.push_back(base[q + j]);
      }
      EXPECT_LT(largest_correlation(x, y), tolerance::z_many) << "coordinates " << i << ", " << j;
    }
  }
}

// Philox backwards: the counter that gives these words. (The rounds are a bijection; the multipliers are odd.)
Words philox_inverse(Words words, std::uint64_t key) {
  const auto inverse_of = [](std::uint32_t odd) {
    std::uint32_t x = odd;
    for (int i = 0; i < 5; ++i) x *= 2U - odd * x;  // Newton: each pass doubles the correct bits
    return x;
  };
  constexpr std::uint32_t m0 = 0xD2511F53U;
  constexpr std::uint32_t m1 = 0xCD9E8D57U;
  for (std::uint32_t round = 10; round-- > 0;) {
    const std::uint32_t k0 = static_cast<std::uint32_t>(key) + round * 0x9E3779B9U;
    const std::uint32_t k1 = static_cast<std::uint32_t>(key >> 32U) + round * 0xBB67AE85U;
    const std::uint32_t c0 = words.w[3] * inverse_of(m0);
    const std::uint32_t c2 = words.w[1] * inverse_of(m1);
    const auto high0 = static_cast<std::uint32_t>((std::uint64_t{m0} * c0) >> 32U);
    const auto high1 = static_cast<std::uint32_t>((std::uint64_t{m1} * c2) >> 32U);
    words = {{c0, words.w[0] ^ high1 ^ k0, c2, words.w[2] ^ high0 ^ k1}};
  }
  return words;
}

Normals normals_of_bits(Words bits) {
  constexpr std::uint64_t seed = 0x0123456789abcdef;
  const Words counter = philox_inverse(bits, seed);
  const Words again = philox(counter, seed);
  EXPECT_TRUE(std::equal(again.w, again.w + 4, bits.w));
  const std::uint64_t step = counter.w[2] | (std::uint64_t{counter.w[3] & 0xffffffU} << 32U);
  return standard_normals(seed, static_cast<Purpose>(counter.w[3] >> 24U), step, counter.w[1], counter.w[0]);
}

TEST(StandardNormals, AreFiniteForExtremeBits) {
  // All zeros, all ones, and the words on both sides of where their conversion to float changes its rounding.
  const std::vector<std::uint32_t> extremes{0,          1,          2,          0x00ffffff, 0x01000001, 0x3fffffff,
                                            0x40000000, 0x7fffffff, 0x80000000, 0x80000001, 0xbfffffff, 0xc0000000,
                                            0xffffff7f, 0xffffff80, 0xffffff81, 0xfffffffe, 0xffffffff};
  // The smallest uniform is 2^-33.
  const double largest = std::sqrt(2 * 33 * std::log(2.0)) * (1 + 4 * tolerance::float_epsilon);
  for (const std::uint32_t first : extremes) {
    for (const std::uint32_t second : extremes) {
      const Normals four = normals_of_bits({{first, second, second, first}});
      for (const float value : four.n) {
        ASSERT_TRUE(std::isfinite(value)) << std::hex << first << ' ' << second;
        ASSERT_LE(std::abs(static_cast<double>(value)), largest) << std::hex << first << ' ' << second;
      }
    }
  }
}

TEST(StandardNormals, AreBoxAndMullersTransformOfTheBits) {
  std::mt19937 generator(5);
  const auto word = [&] { return static_cast<std::uint32_t>(generator()); };
  for (int i = 0; i < 1000; ++i) {
    const Words bits{{word(), word(), word(), word()}};
    const Normals four = normals_of_bits(bits);
    for (int pair = 0; pair < 4; pair += 2) {
      const double u = (static_cast<double>(bits.w[pair]) + 0.5) * std::pow(2.0, -32);
      const double angle = static_cast<double>(bits.w[pair + 1]) * std::pow(2.0, -32) * 2 * std::acos(-1.0);
      const double radius = std::sqrt(-2 * std::log(u));
      // u and the angle (below 2 pi) are rounded to float: d radius / d log u = 1 / radius, and the angle's own size.
      const double rounding = 4 * tolerance::float_epsilon * (1 / radius + radius * 8);
      EXPECT_NEAR(static_cast<double>(four.n[pair]), radius * std::cos(angle), rounding);
      EXPECT_NEAR(static_cast<double>(four.n[pair + 1]), radius * std::sin(angle), rounding);
    }
  }
}

// Pins the layout of the counter: a fit must draw the same noise in every version that reads its checkpoint.
TEST(StandardNormals, TakeTheirCounterFromQuadSampleStepAndPurpose) {
  const std::uint64_t step = 0x00abcdef12345678;
  const Words bits = philox_portable({{9, 8, 0x12345678, 0x03abcdef}}, 77);
  const Normals direct = standard_normals(77, Purpose::draw, step, 8, 9);
  const Normals inverted = normals_of_bits(bits);
  // Two inlined copies may contract their multiply-adds differently; another counter would give other numbers
  // altogether.
  for (int i = 0; i < 4; ++i) EXPECT_NEAR(direct.n[i], inverted.n[i], 8 * tolerance::float_epsilon);
}

TEST(SineCosine, AreRightToARounding) {
  std::mt19937 random(3);
  for (int i = 0; i < 200'000; ++i) {
    // The quarter turns and what is next to them first, then any.
    const std::uint32_t w =
        i < 64 ? static_cast<std::uint32_t>(i / 8) * 0x20000000U + static_cast<std::uint32_t>(i % 8) - 4
               : static_cast<std::uint32_t>(random());
    const double angle = 2 * std::numbers::pi * static_cast<double>(w) / 4294967296.0;
    const SineCosine got = sine_cosine_of_turn(w);
    // The series' error (2^-25), the rounding of the angle and those of a few operations on numbers up to 1.
    ASSERT_NEAR(static_cast<double>(got.sine), std::sin(angle), 1.5e-7) << w;
    ASSERT_NEAR(static_cast<double>(got.cosine), std::cos(angle), 1.5e-7) << w;
  }
}

}  // namespace
}  // namespace jensen
