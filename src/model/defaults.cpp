#include "model/defaults.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "jensen/errors.hpp"

namespace jensen {

std::int64_t resolve_batch(std::int64_t given, std::int64_t rows, std::int64_t least) {
  constexpr std::int64_t whole_batch = 16384;
  constexpr std::int64_t default_batch = 8192;
  return std::min(given > 0 ? given : (rows <= whole_batch ? rows : std::max(default_batch, least)), rows);
}

bool has_horseshoe(const TrainOptions& options) {
  return std::ranges::find(options.priors, PriorKind::horseshoe, &Prior::kind) != options.priors.end();
}

void resolve_guide(TrainOptions& options, std::size_t parameters, std::size_t most) {
  if (options.guide == GuideKind::automatic) {
    options.guide = parameters <= most ? GuideKind::fullrank : GuideKind::meanfield;
  }
  if (options.guide == GuideKind::structured) options.guide = GuideKind::fullrank;
  check_fullrank(options.guide, parameters, "meanfield");
}

void check_fullrank(GuideKind guide, std::size_t parameters, std::string_view instead) {
  constexpr std::size_t most_fullrank = 2048;
  if (guide == GuideKind::meanfield || parameters <= most_fullrank) return;
  throw InputError(fmt::format("{} parameters are more than a {} guide takes, {} (--guide); use {}", parameters,
                               to_string(guide), most_fullrank, instead));
}

void check_affine(std::size_t parameters) {
  constexpr std::size_t most = 8192;  // 0.5 GB
  if (parameters <= most) return;
  throw InputError(
      fmt::format("{} parameters are more than a model without a formula takes, {}; use a formula with "
                  "group effects, or fewer parameters",
                  parameters, most));
}

}  // namespace jensen
