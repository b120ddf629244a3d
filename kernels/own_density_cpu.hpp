#pragma once
/// \file The CPU's terms of one density of a user's, for the instruction set that this file is compiled for. JENSEN_ISA
/// names the namespace.

#include "cpu_data_term.hpp"
#include "cpu_general_term.hpp"
#include "density_code.hpp"
#include "own_density.hpp"

namespace jensen::JENSEN_ISA {

/// Instantiated once in each namespace.
template <class Own>
CpuTermCode own_term_code() {
  using Set = OnlyDensity<Own, data_term::prepared_room>;
  CpuTermCode code;
  if constexpr (argument_count_of<Own>() <= max_data_arguments) code.data_term = &data_term::data_term_block_of<Set>;
  code.general_term = &general_term::general_term_block_of<Set>;
  return code;
}

}  // namespace jensen::JENSEN_ISA
