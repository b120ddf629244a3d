#pragma once
/// \file The CPU as a backend: memory, Thrust's OpenMP policy behind for_each and sum, and the data term.

#include <omp.h>
#if defined(__linux__)
#include <sys/mman.h>
#endif
#include <thrust/for_each.h>
#include <thrust/iterator/counting_iterator.h>
#include <thrust/system/omp/execution_policy.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

#include "data_term_cpu.hpp"
#include "execution.hpp"
#include "general_term.hpp"
#include "replay_key.hpp"
#include "sample_stages_cpu.hpp"
#include "stage_clock.hpp"
#include "step_input.hpp"

namespace jensen {

class CpuBackend {
 public:
  /// Blocks of rows: large enough that zeroing a block's sums does not show, few enough to add up quickly.
  static constexpr std::int64_t least_rows = 1024;
  static constexpr std::int64_t most_blocks = 256;
  /// Whether priors, and whole steps of small models, are one launch each: here there is nothing to launch.
  static constexpr bool small_terms_together = false;
  /// Whether a minibatch's rows are to be found by a list, even if they follow one another: what is recorded to be
  /// replayed has the first row's number in it.
  static constexpr bool lists_rows = false;
  /// Elements of lambda that a thread works on at a time.
  static constexpr int elements_at_once = cpu_elements_at_once;

  /// threads = 0: as many as OpenMP gives.
  explicit CpuBackend(int threads, const EngineExecution& execution = {})
      : threads_(threads > 0 ? threads : omp_get_max_threads()), execution_(execution) {}

  /// What must hold while the engine works: nothing.
  struct Scope {};
  Scope enter() const { return {}; }
  void* stream() const { return nullptr; }

  void* allocate(std::size_t bytes) {
    if (execution_.allocate != nullptr) return execution_.allocate(execution_.context, bytes, nullptr);
    return allocate_own(bytes);
  }
  void release(void* memory, std::size_t bytes) const {
    if (execution_.release != nullptr) return execution_.release(execution_.context, memory, bytes, nullptr);
    std::free(memory);
  }
  /// By the threads that will read it, in the parts which they will read.
  void upload(void* to, const void* from, std::size_t bytes) {
    in_parts(bytes, [&](std::size_t begin, std::size_t count) {
      std::memcpy(static_cast<char*>(to) + begin, static_cast<const char*>(from) + begin, count);
    });
  }
  /// Row i of `to` is row order(i) of `from`.
  void upload_shuffled(void* to, const void* from, std::size_t row_bytes, const Shuffle& order) const {
    copy_shuffled(order, 0, order.size(), row_bytes, from, to, threads_);
  }
  void download(void* to, const void* from, std::size_t bytes) { std::memcpy(to, from, bytes); }
  void zero(void* to, std::size_t bytes) {
    const auto timed = stage("zero");
    in_parts(bytes,
             [&](std::size_t begin, std::size_t count) { std::memset(static_cast<char*>(to) + begin, 0, count); });
  }

  /// Times what is done while it lives, under this name, if the clock is on.
  StageClock::Scope stage(const char* name) { return {clock, name}; }
  StageClock clock;
  /// Seconds that `work` takes.
  template <class F>
  double seconds(F work) {
    const auto begin = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  }

  template <class T>
  void set(T* to, const T& value) {
    *to = value;
  }
  /// Runs what enqueue() enqueues.
  template <class F>
  void replay(const ReplayKey&, F enqueue) {
    enqueue();
  }

  /// f(i) for i in [0, n), in any order. `work`: operations an item costs, roughly; a little work runs on this thread,
  /// because starting the others would cost more.
  template <class F>
  void for_each(const char* name, std::int64_t n, F f, std::int64_t work = 1) {
    const auto timed = stage(name);
    const thrust::counting_iterator<std::int64_t> first(0);
    if (n * work < 200'000) {
      thrust::for_each_n(thrust::seq, first, n, f);
    } else {
      omp_set_num_threads(threads_);  // this thread's own setting: Thrust has no other handle
      thrust::for_each_n(thrust::omp::par, first, n, f);
    }
  }

  /// stage.at(unit, sample) for all units below `units` and all of its samples, in any order, as many samples at once
  /// as registers hold. `work`: as above, of a unit and a sample.
  template <class Stage>
  void for_each_sample(const char* name, std::int64_t units, const Stage& stage_of, std::int64_t work = 1) {
    const auto timed = stage(name);
    const std::int64_t parts = units * stage_of.samples * work < 200'000 ? 1 : std::int64_t{4} * threads_;
    if (parts == 1) return sample_stage_cpu(stage_of, 0, units);
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (std::int64_t p = 0; p < parts; ++p) {
      sample_stage_cpu(stage_of, units * p / parts, units * (p + 1) / parts);
    }
  }
  /// One level of the tree of sums over blocks (block_sum.hpp).
  void add_blocks(const char* name, const AddBlocksOfGroup& groups) {
    const auto timed = stage(name);
    const std::int64_t count = groups.items() / groups.width;
#pragma omp parallel for num_threads(threads_) schedule(static) if (groups.blocks * groups.width >= 200'000)
    for (std::int64_t g = 0; g < count; ++g) groups.add_group(g);
  }
  /// The noise of all levels, four coordinates a unit.
  void fill_level_noise(const FillLevelNoise& noise) { for_each_sample("level_noise", noise.quads(), noise, 50); }

  /// The last stage of a step, in sets of elements that do not depend on the threads.
  template <class Guide>
  void update_parameters(const UpdateParameter<Guide>& update) {
    const auto timed = stage("update");
    const std::int64_t size = update.guide.size();
    if (8 * size + update.draws.samples * update.guide.pull_back_work() < 200'000) {
      return sample_stage_cpu(update, 0, size);
    }
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (std::int64_t begin = 0; begin < size; begin += elements_at_once) {
      sample_stage_cpu(update, begin, begin + elements_at_once < size ? begin + elements_at_once : size);
    }
  }

  /// The minibatch's rows: of the epoch's order those from input->begin on.
  void select_rows(const StepInput* input, std::int64_t count, std::uint32_t* rows) {
    const auto timed = stage("select_rows");
    constexpr std::int64_t part = 4096;
#pragma omp parallel for num_threads(threads_) schedule(static) if (count >= 16 * part)
    for (std::int64_t begin = 0; begin < count; begin += part) {
      shuffle_range_cpu(input->shuffle, static_cast<std::uint32_t>(input->begin + begin),
                        count - begin < part ? count - begin : part, rows + begin);
    }
  }

  /// Throws std::invalid_argument if this backend has no code for the term's density.
  void accept(const Term& term) {
    if (term.custom != nullptr) check_cpu_density(*term.custom);
  }
  /// Rows stay in float, rounded as 16 bits would: kernels read floats alone.
  bool takes_halves(const Term&) const { return false; }
  /// Every term that has_data_shape() is one for evaluate_term().
  bool needs_row_values(const Term&) const { return false; }

  /// Levels of a group that are summed on one thread.
  static constexpr std::int64_t level_block = 64;

  /// The sums of a term that has_data_shape() over `rows` for the samples of `out`, block by block.
  void evaluate_term(const Term& term, const Term* /*in_memory*/, RowList rows, BlockPlan plan, const float* z,
                     int dimension, Partials out) {
    for_each_block(data_term_cpu_scratch(term, out.samples), rows.count, plan, out,
                   [&](std::int64_t b, std::int64_t begin, std::int64_t end, void* scratch) {
                     data_term_cpu_block(term, rows, begin, end, z, dimension, b, out, scratch);
                   });
  }

  /// The sums of any term; leaves in `values` the derivatives of the arguments that gather.
  void evaluate_general_term(const Term& term, const Term* /*in_memory*/, RowList rows, BlockPlan plan, const float* z,
                             int dimension, Effects effects, RowValues values, Partials out) {
    for_each_block(general_term_cpu_scratch(term, out.samples), rows.count, plan, out,
                   [&](std::int64_t b, std::int64_t begin, std::int64_t end, void* scratch) {
                     general_term_cpu_block(term, rows, begin, end, z, dimension, effects, values, b, out, scratch);
                   });
  }

 private:
  /// Large memory is in large pages where the system has them: a pass over a table is bound by the look-up of pages as
  /// much as by the bytes. It is not touched, so that its pages come to lie near the threads that touch them first.
  void* allocate_own(std::size_t bytes) {
    const std::size_t unit = bytes < large ? alignment : page;
    void* memory = std::aligned_alloc(unit, (bytes + unit - 1) / unit * unit);
    if (memory == nullptr) throw std::bad_alloc();
#if defined(__linux__)
    if (bytes >= large) madvise(memory, bytes, MADV_HUGEPAGE);  // a wish: nothing depends on its being granted
#endif
    return memory;
  }

  /// f(block, begin, end, scratch) for the plan's blocks of rows.
  template <class F>
  void for_each_block(std::size_t scratch_bytes, std::int64_t rows, BlockPlan plan, const Partials& out, F f) {
    const auto block = [&](std::int64_t b, void* scratch) {
      const std::int64_t begin = b * plan.rows_per_block;
      f(b, begin, begin + plan.rows_per_block < rows ? begin + plan.rows_per_block : rows, scratch);
    };
    // Below about a million operations waking the other threads costs more than they save; even a parallel region of
    // one thread costs as much as a small model's step.
    if (plan.blocks <= 1 || rows * (1 + out.slots) * out.samples < 250'000) {
      if (scratch_bytes > kept_bytes_) {
        kept_.reset(allocate_own(scratch_bytes));
        kept_bytes_ = scratch_bytes;
      }
      for (std::int64_t b = 0; b < plan.blocks; ++b) block(b, kept_.get());
      return;
    }
#pragma omp parallel num_threads(threads_)
    {
      void* scratch = allocate_own(scratch_bytes);
#pragma omp for schedule(static)
      for (std::int64_t b = 0; b < plan.blocks; ++b) block(b, scratch);
      std::free(scratch);
    }
  }

  /// f(begin, count) for parts of `bytes`, shared out as for_each_block() shares out blocks of rows.
  template <class F>
  void in_parts(std::size_t bytes, F f) {
    if (bytes < large) return f(0, bytes);
    const std::size_t part = (bytes + most_blocks - 1) / most_blocks;
#pragma omp parallel for num_threads(threads_) schedule(static)
    for (std::int64_t b = 0; b < most_blocks; ++b) {
      const std::size_t begin = static_cast<std::size_t>(b) * part;
      if (begin < bytes) f(begin, bytes - begin < part ? bytes - begin : part);
    }
  }

  static constexpr std::size_t alignment = 64;
  static constexpr std::size_t page = std::size_t{1} << 21U;   ///< a large page of x86-64
  static constexpr std::size_t large = std::size_t{1} << 23U;  ///< bytes from which on pages and threads matter
  int threads_;
  EngineExecution execution_;
  struct Free {
    void operator()(void* memory) const { std::free(memory); }
  };
  /// Scratch memory of one thread, kept: to allocate it anew would be a good part of a small model's step.
  std::unique_ptr<void, Free> kept_;
  std::size_t kept_bytes_ = 0;
};

}  // namespace jensen
