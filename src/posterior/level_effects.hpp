#pragma once
/// \file Effects of one group's levels in draws of the posterior.

#include <cstdint>
#include <memory>
#include <vector>

#include "jensen/fit.hpp"
#include "posterior/parameter_draws.hpp"

namespace jensen {

/// Each level is made on request, in all S draws at once: nothing of the size levels x draws is kept but the effects of
/// the few levels that all others depend on (GroupPosterior::coupled), of the same draws, and those of followed groups
/// where they have room. Arrays are q x S, effect by effect. Safe to call from several threads; `fit` and `draws` must
/// outlive it.
class LevelEffects {
 public:
  /// room: for followed groups' effects, effects x draws; those that have none are made again for each level.
  LevelEffects(const Fit& fit, std::size_t group, const ParameterDraws& draws,
               std::size_t room = std::size_t{1} << 25U);

  const GroupPosterior& group() const { return group_; }
  std::size_t effects() const { return group_.effects.size(); }
  /// Effects u of a level.
  void fill(std::size_t level, double* out) const;
  /// Effects of a level that training had not, number `which` of those: draws of N(0, B B^T).
  void fill_new(std::size_t which, double* out) const;
  /// Given the parameters and the effects of the groups that it depends on a level with a factor of its own
  /// (GroupPosterior::scale) is normal: means and variances of its effects, q x S each.
  void fill_moments(std::size_t level, double* means, double* variances) const;

 private:
  /// A group before this one, some of whose levels this group's follow.
  struct Followed;

  void fill_coupled();
  void find_followed(std::size_t room);
  template <int Q>
  void follow(std::size_t level, double* r) const;
  template <int Q>
  void fill_locations(std::size_t level, double* r) const;
  template <int Q>
  auto map(std::size_t level, std::size_t s) const;
  template <int Q>
  void turned_moments(std::size_t level, double* mean, double* factor) const;
  template <int Q>
  void fill_latents(std::size_t level, double* v) const;

  const Fit& fit_;
  const GroupPosterior& group_;
  const ParameterDraws& draws_;
  std::uint64_t stream_;         ///< of the group's noise
  std::vector<double> factors_;  ///< S x q (q + 1) / 2: B of each draw
  std::vector<double> scales_;   ///< S: what multiplies W and r
  std::vector<double> moved_;    ///< S: how far the sd's coordinate is above GroupPosterior::answer_origin
  std::size_t slopes_;           ///< C + E, what each effect of a level depends on
  std::vector<double> coupled_;  ///< E x S, effects of the coupled groups
  std::vector<std::shared_ptr<const Followed>> followed_;
};

}  // namespace jensen
