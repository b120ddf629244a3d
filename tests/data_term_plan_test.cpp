/// \file How a GPU's data term is cut into tiles.

#include "data_term_plan.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "data_term_cases.hpp"
#include "data_term_play.hpp"

namespace jensen {
namespace {

using testing::ampere;
using testing::hopper;

TEST(TilePlanOf, FitsAndCoversWhatItIsFor) {
  for (const int columns : {0, 1, 8, 16, 17, 28, 55, 64, 100, 256, 512, 784, 1000}) {
    for (const int samples : {1, 2, 8, 15, 16, 33, 64, 65, 256}) {
      for (const std::int64_t rows : {64, 300, 20000}) {
        for (const int bytes : {hopper, ampere}) {
          if (columns == 1000 && bytes == ampere) continue;
          const TermCase c({DensityKind::gaussian, 1, columns, 1, 1});
          const TilePlan p = tile_plan(c.term, samples, rows, bytes);
          SCOPED_TRACE(::testing::Message() << columns << " columns, " << samples << " samples, " << bytes);
          ASSERT_GT(p.rows, 0);
          EXPECT_LE(p.bytes, bytes);
          if (p.row_columns > 0) {
            EXPECT_EQ(samples, 1);
            EXPECT_GE(p.row_columns, columns);
            EXPECT_LE(p.rows, tile_threads);
            continue;
          }
          if (p.eight_columns > 0) {
            EXPECT_TRUE(samples >= 2 && samples <= 8);
            EXPECT_GE(p.eight_columns, columns);
            EXPECT_EQ(p.rows % (8 * tile_warps), 0);
          }
          EXPECT_EQ(p.rows % (8 * p.row_splits), 0);
          EXPECT_EQ(p.rows % (8 << p.octet_shift), 0);
          EXPECT_GE(p.groups * p.group_samples, samples);
          EXPECT_GE(p.stages, 2);
          EXPECT_EQ(p.group_samples, 8 * tile_buckets[p.bucket].n);
          EXPECT_EQ(p.row_splits, 1 << p.row_split_shift);
          EXPECT_EQ(p.column_splits, 1 << p.column_split_shift);
          EXPECT_TRUE(p.column_splits == 1 || p.rows / 16 * p.column_splits == tile_warps);
          EXPECT_TRUE(p.row_splits == 1 || tile_buckets[p.bucket].m == 1);
          EXPECT_LE(p.column_tiles * p.row_splits, 8 * tile_buckets[p.bucket].m);
        }
      }
    }
  }
}

TEST(TilePlanOf, RefusesWhatDoesNotFit) {
  const TermCase c({DensityKind::gaussian, 1, 3000, 1, 1});
  EXPECT_EQ(tile_plan(c.term, 1, 1000, hopper).rows, 0);
}

/// A warp's 32 reads of X fall into different banks, in both products.
TEST(TilePlanOf, KeepsReadsOfXInDifferentBanks) {
  const auto plan_of = [](int columns, int samples) {
    return tile_plan(TermCase({DensityKind::gaussian, 1, columns, 1, 1}).term, samples, 1000, hopper);
  };
  for (int columns = 1; columns <= 64; ++columns) {  // DataTermEight: the second product's rows are the first's
    const TilePlan p = plan_of(columns, 8);
    ASSERT_GT(p.eight_columns, 0);
    for (int i = 0; i < p.rows / 8; ++i) {
      for (const int half : {0, 1}) {
        std::vector<bool> banks(32);
        for (int t = 0; t < 4; ++t) {
          for (int g = 0; g < 8; ++g) {
            banks[static_cast<std::size_t>((row_of_octet(p, i, 2 * t + half) * p.stride + g) % 32)] = true;
          }
        }
        EXPECT_EQ(std::count(banks.begin(), banks.end(), true), 32) << columns << " columns, octet " << i;
      }
    }
  }
  for (int of = 2; of < 602; ++of) {  // of eight samples and of nine
    const int columns = of / 2;
    const TilePlan p = plan_of(columns, 8 + of % 2);
    std::vector<int> rows;
    for (int i = 0; i < p.rows / 8; ++i) {
      std::vector<bool> banks(32);
      for (int g = 0; g < 8; ++g) {
        rows.push_back(row_of_octet(p, i, g));
        for (int t = 0; t < 4; ++t) banks[static_cast<std::size_t>((rows.back() * p.stride + t) % 32)] = true;
      }
      EXPECT_EQ(std::count(banks.begin(), banks.end(), true), 32) << columns << " columns, octet " << i;
    }
    std::sort(rows.begin(), rows.end());
    for (int r = 0; r < p.rows; ++r) ASSERT_EQ(rows[static_cast<std::size_t>(r)], r);
    for (int k = 0; k < p.rows / 8; ++k) {
      for (const int half : {0, 1}) {
        std::vector<bool> banks(32);
        for (int t = 0; t < 4; ++t) {
          const int row = row_of_step(p, k, t) + half;
          ASSERT_LT(row, p.rows);
          for (int g = 0; g < 8; ++g) banks[static_cast<std::size_t>((row * p.stride + g) % 32)] = true;
        }
        EXPECT_EQ(std::count(banks.begin(), banks.end(), true), 32) << columns << " columns, step " << k;
      }
    }
    for (int i = 0; i < p.rows / 8; ++i) {
      for (int g = 0; g < 8; ++g) {
        const RowPlace place = place_of_row(p, i, g);
        EXPECT_EQ(row_of_step(p, place.step, g / 2) + place.half, row_of_octet(p, i, g)) << columns << " columns";
      }
    }
  }
}

TEST(HasTileShape, TakesGathersAndWeightsInTheFirstArgument) {
  Term term;
  EXPECT_TRUE(has_tile_shape(term));
  const float x = 0;
  const std::int32_t index = 0;
  const Part dense{PartKind::dense, 0, 1, 1, &x};
  const Part gather{PartKind::gather, 0, 1, 1, nullptr, &index, 0, 0};
  term.weights = &x;
  term.arguments[0].part_count = 3;
  term.arguments[0].parts[1] = dense;
  term.arguments[0].parts[2] = gather;
  EXPECT_TRUE(has_tile_shape(term));
  EXPECT_EQ(dense_part_of(term), 1);
  term.arguments[0].parts[0] = dense;
  EXPECT_FALSE(has_tile_shape(term));
  term.arguments[0].parts[0] = Part{};
  term.argument_count = 2;
  term.arguments[1].part_count = 1;
  EXPECT_TRUE(has_tile_shape(term));
  term.arguments[1].parts[0] = gather;
  EXPECT_FALSE(has_tile_shape(term));
  term.argument_count = 1;
  term.density = DensityKind::categorical;
  EXPECT_FALSE(has_tile_shape(term));
  term.density = DensityKind::normal_prior;
  EXPECT_FALSE(has_tile_shape(term));
}

}  // namespace
}  // namespace jensen
