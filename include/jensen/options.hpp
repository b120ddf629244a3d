#pragma once
/// \file What a caller may choose about a fit; every default works without being set.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jensen/export.h"
#include "jensen/model.hpp"

namespace jensen {

/// Variational family q(z; lambda).
enum class GuideKind {
  automatic,   ///< structured if there are group effects; else fullrank up to 1,024 parameters (512 without a
               ///< formula), else, and where coefficients have a horseshoe prior, meanfield
  meanfield,   ///< independent normals over the centred coefficients and the other parameters
  fullrank,    ///< one multivariate normal over everything, levels included
  structured,  ///< fullrank over all but the levels of groups, which have a small normal of their own each
};
JENSEN_API std::string_view to_string(GuideKind guide);
JENSEN_API GuideKind parse_guide(std::string_view name);  ///< Throws InputError listing the names.

/// In which coordinates the levels of groups are approximated.
enum class Parametrization {
  automatic,    ///< level by level between the two below, by how much data a level has
  centered,     ///< effects as they are
  noncentered,  ///< effects in units of their standard deviations
};
JENSEN_API std::string_view to_string(Parametrization parametrization);
JENSEN_API Parametrization parse_parametrization(std::string_view name);  ///< Throws InputError listing the names.

/// Right side of a formula for another parameter than the mean: {"sigma", "1 + x + (1 | g)"}.
struct ParameterFormula {
  std::string parameter;
  std::string formula;

  friend bool operator==(const ParameterFormula&, const ParameterFormula&) = default;
};

enum class DeviceKind {
  automatic,  ///< cuda if a device is usable, else cpu
  cpu,
  cuda,
};
JENSEN_API std::string_view to_string(DeviceKind device);
JENSEN_API DeviceKind parse_device(std::string_view name);  ///< Throws InputError listing the names.

/// How the table's columns are kept while training.
enum class StorageKind {
  float32,   ///< as single precision
  float16,   ///< 11 bits: half the memory, and on a GPU half the time to read it
  bfloat16,  ///< 8 bits
};
JENSEN_API std::string_view to_string(StorageKind storage);
JENSEN_API StorageKind parse_storage(std::string_view name);  ///< Throws InputError listing the names.

/// Of the matrix products on a GPU; a CPU's are fp32.
enum class PrecisionKind {
  fp32,  ///< as exact as single precision
  tf32,  ///< factors rounded to 11 bits
};
JENSEN_API std::string_view to_string(PrecisionKind precision);
JENSEN_API PrecisionKind parse_precision(std::string_view name);  ///< Throws InputError listing the names.

enum class MissingPolicy {
  drop,   ///< rows with a missing value in a used column are left out and counted
  error,  ///< the first such row is an InputError
};

struct TrainOptions {
  Family family = Family::gaussian;
  std::optional<Link> link;                ///< of the mean; none: the family's default
  std::vector<ParameterFormula> formulas;  ///< for other parameters than the mean; what is not here is one number
  std::vector<Prior> priors;               ///< what is not given here gets the default, scaled by the data
  GuideKind guide = GuideKind::automatic;
  Parametrization parametrization = Parametrization::automatic;
  DeviceKind device = DeviceKind::automatic;
  MissingPolicy missing = MissingPolicy::drop;
  StorageKind storage = StorageKind::float32;
  PrecisionKind precision = PrecisionKind::fp32;
  std::uint64_t seed = 1;
  int threads = 0;           ///< CPU threads; 0: as many as OpenMP gives. The result does not depend on it
  int samples = 0;           ///< Monte Carlo samples of z per step; 0: 14
  std::int64_t batch = 0;    ///< rows per step; 0: all up to 16,384 rows, else 8,192, and with groups at least twice as
                             ///< many as there are effects of levels
  std::int64_t steps = 0;    ///< 0: until the averaged parameters stand still, at most 32,000
  double learning_rate = 0;  ///< Adam's first step size, in posterior standard deviations; 0: 0.05
};

/// Sets one option from its name and a text, both as on the command line of `jensen train` without the dashes:
/// "family", "link", "formula-sigma", "prior" (each call adds one), "guide", "parametrization", "device", "na",
/// "storage", "precision", "seed", "threads", "samples", "batch", "steps", "lr", "optimizer". Throws InputError: there
/// is no such option (with the names that are near), or it cannot have that value; the options are then as they were.
JENSEN_API void set_option(TrainOptions& options, std::string_view name, std::string_view text);

}  // namespace jensen
