#pragma once
/// \file What the CPU does in vectors: the data term, for which X is read once for all samples, block by block, and the
/// choice of a minibatch's rows.

#include <cstdint>

#include "general_term.hpp"
#include "shuffle.hpp"
#include "term.hpp"

namespace jensen {

/// For a term with has_data_shape(): sums rows [begin, end) of `rows` for samples 0 .. out.samples - 1 of z (S x D,
/// row-major, D = dimension) into out.at(block, 0 ..): values and slots, all overwritten. One thread; `scratch` holds
/// data_term_cpu_scratch() bytes, aligned to 64. The widest instruction set that this processor has is chosen on the
/// first call.
void data_term_cpu_block(const Term& term, RowList rows, std::int64_t begin, std::int64_t end, const float* z,
                         int dimension, std::int64_t block, Partials out, void* scratch);
std::size_t data_term_cpu_scratch(const Term& term, int samples);

/// The same for a term of any shape. `values`: where df/da_k of arguments that gather is left, for rows [begin, end).
void general_term_cpu_block(const Term& term, RowList rows, std::int64_t begin, std::int64_t end, const float* z,
                            int dimension, const Effects& effects, const RowValues& values, std::int64_t block,
                            Partials out, void* scratch);
std::size_t general_term_cpu_scratch(const Term& term, int samples);

/// images[i] = shuffle(first + i), i < count. One thread.
void shuffle_range_cpu(const Shuffle& shuffle, std::uint32_t first, std::int64_t count, std::uint32_t* images);

/// Row i of `to` is row order(first + i) of `from`, i < count; each has row_bytes bytes. threads = 0: as many as OpenMP
/// gives. A part of `to` is written by the thread that takes that part of the blocks of a pass over the rows.
void copy_shuffled(const Shuffle& order, std::int64_t first, std::int64_t count, std::size_t row_bytes,
                   const void* from, void* to, int threads);

/// Throws std::invalid_argument if a user's density has no code that this processor and this build can run.
void check_cpu_density(const DensityCode& density);

/// "avx512", "avx2" or "baseline".
const char* data_term_cpu_isa();

}  // namespace jensen
