#pragma once
/// \file The guide as a normal over the user's coordinates, from the engine's lambda.

#include <vector>

#include "engine.hpp"
#include "jensen/fit.hpp"
#include "model/model.hpp"

namespace jensen {

/// How lambda is laid out (guides/*.hpp).
struct GuideLayout {
  GuideShape head = GuideShape::fullrank;
  std::size_t head_groups = 0;  ///< the v of so many groups, the first, follow the H parameters in the head
  bool dense_levels = true;     ///< else a level's effects are independent in the guide
};
std::size_t lambda_size(const Model& model, const GuideLayout& layout);

/// u = mean + factor eps of the H parameters and, if they are in the head, the levels' v; else each level by itself.
struct GuideNormal {
  std::vector<double> mean;                     ///< D: parameters, then levels of each group
  Matrix factor;                                ///< of the head
  std::vector<std::vector<float>> level_scale;  ///< of each group J x packed_size(q); empty if in the head
};
GuideNormal normal_of(const Model& model, const GuideLayout& layout, const std::vector<double>& lambda);

/// Log density of the guide at its own mean, in coordinates (u, v).
double log_peak(const Model& model, const GuideLayout& layout, const std::vector<double>& lambda);

/// How far two of them differ: the largest change of a parameter's mean (in sds of `b`) or log sd; and of the levels of
/// each group the root mean square of these, since the largest of many thousand is noise.
struct Drift {
  double size = 0;
  std::size_t parameter = 0;  ///< whose it is, or the number of all parameters:
  std::size_t group = 0;      ///< the levels of this group
};
Drift drift_between(const Model& model, const GuideNormal& a, const GuideNormal& b);

}  // namespace jensen
