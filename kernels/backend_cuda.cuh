#pragma once
/// \file A GPU as a backend: one non-blocking stream, launches of a thread for each item, the data term.

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "cuda_check.cuh"
#include "cuda_graph.cuh"
#include "data_term_cpu.hpp"
#include "data_term_cuda.cuh"
#include "density_code.hpp"
#include "general_term.hpp"
#include "items_cuda.cuh"
#include "small_step_cuda.cuh"
#include "stage_clock_cuda.cuh"
#include "step_functors.hpp"
#include "term_oracle.hpp"

namespace jensen {

class CudaBackend {
 public:
  static constexpr std::int64_t least_rows = 64;
  static constexpr std::int64_t level_block = 8;
  /// Priors, and whole steps of small models, are one launch each.
  static constexpr bool small_terms_together = true;
  static constexpr bool lists_rows = true;
  /// Elements of lambda that a thread works on at a time.
  static constexpr int elements_at_once = 1;

  CudaBackend(const EngineExecution& execution, Precision precision)
      : execution_(execution), stream_(static_cast<cudaStream_t>(execution.stream)), precision_(precision) {
    const Scope scope = enter();
    const int device = execution.device;
    if (stream_ == nullptr) check(cudaStreamCreateWithFlags(&stream_, cudaStreamNonBlocking), "cudaStreamCreate");
    check(cudaEventCreate(&begin_), "cudaEventCreate");
    check(cudaEventCreate(&end_), "cudaEventCreate");
    int processors = 0;
    check(cudaDeviceGetAttribute(&processors, cudaDevAttrMultiProcessorCount, device), "cudaDeviceGetAttribute");
    most_blocks = blocks_per_processor * processors;
    check(cudaDeviceGetAttribute(&shared_bytes_, cudaDevAttrMaxSharedMemoryPerBlockOptin, device),
          "cudaDeviceGetAttribute");
    allow_data_term(shared_bytes_);
  }
  ~CudaBackend() {
    cudaEventDestroy(begin_);
    cudaEventDestroy(end_);
    if (execution_.stream == nullptr) cudaStreamDestroy(stream_);
  }
  CudaBackend(const CudaBackend&) = delete;
  CudaBackend& operator=(const CudaBackend&) = delete;

  std::int64_t most_blocks = 0;

  /// While it lives, the engine's GPU is this thread's current one.
  using Scope = CurrentDevice;
  Scope enter() const { return Scope(execution_.device); }
  void* stream() const { return stream_; }

  void* allocate(std::size_t bytes) {
    if (execution_.allocate != nullptr) return execution_.allocate(execution_.context, bytes, stream_);
    void* memory = nullptr;
    check(cudaMalloc(&memory, bytes), "cudaMalloc");
    return memory;
  }
  void release(void* memory, std::size_t bytes) {
    if (execution_.release != nullptr) return execution_.release(execution_.context, memory, bytes, stream_);
    cudaFree(memory);
  }
  void upload(void* to, const void* from, std::size_t bytes) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyHostToDevice, stream_), "cudaMemcpyAsync");
    check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  }
  /// Row i of `to` is row order(i) of `from`. By way of host memory, some rows at a time.
  void upload_shuffled(void* to, const void* from, std::size_t row_bytes, const Shuffle& order) {
    const auto rows = static_cast<std::int64_t>(order.size());
    const auto most = std::max<std::int64_t>(1, (std::int64_t{1} << 26U) / static_cast<std::int64_t>(row_bytes));
    std::vector<char> part(static_cast<std::size_t>(std::min(rows, most)) * row_bytes);
    for (std::int64_t begin = 0; begin < rows; begin += most) {
      const std::int64_t count = std::min(most, rows - begin);
      copy_shuffled(order, begin, count, row_bytes, from, part.data(), 0);
      upload(static_cast<char*>(to) + static_cast<std::size_t>(begin) * row_bytes, part.data(),
             static_cast<std::size_t>(count) * row_bytes);
    }
  }
  void download(void* to, const void* from, std::size_t bytes) {
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToHost, stream_), "cudaMemcpyAsync");
    check(cudaStreamSynchronize(stream_), "cudaStreamSynchronize");
  }
  void zero(void* to, std::size_t bytes) {
    const auto timed = stage("zero");
    check(cudaMemsetAsync(to, 0, bytes, stream_), "cudaMemsetAsync");
  }

  /// Times what is enqueued while it lives, under this name, if the clock is on.
  CudaStageClock::Scope stage(const char* name) { return {clock, name}; }
  CudaStageClock clock{stream_};
  /// Seconds that the GPU takes for what `work` enqueues. Waits.
  template <class F>
  double seconds(F work) {
    check(cudaEventRecord(begin_, stream_), "cudaEventRecord");
    work();
    check(cudaEventRecord(end_, stream_), "cudaEventRecord");
    check(cudaEventSynchronize(end_), "cudaEventSynchronize");
    float milliseconds = 0;
    check(cudaEventElapsedTime(&milliseconds, begin_, end_), "cudaEventElapsedTime");
    return 1e-3 * static_cast<double>(milliseconds);
  }

  template <class T>
  void set(T* to, const T& value) {
    const auto timed = stage("set_input");
    set_kernel<<<1, 1, 0, stream_>>>(to, value);
    check(cudaGetLastError(), "set");
  }
  /// Runs what enqueue() enqueues, as a graph where it has been seen before.
  template <class F>
  void replay(const ReplayKey& key, F enqueue) {
    const Range range("step");
    if (clock.on) return enqueue();  // stages are timed one by one, which a graph does not allow
    graphs_.replay(stream_, key, enqueue);
  }
  /// Steps of a small model, one after the other.
  template <class Step>
  void run_steps(const Step& step, std::span<const StepInput> inputs) {
    const Range range("small_steps");
    const auto timed = stage("small_steps");
    StepInputs all;
    std::copy(inputs.begin(), inputs.end(), all.input);
    small_steps_kernel<<<1, small_step_threads, 0, stream_>>>(step, all, static_cast<int>(inputs.size()));
    check(cudaGetLastError(), "small_steps_kernel");
  }

  template <class F>
  void for_each(const char* name, std::int64_t n, const F& f, std::int64_t /*work*/ = 1) {
    const Range range(name);
    const auto timed = stage(name);
    launch_items(stream_, name, n, f);
  }
  void add_blocks(const char* name, const AddBlocksOfGroup& groups) { for_each(name, groups.items(), groups); }
  void fill_level_noise(const FillLevelNoise& noise) { for_each("level_noise", noise.items(), noise); }
  template <class Guide>
  void update_parameters(const UpdateParameter<Guide>& update) {
    for_each("update", update.guide.size(), update);
  }
  /// stage(item) for each unit and sample.
  template <class Stage>
  void for_each_sample(const char* name, std::int64_t units, const Stage& stage, std::int64_t /*work*/ = 1) {
    for_each(name, units * stage.samples, stage);
  }

  /// The minibatch's rows: of the epoch's order those from input->begin on.
  void select_rows(const StepInput* input, std::int64_t count, std::uint32_t* rows) {
    for_each("select_rows", count, SelectRows{input, rows});
  }

  /// Throws std::invalid_argument if this backend has no code for the term's density.
  void accept(const Term& term) {
    if (term.custom == nullptr) return;
    if (term.custom->cuda == nullptr || term.custom->version != density_code_version) {
      throw std::invalid_argument(std::string("not compiled for CUDA with this Jensen's headers (density ") +
                                  term.custom->name +
                                  "); compile it by jensen_add_density() without CPU_ONLY, or use the CPU");
    }
    if (term.custom->cuda->allow != nullptr) term.custom->cuda->allow(shared_bytes_);
  }
  /// Whether the kernels read the dense part of `term` in 16 bits. Not for a density of a user's, which would take
  /// twice as long to compile.
  bool takes_halves(const Term& term) const {
    return term.custom == nullptr && has_tile_shape(term) && dense_part_of(term) >= 0;
  }
  /// Whether a term that has_data_shape() is one for evaluate_general_term() all the same: too wide for one pass, or a
  /// user's prior.
  bool needs_row_values(const Term& term) const {
    if (lacks_tile_code(term)) return true;
    return has_tile_shape(term) && tile_plan(term, 1, least_rows, shared_bytes_).rows == 0;
  }

  /// The sums of a term that has_data_shape(). `in_memory`: the same term in the device's memory. A user's density has
  /// a tile shape if it has a data shape.
  void evaluate_term(const Term& term, const Term* in_memory, RowList rows, BlockPlan plan, const float* z,
                     int dimension, Partials out) {
    if (!evaluate_by_tiles(term, rows, plan, z, dimension, {}, {}, out)) {
      for_each("term_oracle", plan.blocks * out.samples, TermOracle{in_memory, rows, plan, z, dimension, out});
    }
  }

  /// The sums of any term; leaves in `values` the derivatives of the arguments that gather.
  void evaluate_general_term(const Term& term, const Term* in_memory, RowList rows, BlockPlan plan, const float* z,
                             int dimension, Effects effects, RowValues values, Partials out) {
    if (evaluate_by_tiles(term, rows, plan, z, dimension, effects, values, out)) return;
    if (term.custom != nullptr) {
      term.custom->cuda->evaluate_rows(in_memory, rows, z, dimension, effects, out.samples, values, stream_);
    } else {
      for_each("evaluate_rows", rows.count * out.samples,
               EvaluateRows{in_memory, rows, z, dimension, effects, out.samples, values});
    }
    for_each("sum_row_values", plan.blocks * (1 + out.slots) * out.samples,
             SumRowValues{in_memory, rows, plan, values, out});
  }

 private:
  /// Blocks of rows for each multiprocessor: no more than run at once or one after another. Each begins with a pipeline
  /// that is empty, ends with its sums, and adds to those that are to be added.
  static constexpr int blocks_per_processor = 2;
  /// Columns of a wide table that are taken at a time: as many as the registers hold for 64 samples.
  static constexpr int wide_columns = 512;

  static bool lacks_tile_code(const Term& term) {
    return term.custom != nullptr && term.custom->cuda->data_term == nullptr;
  }

  /// False if the term's shape is none of the kernels': not for priors, whose rows are few.
  bool evaluate_by_tiles(const Term& term, RowList rows, BlockPlan blocks, const float* z, int dimension,
                         Effects effects, RowValues values, Partials out) {
    if (!has_tile_shape(term) || lacks_tile_code(term)) return false;
    const TilePlan plan = tile_plan(term, out.samples, blocks.rows_per_block, shared_bytes_);
    const bool wide = plan.rows == 0;
    if (wide && values.data == nullptr) return false;
    if (blocks.blocks == 0) return true;
    DataTermWork work = data_term_work(term, rows, blocks, z, dimension, out, plan);
    work.split = precision_ == Precision::fp32;
    if (wide || has_gathers(term)) {
      work.effects = effects;
      work.derivative = values.derivative(0);
      work.derivative_stride = values.stride;
      work.partial = wide ? values.log_density() : nullptr;
    }
    const Range range("data_term");
    if (!wide) {
      launch(term, work);
      return true;
    }
    in_passes(work, term.arguments[0].parts[dense_part_of(term)].columns, wide_columns,
              [&](DataTermWork& pass, int columns) {
                pass.plan = tile_plan(term, out.samples, blocks.rows_per_block, shared_bytes_, columns);
                if (pass.plan.rows == 0)
                  throw DeviceFailure("this GPU has too little shared memory (data term); use --device cpu");
                launch(term, pass);
              });
    return true;
  }

  void launch(const Term& term, const DataTermWork& work) {
    if (term.custom != nullptr) return term.custom->cuda->data_term(work, stream_);
    launch_data_term(work, stream_);
  }

  EngineExecution execution_;
  cudaStream_t stream_;
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
  GraphCache graphs_;
  int shared_bytes_ = 0;
  Precision precision_;
};

}  // namespace jensen
