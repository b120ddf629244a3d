/// \file The CPU data term of Jensen's own densities: compiled once for each instruction set (see cpu_data_term.hpp).

#include "data_term_cpu_isa.hpp"

#include "cpu_data_term.hpp"

namespace jensen::JENSEN_ISA {

std::size_t scratch_bytes(std::size_t columns, int samples) {
  ScratchCutter cutter(nullptr);
  data_term::cut(cutter, columns, samples);
  return cutter.bytes();
}

void data_term_block(const Term& term, const RowList& rows, std::int64_t begin, std::int64_t end, const float* z,
                     int dimension, double* sums, int samples, int stride, void* memory) {
  data_term::data_term_block_of<BuiltInDensities>(term, rows, begin, end, z, dimension, sums, samples, stride, memory);
}

}  // namespace jensen::JENSEN_ISA
