/// \file Stages of several samples side by side against the same stages of one sample at a time.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ostream>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "data_term_cpu_isa.hpp"
#include "sample_stages_cpu.hpp"

namespace jensen {
namespace {

/// One of the instruction sets.
struct Variant {
  std::string name;
  bool available;
  template <class Stage>
  void run(const Stage& stage, std::int64_t units) const {
#if defined(__x86_64__)
    if (name == "avx512") return avx512::sample_stage(stage, 0, units);
    if (name == "avx2") return avx2::sample_stage(stage, 0, units);
#endif
    baseline::sample_stage(stage, 0, units);
  }
};
std::ostream& operator<<(std::ostream& out, const Variant& v) { return out << v.name; }

class SampleStages : public testing::TestWithParam<Variant> {
 protected:
  void SetUp() override {
    if (!GetParam().available) GTEST_SKIP() << "this processor has no such instructions";
  }
};
INSTANTIATE_TEST_SUITE_P(On, SampleStages,
                         testing::Values(Variant{"baseline", true}, Variant{"avx2", processor_runs_avx2()},
                                         Variant{"avx512", processor_runs_avx512()}),
                         [](const auto& variant) { return variant.param.name; });

struct LevelsCase {
  int effects, samples;
  std::int64_t levels;
  bool information, coupled, follows, in_head, centred, anchored, dense;
};
std::ostream& operator<<(std::ostream& out, const LevelsCase& c) {
  return out << c.effects << " effects, " << c.samples << " samples, " << c.levels << " levels, information "
             << c.information << ", coupled " << c.coupled << ", follows " << c.follows << ", in head " << c.in_head
             << ", centred " << c.centred << ", anchored " << c.anchored << ", dense " << c.dense;
}

/// A group of levels with random numbers everywhere, coupled to three coefficients and two effects before its own.
class Levels {
 public:
  static constexpr std::int64_t levels_per_block = 8;
  static constexpr int coefficients = 3, coupled = 2;

  explicit Levels(const LevelsCase& c) : c_(c), random_(static_cast<unsigned>(c.effects * 1000 + c.samples)) {
    const std::int64_t size = c.levels * c.effects;
    stride_ = (c.samples + 1 + most_sample_lanes - 1) / most_sample_lanes * most_sample_lanes;  // and the anchor
    group_.effects = c.effects;
    group_.levels = c.levels;
    group_.first = coupled;
    group_.centred = c.centred;
    dimension_ = coefficients + static_cast<int>(size);
    if (c.in_head) group_.in_head = coefficients;
    for (int i = 0; i < c.effects; ++i) {
      for (int j = 0; j <= i; ++j) group_.reference[packed(i, j)] = i == j ? 0.8F + 0.1F * static_cast<float>(i) : 0.2F;
    }
    head_ = normals(dimension_ * stride_, 1);
    eps_ = normals((coupled + size) * stride_, 1);
    effects_ = normals((coupled + size) * stride_, 1);
    mean_ = normals(size, 1);
    anchor_mean_ = normals(size, 1);
    scale_ = normals(c.levels * packed_size(c.effects), 0.3F);
    location_ = normals(size, 1);
    coupling_ = normals(size * (coefficients + coupled), 0.5F);
    information_ = normals(c.levels * packed_size(c.effects), 0.1F);
    factors_ = normals(factor_stride * stride_, 0.2F);
    for (int i = 0; i < c.effects; ++i) {  // larger diagonals: the information's matrix is positive definite
      for (std::int64_t j = 0; j < c.levels; ++j) at(information_, j * packed_size(c.effects) + packed(i, i)) += 2;
      for (std::int64_t s = 0; s < stride_; ++s) at(factors_, packed(i, i) * stride_ + s) += 1;
    }
    for (std::int64_t s = 0; s < stride_; ++s) at(factors_, information_factor * stride_ + s) += 1;
    sums_ = normals((coupled + size) * stride_, 1);
    anchor_sums_ = normals(coupled + size, 1);
    coupled_sums_.assign(static_cast<std::size_t>((coupled + size) * stride_), 0.25);
    group_.information = c.information ? information_.data() : nullptr;
    group_.location = location_.data();
    if (c.information && c.coupled) {
      skew_ = normals(size, 0.1F);
      group_.skew = skew_.data();
    }
    if (c.information && c.effects == 1) {
      answer_ = normals(2 * size, 0.3F);
      group_.answer = answer_.data();
    }
    if (c.coupled) {
      group_.coupling = coupling_.data();
      group_.coefficients = coefficients;
      group_.coupled = coupled;
    }
    if (c.follows) {  // the first of the two effects
      for (std::int64_t i = 0; i <= size; ++i) followed_begin_.push_back(i);
      followed_.assign(static_cast<std::size_t>(size), 0);
      group_.followed = {followed_begin_.data(), followed_.data(), location_.data()};
    }
  }

  /// What the stages leave for the samples, one after the other: effects, derivatives, sums.
  template <class Run>
  std::vector<double> results(Run run) {
    std::vector<float> effects = effects_, latent_bar(effects_.size()), location(effects_.size());
    std::vector<double> joint(static_cast<std::size_t>(c_.samples * (1 + dimension_)));
    const std::int64_t blocks = (c_.levels + levels_per_block - 1) / levels_per_block;
    const int count = level_sum_count(group_);
    std::vector<double> partials(static_cast<std::size_t>(blocks * count * stride_));
    LevelSource source;
    if (!c_.in_head) {
      source.guide = {mean_.data(), scale_.data(), c_.dense};
      source.anchor_mean = anchor_mean_.data();
      source.anchor = c_.anchored ? c_.samples : -1;
    }
    source.stride = stride_;
    source.eps = eps_.data();
    source.head = head_.data();
    source.factors = factors_.data();
    source.effects = effects.data();
    source.location = location.data();
    run(ExpandLevels{group_, source, c_.samples + (c_.anchored ? 1 : 0), effects.data()}, c_.levels);
    run(PullBackLevels{group_, source, c_.samples, levels_per_block, 3.0, 1.0, dimension_, sums_.data(),
                       coupled_sums_.data(), c_.anchored ? anchor_sums_.data() : nullptr, latent_bar.data(),
                       joint.data(), partials.data()},
        blocks);
    if (c_.coupled) {
      const PullBackCoupling stage{group_, location.data(), c_.samples, levels_per_block, stride_, partials.data()};
      run(stage, stage.units());
    }
    std::vector<double> coupled_sums = coupled_sums_;
    if (c_.follows) {
      const std::int64_t begin[] = {0, c_.levels * c_.effects, c_.levels * c_.effects};
      std::vector<std::int32_t> all_of_it;
      for (std::int64_t i = 0; i < begin[1]; ++i) all_of_it.push_back(static_cast<std::int32_t>(coupled + i));
      const PullBackFollowed stage{
          {begin, all_of_it.data(), location_.data()}, location.data(), c_.samples, stride_, coupled_sums.data()};
      run(stage, coupled);
    }
    std::vector<double> all = joint;
    const auto take = [&](const auto& from, std::int64_t first, std::int64_t rows) {
      for (std::int64_t i = first; i < rows; ++i) {
        for (std::int64_t s = 0; s < c_.samples; ++s) {
          all.push_back(static_cast<double>(from[static_cast<std::size_t>(i * stride_ + s)]));
        }
      }
    };
    take(effects, coupled, coupled + c_.levels * c_.effects);
    take(latent_bar, coupled, coupled + c_.levels * c_.effects);
    take(partials, 0, blocks * count);
    take(coupled_sums, 0, coupled);
    return all;
  }

 private:
  static float& at(std::vector<float>& v, std::int64_t i) { return v[static_cast<std::size_t>(i)]; }
  std::vector<float> normals(std::int64_t n, float scale) {
    std::normal_distribution<float> normal(0, scale);
    std::vector<float> values(static_cast<std::size_t>(n));
    for (float& v : values) v = normal(random_);
    return values;
  }

  LevelsCase c_;
  std::mt19937 random_;
  GroupBlock group_;
  std::int64_t stride_ = 0;
  int dimension_ = 0;
  std::vector<float> skew_, answer_, head_, eps_, effects_, mean_, anchor_mean_, scale_, location_, coupling_,
      information_, factors_, sums_, anchor_sums_;
  std::vector<double> coupled_sums_;
  std::vector<std::int64_t> followed_begin_;
  std::vector<std::int32_t> followed_;
};

/// One sample after the other, as a GPU's threads have them.
template <class Stage>
void one_by_one(const Stage& stage, std::int64_t units) {
  for (std::int64_t item = 0; item < units * stage.samples; ++item) stage(item);
}

TEST_P(SampleStages, OfLevelsEqualThoseOfOneSample) {
  std::mt19937 random(5);
  const auto coin = [&] { return random() % 2 == 0; };
  for (int effects = 1; effects <= max_effects; ++effects) {
    for (const int samples : {1, 2, 15, 16, 17, 40}) {
      for (const std::int64_t levels : {1, 8, 21}) {
        const bool in_head = coin();
        const LevelsCase c{effects, samples, levels, coin(), coin(), coin(), in_head, coin(), !in_head && coin(),
                           coin()};
        Levels levels_of(c);
        const std::vector<double> one =
            levels_of.results([](const auto& stage, std::int64_t n) { one_by_one(stage, n); });
        const std::vector<double> side =
            levels_of.results([](const auto& stage, std::int64_t n) { GetParam().run(stage, n); });
        for (std::size_t i = 0; i < one.size(); ++i) {
          // Both round the same operations, but for multiply-adds; dividing by a factor's diagonals enlarges that.
          ASSERT_NEAR(side[i], one[i], 2e-5 * (1 + std::abs(one[i]))) << "number " << i << " of " << c;
        }
      }
    }
  }
}

TEST_P(SampleStages, OfSumsByLevelEqualThoseOfOneSample) {
  constexpr std::int64_t stride = 32, rows = 50;
  std::mt19937 random(9);
  std::normal_distribution<float> normal;
  std::vector<float> derivative(rows * stride), covariates(rows * 2);
  for (float& v : derivative) v = normal(random);
  for (float& v : covariates) v = normal(random);
  std::vector<std::int32_t> order(rows);
  for (std::size_t i = 0; i < order.size(); ++i) order[i] = static_cast<std::int32_t>(rows - 1 - i);
  const std::vector<std::int64_t> chunk_begin{0, 7, 7, 30, 50}, level_chunk{0, 1, 4};
  const std::vector<std::int32_t> level{2, 0};
  for (const auto& [samples, value_stride] : std::vector<std::pair<int, int>>{{1, 1}, {8, 8}, {21, 24}}) {
    for (const int effects : {1, 2}) {
      const auto sums = [&, samples = samples, value_stride = value_stride](auto run) {
        std::vector<float> chunks(4 * 2 * stride), by_level(3 * 2 * stride, 1.0F);
        run(SumChunkOfRows{order.data(), chunk_begin.data(), 0, derivative.data(), value_stride,
                           effects == 1 ? nullptr : covariates.data(), effects, samples, stride, chunks.data()},
            4);
        run(AddChunksOfLevel{level.data(), level_chunk.data(), 0, 0, chunks.data(), effects, samples, stride,
                             by_level.data()},
            2);
        return by_level;
      };
      const std::vector<float> one = sums([](const auto& stage, std::int64_t n) { one_by_one(stage, n); });
      const std::vector<float> side = sums([](const auto& stage, std::int64_t n) { GetParam().run(stage, n); });
      for (std::size_t i = 0; i < one.size(); ++i) {
        // Lanes beyond the last sample are worked on, and not used. 50 rows of order one: 50 roundings of 2^-24 of 50.
        if (i % stride >= static_cast<std::size_t>(samples)) continue;
        ASSERT_NEAR(side[i], one[i], 1.5e-4) << "number " << i << " of " << samples << " samples";
      }
    }
  }
}

TEST_P(SampleStages, OfNoiseEqualThatOfOneSample) {
  StepInput input{};
  input.step = 77;
  for (const bool antithetic : {false, true}) {
    for (const int samples : {1, 2, 3, 16, 33, 70}) {
      for (const std::int64_t coordinates : {1, 4, 7, 50}) {
        const std::int64_t stride = (samples + 15) / 16 * 16;
        const auto noise = [&](auto run) {
          std::vector<float> eps(static_cast<std::size_t>(coordinates * stride), 9.0F);
          run(FillLevelNoise{5, Purpose::train, &input, samples, 3, coordinates, stride, antithetic, eps.data()});
          return eps;
        };
        const std::vector<float> one = noise([](const FillLevelNoise& stage) {
          for (std::int64_t item = 0; item < stage.items(); ++item) stage(item);
        });
        const std::vector<float> side =
            noise([](const FillLevelNoise& stage) { GetParam().run(stage, stage.quads()); });
        for (std::size_t i = 0; i < one.size(); ++i) {
          // The same bits but for multiply-adds: a few roundings of numbers up to 6.
          ASSERT_NEAR(side[i], one[i], 2e-6) << i << " of " << samples << " samples, " << coordinates << " coordinates";
        }
      }
    }
  }
}

}  // namespace
}  // namespace jensen
