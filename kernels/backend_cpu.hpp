#pragma once
/// \file The CPU as a backend: memory, Thrust's OpenMP policy behind for_each and sum, and the data term.

#include <omp.h>
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system/omp/execution_policy.h>

#include <cstdint>
#include <cstring>
#include <new>

#include "add_blocks.hpp"
#include "data_term_cpu.hpp"
#include "general_term.hpp"

namespace jensen {

class CpuBackend {
 public:
  /// Blocks of rows: large enough that zeroing a block's sums does not show, few enough to add up quickly.
  static constexpr std::int64_t least_rows = 1024;
  static constexpr std::int64_t most_blocks = 256;

  /// threads = 0: as many as OpenMP gives.
  explicit CpuBackend(int threads) : threads_(threads > 0 ? threads : omp_get_max_threads()) {}

  void* allocate(std::size_t bytes) { return ::operator new(bytes, alignment); }
  void release(void* memory) { ::operator delete(memory, alignment); }
  void upload(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }
  void download(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }
  void zero(void* to, std::size_t bytes) { std::memset(to, 0, bytes); }

  /// f(i) for i in [0, n), in any order. `work`: operations an item costs, roughly; a little work runs on this thread,
  /// because starting the others would cost more.
  template <class F>
  void for_each(const char*, std::int64_t n, F f, std::int64_t work = 1) {
    const thrust::counting_iterator<std::int64_t> first(0);
    if (n * work < 200'000) {
      thrust::for_each_n(thrust::seq, first, n, f);
    } else {
      omp_set_num_threads(threads_);  // this thread's own setting: Thrust has no other handle
      thrust::for_each_n(thrust::omp::par, first, n, f);
    }
  }

  /// Rows stay in float, rounded as 16 bits would: kernels read floats alone.
  bool takes_halves(const Term&) const { return false; }
  /// Every term that has_data_shape() is one for evaluate_term().
  bool needs_row_values(const Term&) const { return false; }

  /// Levels of a group that are summed on one thread.
  static constexpr std::int64_t level_block = 64;

  /// The sums of a term that has_data_shape() over `rows` for the samples of `out`, block by block.
  void evaluate_term(const Term& term, RowList rows, BlockPlan plan, const float* z, int dimension, Partials out) {
    for_each_block(data_term_cpu_scratch(term), rows.count, plan, out,
                   [&](std::int64_t b, std::int64_t begin, std::int64_t end, void* scratch) {
                     data_term_cpu_block(term, rows, begin, end, z, dimension, b, out, scratch);
                   });
  }

  void add_blocks(const AddBlocks& add) {
    for_each("add_blocks", static_cast<std::int64_t>(add.partials.samples) * (1 + add.partials.slots), add, add.blocks);
  }

  /// The sums of any term; leaves in `values` the derivatives of the arguments that gather.
  void evaluate_general_term(const Term& term, RowList rows, BlockPlan plan, const float* z, int dimension,
                             Effects effects, RowValues values, Partials out) {
    for_each_block(general_term_cpu_scratch(term), rows.count, plan, out,
                   [&](std::int64_t b, std::int64_t begin, std::int64_t end, void* scratch) {
                     general_term_cpu_block(term, rows, begin, end, z, dimension, effects, values, b, out, scratch);
                   });
  }

 private:
  /// f(block, begin, end, scratch) for the plan's blocks of rows.
  template <class F>
  void for_each_block(std::size_t scratch_bytes, std::int64_t rows, BlockPlan plan, const Partials& out, F f) {
    // Below about a million operations waking the other threads costs more than they save.
    const bool alone = plan.blocks <= 1 || rows * (1 + out.slots) * out.samples < 250'000;
#pragma omp parallel num_threads(threads_) if (!alone)
    {
      void* scratch = ::operator new(scratch_bytes, alignment);
#pragma omp for schedule(static)
      for (std::int64_t b = 0; b < plan.blocks; ++b) {
        const std::int64_t begin = b * plan.rows_per_block;
        f(b, begin, begin + plan.rows_per_block < rows ? begin + plan.rows_per_block : rows, scratch);
      }
      ::operator delete(scratch, alignment);
    }
  }

  static constexpr std::align_val_t alignment{64};
  int threads_;
};

}  // namespace jensen
