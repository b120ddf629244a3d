#include "jensen/fit.hpp"

#include <algorithm>

#include "posterior/parameter_draws.hpp"

namespace jensen {

std::vector<double> Fit::draw(std::size_t count, std::uint64_t seed) const {
  constexpr std::size_t block = 1024;
  const std::size_t columns = parameters.size();
  std::vector<double> out(count * columns);
  for (std::size_t first = 0; first < count; first += block) {
    const ParameterDraws draws(*this, {seed, first, std::min(block, count - first), false});
    for (std::size_t i = 0; i < columns; ++i) {
      const std::span<const double> values = draws.value(i);
      for (std::size_t s = 0; s < values.size(); ++s) out[(first + s) * columns + i] = values[s];
    }
  }
  return out;
}

}  // namespace jensen
