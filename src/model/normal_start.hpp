#pragma once
/// \file Where training of any log joint starts: at its mode, in coordinates in which it is near N(0, I).

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "model/linear_algebra.hpp"
#include "model/model.hpp"

namespace jensen {

/// The log joint l and its gradient at any number of points u (each D): a row of 1 + D for each.
using JointAt = std::function<std::vector<double>(std::span<const double> points)>;

struct StartPoint {
  std::vector<double> u;      ///< D; empty: 0
  std::vector<double> scale;  ///< D: plausible sizes of a step in each coordinate
  bool has_gradient = true;   ///< else `u` (0 if empty) and `scale` are all there is to go by
  std::uint64_t seed = 1;
};

/// u = A w + b with b the mode and A^-T A^-1 minus the Hessian of l there (docs/adr/0002): A is upper triangular.
struct NormalStart {
  Matrix factor;              ///< A
  Matrix inverse;             ///< A^-1, upper triangular
  std::vector<double> shift;  ///< b
  /// Coordinates in which the values about the mode do not curve as the gradient says.
  std::vector<std::size_t> doubtful;
};

/// Climbs by L-BFGS (Nocedal & Wright 2006, algorithm 7.4) until less than 1e-3 nats are to be gained: from the first
/// point and from the best of fifteen drawn about it (uniform, within two scales, as Stan's inits are), since the mode
/// that one climb finds may be a local one. Then takes the Hessian from central differences of the gradient, made
/// positive definite by adding to its diagonal if need be. Coarse on purpose: precision beyond a few percent of a
/// posterior sd is of no use here. Points where l is not finite are stepped around. Throws InputError if it is finite
/// at none of the first points.
NormalStart find_normal_start(const JointAt& joint, const StartPoint& first, std::size_t dimension);

/// Whether the gradient is that of the log joint: along one direction at the first point it is compared with a
/// difference of values. A sentence if they are more than a tenth apart; empty if not, or where either is not finite.
std::string problem_with_gradient(const JointAt& joint, const StartPoint& first, std::size_t dimension);

/// Fills in the model's coordinates: to_user, shift, the basis of a mean-field guide, and their determinants.
void set_coordinates(Model& model, const NormalStart& start);

}  // namespace jensen
