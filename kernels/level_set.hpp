#pragma once
/// \file All groups of a model on one device: noise, effects and their pull-back, for S samples at once.

#include <cmath>
#include <cstdint>
#include <numbers>
#include <span>
#include <vector>

#include "buffer.hpp"
#include "engine.hpp"
#include "guides/with_levels.hpp"
#include "level_stages.hpp"
#include "step_functors.hpp"

namespace jensen {

/// The anchor's sums: one lane of the effects' sums. Item: coordinate.
struct CopyLane {
  const float* from;
  std::int64_t stride;
  float* to;
  JENSEN_HD void operator()(std::int64_t i) const { to[i] = from[i * stride]; }
};

/// FollowedEffects transposed: of each coordinate before `first`, the coordinates from `first` on that follow it.
struct Followers {
  std::vector<std::int64_t> begin;
  std::vector<std::int32_t> coordinate;
  std::vector<float> slope;

  Followers(const FollowedEffects& of, std::int64_t first, std::int64_t size)
      : begin(static_cast<std::size_t>(first) + 1),
        coordinate(static_cast<std::size_t>(of.begin[size])),
        slope(coordinate.size()) {
    for (std::size_t i = 0; i < slope.size(); ++i) ++begin[static_cast<std::size_t>(of.coordinate[i]) + 1];
    for (std::size_t c = 1; c < begin.size(); ++c) begin[c] += begin[c - 1];
    std::vector<std::int64_t> next(begin.begin(), begin.end() - 1);
    for (std::int64_t row = 0; row < size; ++row) {
      for (std::int64_t i = of.begin[row]; i < of.begin[row + 1]; ++i) {
        const auto to = static_cast<std::size_t>(next[static_cast<std::size_t>(of.coordinate[i])]++);
        coordinate[to] = static_cast<std::int32_t>(first + row);
        slope[to] = of.slope[i];
      }
    }
  }
  FollowedEffects view() const { return {begin.data(), coordinate.data(), slope.data()}; }
};

template <class Backend>
class LevelSet {
 public:
  /// `most`: samples at once; `head_size`: where the levels' parameters begin in lambda.
  LevelSet(Backend& backend, const EngineSpec& spec, int most, std::int64_t head_size);

  bool any() const { return !groups_.empty(); }
  /// Samples a coordinate has room for, in every array over coordinates and samples.
  std::int64_t stride() const { return stride_; }
  /// Coordinates of levels that have a guide of their own.
  std::int64_t own_coordinates() const { return own_; }
  /// What the levels' densities leave out.
  double constant() const { return -0.5 * static_cast<double>(coordinates_) * std::log(2 * std::numbers::pi); }
  Effects effects() const { return {effects_.data(), stride_}; }
  /// Derivatives by the effects, summed over rows by the terms.
  float* effect_sums() const { return effect_sums_.data(); }
  void clear_effect_sums() { effect_sums_.zero(); }
  const double* noise_squared() const { return noise_squared_.data(); }
  std::vector<double> download_noise_squared() const { return noise_squared_.download(); }
  std::vector<float> download_noise() const { return eps_.download(); }

  /// The specification with the gathers' first effects filled in.
  EngineSpec bind(EngineSpec spec) const {
    for (Term& term : spec.terms) {
      for (int a = 0; a < term.argument_count; ++a) {
        for (int p = 0; p < term.arguments[a].part_count; ++p) {
          Part& part = term.arguments[a].parts[p];
          if (part.kind == PartKind::gather) part.first_effect = groups_[static_cast<std::size_t>(part.group)].first;
        }
      }
    }
    return spec;
  }
  template <class Guide>
  void describe(Guide& guide) const {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (groups_[g].in_head < 0) guide.groups[guide.group_count++] = parameters_[g];
    }
  }
  void describe(Draws& draws) const {
    draws.level_eps = eps_.data();
    draws.level_bar = latent_bar_.data();
    draws.stride = stride_;
  }

  void fill_noise(std::uint64_t seed, Purpose purpose, const StepInput* input, int s, std::uint32_t first_quad,
                  bool antithetic) {
    if (own_ == 0) return;
    const FillLevelNoise noise{seed, purpose, input, s, first_quad, coordinates_, stride_, antithetic, eps_.data()};
    backend_.fill_level_noise(noise);
  }

  /// Effects of `s` samples at the head z; the sample `anchor` (-1: none) takes the levels' anchor.
  void expand(const float* lambda, const float* z, int dimension, int s, int anchor) {
    z_ = z;
    dimension_ = dimension;
    lambda_ = lambda;
    anchor_ = anchor;
    effect_sums_.zero();
    coupled_sums_.zero();
    noise_squared_.zero();
    if (head_.data() != nullptr) {
      backend_.for_each("turn_head", static_cast<std::int64_t>(dimension) * s,
                        TurnHead{z, dimension, s, stride_, head_.data()});
    }
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      const GroupBlock& group = groups_[g];
      backend_.for_each("factors", s, MakeFactors{group, z, dimension, stride_, factors_[g].data()}, 100);
      backend_.for_each_sample("expand_levels", group.levels, ExpandLevels{group, source(g), s, effects_.data()},
                               50 * group.effects * group.effects);
    }
  }

  /// Adds what the levels give to the log joint and its gradient by the head; leaves the gradient by their own v. The
  /// last group comes first: groups depend on those before them.
  void pull_back(int s, double data_scale, bool anchored, double reference, double* joint) {
    for (std::size_t g = groups_.size(); g-- > 0;) {
      const GroupBlock& group = groups_[g];
      const std::int64_t blocks = (group.levels + Backend::level_block - 1) / Backend::level_block;
      backend_.for_each_sample(
          "pull_back_levels", blocks,
          PullBackLevels{group, source(g), s, Backend::level_block, data_scale, reference, dimension_,
                         effect_sums_.data(), coupled_sums_.data(), anchored ? anchor_sums.data() : nullptr,
                         latent_bar_.data(), joint, partials_[g].data()},
          Backend::level_block * 100 * group.effects * group.effects);
      if (group.followed.begin != nullptr) {
        const PullBackFollowed followed{followers_[g], location_.data(), s, stride_, coupled_sums_.data()};
        backend_.for_each_sample("pull_back_followed", group.first, followed, 20);
      }
      if (group.coupling != nullptr) {
        const PullBackCoupling coupling{group, location_.data(), s, Backend::level_block, stride_, partials_[g].data()};
        backend_.for_each_sample("pull_back_coupling", coupling.units(), coupling,
                                 Backend::level_block * group.effects * PullBackCoupling::together);
      }
      const BlockSums sums =
          add_up_blocks(backend_, "add_level_sums", partials_[g].data(), blocks, stride_ * level_sum_count(group));
      const AddLevelSums add{group,  sums, s, z_, dimension_, joint, noise_squared_.data(), coupled_sums_.data(),
                             stride_};
      backend_.for_each("add_level_sums", add.items(), add, blocks_together * level_sum_count(group));
    }
  }

  /// The levels' anchor moves to their means; expand() and the terms at one sample follow.
  void move_anchor(const float* lambda) {
    for (std::size_t g = 0; g < groups_.size(); ++g) {
      if (groups_[g].in_head >= 0) continue;
      const LevelParameters& p = parameters_[g];
      backend_.for_each("anchor_levels", p.means(), Copy<float>{lambda + p.begin, anchor_levels.data() + p.first});
    }
  }
  /// Keeps the effects' sums of sample 0 as those at the anchor over all rows.
  void keep_anchor_sums() {
    if (any()) {
      backend_.for_each("anchor_sums", coordinates_, CopyLane{effect_sums_.data(), stride_, anchor_sums.data()});
    }
  }

  Buffer<Backend, float> anchor_levels, anchor_sums;  ///< coordinates each

 private:
  LevelSource source(std::size_t g) const {
    LevelSource source;
    if (groups_[g].in_head < 0) {
      const LevelParameters& p = parameters_[g];
      source.guide = {lambda_ + p.begin, lambda_ + p.begin + p.means(), p.dense};
      source.anchor_mean = anchor_levels.data() + p.first;
    }
    source.anchor = anchor_;
    source.stride = stride_;
    source.eps = eps_.data();
    source.head = head_.data();
    source.factors = factors_[g].data();
    source.effects = effects_.data();
    source.location = location_.data();
    return source;
  }

  Backend& backend_;
  std::vector<GroupBlock> groups_;
  std::vector<LevelParameters> parameters_;  ///< of each group; of no meaning where its levels are in the head
  std::vector<Buffer<Backend, float>> columns_;
  std::vector<Buffer<Backend, std::int64_t>> begins_;
  std::vector<Buffer<Backend, std::int32_t>> places_;
  std::int64_t coordinates_ = 0, own_ = 0, stride_ = 0;
  const float* z_ = nullptr;
  const float* lambda_ = nullptr;
  int dimension_ = 0;
  int anchor_ = -1;
  Buffer<Backend, float> head_;             ///< none if no group reads the head's coordinates
  Buffer<Backend, float> location_;         ///< none if no group's r moves
  std::vector<FollowedEffects> followers_;  ///< for each group, see PullBackFollowed
  std::vector<Buffer<Backend, float>> factors_;
  std::vector<Buffer<Backend, double>> partials_;
  Buffer<Backend, float> eps_, effects_, effect_sums_, latent_bar_;
  Buffer<Backend, double> noise_squared_, coupled_sums_;
};

template <class Backend>
LevelSet<Backend>::LevelSet(Backend& backend, const EngineSpec& spec, int most, std::int64_t head_size)
    : backend_(backend), groups_(spec.groups) {
  stride_ = (most + most_sample_lanes - 1) / most_sample_lanes * most_sample_lanes;
  bool reads_head = false, moving = false;
  std::int64_t begin = head_size;
  const auto keep = [&](const float*& pointer, std::int64_t count) {
    if (pointer == nullptr) return;
    columns_.emplace_back(backend_, std::span<const float>(pointer, static_cast<std::size_t>(count)));
    pointer = columns_.back().data();
  };
  const auto keep_sparse = [&](FollowedEffects& sparse, std::int64_t rows) {
    const auto n = static_cast<std::size_t>(sparse.begin[rows]);
    begins_.emplace_back(backend_, std::span(sparse.begin, static_cast<std::size_t>(rows) + 1));
    places_.emplace_back(backend_, std::span(sparse.coordinate, n));
    columns_.emplace_back(backend_, std::span(sparse.slope, n));
    sparse = {begins_.back().data(), places_.back().data(), columns_.back().data()};
  };
  for (GroupBlock& group : groups_) {
    const std::int64_t size = group.levels * group.effects;
    group.first = coordinates_;
    followers_.emplace_back();
    if (group.followed.begin != nullptr) {
      const Followers transposed(group.followed, group.first, size);
      followers_.back() = transposed.view();
      keep_sparse(followers_.back(), group.first);
      keep_sparse(group.followed, size);
    }
    keep(group.information, group.levels * packed_size(group.effects));
    keep(group.location, size);
    keep(group.skew, size);
    keep(group.answer, 2 * group.levels);
    keep(group.coupling, size * (group.coefficients + group.coupled));
    if (const auto n = static_cast<std::size_t>(group.information_scale.count); n > 0) {
      places_.emplace_back(backend_, std::span(group.information_scale.place, n));
      group.information_scale.place = places_.back().data();
      keep(group.information_scale.slope, group.information_scale.count);
    }
    if (group.coupled > 0) group.first_coupled = groups_[static_cast<std::size_t>(group.coupled_group)].first;
    parameters_.push_back({group.effects, group.levels, coordinates_, begin, spec.dense_levels});
    if (group.in_head < 0) {
      begin += parameters_.back().size();
      own_ += size;
    }
    coordinates_ += size;
    moving = moving || moves(group);
    reads_head = reads_head || group.in_head >= 0 || group.coupling != nullptr;
    factors_.emplace_back(backend_, static_cast<std::size_t>(stride_) * factor_stride);
    factors_.back().zero();
    const std::int64_t blocks = (group.levels + Backend::level_block - 1) / Backend::level_block;
    partials_.emplace_back(backend_, static_cast<std::size_t>(blocks * stride_ * level_sum_count(group)));
    partials_.back().zero();
  }
  for (auto* buffer : {&eps_, &latent_bar_, &effects_, &effect_sums_}) {
    *buffer = {backend_, static_cast<std::size_t>(coordinates_ * stride_)};
  }
  if (reads_head) {
    head_ = {backend_, static_cast<std::size_t>(spec.dimension * stride_)};
    head_.zero();
  }
  if (moving) {
    location_ = {backend_, static_cast<std::size_t>(coordinates_ * stride_)};
    location_.zero();
  }
  coupled_sums_ = {backend_, static_cast<std::size_t>(coordinates_ * stride_)};
  noise_squared_ = {backend_, static_cast<std::size_t>(most)};
  anchor_levels = {backend_, static_cast<std::size_t>(coordinates_)};
  anchor_sums = {backend_, static_cast<std::size_t>(coordinates_)};
  for (auto* buffer : {&eps_, &latent_bar_, &effects_, &effect_sums_, &anchor_levels, &anchor_sums}) buffer->zero();
  noise_squared_.zero();
  coupled_sums_.zero();
}

}  // namespace jensen
