/// \file A guide's elements worked on some at a time are those worked on one by one.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "guides/fullrank.hpp"
#include "guides/meanfield.hpp"
#include "guides/with_levels.hpp"

namespace jensen {
namespace {

constexpr float rho = 0.7F;

std::vector<float> normals(std::size_t n, std::uint64_t seed) {
  std::mt19937_64 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> out(n);
  for (float& x : out) x = normal(random);
  return out;
}

/// S draws, some of which are not finite, for a head of D coordinates and `coordinates` of levels.
struct SomeDraws {
  std::vector<float> eps, level_eps, level_bar;
  std::vector<double> joint;
  std::vector<std::int32_t> good;
  std::int32_t good_count = 0;
  Draws draws;

  SomeDraws(int samples, int dimension, std::int64_t coordinates, int bad) {
    const auto s = static_cast<std::size_t>(samples), d = static_cast<std::size_t>(dimension);
    const std::size_t stride = s + 3;
    const std::size_t size = static_cast<std::size_t>(coordinates) * stride;
    eps = normals(s * d, 1);
    level_eps = normals(size, 2);
    level_bar = normals(size, 3);
    const std::vector<float> l = normals(s * (1 + d), 4);
    joint.assign(l.begin(), l.end());
    good.assign(s, 1);
    for (int b = 0; b < bad; ++b) {
      const std::size_t at = (3 * static_cast<std::size_t>(b) + 1) % s;
      good[at] = 0;
      joint[at * (1 + d)] = joint[at * (1 + d) + d] = std::numeric_limits<double>::quiet_NaN();
      for (std::size_t c = 0; c < static_cast<std::size_t>(coordinates); ++c) level_bar[c * stride + at] = NAN;
    }
    for (const std::int32_t one : good) good_count += one;
    draws = {samples,          dimension,        eps.data(),
             joint.data(),     good.data(),      &good_count,
             level_eps.data(), level_bar.data(), static_cast<std::int64_t>(stride)};
  }
};

/// Sets of some sizes, all through lambda. The sums are of the same numbers of size 1 in the same order, up to 130 for
/// a basis: what differs is whether a product is rounded before it is added, 2^-53 each.
template <class Head>
void expect_same(const WithLevels<Head>& guide, std::int64_t coordinates) {
  const std::int64_t size = guide.size();
  const std::vector<float> lambda = normals(static_cast<std::size_t>(size), 5);
  for (const int samples : {1, 2, 7, 8, 9, 31, 64}) {
    for (int bad = 0; bad <= (samples > 2 ? 2 : samples); ++bad) {
      const SomeDraws some(samples, guide.head.dimension, coordinates, bad);
      std::vector<double> one_by_one(static_cast<std::size_t>(size));
      std::vector<double> closed_form(static_cast<std::size_t>(size));
      for (std::int64_t p = 0; p < size; ++p) {
        guide.template pull_back<1>(lambda.data(), p, 1, some.draws, &one_by_one[static_cast<std::size_t>(p)]);
        closed_form[static_cast<std::size_t>(p)] = guide.template closed_form<1>(lambda.data(), p, 1);
        ASSERT_TRUE(std::isfinite(one_by_one[static_cast<std::size_t>(p)])) << p;
      }
      for (const std::int64_t most : {1, 5, 13, 64}) {
        for (std::int64_t p = 0; p < size; p += most) {
          const auto count = static_cast<int>(std::min(most, size - p));
          double g[64];
          guide.template pull_back<64>(lambda.data(), p, count, some.draws, g);
          double total = 0;
          for (int k = 0; k < count; ++k) {
            const auto at = static_cast<std::size_t>(p + k);
            ASSERT_NEAR(g[k], one_by_one[at], 1e-12 * (1 + std::abs(one_by_one[at])))
                << "element " << at << " of " << size << ", " << samples << " samples";
            total += closed_form[at];
          }
          ASSERT_NEAR((guide.template closed_form<64>(lambda.data(), p, count)), total, 1e-12 * (1 + std::abs(total)));
        }
      }
    }
  }
}

/// Groups of q = 1, 2, 3 effects behind the head.
template <class Head>
std::int64_t add_groups(WithLevels<Head>& guide, bool dense) {
  std::int64_t coordinate = 0;
  for (const int q : {1, 2, 3}) {
    LevelParameters group{q, 11 + q, coordinate, guide.size(), dense};
    coordinate += group.means();
    guide.groups[guide.group_count++] = group;
  }
  return coordinate;
}

TEST(Guide, FullrankElementsSomeAtATime) {
  for (const int d : {1, 2, 7, 10, 63, 70}) expect_same(WithLevels<Fullrank>{{d, rho}, rho}, 0);
}

TEST(Guide, MeanfieldElementsSomeAtATime) {
  for (const int d : {1, 2, 7, 64, 130}) {
    expect_same(WithLevels<Meanfield>{{d, nullptr, rho}, rho}, 0);
    const auto width = static_cast<std::size_t>(d);
    std::vector<float> basis = normals(width * width, 6);
    for (std::size_t i = 0; i < width; ++i) {
      for (std::size_t j = 0; j < i; ++j) basis[i * width + j] = NAN;  // is not used
    }
    expect_same(WithLevels<Meanfield>{{d, basis.data(), rho}, rho}, 0);
  }
}

TEST(Guide, ElementsOfLevelsSomeAtATime) {
  for (const bool dense : {true, false}) {
    for (const int d : {1, 5}) {
      WithLevels<Fullrank> fullrank{{d, rho}, rho};
      expect_same(fullrank, add_groups(fullrank, dense));
      WithLevels<Meanfield> meanfield{{d, nullptr, rho}, rho};
      expect_same(meanfield, add_groups(meanfield, dense));
    }
  }
}

}  // namespace
}  // namespace jensen
