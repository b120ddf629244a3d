#pragma once
/// \file What a caller may choose about a fit; every default works without being set.

#include <cstdint>
#include <string_view>
#include <vector>

#include "jensen/model.hpp"

namespace jensen {

/// Variational family q(z; lambda).
enum class GuideKind {
  automatic,  ///< fullrank up to 512 parameters, else meanfield
  meanfield,  ///< independent normals over the centred coefficients and log sigma
  fullrank,   ///< one multivariate normal
};
std::string_view to_string(GuideKind guide);
GuideKind parse_guide(std::string_view name);  ///< Throws InputError listing the names.

enum class DeviceKind {
  automatic,  ///< cuda if a device is usable, else cpu
  cpu,
  cuda,
};
std::string_view to_string(DeviceKind device);
DeviceKind parse_device(std::string_view name);  ///< Throws InputError listing the names.

enum class MissingPolicy {
  drop,   ///< rows with a missing value in a used column are left out and counted
  error,  ///< the first such row is an InputError
};

struct TrainOptions {
  Family family = Family::gaussian;
  std::vector<Prior> priors;  ///< what is not given here gets the default, scaled by the data
  GuideKind guide = GuideKind::automatic;
  DeviceKind device = DeviceKind::automatic;
  MissingPolicy missing = MissingPolicy::drop;
  std::uint64_t seed = 1;
  int threads = 0;           ///< CPU threads; 0: as many as OpenMP gives. The result does not depend on it
  int samples = 0;           ///< Monte Carlo samples of z per step; 0: 14
  std::int64_t batch = 0;    ///< rows per step; 0: all up to 16,384 rows, else 8,192
  std::int64_t steps = 0;    ///< 0: until the averaged parameters stand still, at most 32,000
  double learning_rate = 0;  ///< Adam's first step size, in posterior standard deviations; 0: 0.05
};

}  // namespace jensen
