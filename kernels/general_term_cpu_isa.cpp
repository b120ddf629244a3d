/// \file The CPU's term of any shape with one of Jensen's own densities: compiled once for each instruction set (see
/// cpu_general_term.hpp).

#include "cpu_general_term.hpp"
#include "data_term_cpu_isa.hpp"

namespace jensen::JENSEN_ISA {

std::size_t general_scratch_bytes(const Term& term, int samples) {
  ScratchCutter cutter(nullptr);
  general_term::Scratch scratch;
  general_term::cut(cutter, term, samples, scratch);
  return cutter.bytes();
}

void general_term_block(const Term& term, const RowList& rows, std::int64_t begin, std::int64_t end, const float* z,
                        int dimension, const Effects& effects, const RowValues& values, double* sums, int samples,
                        int stride, void* memory) {
  general_term::general_term_block_of<BuiltInDensities>(term, rows, begin, end, z, dimension, effects, values, sums,
                                                        samples, stride, memory);
}

}  // namespace jensen::JENSEN_ISA
