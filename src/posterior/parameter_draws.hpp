#pragma once
/// \file Draws of a posterior's parameters: coordinates u and values on their natural scales.

#include <cstdint>
#include <span>
#include <vector>

#include "jensen/fit.hpp"

namespace jensen {

/// Which noise the draws take: draw s of a seed is the same in any block that has it.
struct DrawPlan {
  std::uint64_t seed = 1;
  std::size_t first = 0;    ///< number of the first draw
  std::size_t count = 0;    ///< S
  bool antithetic = false;  ///< draw 2 k + 1 has minus the noise of draw 2 k
};

/// S draws of the H parameters, parameter by parameter. The noise of Fit::factor's F coordinates is kept, so that
/// levels within the factor go with the same draws.
class ParameterDraws {
 public:
  /// Throws InputError for draws beyond number 2^32.
  ParameterDraws(const Fit& fit, const DrawPlan& plan);

  const DrawPlan& plan() const { return plan_; }
  std::size_t count() const { return plan_.count; }
  /// S values of coordinate u_i.
  std::span<const double> coordinate(std::size_t i) const { return lane(coordinates_, i); }
  /// S values of parameter i on its natural scale; a correlation is an element of its group's correlation matrix.
  std::span<const double> value(std::size_t i) const { return lane(values_, i); }
  /// S values of coordinate `place` of Fit::mean, which is within the factor.
  std::vector<double> along(const Fit& fit, std::size_t place) const;

 private:
  std::span<const double> lane(const std::vector<double>& of, std::size_t i) const {
    return std::span(of).subspan(i * plan_.count, plan_.count);
  }

  DrawPlan plan_;
  std::size_t columns_ = 0;                   ///< F
  std::vector<float> noise_;                  ///< F x S
  std::vector<double> coordinates_, values_;  ///< H x S
};

}  // namespace jensen
