#pragma once
/// \file A user's density for the CPU's terms, for the instruction set that this file is compiled for. JENSEN_ISA names
/// the namespace.

#include "cpu_densities.hpp"
#include "own_density.hpp"

namespace jensen::JENSEN_ISA {

/// Instantiated once in each namespace. Data and no function, which this processor might not run.
template <class Own>
struct OwnTileDensity {
  static const TileDensity table;
};
template <class Own>
constinit const TileDensity OwnTileDensity<Own>::table =
    tile_density_of<typename OnlyDensity<Own, prepared_room>::Density>();

}  // namespace jensen::JENSEN_ISA
